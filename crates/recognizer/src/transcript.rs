//! Hypotheses → committed and tentative words.
//!
//! Each update brings a new hypothesis for all of the window. A word is committed once two
//! hypotheses in a row agree on it and on all before it, and once it ended long enough ago that
//! more sound will not change it. What is committed never changes; the next hypotheses are made to
//! begin with it.
//!
//! Source: LocalAgreement-2 of Liu et al. 2020 (arXiv 2005.11185), as used by Macháček et al. 2023
//! (arXiv 2307.14743). The end guard is this project's.

/// One word, or one punctuation mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As written, with the space in front of it if there is one.
    pub text: String,
    /// When it begins, in seconds from the utterance's first column.
    pub start: f32,
    /// When it ends.
    pub end: f32,
    /// How sure the model is: the mean over its tokens, 0..=1.
    pub probability: f32,
    pub(crate) tokens: Vec<u32>,
}

impl Word {
    fn is_punctuation(&self) -> bool {
        !self.text.chars().any(char::is_alphanumeric)
    }

    fn ends_sentence(&self) -> bool {
        self.text.ends_with(['.', '?', '!', '。', '？', '！'])
    }

    /// Whether two hypotheses mean the same word: case may differ, it follows from the context.
    fn agrees(&self, other: &Self) -> bool {
        self.text.trim().to_lowercase() == other.text.trim().to_lowercase()
    }
}

/// The words of one utterance.
#[derive(Debug, Default)]
pub(crate) struct HypothesisBuffer {
    committed: Vec<Word>,
    tentative: Vec<Word>,
    /// The first committed word that is still in the window.
    in_window: usize,
}

/// Committed words that stay in the window when it is cut. They tell the model where it is, and
/// keep it from hearing the end of the last one again.
const KEPT_WORDS: usize = 3;

impl HypothesisBuffer {
    /// All that is committed.
    pub(crate) fn committed(&self) -> &[Word] {
        &self.committed
    }

    /// What the last hypothesis has behind the committed.
    pub(crate) fn tentative(&self) -> &[Word] {
        &self.tentative
    }

    /// Tokens of the committed words in the window: the next hypothesis has to begin with them.
    pub(crate) fn prefix(&self) -> Vec<u32> {
        tokens(&self.committed[self.in_window..])
    }

    /// Tokens of the tentative words: a guess of what comes next.
    pub(crate) fn draft(&self) -> Vec<u32> {
        tokens(&self.tentative)
    }

    /// Takes a new hypothesis behind the committed words and commits what it confirms.
    ///
    /// Words that end after `until`, in seconds, stay tentative. So does the last word, unless
    /// the speaker `paused`: it may be the first half of another.
    pub(crate) fn revise(&mut self, words: Vec<Word>, until: f32, paused: bool) {
        let confirmed = words.iter().zip(&self.tentative);
        let n = confirmed.take_while(|(new, old)| new.agrees(old) && new.end <= until).count();
        // The mark behind the last word is the first thing that more sound changes.
        let marks = words.iter().rev().take_while(|word| word.is_punctuation()).count();
        let waiting = marks + usize::from(!paused);
        let n = n.min(words.len().saturating_sub(waiting));
        self.tentative = words;
        self.commit(n);
    }

    /// Takes a new hypothesis behind the committed words as it is.
    pub(crate) fn replace(&mut self, words: Vec<Word>) {
        self.tentative = words;
    }

    /// Commits all of the last hypothesis.
    pub(crate) fn conclude(&mut self) {
        self.commit(self.tentative.len());
    }

    /// Commits the tentative words that end before `until`, agreed on or not.
    pub(crate) fn commit_before(&mut self, until: f32) {
        let n = self.tentative.iter().take_while(|word| word.end <= until).count();
        self.commit(n);
    }

    /// Where the window may be cut: at the beginning of a committed word that starts within
    /// `range`, preferably of one that begins a sentence; of equal ones the last.
    pub(crate) fn cut_within(&self, range: std::ops::Range<f32>) -> Option<f32> {
        let last = self.committed.len().checked_sub(KEPT_WORDS)?;
        let words = (self.in_window + 1..=last)
            .filter(|&i| range.contains(&self.committed[i].start))
            .filter(|&i| !self.committed[i].is_punctuation());
        let rank = |i: usize| match &self.committed[i - 1] {
            before if before.ends_sentence() => 2,
            before if before.is_punctuation() => 1,
            _ => 0,
        };
        words.max_by_key(|&i| (rank(i), i)).map(|i| self.committed[i].start)
    }

    /// Lets go of the committed words that begin before `start`: the window now begins there.
    pub(crate) fn slide(&mut self, start: f32) {
        let gone = self.committed[self.in_window..].iter().take_while(|word| word.start < start);
        self.in_window += gone.count();
    }

    fn commit(&mut self, n: usize) {
        self.committed.extend(self.tentative.drain(..n));
    }
}

/// Words as one text, without the space in front of the first.
pub(crate) fn text(words: &[Word]) -> String {
    let text: String = words.iter().map(|word| word.text.as_str()).collect();
    text.trim_start().into()
}

fn tokens(words: &[Word]) -> Vec<u32> {
    words.iter().flat_map(|word| word.tokens.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of half a second each, the first at `start`.
    fn words(text: &str, start: f32) -> Vec<Word> {
        text.split_inclusive(' ')
            .enumerate()
            .map(|(i, text)| Word {
                text: format!(" {}", text.trim()),
                start: start + i as f32 * 0.5,
                end: start + (i + 1) as f32 * 0.5,
                probability: 1.0,
                tokens: vec![i as u32],
            })
            .collect()
    }

    /// Feeds hypotheses, each with the time until which it may commit; gives what is committed.
    fn committed(hypotheses: &[(&str, f32)]) -> String {
        let mut buffer = HypothesisBuffer::default();
        for (hypothesis, until) in hypotheses {
            let behind = buffer.committed().len();
            let words = words(hypothesis, 0.0).split_off(behind);
            buffer.revise(words, *until, true);
        }
        text(buffer.committed())
    }

    #[test]
    fn one_hypothesis_commits_nothing() {
        assert_eq!(committed(&[("and so my fellow", 9.0)]), "");
    }

    #[test]
    fn what_two_hypotheses_agree_on_is_committed() {
        assert_eq!(committed(&[("and so my fell", 9.0), ("and so my fellow", 9.0)]), "and so my");
    }

    #[test]
    fn the_newer_case_wins() {
        assert_eq!(committed(&[("And So", 9.0), ("and so", 9.0)]), "and so");
    }

    #[test]
    fn what_ended_just_now_waits() {
        let hypotheses = [("and so my fellow", 1.0), ("and so my fellow", 1.0)];
        assert_eq!(committed(&hypotheses), "and so");
    }

    #[test]
    fn the_last_mark_waits() {
        assert_eq!(committed(&[("and so .", 9.0), ("and so .", 9.0)]), "and so");
        assert_eq!(committed(&[("and so . ask", 9.0), ("and so . ask", 9.0)]), "and so . ask");
    }

    #[test]
    fn the_last_word_waits_until_the_speaker_pauses() {
        let mut buffer = HypothesisBuffer::default();
        buffer.revise(words("and so my", 0.0), 9.0, false);
        buffer.revise(words("and so my", 0.0), 9.0, false);
        assert_eq!(text(buffer.committed()), "and so");
        buffer.revise(words("my", 1.0), 9.0, true);
        assert_eq!(text(buffer.committed()), "and so my");
    }

    #[test]
    fn the_window_is_cut_where_a_sentence_begins() {
        let mut buffer = HypothesisBuffer::default();
        buffer.replace(words("a b . c d e f g", 0.0));
        buffer.conclude();
        assert_eq!(buffer.cut_within(0.0..9.0), Some(1.5));
        buffer.slide(1.5);
        assert_eq!(buffer.prefix(), [3, 4, 5, 6, 7]);
        assert_eq!(buffer.cut_within(0.0..9.0), Some(2.5));
        assert_eq!(text(buffer.committed()), "a b . c d e f g");
    }

    #[test]
    fn the_last_words_stay_in_the_window() {
        let mut buffer = HypothesisBuffer::default();
        buffer.replace(words("a b c", 0.0));
        buffer.conclude();
        assert_eq!(buffer.cut_within(0.0..9.0), None);
    }

    proptest! {
        #[test]
        fn committed_text_only_grows(
            hypotheses in prop::collection::vec(("[ab]( [ab]){0,6}", 0.0f32..4.0), 0..12)
        ) {
            let mut buffer = HypothesisBuffer::default();
            let mut before = String::new();
            for (hypothesis, until) in hypotheses {
                buffer.revise(words(&hypothesis, 0.0), until, true);
                let now = text(buffer.committed());
                prop_assert!(now.starts_with(&before));
                before = now;
            }
        }
    }
}
