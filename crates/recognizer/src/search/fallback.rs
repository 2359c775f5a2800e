//! From one temperature to the next where the text that was found cannot be right.
//!
//! A model that has lost its way writes the same words over and over, or words that it does not
//! believe in. Then tokens are drawn at random, at a temperature that rises until the text passes.
//!
//! Source: `decode_with_fallback` in openai/whisper, `whisper/transcribe.py` at c0d2f62.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::beam::beam;
use super::sample::{Sampling, sample};
use super::{Ended, Hypothesis, Request, greedy};
use crate::text_decoder::Cache;
use crate::{Decoding, Error, Model};

/// A text that zlib makes smaller than one part in this says the same thing again and again.
const MAX_COMPRESSION_RATIO: f32 = 2.4;
/// Text whose tokens are less likely than this on average is not believed.
pub(crate) const MIN_MEAN_LOG_PROB: f32 = -1.0;
/// Nobody speaks, if the model says so with more than this probability and does not believe the
/// words that it found.
pub(crate) const NO_SPEECH: f32 = 0.6;

/// Decodes one window, whose `cache` has taken no token yet, at the first temperature that gives a
/// text that can be right. If none does, takes the one that the model believes in most, one that
/// goes round in circles only if all do; OpenAI takes that of the last temperature, which hears
/// unclear speech worse.
///
/// `seed` makes the drawing repeatable: give each window its own.
pub(crate) fn decode(
    model: &Model,
    cache: &Cache,
    request: &Request,
    decoding: &Decoding,
    seed: u64,
) -> Result<Hypothesis, Error> {
    let given = request.prefix.len();
    let mut best: Option<(Hypothesis, bool)> = None;
    for (attempt, temperature) in decoding.temperatures().enumerate() {
        let cache = cache.clone();
        let found = if temperature > 0.0 {
            let seed = seed.wrapping_mul(0x1_0000_0001).wrapping_add(attempt as u64);
            let sampling = Sampling { temperature, best_of: decoding.best_of, seed };
            sample(model, cache, request, &sampling)?
        } else if decoding.beam_size > 1 {
            beam(model, cache, request, decoding.beam_size)?
        } else {
            greedy(model, cache, request)?
        };
        let is_circle = goes_in_circles(&found, &model.tokenizer().decode(&found.tokens));
        let is_unlikely = found.mean_log_prob(given) < MIN_MEAN_LOG_PROB;
        if passes(&found, is_circle, is_unlikely) {
            return Ok(found);
        }
        let rank = |found: &Hypothesis, is_circle: bool| (!is_circle, found.mean_log_prob(given));
        if best.as_ref().is_none_or(|(b, circle)| rank(&found, is_circle) > rank(b, *circle)) {
            best = Some((found, is_circle));
        }
    }
    // There is always a first temperature.
    best.map_or_else(|| greedy(model, cache.clone(), request), |(found, _)| Ok(found))
}

/// Whether a text can be right. Where nobody speaks, any will do: it is thrown away.
fn passes(found: &Hypothesis, is_circle: bool, is_unlikely: bool) -> bool {
    let is_silence = is_unlikely && found.no_speech > NO_SPEECH;
    is_silence || !(is_circle || is_unlikely)
}

/// Whether `text`, that of `found`, says the same again and again.
fn goes_in_circles(found: &Hypothesis, text: &str) -> bool {
    matches!(found.ended, Ended::Loop { .. })
        || compression_ratio(text.trim()) > MAX_COMPRESSION_RATIO
}

/// How many times smaller zlib makes a text.
fn compression_ratio(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    compressed.map_or(0.0, |compressed| text.len() as f32 / compressed.len() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hypothesis(log_prob: f32, no_speech: f32, ended: Ended) -> Hypothesis {
        Hypothesis {
            tokens: vec![1; 9],
            log_probs: vec![log_prob; 9],
            end_log_prob: log_prob,
            ended,
            no_speech,
            attention: Vec::new(),
            accepted: 0,
            favoured: Vec::new(),
            temperature: 0.0,
        }
    }

    #[test]
    fn a_compression_ratio_is_that_of_zlib() {
        // Python: len(text) / len(zlib.compress(text)). Its zlib is another, and a byte or two better.
        let speech = "And so my fellow Americans ask not what your country can do for you, \
                      ask what you can do for your country.";
        for (text, theirs) in [
            (speech.to_owned(), 106.0 / 79.0),
            ("I'm going to go. ".repeat(20), 340.0 / 29.0),
            ("ask not what your country can do for you, ".repeat(3), 126.0 / 51.0),
            (String::new(), 0.0),
        ] {
            let ours = compression_ratio(&text);
            assert!((ours - theirs).abs() <= 0.1 * theirs, "{ours} in place of {theirs}");
        }
    }

    /// Whether a text of such tokens would be taken.
    fn is_taken(found: &Hypothesis, text: &str) -> bool {
        let is_unlikely = found.mean_log_prob(0) < MIN_MEAN_LOG_PROB;
        passes(found, goes_in_circles(found, text), is_unlikely)
    }

    #[test]
    fn what_cannot_be_right_is_decoded_again() {
        let good = "a text like any other";
        assert!(is_taken(&hypothesis(-0.3, 0.1, Ended::EndOfText), good));
        assert!(is_taken(&hypothesis(-0.3, 0.9, Ended::EndOfText), good));
        assert!(!is_taken(&hypothesis(-1.1, 0.1, Ended::EndOfText), good));
        assert!(!is_taken(&hypothesis(-0.3, 0.1, Ended::Loop { is_all: true }), good));
        assert!(!is_taken(&hypothesis(-0.3, 0.1, Ended::Budget), &"over and ".repeat(30)));
        // A loop that the model takes for silence, but believes in, is a loop.
        assert!(!is_taken(&hypothesis(-0.1, 0.9, Ended::EndOfText), &"over and ".repeat(30)));
    }

    #[test]
    fn silence_is_not_decoded_again() {
        for text in ["a text like any other", &"over and ".repeat(30)] {
            assert!(is_taken(&hypothesis(-1.1, 0.7, Ended::EndOfText), text));
        }
    }
}
