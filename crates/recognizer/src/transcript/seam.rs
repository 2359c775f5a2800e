//! Where a new hypothesis goes on from the committed words, if it does not repeat them exactly.
//!
//! Letters are compared, not words: behind "anymore" a hypothesis that has "any more" goes on after
//! "more".

use super::Word;

/// From this share of the committed letters on, a hypothesis that takes them back is another text.
const MAX_DIFFERENCE: f32 = 0.34;

/// How many of `heard` stand for `committed`: those with the fewest differences, and of several
/// such numbers the one whose last word ends when the last committed one does. Of another text,
/// what was said by then.
pub(super) fn find(committed: &[Word], heard: &[Word]) -> usize {
    let Some(last) = committed.last() else { return 0 };
    let said: Vec<char> = committed.iter().flat_map(letters).collect();
    let differences = differences(&said, heard);
    let fewest = differences.iter().copied().min().unwrap_or_default();
    if fewest > (said.len() as f32 * MAX_DIFFERENCE) as usize {
        let middle = |word: &Word| (word.start + word.end) / 2.0;
        return heard.iter().take_while(|word| middle(word) < last.end).count();
    }
    let off = |n: usize| match n.checked_sub(1) {
        Some(at) => (heard[at].end - last.end).abs(),
        None => f32::INFINITY,
    };
    let candidates = (0..differences.len()).filter(|&n| differences[n] == fewest);
    candidates.min_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap_or_default()
}

/// What is written of a word, whatever its case: letters, digits, marks.
fn letters(word: &Word) -> impl Iterator<Item = char> {
    word.text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase)
}

/// For each number of words of `heard`, in how many letters they differ from all that was `said`:
/// the last row of the Levenshtein distance, at the ends of words.
fn differences(said: &[char], heard: &[Word]) -> Vec<usize> {
    let mut ends = vec![0];
    let mut others = Vec::new();
    for word in heard {
        others.extend(letters(word));
        ends.push(others.len());
    }
    let mut row: Vec<usize> = (0..=others.len()).collect();
    for (i, letter) in said.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in others.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    ends.into_iter().map(|end| row[end]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::words;
    use super::find;

    #[test]
    fn what_is_repeated_is_found() {
        let heard = words("and so my fellow", 0.0);
        assert_eq!(find(&words("and so", 0.0), &heard), 2);
        assert_eq!(find(&[], &heard), 0);
        assert_eq!(find(&heard, &heard), 4);
    }

    #[test]
    fn a_word_that_is_taken_back_is_stepped_over() {
        let committed = words("dow one if you wish dow", 0.0);
        let heard = words("dial one if you wish dial two if", 0.0);
        assert_eq!(find(&committed, &heard), 6);
    }

    #[test]
    fn a_word_may_become_two_and_two_may_become_one() {
        let heard = words("in such republics any more than in that", 0.0);
        assert_eq!(find(&words("in such republics anymore", 0.0), &heard), 5);
        assert_eq!(find(&heard[..5], &words("in such republics anymore than", 0.0)), 4);
        let heard = words("into a large earthenware bowl", 0.0);
        assert_eq!(find(&words("into a large earthen", 0.0), &heard), 4);
    }

    #[test]
    fn times_decide_between_equals() {
        // "fell" or "fellow" and "Americans": the committed word ended where "fellow" does.
        let committed = words("and so my fell", 0.0);
        let heard = words("and so my fellow americans", 0.0);
        assert_eq!(find(&committed, &heard), 4);
        // A letter too many, or one too few.
        let committed = words("we had a", 0.0);
        let mut heard = words("we had an", 0.0);
        heard.extend(words("a", 1.5));
        assert_eq!(find(&committed, &heard), 3);
    }

    #[test]
    fn of_another_text_what_is_later_is_taken() {
        let heard = words("something else altogether was said", 0.0);
        assert_eq!(find(&words("and so", 0.0), &heard), 2);
        assert_eq!(find(&words("and so my fellow", 0.0), &heard), 4);
        assert_eq!(find(&words("and so", 0.0), &[]), 0);
    }
}
