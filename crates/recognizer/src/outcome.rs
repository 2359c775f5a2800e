//! What the recognizer has to say of an utterance.

use crate::transcript::Word;

/// What is known while somebody speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    /// Text that will not change.
    pub committed: String,
    /// Text behind it that may.
    pub tentative: String,
    /// ISO code of the language, once it is known.
    pub language: Option<&'static str>,
    /// The words of both.
    pub words: Vec<Word>,
}

/// What an utterance came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Words.
    Final(Final),
    /// No words, and why.
    Discarded(Reason),
}

/// An utterance in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Final {
    /// All of its text.
    pub text: String,
    /// ISO code of the language.
    pub language: &'static str,
    /// Its words.
    pub words: Vec<Word>,
    /// Mean probability of the words, 0..=1.
    pub confidence: f32,
}

/// Why an utterance has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody spoke.
    NoSpeech,
    /// The model went round in circles.
    Loop,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSpeech => "no-speech",
            Self::Loop => "loop",
        })
    }
}
