//! Window of columns → audio features: two convolutions and a stack of attention blocks.
//!
//! Runs on the `recognition` thread. The window may be shorter than Whisper's 30 seconds: the
//! positions are those of its start, and the features are those of the shorter sound.
//!
//! Source: `AudioEncoder` in openai/whisper, `whisper/model.py` at c0d2f62.

use burn::tensor::Tensor;

use crate::Error;
use crate::attention::{Mlp, MultiHeadAttention};
use crate::dims::ModelDimensions;
use crate::kernels::{Activation, Conv1d, LayerNorm, Seen};
use crate::loader::Loader;

/// The encoder half of Whisper.
pub(crate) struct AudioEncoder {
    conv1: Conv1d,
    conv2: Conv1d,
    /// Sinusoids, `[n_audio_ctx, n_state]`.
    positional_embedding: Tensor<2>,
    blocks: Vec<ResidualAttentionBlock>,
    ln_post: LayerNorm,
}

impl AudioEncoder {
    /// Loads the parameters below `encoder.`.
    pub(crate) fn load(loader: &Loader, dims: &ModelDimensions) -> Result<Self, Error> {
        let n_state = dims.n_audio_state;
        let blocks = (0..dims.n_audio_layer)
            .map(|i| ResidualAttentionBlock::load(loader, &format!("encoder.blocks.{i}"), n_state))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            conv1: loader.conv1d("encoder.conv1", [dims.n_mels, n_state], 1)?,
            conv2: loader.conv1d("encoder.conv2", [n_state, n_state], 2)?,
            positional_embedding: loader
                .weight("encoder.positional_embedding", [dims.n_audio_ctx, n_state])?,
            blocks,
            ln_post: loader.layer_norm("encoder.ln_post", n_state)?,
        })
    }

    /// Encodes a window.
    ///
    /// # Shapes
    ///
    /// - window: `[1, 2 * n_ctx, n_mels]`, scaled as Whisper expects it; `n_ctx` at most 1,500
    /// - output: `[1, n_ctx, n_state]`
    pub(crate) fn forward(&self, window: Tensor<3>) -> Tensor<3> {
        let window = window.cast(self.positional_embedding.dtype());
        let x = self.conv1.forward(window, Activation::Gelu);
        let x = self.conv2.forward(x, Activation::Gelu);
        let [_, n_ctx, _] = x.dims();
        let positions = self.positional_embedding.clone().narrow(0, 0, n_ctx).unsqueeze();
        let x = self.blocks.iter().fold(x + positions, |x, block| block.forward(x));
        self.ln_post.forward(x)
    }
}

/// Attention of the window to itself, then the two linear layers.
struct ResidualAttentionBlock {
    attn: MultiHeadAttention,
    mlp: Mlp,
}

impl ResidualAttentionBlock {
    fn load(loader: &Loader, name: &str, n_state: usize) -> Result<Self, Error> {
        Ok(Self {
            attn: MultiHeadAttention::load(loader, &format!("{name}.attn"), n_state)?,
            mlp: Mlp::load(loader, name, n_state)?,
        })
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (queries, kv) = self.attn.project(&x);
        self.mlp.forward(self.attn.attend(x, queries, &kv, Seen::All))
    }
}
