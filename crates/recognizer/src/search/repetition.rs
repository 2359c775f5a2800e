//! The guard against text that goes round in circles.

use std::ops::Range;

/// The longest circle looked for, in tokens.
const MAX_PERIOD: usize = 16;
/// Rounds before it is called a circle: people do say things three times.
const MIN_ROUNDS: usize = 4;
/// The same where a phrase that is said twice is suspicious.
const WARY_ROUNDS: usize = 2;
/// Tokens that the circle takes up in all: people do say "no, no, no" for a while before they go on, and what
/// stands behind a circle is lost.
const MIN_TOKENS: usize = 32;
/// The same at the end of the budget: nothing can stand behind it, and who spoke for a second has no more.
const LAST_TOKENS: usize = 12;
/// The same where a phrase that is said twice is suspicious: one of five tokens is. Nothing is lost by it, the full
/// window has the last word.
const WARY_TOKENS: usize = 10;

/// Looks for a circle at the end of `tokens` and gives its first round: what stands behind that is not to be kept.
///
/// A circle may reach into the first `fixed` tokens, but these are kept.
pub(super) fn cut(tokens: &[u32], fixed: usize, is_wary: bool) -> Option<Range<usize>> {
    match is_wary {
        true => find(tokens, fixed, WARY_ROUNDS, WARY_TOKENS),
        false => find(tokens, fixed, MIN_ROUNDS, MIN_TOKENS),
    }
}

/// The same of a text that has used up its budget.
pub(super) fn cut_last(tokens: &[u32], fixed: usize) -> Option<Range<usize>> {
    find(tokens, fixed, MIN_ROUNDS, LAST_TOKENS)
}

fn find(
    tokens: &[u32],
    fixed: usize,
    min_rounds: usize,
    min_tokens: usize,
) -> Option<Range<usize>> {
    (1..=MAX_PERIOD).find_map(|period| {
        let n = min_tokens.max(min_rounds * period).next_multiple_of(period);
        let start = tokens.len().checked_sub(n)?;
        let tail = &tokens[start..];
        let is_circle = tail.iter().zip(&tail[period..]).all(|(a, b)| a == b);
        is_circle.then(|| start..fixed.max(start + period))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_cut_to_its_first_round() {
        let tokens = [&[9, 8][..], &[1, 2, 3].repeat(11)].concat();
        assert_eq!(cut(&tokens, 0, false), Some(2..5));
        // Of a long phrase four rounds are enough.
        let phrase: Vec<u32> = (0..10).collect();
        assert_eq!(cut(&phrase.repeat(4), 0, false), Some(0..10));
        assert_eq!(cut(&phrase.repeat(3), 0, false), None);
    }

    #[test]
    fn what_people_say_is_no_circle() {
        for is_wary in [false, true] {
            assert_eq!(cut(&[5, 5, 5, 5, 5, 5], 0, is_wary), None);
            assert_eq!(cut(&[1, 2, 3, 1, 2, 3, 1, 2, 3], 0, is_wary), None);
            assert_eq!(cut(&[], 0, is_wary), None);
        }
        // "No," fifteen times.
        assert_eq!(cut(&[1, 2].repeat(15), 0, false), None);
    }

    #[test]
    fn a_phrase_said_twice_is_a_circle_to_the_wary() {
        let tokens = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5];
        assert_eq!(cut(&tokens, 0, true), Some(0..5));
        assert_eq!(cut(&tokens, 0, false), None);
    }

    #[test]
    fn one_token_over_and_over_is_a_circle() {
        assert_eq!(cut(&[7; 32], 0, false), Some(0..1));
        assert_eq!(cut(&[7; 10], 0, true), Some(0..1));
    }

    #[test]
    fn at_the_end_of_the_budget_fewer_tokens_are_a_circle() {
        let tokens = [&[9][..], &[1, 2].repeat(6)].concat();
        assert_eq!(cut(&tokens, 0, false), None);
        assert_eq!(cut_last(&tokens, 0), Some(1..3));
        assert_eq!(cut_last(&tokens[2..], 0), None);
    }

    #[test]
    fn what_is_fixed_is_kept() {
        assert_eq!(cut(&[1, 2, 3, 4, 5, 1, 2, 3, 4, 5], 7, true), Some(0..7));
    }
}
