//! Whisper in burn: log-Mel columns to words.
//!
//! ```text
//! columns → window → audio_encoder → text_decoder ⇄ search → words → transcript → events
//! ```
//!
//! In: columns of raw log₁₀ Mel energies, one every 10 ms. Out: for live speech [`Partial`] and
//! [`Outcome`] by way of [`Recognizer`], for recordings a [`Transcript`] by way of
//! [`Model::transcribe`]. Beside it stands a [`VoiceDetector`], which takes samples. The crate knows no sound card and no bus, and reads no configuration, no
//! environment and no clock.
//!
//! Source of the model: openai/whisper at c0d2f62, whose names are kept.

#![warn(missing_docs)]

mod attention;
mod audio_encoder;
#[doc(hidden)]
pub mod bench;
mod compute;
mod decoding;
mod dims;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod kernels;
mod language;
mod loader;
mod model;
mod options;
mod outcome;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod random;
mod recognizer;
mod scores;
mod search;
mod shapes;
mod text_decoder;
mod timing;
mod tokenizer;
mod transcribe;
mod transcript;
mod tuning;
mod voice;
mod warm_up;
pub mod weights;
mod window;
mod words;

pub use compute::{Compute, keep_caches_in};
pub use decoding::Decoding;
pub use dims::ModelDimensions;
pub use error::Error;
pub use kernels::Precision;
pub use model::Model;
pub use options::{Options, Task};
pub use outcome::{Final, Outcome, Partial, Reason};
pub use recognizer::Recognizer;
pub use transcribe::{Segment, Transcript};
pub use transcript::{CommitRule, Word};
pub use tuning::Tuning;
pub use voice::VoiceDetector;
