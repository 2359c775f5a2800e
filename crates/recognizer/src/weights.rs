//! Checkpoints: whatever a Whisper model comes in → one memory-mapped file of our own.
//!
//! In: OpenAI's `.pt`, safetensors with OpenAI's or Hugging Face's names (one file or shards), a
//! CTranslate2 folder, whisper.cpp's `.bin`. Out: `model.safetensors` with OpenAI's names and `f16` values, which
//! [`Weights`] reads for the model. What a file is, is told from its first bytes, never from its
//! name, and nothing in it is believed before it is checked against the file's length and against
//! the other tensors: files come from the network.

mod alignment;
mod cache;
mod ctranslate2;
mod cursor;
mod format;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod ggml;
mod names;
mod parameters;
mod pytorch;
mod random;
mod safetensors;
mod values;

use std::path::Path;

use half::f16;

use crate::dims::ModelDimensions;
use crate::error::Error;

pub(crate) use cache::Weights;
pub use cache::is_cache;
#[cfg(test)]
pub(crate) use random::noise;

/// Converts a checkpoint into the cache folder `into`, which is created where it is missing.
///
/// The file appears there complete or not at all. Memory in use stays within one tensor, besides
/// the mapped source. `progress` gets the bytes written and the bytes to write.
///
/// # Errors
///
/// [`Error::UnknownFormat`] and [`Error::Unsupported`] call for another source,
/// [`Error::Damaged`], [`Error::MissingTensor`] and [`Error::Shape`] for another copy,
/// [`Error::DiskFull`] for room.
pub fn convert(
    source: &Path,
    into: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let checkpoint = format::open(source)?;
    let dims = parameters::derive(source, checkpoint.as_ref())?;
    cache::write(checkpoint.as_ref(), source, &dims, into, progress)
}

/// Writes a model of random numbers and of these sizes into the cache folder `into`.
///
/// # Errors
///
/// As [`convert`], where the folder cannot be written.
pub(crate) fn write_random(dims: &ModelDimensions, into: &Path) -> Result<(), Error> {
    let source = Path::new("random numbers");
    cache::write(&random::Random::new(dims), source, dims, into, &mut |_, _| ())
}

/// A model in somebody's format, seen under OpenAI's tensor names.
trait Checkpoint {
    /// The format, in words for the user.
    fn format(&self) -> String;

    /// The shape of tensor `name`, or `None` where there is none.
    fn shape(&self, name: &str) -> Option<Vec<usize>>;

    /// Reads tensor `name`, row-major.
    fn values(&self, name: &str) -> Result<Vec<f16>, Error>;

    /// The (layer, head) pairs of the decoder that follow the audio, where the source names them.
    fn alignment_heads(&self) -> Option<Vec<(usize, usize)>> {
        None
    }
}

#[cfg(test)]
mod tests;
