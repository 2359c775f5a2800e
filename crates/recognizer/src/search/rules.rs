//! What may not be said: Whisper's filters on the logits; and what is likely to be said.
//!
//! Source: `SuppressBlank`, `SuppressTokens` and `ApplyTimestampRules` in openai/whisper,
//! `whisper/decoding.py` at c0d2f62.

use std::borrow::Cow;

use super::hotwords::Hotwords;
use crate::kernels::{argmax, log_sum_exp};
use crate::tokenizer::Tokenizer;

/// The last position at which the first timestamp may stand: one second.
const MAX_INITIAL_TIMESTAMP: u32 = 50;

/// Whether the text carries timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timestamps {
    Without,
    With,
}

/// The filters of one search, and the words it prefers.
pub(crate) struct Rules {
    /// Never said: music notes, brackets, languages and other signs that are no speech.
    suppressed: Vec<u32>,
    /// Not said first: a space alone, the end.
    blank: [u32; 2],
    timestamps: Timestamps,
    timestamp_begin: usize,
    eot: u32,
    hotwords: Hotwords,
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
            hotwords: Hotwords::default(),
        }
    }

    /// Prefers these words, whose first tokens get `boost` on their scores.
    pub(crate) fn prefer(mut self, tokenizer: &Tokenizer, words: &[String], boost: f32) -> Self {
        self.hotwords = Hotwords::new(tokenizer, words, boost);
        self
    }

    /// The likeliest token behind `text`, with what is preferred; `logits` have been through
    /// [`Rules::apply`].
    pub(crate) fn likeliest(&self, logits: &[f32], text: &[u32]) -> u32 {
        let likeliest = argmax(logits) as u32;
        let mut best = (likeliest, logits[likeliest as usize]);
        for (token, bonus) in self.bonuses(likeliest, text) {
            let score = logits[token as usize] + bonus;
            if score > best.1 {
                best = (token, score);
            }
        }
        best.0
    }

    /// The scores with what is preferred added to them; `logits` have been through
    /// [`Rules::apply`].
    pub(crate) fn preferred<'a>(&self, logits: &'a [f32], text: &[u32]) -> Cow<'a, [f32]> {
        let bonuses = self.bonuses(argmax(logits) as u32, text);
        let mut preferred = Cow::Borrowed(logits);
        for (token, bonus) in bonuses {
            preferred.to_mut()[token as usize] += bonus;
        }
        preferred
    }

    /// Which word is said is for the hotwords to say; whether one is said at all is not, nor when.
    fn bonuses(&self, likeliest: u32, text: &[u32]) -> Vec<(u32, f32)> {
        match likeliest < self.eot {
            true => self.hotwords.bonuses(text),
            false => Vec::new(),
        }
    }

    /// Whether all that they ask about the text is whether there is any.
    pub(crate) fn look_at_the_beginning_only(&self) -> bool {
        self.timestamps == Timestamps::Without && self.hotwords.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotwords_say_which_word_and_not_whether() {
        let tokenizer = Tokenizer::for_dims(&crate::random::DIMS).unwrap();
        let rules = Rules::new(&tokenizer, Timestamps::Without);
        let rules = rules.prefer(&tokenizer, &["Scriven".into()], 2.0);
        let [hot, other] = [" Scriven", " Script"].map(|word| tokenizer.encode(word)[0]);
        assert_ne!(hot, other);
        let text = tokenizer.encode(" This is");
        for (hot_score, other_score, end_score, expected) in [
            (1.0, 2.9, 0.0, hot),
            (1.0, 3.1, 0.0, other),
            (1.0, 0.0, 0.0, hot),
            // The end is likelier than any word: the hotword does not put it off.
            (1.0, 1.5, 1.6, tokenizer.eot),
            (f32::NEG_INFINITY, -50.0, -60.0, other),
        ] {
            let mut logits = vec![f32::NEG_INFINITY; crate::random::DIMS.n_vocab];
            logits[hot as usize] = hot_score;
            logits[other as usize] = other_score;
            logits[tokenizer.eot as usize] = end_score;
            assert_eq!(rules.likeliest(&logits, &text), expected);
            assert_eq!(argmax(&rules.preferred(&logits, &text)) as u32, expected);
        }
    }
    /// Tokens of text are `score`, timestamps 0.
    fn behind(text: &[u32], score: f32) -> (Tokenizer, Vec<f32>) {
        let tokenizer = Tokenizer::for_dims(&crate::random::DIMS).unwrap();
        let mut logits = vec![0.0; crate::random::DIMS.n_vocab];
        logits[..tokenizer.timestamp_begin as usize].fill(score);
        Rules::new(&tokenizer, Timestamps::With).apply(&mut logits, text);
        (tokenizer, logits)
    }

    #[test]
    fn timestamps_come_in_pairs_and_never_fall() {
        const BEGIN: u32 = 50_363;
        const WORD: u32 = 616;
        let [zero, ten] = [BEGIN, BEGIN + 10];
        // Behind a text: whether a word may stand there, the end, and from which time to which.
        let all = 1500;
        for (text, word, end, times) in [
            (&[][..], false, false, Some((0, 50))),
            (&[zero], true, true, None),
            (&[zero, WORD], true, true, Some((1, all))),
            (&[zero, WORD, ten], false, true, Some((10, all))),
            (&[zero, WORD, ten, ten], true, true, None),
            (&[zero, WORD, ten, ten, WORD], true, true, Some((11, all))),
        ] {
            let (tokenizer, logits) = behind(text, 20.0);
            assert_eq!(tokenizer.timestamp_begin, BEGIN);
            let may = |token: u32| logits[token as usize] > f32::NEG_INFINITY;
            assert_eq!((may(WORD), may(tokenizer.eot)), (word, end), "{text:?}");
            let found: Vec<u32> = (0..=all).filter(|time| may(BEGIN + time)).collect();
            let found = found.first().copied().zip(found.last().copied());
            assert_eq!(found, times, "{text:?}");
        }
    }

    #[test]
    fn where_a_timestamp_is_likelier_than_any_word_one_stands() {
        // e^7.3 is how many there are.
        for (score, is_word) in [(7.2, false), (7.4, true)] {
            let (_, logits) = behind(&[50_363, 616], score);
            assert_eq!(logits[616] > f32::NEG_INFINITY, is_word);
        }
    }
}
