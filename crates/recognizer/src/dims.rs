//! The sizes of a Whisper model.

use serde::{Deserialize, Serialize};

/// OpenAI's `ModelDimensions`, by the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelDimensions {
    /// Mel bands of a column: 80, or 128 for large-v3 and turbo.
    pub n_mels: usize,
    /// Encoder positions of 20 ms: 1500 = 30 s.
    pub n_audio_ctx: usize,
    /// Width of the encoder.
    pub n_audio_state: usize,
    /// Attention heads of an encoder layer.
    pub n_audio_head: usize,
    /// Encoder layers.
    pub n_audio_layer: usize,
    /// Tokens, the special ones included.
    pub n_vocab: usize,
    /// Decoder positions: 448.
    pub n_text_ctx: usize,
    /// Width of the decoder, the same as the encoder's.
    pub n_text_state: usize,
    /// Attention heads of a decoder layer.
    pub n_text_head: usize,
    /// Decoder layers.
    pub n_text_layer: usize,
}
