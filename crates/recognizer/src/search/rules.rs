//! What may not be said: Whisper's filters on the logits.
//!
//! Source: `SuppressBlank`, `SuppressTokens` and `ApplyTimestampRules` in openai/whisper,
//! `whisper/decoding.py` at c0d2f62.

use crate::kernels::log_sum_exp;
use crate::tokenizer::Tokenizer;

/// The last position at which the first timestamp may stand: one second.
const MAX_INITIAL_TIMESTAMP: u32 = 50;

/// Whether the text carries timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timestamps {
    Without,
    With,
}

/// The filters of one search.
pub(crate) struct Rules {
    /// Never said: music notes, brackets, languages and other signs that are no speech.
    suppressed: Vec<u32>,
    /// Not said first: a space alone, the end.
    blank: [u32; 2],
    timestamps: Timestamps,
    timestamp_begin: usize,
    eot: u32,
}

impl Rules {
    /// The filters that OpenAI sets by default.
    ///
    /// Without timestamps, languages and timestamps are suppressed too; OpenAI leaves those to
    /// chance.
    pub(crate) fn new(tokenizer: &Tokenizer, timestamps: Timestamps) -> Self {
        let mut suppressed = tokenizer.suppressed();
        suppressed.push(tokenizer.no_timestamps);
        if timestamps == Timestamps::Without {
            let languages = tokenizer.languages().iter();
            suppressed.extend(languages.filter_map(|(code, _)| tokenizer.language_token(code)));
        }
        Self {
            suppressed,
            blank: tokenizer.blank(),
            timestamps,
            timestamp_begin: tokenizer.timestamp_begin as usize,
            eot: tokenizer.eot,
        }
    }

    /// Whether all that they ask about the text is whether there is any.
    pub(crate) fn look_at_the_beginning_only(&self) -> bool {
        self.timestamps == Timestamps::Without
    }

    /// Sets what may not follow `text` to minus infinity.
    pub(crate) fn apply(&self, logits: &mut [f32], text: &[u32]) {
        if text.is_empty() {
            forbid(logits, &self.blank);
        }
        forbid(logits, &self.suppressed);
        match self.timestamps {
            Timestamps::Without => logits[self.timestamp_begin..].fill(f32::NEG_INFINITY),
            Timestamps::With => self.apply_timestamps(logits, text),
        }
    }

    /// Timestamps come in pairs, never fall, and stand first.
    fn apply_timestamps(&self, logits: &mut [f32], text: &[u32]) {
        let begin = self.timestamp_begin;
        let is_timestamp = |token: Option<&u32>| token.is_some_and(|&t| t as usize >= begin);
        let last_is = is_timestamp(text.last());
        let before_last_is = text.len() < 2 || is_timestamp(text.get(text.len() - 2));
        if last_is && before_last_is {
            logits[begin..].fill(f32::NEG_INFINITY);
        } else if last_is {
            logits[..self.eot as usize].fill(f32::NEG_INFINITY);
        }
        if let Some(&last) = text.iter().rev().find(|&&t| t as usize >= begin) {
            // A segment has a length: only the second of a pair of borders may repeat the first.
            let lowest = if last_is && !before_last_is { last } else { last + 1 };
            logits[begin..lowest as usize].fill(f32::NEG_INFINITY);
        }
        if text.is_empty() {
            logits[..begin].fill(f32::NEG_INFINITY);
            logits[begin + MAX_INITIAL_TIMESTAMP as usize + 1..].fill(f32::NEG_INFINITY);
        }
        let (words, timestamps) = logits.split_at_mut(begin);
        let likeliest = words.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if log_sum_exp(timestamps) > likeliest {
            words.fill(f32::NEG_INFINITY);
        }
    }
}

fn forbid(logits: &mut [f32], tokens: &[u32]) {
    for &token in tokens {
        logits[token as usize] = f32::NEG_INFINITY;
    }
}
