//! Multi-head attention and the residual block around it: what encoder and decoder share.
//!
//! Source: `MultiHeadAttention` and `ResidualAttentionBlock` in openai/whisper, `whisper/model.py`
//! at c0d2f62. Keys and values live outside of the module, so that the decoder can keep them from
//! one step to the next.

use burn::tensor::Tensor;

use crate::Error;
use crate::kernels::{self, Activation, Kernels, KeyValue, LayerNorm, Linear, Seen};
use crate::loader::Loader;

/// Width of one head: the same in every size of Whisper.
pub(crate) const D_HEAD: usize = 64;

/// Projections of one attention layer, and the norm in front of them.
pub(crate) struct MultiHeadAttention {
    kernels: Kernels,
    ln: LayerNorm,
    query: Linear,
    /// Without a bias: it would cancel in the softmax.
    key: Linear,
    value: Linear,
    out: Linear,
}

impl MultiHeadAttention {
    /// Loads the layer called `name`, and `name_ln`.
    pub(crate) fn load(loader: &Loader, name: &str, n_state: usize) -> Result<Self, Error> {
        let linear =
            |part: &str, bias| loader.linear(&format!("{name}.{part}"), [n_state, n_state], bias);
        Ok(Self {
            kernels: loader.kernels,
            ln: loader.layer_norm(&format!("{name}_ln"), n_state)?,
            query: linear("query", true)?,
            key: linear("key", false)?,
            value: linear("value", true)?,
            out: linear("out", true)?,
        })
    }

    /// Queries of all heads for `x`, once it is normalized.
    ///
    /// # Shapes
    ///
    /// - x, output: `[1, n, n_state]`
    pub(crate) fn queries(&self, x: &Tensor<3>) -> Tensor<3> {
        let [queries] = kernels::project(&self.ln, [&self.query], x);
        queries
    }

    /// As [`queries`](Self::queries), and keys and values of all heads besides.
    pub(crate) fn project(&self, x: &Tensor<3>) -> (Tensor<3>, KeyValue) {
        let layers = [&self.query, &self.key, &self.value];
        let [queries, key, value] = kernels::project(&self.ln, layers, x);
        (queries, KeyValue::Growing { key, value })
    }

    /// Keys and values of all heads for features, `[1, n, n_state]`, which are normalized already.
    pub(crate) fn key_value(&self, features: Tensor<3>) -> KeyValue {
        let key = self.key.forward(features.clone(), Activation::None);
        KeyValue::Growing { key, value: self.value.forward(features, Activation::None) }
    }

    /// Adds to `x` what `queries` find in `kv`, projected back.
    ///
    /// # Shapes
    ///
    /// - x, queries, output: `[1, n, n_state]`
    pub(crate) fn attend(
        &self,
        x: Tensor<3>,
        queries: Tensor<3>,
        kv: &KeyValue,
        seen: Seen,
    ) -> Tensor<3> {
        kernels::attend(self.kernels, x, queries, kv, seen, &self.out)
    }

    /// As [`attend`](Self::attend), each query to keys and values of its own, all of which it sees.
    pub(crate) fn attend_each(
        &self,
        x: Tensor<3>,
        queries: Tensor<3>,
        kvs: &[KeyValue],
    ) -> Tensor<3> {
        let heads = kvs.iter().enumerate().map(|(i, kv)| {
            let query = queries.clone().narrow(1, i, 1);
            // Its own place is the last, so it sees all of them, in 32 bits as what grows is held.
            kernels::attention(self.kernels, query, kv, Seen::Causal)
        });
        x + self.out.forward(Tensor::cat(heads.collect(), 1), Activation::None)
    }
}

/// The two linear layers behind every attention.
pub(crate) struct Mlp {
    ln: LayerNorm,
    expand: Linear,
    contract: Linear,
}

impl Mlp {
    /// Loads `NAME.mlp` and the norm in front of it.
    pub(crate) fn load(loader: &Loader, name: &str, n_state: usize) -> Result<Self, Error> {
        Ok(Self {
            ln: loader.layer_norm(&format!("{name}.mlp_ln"), n_state)?,
            expand: loader.linear(&format!("{name}.mlp.0"), [4 * n_state, n_state], true)?,
            contract: loader.linear(&format!("{name}.mlp.2"), [n_state, 4 * n_state], true)?,
        })
    }

    /// Adds its result to `x`, `[1, n_ctx, n_state]`.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        kernels::mlp(&self.ln, &self.expand, &self.contract, x)
    }
}
