//! How whole recordings are decoded.

use std::ops::RangeInclusive;

use crate::Error;
use crate::tokenizer::Tokenizer;

/// How much the temperature rises from one attempt to the next.
const TEMPERATURE_STEP: f32 = 0.2;
/// How many texts a search may follow at once: more take longer and hear hardly anything better.
const WIDTHS: RangeInclusive<usize> = 1..=16;

/// Tokens that a prefix may have: half of what a window may take.
const MAX_PREFIX: usize = 112;

/// Bytes that a prompt or a prefix may have: several times what is looked at.
const MAX_TEXT: usize = 10_000;

/// How whole recordings are decoded. The defaults are those of OpenAI's program, but for the text of
/// the window before, which feeds loops, and for the beam, which takes its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoding {
    /// The first temperature, 0 to 1: 0 takes the likeliest, more leaves more to chance. Where the
    /// text cannot be right it rises in steps of 0.2 up to 1.
    pub temperature: f32,
    /// How many texts are drawn at a temperature above 0, of which the likeliest is taken.
    pub best_of: usize,
    /// How many beginnings of the text are followed at once at temperature 0; 1 is greedy search.
    pub beam_size: usize,
    /// What was said or written before the recording: names, spelling, style. Each window is told
    /// its last 223 tokens.
    pub prompt: String,
    /// What the first window's text begins with.
    pub prefix: String,
    /// Whether each window is told what was said in the one before.
    pub condition_on_previous_text: bool,
    /// Whether the words of each segment are told, with their times.
    pub words: bool,
}

impl Default for Decoding {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            best_of: 5,
            beam_size: 1,
            prompt: String::new(),
            prefix: String::new(),
            condition_on_previous_text: false,
            words: false,
        }
    }
}

impl Decoding {
    /// The temperatures to try, one after the other.
    pub(crate) fn temperatures(&self) -> impl Iterator<Item = f32> {
        let first = self.temperature;
        let n_steps = ((1.0 - first) / TEMPERATURE_STEP + 1e-3).max(0.0) as usize;
        (0..=n_steps).map(move |step| (first + step as f32 * TEMPERATURE_STEP).min(1.0))
    }

    /// Checks each number for itself.
    ///
    /// # Errors
    ///
    /// The first that is out of its range.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.temperature) {
            return Err(Error::OutOfRange { name: "temperature", range: "0 to 1" });
        }
        if !WIDTHS.contains(&self.best_of) {
            return Err(Error::OutOfRange { name: "best_of", range: "1 to 16" });
        }
        if !WIDTHS.contains(&self.beam_size) {
            return Err(Error::OutOfRange { name: "beam_size", range: "1 to 16" });
        }
        for (name, text) in [("prompt", &self.prompt), ("prefix", &self.prefix)] {
            if text.len() > MAX_TEXT {
                return Err(Error::OutOfRange { name, range: "at most 10000 bytes long" });
            }
        }
        Ok(())
    }

    /// The tokens of the prompt, at most the last `room` of them.
    pub(crate) fn prompt(&self, tokenizer: &Tokenizer, room: usize) -> Vec<u32> {
        let mut tokens = spoken(tokenizer, &self.prompt);
        tokens.drain(..tokens.len().saturating_sub(room));
        tokens
    }

    /// The tokens of the prefix.
    ///
    /// # Errors
    ///
    /// One that leaves the window too little room for what is said.
    pub(crate) fn prefix(&self, tokenizer: &Tokenizer) -> Result<Vec<u32>, Error> {
        let mut tokens = spoken(tokenizer, &self.prefix);
        if tokens.len() > MAX_PREFIX {
            return Err(Error::OutOfRange {
                name: "prefix",
                range: "at most 112 tokens long, that is about 80 words",
            });
        }
        if !tokens.is_empty() {
            tokens.insert(0, tokenizer.timestamp_begin);
        }
        Ok(tokens)
    }
}

/// The tokens of a text as if it went on in the middle of others: with a space in front.
fn spoken(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    match text.trim() {
        "" => Vec::new(),
        text => tokenizer.encode(&format!(" {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temperatures(temperature: f32) -> Vec<f32> {
        Decoding { temperature, ..Decoding::default() }.temperatures().collect()
    }

    #[test]
    fn temperatures_rise_to_one() {
        let rising = temperatures(0.0);
        let expected = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
        assert_eq!(rising.len(), expected.len());
        assert!(rising.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{rising:?}");
        assert_eq!(temperatures(0.7).len(), 2);
        assert_eq!(temperatures(1.0), [1.0]);
    }

    #[test]
    fn numbers_out_of_range_are_errors_that_name_them() {
        let good = Decoding::default();
        assert!(good.check().is_ok());
        for (bad, name) in [
            (Decoding { temperature: 1.1, ..good.clone() }, "temperature"),
            (Decoding { temperature: f32::NAN, ..good.clone() }, "temperature"),
            (Decoding { best_of: 0, ..good.clone() }, "best_of"),
            (Decoding { best_of: 17, ..good.clone() }, "best_of"),
            (Decoding { beam_size: 0, ..good.clone() }, "beam_size"),
            (Decoding { beam_size: 17, ..good.clone() }, "beam_size"),
            (Decoding { prompt: "a".repeat(10_001), ..good.clone() }, "prompt"),
            (Decoding { prefix: "a".repeat(10_001), ..good }, "prefix"),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn a_prompt_keeps_its_end_and_a_prefix_its_beginning() {
        let tokenizer = Tokenizer::for_dims(&crate::random::DIMS).unwrap();
        let told = |prompt: &str| {
            let decoding = Decoding { prompt: prompt.into(), ..Decoding::default() };
            decoding.prompt(&tokenizer, 3)
        };
        assert_eq!(told("  one two "), tokenizer.encode(" one two"));
        assert_eq!(told("one two three four five"), tokenizer.encode(" three four five"));
        assert!(told("  ").is_empty());
        let begun = |prefix: String| Decoding { prefix, ..Decoding::default() }.prefix(&tokenizer);
        let tokens = begun("one".into()).unwrap();
        assert_eq!(tokens, [&[tokenizer.timestamp_begin], &tokenizer.encode(" one")[..]].concat());
        assert!(begun(String::new()).unwrap().is_empty());
        assert!(begun("one ".repeat(112)).is_ok());
        let error = begun("one ".repeat(113)).unwrap_err().to_string();
        assert!(error.starts_with("prefix must be at most"), "{error}");
    }
}
