//! What was committed of an utterance before another processor took it over, put in front of what
//! that one finds.
//!
//! The sound of the last words is heard a second time: the first word behind a cut is often lost.
//! What is found there again is known by its time, and left out.

use scriven_recognizer::{Final, Outcome, Partial, Word};

use crate::pipeline::HOP_LENGTH;

/// Columns of a second.
const COLUMNS_PER_SECOND: usize = scriven_audio::SAMPLE_RATE / HOP_LENGTH as usize;
/// Sound in front of the end of the committed words that is heard again, in seconds. With none, a
/// word was lost in two of five cuts through the same speech.
const CONTEXT: f32 = 2.0;

/// The committed words.
#[derive(Default)]
pub(super) struct Before {
    words: Vec<Word>,
    language: &'static str,
    /// Where the sound to hear again begins.
    columns: usize,
}

impl Before {
    /// Reads what is committed off a hypothesis over all columns.
    pub(super) fn of(mut partial: Partial) -> Self {
        partial.words.truncate(n_committed(&partial));
        let words = partial.words;
        let until = end(&words) - CONTEXT;
        let from = words.iter().rfind(|word| word.start <= until).map_or(0.0, |word| word.start);
        let columns = (from * COLUMNS_PER_SECOND as f32) as usize;
        Self { words, language: partial.language.unwrap_or_default(), columns }
    }

    /// Columns of the utterance that need not be heard again.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Puts the words in front of those of `behind`.
    pub(super) fn partial(&self, behind: Partial) -> Partial {
        if self.words.is_empty() {
            return behind;
        }
        let (committed, tentative) = behind.words.split_at(n_committed(&behind));
        let committed = self.followed_by(committed);
        let words = [&committed[..], &self.unheard(tentative)].concat();
        let committed = text(&committed);
        let tentative = text(&words)[committed.len()..].into();
        Partial { committed, tentative, words, language: behind.language }
    }

    /// Puts the words in front of those of `behind`.
    pub(super) fn outcome(&self, behind: Outcome) -> Outcome {
        if self.words.is_empty() {
            return behind;
        }
        let (behind, language) = match behind {
            Outcome::Final(Final { words, language, .. }) => (words, language),
            Outcome::Discarded(_) => (Vec::new(), self.language),
        };
        let words = self.followed_by(&behind);
        let sum: f32 = words.iter().map(|word| word.probability).sum();
        let confidence = sum / words.len() as f32;
        Outcome::Final(Final { text: text(&words), language, words, confidence })
    }

    fn followed_by(&self, behind: &[Word]) -> Vec<Word> {
        [&self.words[..], &self.unheard(behind)].concat()
    }

    /// The words that are not among ours, with times that count from the utterance's beginning.
    fn unheard(&self, heard: &[Word]) -> Vec<Word> {
        let (origin, until) = (self.columns as f32 / COLUMNS_PER_SECOND as f32, end(&self.words));
        let moved = heard.iter().cloned().map(|mut word| {
            word.start += origin;
            word.end += origin;
            word
        });
        moved.filter(|word| (word.start + word.end) / 2.0 > until).collect()
    }
}

/// How many words of a hypothesis are committed.
fn n_committed(partial: &Partial) -> usize {
    let mut text = String::new();
    let is_committed = |word: &&Word| {
        let is_committed = text.trim_start().len() < partial.committed.len();
        text.push_str(&word.text);
        is_committed
    };
    partial.words.iter().take_while(is_committed).count()
}

fn end(words: &[Word]) -> f32 {
    words.last().map_or(0.0, |word| word.end)
}

/// Words as one text.
fn text(words: &[Word]) -> String {
    let text: String = words.iter().map(|word| word.text.as_str()).collect();
    text.trim_start().into()
}
