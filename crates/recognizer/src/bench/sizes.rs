//! Models of every size, with random weights, and how much work they are at least.

use std::path::Path;

use crate::{Error, ModelDimensions, weights};

/// Bands, width, encoder layers, tokens, decoder layers.
type Size = [usize; 5];

const SIZES: [(&str, Size); 7] = [
    ("tiny", [80, 384, 4, 51_865, 4]),
    ("base", [80, 512, 6, 51_865, 6]),
    ("small", [80, 768, 12, 51_865, 12]),
    ("medium", [80, 1024, 24, 51_865, 24]),
    ("large-v2", [80, 1280, 32, 51_865, 32]),
    ("large-v3", [128, 1280, 32, 51_866, 32]),
    ("turbo", [128, 1280, 32, 51_866, 4]),
];

/// What OpenAI calls the sizes.
pub fn names() -> impl Iterator<Item = &'static str> {
    SIZES.into_iter().map(|(name, _)| name)
}

/// The dimensions of the model with this name.
///
/// Source: the checkpoints of openai/whisper.
pub fn dimensions(name: &str) -> Option<ModelDimensions> {
    let (_, size) = SIZES.into_iter().find(|(known, _)| *known == name)?;
    let [n_mels, n_state, n_audio_layer, n_vocab, n_text_layer] = size;
    let n_head = n_state / 64;
    Some(ModelDimensions {
        n_mels,
        n_audio_ctx: 1500,
        n_audio_state: n_state,
        n_audio_head: n_head,
        n_audio_layer,
        n_vocab,
        n_text_ctx: 448,
        n_text_state: n_state,
        n_text_head: n_head,
        n_text_layer,
    })
}

/// Writes random weights of these dimensions into the folder `into`, in our format.
///
/// # Errors
///
/// A folder that cannot be written.
pub fn write_random(dims: &ModelDimensions, into: &Path) -> Result<(), Error> {
    weights::write_random(dims, into)
}

/// The least that there is to do.
pub struct Work<'a>(pub &'a ModelDimensions);

impl Work<'_> {
    /// Multiplications and additions of the encoder over `n_ctx` positions, the keys and values of the
    /// decoder not included.
    pub fn encoder(&self, n_ctx: usize) -> f64 {
        let d = self.0.n_audio_state;
        // The first convolution is at twice the rate.
        let convolutions = 2 * n_ctx * 3 * self.0.n_mels * d + n_ctx * 3 * d * d;
        let layer = n_ctx * 12 * d * d + 2 * n_ctx * n_ctx * d;
        2.0 * (convolutions + self.0.n_audio_layer * layer) as f64
    }

    /// Weights, keys and values that a token reads, in numbers, behind a window of `n_ctx` positions.
    pub fn token(&self, n_ctx: usize) -> f64 {
        let d = self.0.n_text_state;
        let layer = 14 * d * d + 2 * n_ctx * d;
        (self.0.n_text_layer * layer + self.0.n_vocab * d) as f64
    }
}
