//! The guard against text that goes round in circles.

/// The longest circle looked for, in tokens.
const MAX_PERIOD: usize = 10;
/// Rounds before it is called a circle: people do say things three times.
const MIN_ROUNDS: usize = 4;
/// Tokens that the circle takes up in all: people do say "no" five times in a row.
const MIN_TOKENS: usize = 12;

/// Looks for a circle at the end of `tokens` and says how many to keep: up to its first round.
///
/// The first `fixed` tokens are not looked at.
pub(super) fn cut(tokens: &[u32], fixed: usize) -> Option<usize> {
    let tokens_after = &tokens[fixed.min(tokens.len())..];
    (1..=MAX_PERIOD).find_map(|period| {
        let n = MIN_TOKENS.max(MIN_ROUNDS * period).next_multiple_of(period);
        let tail = &tokens_after[tokens_after.len().checked_sub(n)?..];
        let is_circle = tail.iter().zip(&tail[period..]).all(|(a, b)| a == b);
        is_circle.then(|| tokens.len() - n + period)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_cut_to_its_first_round() {
        let tokens = [9, 8, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3];
        assert_eq!(cut(&tokens, 0), Some(5));
    }

    #[test]
    fn what_people_say_is_no_circle() {
        assert_eq!(cut(&[5, 5, 5, 5, 5, 5], 0), None);
        assert_eq!(cut(&[1, 2, 3, 1, 2, 3, 1, 2, 3], 0), None);
        assert_eq!(cut(&[], 0), None);
    }

    #[test]
    fn one_token_over_and_over_is_a_circle() {
        assert_eq!(cut(&[7; 12], 0), Some(1));
    }

    #[test]
    fn what_is_fixed_is_not_looked_at() {
        assert_eq!(cut(&[7; 12], 4), None);
        assert_eq!(cut(&[7; 16], 4), Some(5));
    }
}
