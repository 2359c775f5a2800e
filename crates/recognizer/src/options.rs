//! What the caller may ask of the recognizer.

use crate::{Decoding, Error, Model};

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// ISO codes of the languages that may be spoken: one is taken as given, of several the most
    /// likely is detected, and none means any.
    pub languages: Vec<String>,
    /// Transcribe or translate.
    pub task: Task,
    /// How whole recordings are decoded.
    pub decoding: Decoding,
}

impl Options {
    /// Checks that `model` can do what is asked.
    ///
    /// # Errors
    ///
    /// A number out of its range, a language that is unknown, or anything but English for an
    /// English-only model.
    pub fn check(&self, model: &Model) -> Result<(), Error> {
        self.decoding.check()?;
        let tokenizer = model.tokenizer();
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
}
