//! Hypotheses → committed and tentative words.
//!
//! Each update brings a new hypothesis for all of the window. A word is committed once two
//! hypotheses in a row agree on it and on all before it, and once it ended long enough ago that
//! more sound will not change it. What is committed never changes; the next hypotheses are made to
//! begin with it.
//!
//! Source: LocalAgreement-2 of Liu et al. 2020 (arXiv 2005.11185), as used by Macháček et al. 2023
//! (arXiv 2307.14743). The end guard is this project's.

mod seam;

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
    /// Whether the model would rather say another word, by a little.
    pub(crate) is_favoured: bool,
}

impl Word {
    fn is_punctuation(&self) -> bool {
        !self.text.chars().any(char::is_alphanumeric)
    }

    /// Whether it is a mark of which no other can follow.
    fn is_stop(&self) -> bool {
        matches!(
            self.text.trim(),
            "." | "," | "?" | "!" | ";" | ":" | "。" | "，" | "、" | "？" | "！"
        )
    }

    fn ends_sentence(&self) -> bool {
        self.text.ends_with(['.', '?', '!', '。', '？', '！'])
    }

    /// Whether two hypotheses mean the same word: case may differ, it follows from the context.
    fn agrees(&self, other: &Self) -> bool {
        self.text.trim().to_lowercase() == other.text.trim().to_lowercase()
    }
}

/// When a word is shown, and when one that two hypotheses agree on is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitRule {
    /// Probability from which on a word is shown the first time that it is heard; others have to
    /// be heard twice.
    pub believed: f32,
    /// Sound this close to the end may still change the words, in seconds.
    pub end_guard: f32,
    /// Probability from which on the model is sure of a word.
    pub sure: f32,
    /// The end guard of a word that it is not sure of.
    pub unsure_guard: f32,
    /// How long such a word must have been heard, in seconds.
    pub unsure_wait: f32,
}

impl CommitRule {
    /// Whether `word`, heard `since` then and again `now`, will not change any more.
    fn is_due(&self, word: &Word, since: f32, now: f32) -> bool {
        !word.is_favoured && self.has_waited(word, since, now)
    }

    fn has_waited(&self, word: &Word, since: f32, now: f32) -> bool {
        let (guard, wait) = match word.probability {
            p if p >= self.sure => (self.end_guard, 0.0),
            _ => (self.unsure_guard, self.unsure_wait),
        };
        since < now && now - since >= wait && word.end <= now - guard
    }
}

/// The words of one utterance.
#[derive(Debug, Default)]
pub(crate) struct HypothesisBuffer {
    committed: Vec<Word>,
    tentative: Vec<Word>,
    /// Since when each of them has been heard, with all in front of it, in seconds.
    since: Vec<f32>,
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

    /// What the last hypothesis, of sound that ends at `now`, has behind the committed: up to the
    /// first word that is new and that the model does not believe in. Such words come and go.
    pub(crate) fn tentative(&self, now: f32, rule: &CommitRule) -> &[Word] {
        let words = self.tentative.iter().zip(&self.since);
        let is_shown =
            |&(word, &since): &(&Word, &f32)| since < now || word.probability >= rule.believed;
        &self.tentative[..words.take_while(is_shown).count()]
    }

    /// Tokens of the committed words in the window: the next hypothesis has to begin with them.
    pub(crate) fn prefix(&self) -> Vec<u32> {
        tokens(&self.committed[self.in_window..])
    }

    /// Tokens of the tentative words: a guess of what comes next.
    pub(crate) fn draft(&self) -> Vec<u32> {
        tokens(&self.tentative)
    }

    /// Of a hypothesis for all of the window, the words behind the committed ones.
    pub(crate) fn behind_committed(&self, mut words: Vec<Word>) -> Vec<Word> {
        let mut behind = words.split_off(seam::find(&self.committed[self.in_window..], &words));
        // Where a full stop is committed and the model would now rather have a comma.
        if self.committed.last().is_some_and(Word::is_stop)
            && behind.first().is_some_and(Word::is_stop)
        {
            behind.remove(0);
        }
        behind
    }

    /// Takes a new hypothesis behind the committed words, of sound that ends at `now`, and commits
    /// what it confirms.
    ///
    /// The last word stays tentative unless the speaker `paused`: it may be the first half of
    /// another.
    pub(crate) fn revise(&mut self, words: Vec<Word>, now: f32, paused: bool, rule: &CommitRule) {
        self.replace(words, now);
        let is_due = |(word, since): (&Word, &f32)| rule.is_due(word, *since, now);
        let n = self.tentative.iter().zip(&self.since).take_while(|&pair| is_due(pair)).count();
        let waiting = usize::from(!paused);
        self.commit(n.min(self.n_before_marks().saturating_sub(waiting)));
    }

    /// Whether the first word is one that the model is not sure of, has waited for long enough at `now`,
    /// and keeps others waiting.
    pub(crate) fn is_in_doubt(&self, now: f32, rule: &CommitRule) -> bool {
        let first = self.tentative.first().zip(self.since.first());
        first.is_some_and(|(word, &since)| {
            word.probability < rule.sure && rule.has_waited(word, since, now)
        }) && self.n_before_marks() > 1
    }

    /// Tentative words without the marks at their end: those are the first thing that more sound
    /// changes.
    fn n_before_marks(&self) -> usize {
        self.tentative.iter().rposition(|word| !word.is_punctuation()).map_or(0, |last| last + 1)
    }

    /// Commits the words of the last hypothesis, and not the marks behind them. Says whether there
    /// were any.
    pub(crate) fn settle(&mut self) -> bool {
        let n = self.n_before_marks();
        self.commit(n);
        n > 0
    }

    /// Takes a new hypothesis behind the committed words, and commits nothing.
    pub(crate) fn replace(&mut self, words: Vec<Word>, now: f32) {
        let agreed = words.iter().zip(&self.tentative).take_while(|(new, old)| new.agrees(old));
        self.since.truncate(agreed.count());
        self.since.resize(words.len(), now);
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
        self.since.drain(..n);
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
    pub(super) fn words(text: &str, start: f32) -> Vec<Word> {
        text.split_inclusive(' ')
            .enumerate()
            .map(|(i, text)| Word {
                text: format!(" {}", text.trim()),
                start: start + i as f32 * 0.5,
                end: start + (i + 1) as f32 * 0.5,
                probability: 1.0,
                tokens: vec![i as u32],
                is_favoured: false,
            })
            .collect()
    }

    const RULE: CommitRule = CommitRule {
        believed: 0.7,
        end_guard: 0.0,
        sure: 0.9,
        unsure_guard: 1.0,
        unsure_wait: 0.8,
    };

    /// Feeds hypotheses, each with the time at which its sound ends; gives what is committed.
    fn committed(hypotheses: &[(&str, f32)]) -> String {
        let mut buffer = HypothesisBuffer::default();
        for (hypothesis, now) in hypotheses {
            let behind = buffer.committed().len();
            let words = words(hypothesis, 0.0).split_off(behind);
            buffer.revise(words, *now, true, &RULE);
        }
        text(buffer.committed())
    }

    #[test]
    fn one_hypothesis_commits_nothing() {
        assert_eq!(committed(&[("and so my fellow", 9.0)]), "");
    }

    #[test]
    fn what_two_hypotheses_agree_on_is_committed() {
        assert_eq!(committed(&[("and so my fell", 9.0), ("and so my fellow", 9.1)]), "and so my");
    }

    #[test]
    fn the_newer_case_wins() {
        assert_eq!(committed(&[("And So", 9.0), ("and so", 9.1)]), "and so");
    }

    #[test]
    fn what_ended_just_now_waits() {
        let hypotheses = [("and so my fellow", 0.9), ("and so my fellow", 1.0)];
        assert_eq!(committed(&hypotheses), "and so");
    }

    #[test]
    fn what_the_model_is_not_sure_of_must_be_heard_for_longer() {
        let mut buffer = HypothesisBuffer::default();
        let mut heard = words("and so my fellow", 0.0);
        heard[1].probability = 0.6;
        for (now, expected) in [(4.0, ""), (4.2, "and"), (4.6, "and"), (4.9, "and so my fellow")] {
            let behind = buffer.committed().len();
            buffer.revise(heard[behind..].to_vec(), now, true, &RULE);
            assert_eq!(text(buffer.committed()), expected);
        }
    }

    #[test]
    fn a_word_that_could_be_committed_unsure_is_in_doubt() {
        let mut buffer = HypothesisBuffer::default();
        let mut heard = words("and so", 0.0);
        buffer.replace(heard.clone(), 1.0);
        assert!(!buffer.is_in_doubt(9.0, &RULE), "it is sure of it");
        heard[0].probability = 0.6;
        buffer.replace(heard.clone(), 1.0);
        assert!(!buffer.is_in_doubt(1.7, &RULE), "it was not heard for long");
        assert!(buffer.is_in_doubt(1.9, &RULE));
        heard[0].end = 1.0;
        buffer.replace(heard.clone(), 1.0);
        assert!(!buffer.is_in_doubt(1.9, &RULE), "it does not lie far back");
        buffer.replace(heard[..1].to_vec(), 1.0);
        assert!(!buffer.is_in_doubt(9.0, &RULE), "nothing waits for it");
    }

    #[test]
    fn what_is_only_kept_for_the_sake_of_peace_is_not_committed() {
        let mut buffer = HypothesisBuffer::default();
        let mut heard = words("and so my fellow", 0.0);
        for (is_favoured, expected) in [(true, ""), (true, ""), (false, "and so my")] {
            heard[0].is_favoured = is_favoured;
            let now = if is_favoured { 9.0 } else { 9.5 };
            buffer.revise(heard.clone(), now, false, &RULE);
            assert_eq!(text(buffer.committed()), expected);
        }
    }

    #[test]
    fn a_new_word_is_shown_when_it_is_believed_or_heard_again() {
        let mut buffer = HypothesisBuffer::default();
        let shown = |buffer: &HypothesisBuffer, now| text(buffer.tentative(now, &RULE));
        let mut heard = words("and so my fellow", 0.0);
        heard[2].probability = 0.5;
        buffer.revise(heard.clone(), 2.0, false, &RULE);
        assert_eq!(shown(&buffer, 2.0), "and so");
        assert_eq!(buffer.draft().len(), 4);
        heard.iter_mut().for_each(|word| word.end += 9.0);
        buffer.revise(heard, 2.2, false, &RULE);
        assert_eq!(shown(&buffer, 2.2), "and so my fellow");
    }

    #[test]
    fn the_last_mark_waits() {
        assert_eq!(committed(&[("and so .", 9.0), ("and so .", 9.1)]), "and so");
        assert_eq!(committed(&[("and so . ask", 9.0), ("and so . ask", 9.1)]), "and so . ask");
    }

    #[test]
    fn of_two_marks_the_committed_one_stands() {
        let mut buffer = HypothesisBuffer::default();
        buffer.replace(words("and so .", 0.0), 9.0);
        buffer.conclude();
        let mut heard = words("and so , my", 0.0);
        // The comma ends when the full stop does, or not.
        for end in [1.5, 1.0, 2.0] {
            heard[2].end = end;
            assert_eq!(text(&buffer.behind_committed(heard.clone())), "my");
        }
    }

    #[test]
    fn a_pause_that_lasts_commits_all_but_the_last_mark() {
        let mut buffer = HypothesisBuffer::default();
        buffer.replace(words("and so .", 0.0), 9.0);
        assert!(buffer.settle());
        assert_eq!((text(buffer.committed()), buffer.draft().len()), ("and so".into(), 1));
        assert!(!buffer.settle());
    }

    #[test]
    fn the_last_word_waits_until_the_speaker_pauses() {
        let mut buffer = HypothesisBuffer::default();
        buffer.revise(words("and so my", 0.0), 9.0, false, &RULE);
        buffer.revise(words("and so my", 0.0), 9.1, false, &RULE);
        assert_eq!(text(buffer.committed()), "and so");
        buffer.revise(words("my", 1.0), 9.2, true, &RULE);
        assert_eq!(text(buffer.committed()), "and so my");
    }

    #[test]
    fn the_window_is_cut_where_a_sentence_begins() {
        let mut buffer = HypothesisBuffer::default();
        buffer.replace(words("a b . c d e f g", 0.0), 9.0);
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
        buffer.replace(words("a b c", 0.0), 9.0);
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
                buffer.revise(words(&hypothesis, 0.0), until, true, &RULE);
                let now = text(buffer.committed());
                prop_assert!(now.starts_with(&before));
                before = now;
            }
        }
    }
}
