//! Where a new hypothesis goes on from the committed words, if it does not repeat them exactly.

use super::Word;

/// From this share of the committed words on, a hypothesis that takes them back is another text.
const MAX_DIFFERENCE: f32 = 0.34;

/// How many of `heard` stand for `committed`: those with the fewest differences, and of several
/// such numbers the one whose last word ends when the last committed one does. Of another text,
/// what was said by then.
pub(super) fn find(committed: &[Word], heard: &[Word]) -> usize {
    let Some(last) = committed.last() else { return 0 };
    let differences = differences(committed, heard);
    let fewest = differences.iter().copied().min().unwrap_or_default();
    if fewest > (committed.len() as f32 * MAX_DIFFERENCE) as usize {
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

/// For each number of words of `heard`, in how many words they differ from all of `committed`: the
/// last row of the Levenshtein distance.
fn differences(committed: &[Word], heard: &[Word]) -> Vec<usize> {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in committed.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let replaced = diagonal + usize::from(!word.agrees(other));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row
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
    fn times_decide_between_equals() {
        // "fell" or "fellow" and "Americans": the committed word ended where "fellow" does.
        let committed = words("and so my fell", 0.0);
        let heard = words("and so my fellow americans", 0.0);
        assert_eq!(find(&committed, &heard), 4);
        let mut early = heard;
        early[2].end = 2.0;
        early[3].end = 3.0;
        assert_eq!(find(&committed, &early), 3);
    }

    #[test]
    fn of_another_text_what_is_later_is_taken() {
        let heard = words("something else altogether was said", 0.0);
        assert_eq!(find(&words("and so", 0.0), &heard), 2);
        assert_eq!(find(&words("and so my fellow", 0.0), &heard), 4);
        assert_eq!(find(&words("and so", 0.0), &[]), 0);
    }
}
