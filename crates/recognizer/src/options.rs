//! What the caller may ask of the recognizer.

use crate::search::{Rules, Timestamps};
use crate::{Decoding, Error, Model};

/// More hotwords than this are preferred wherever one looks.
const MAX_HOTWORDS: usize = 1000;
/// Bytes that a hotword may have.
const MAX_HOTWORD: usize = 100;

/// What becomes of the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Task {
    /// Written as spoken.
    #[default]
    Transcribe,
    /// Written in English.
    Translate,
}

/// How to recognize.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// ISO codes of the languages that may be spoken: one is taken as given, of several the most
    /// likely is detected, and none means any.
    pub languages: Vec<String>,
    /// Transcribe or translate.
    pub task: Task,
    /// Words and phrases that are likely to be said: names, terms.
    pub hotwords: Vec<String>,
    /// How strongly they are preferred, 0 to 4: what is added to the score of a word's first token.
    /// At 2, one that is seven times less likely than another is taken in its place.
    pub hotword_boost: f32,
    /// How whole recordings are decoded.
    pub decoding: Decoding,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            languages: Vec::new(),
            task: Task::default(),
            hotwords: Vec::new(),
            hotword_boost: 2.0,
            decoding: Decoding::default(),
        }
    }
}

impl Options {
    /// Checks what can be checked without a model.
    ///
    /// # Errors
    ///
    /// Too many hotwords, or a number out of its range.
    pub fn check_values(&self) -> Result<(), Error> {
        if self.hotwords.len() > MAX_HOTWORDS {
            return Err(Error::OutOfRange { name: "hotwords", range: "at most 1000 words" });
        }
        if self.hotwords.iter().any(|word| word.len() > MAX_HOTWORD) {
            return Err(Error::OutOfRange { name: "hotwords", range: "of at most 100 bytes each" });
        }
        if !(0.0..=4.0).contains(&self.hotword_boost) {
            return Err(Error::OutOfRange { name: "hotword_boost", range: "0 to 4" });
        }
        self.decoding.check()
    }

    /// Checks that `model` can do what is asked.
    ///
    /// # Errors
    ///
    /// A number out of its range, a language that is unknown, or anything but English for an
    /// English-only model.
    pub fn check(&self, model: &Model) -> Result<(), Error> {
        self.check_values()?;
        let tokenizer = model.tokenizer();
        self.decoding.prefix(tokenizer)?;
        for code in &self.languages {
            let known = match model.is_multilingual() {
                true => tokenizer.language_token(code).is_some(),
                false => code == "en",
            };
            if !known {
                return Err(Error::UnknownLanguage {
                    language: code.clone(),
                    english_only: !model.is_multilingual(),
                });
            }
        }
        if self.task == Task::Translate && !model.is_multilingual() {
            return Err(Error::EnglishOnly);
        }
        Ok(())
    }

    /// The filters of a search, which prefers the hotwords.
    pub(crate) fn rules(&self, model: &Model, timestamps: Timestamps) -> Rules {
        let tokenizer = model.tokenizer();
        Rules::new(tokenizer, timestamps).prefer(tokenizer, &self.hotwords, self.hotword_boost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotwords_without_measure_are_errors_that_name_them() {
        let good = Options { hotwords: vec!["Scriven".into(); 1000], ..Options::default() };
        assert!(good.check_values().is_ok());
        for (bad, name) in [
            (Options { hotwords: vec![String::new(); 1001], ..good.clone() }, "hotwords"),
            (Options { hotwords: vec!["long".repeat(26)], ..good.clone() }, "hotwords"),
            (Options { hotword_boost: -0.1, ..good.clone() }, "hotword_boost"),
            (Options { hotword_boost: 4.1, ..good.clone() }, "hotword_boost"),
            (Options { hotword_boost: f32::NAN, ..good }, "hotword_boost"),
        ] {
            let error = bad.check_values().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} must be")), "{error}");
        }
    }
}
