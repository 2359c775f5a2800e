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

    /// Cuts the window at the beginning of a committed word that starts within `range`, preferably of one
    /// that begins a sentence, of equal ones the last; and says when that is.
    pub(crate) fn cut_within(&mut self, range: std::ops::Range<f32>) -> Option<f32> {
        let last = self.committed.len().checked_sub(KEPT_WORDS)?;
        let words = (self.in_window + 1..=last)
            .filter(|&i| range.contains(&self.committed[i].start))
            .filter(|&i| !self.committed[i].is_punctuation());
        let rank = |i: usize| match &self.committed[i - 1] {
            before if before.ends_sentence() => 2,
            before if before.is_punctuation() => 1,
            _ => 0,
        };
        self.in_window = words.max_by_key(|&i| (rank(i), i))?;
        Some(self.committed[self.in_window].start)
    }

    /// Commits the words that end before `range` does, agreed on or not, and cuts the window behind the last that
    /// ends within it; says where that is. There is nothing in the text for what stands behind: it may have been
    /// skipped. Only where no word ends in the range, the cut is at its end.
    pub(crate) fn cut_behind(&mut self, range: std::ops::Range<f32>) -> f32 {
        let n = self.tentative.iter().take_while(|word| word.end <= range.end).count();
        self.commit(n);
        let words = &self.committed[self.in_window..];
        let ends = words.iter().map(|word| word.end).filter(|end| range.contains(end));
        let start = ends.reduce(f32::max).unwrap_or(range.end);
        let is_gone = |word: &&Word| word.start < start || word.end <= start;
        self.in_window += words.iter().take_while(is_gone).count();
        start
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
mod tests;
