//! What can go wrong, and what the caller can do about it.

use std::io;
use std::path::PathBuf;

/// An error of the recognizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written: check that it exists and whose it is.
    #[error("cannot access {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk is full: make room, then convert again. Nothing half-written is left behind.
    #[error("no room for {path}: it needs {needed} bytes; free some space and try again")]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Bytes that have to be free.
        needed: u64,
    },
    /// The file is none of the formats known: give another one.
    #[error(
        "{path} is not a Whisper model: give an OpenAI .pt checkpoint, a safetensors file or \
         folder, a CTranslate2 folder or a ggml file of whisper.cpp's"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The format is known, but this kind of it is not: give the file in another kind.
    #[error("{path} cannot be used: {what}; give the same model in another format")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file contradicts itself or ends too early: fetch it again.
    #[error("model file {path} is damaged: {what}; fetch it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A tensor of Whisper's is missing: the file holds another model, or part of one.
    #[error("model file {path} has no tensor {name}: it is not a complete Whisper model")]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// OpenAI's name of the tensor.
        name: String,
    },
    /// A tensor has another shape than the rest of the model asks for: fetch the file again.
    #[error(
        "model file {path}: tensor {name} has the shape {found:?} in place of {expected:?}; \
         fetch it again"
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// OpenAI's name of the tensor.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape the model asks for.
        expected: Vec<usize>,
    },
    /// The vocabulary belongs to no Whisper model: only OpenAI's three are known.
    #[error("no vocabulary of {n_vocab} tokens is known; use a model of OpenAI's")]
    UnknownVocabulary {
        /// Tokens of the vocabulary.
        n_vocab: usize,
    },
    /// The model does not know the language: choose another one, or a multilingual model.
    #[error("{}", unknown_language(.language, *.english_only))]
    UnknownLanguage {
        /// The code that was given.
        language: String,
        /// Whether the model knows English alone.
        english_only: bool,
    },
    /// An English-only model cannot translate: use a multilingual one.
    #[error("an English-only model cannot translate; use one without .en in its name")]
    EnglishOnly,
    /// A number of the options makes no sense: give another one.
    #[error("{name} must be {range}")]
    OutOfRange {
        /// The number.
        name: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// The processor failed while it computed: load the model again, on the CPU if need be.
    #[error("the processor failed: {0}; set compute = \"cpu\" if this happens again")]
    Device(String),
}

fn unknown_language(language: &str, english_only: bool) -> String {
    match english_only {
        true => format!(
            "an English-only model does not know the language {language}; \
             use a model without .en in its name"
        ),
        false => format!("no language has the code {language}; codes are such as en, de, fr"),
    }
}
