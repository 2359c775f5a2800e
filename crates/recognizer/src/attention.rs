//! Multi-head attention and the residual block around it: what encoder and decoder share.
//!
//! Source: `MultiHeadAttention` and `ResidualAttentionBlock` in openai/whisper, `whisper/model.py`
//! at c0d2f62. Keys and values live outside of the module, so that the decoder can keep them from
//! one step to the next.

use burn::nn::LayerNorm;
use burn::tensor::Tensor;

use crate::Error;
use crate::kernels::{self, Activation, Kernels, KeyValue, Linear, Seen};
use crate::loader::Loader;

/// Width of one head: the same in every size of Whisper.
pub(crate) const D_HEAD: usize = 64;

/// Projections of one attention layer.
pub(crate) struct MultiHeadAttention {
    kernels: Kernels,
    query: Linear,
    /// Without a bias: it would cancel in the softmax.
    key: Linear,
    value: Linear,
    out: Linear,
}

impl MultiHeadAttention {
    /// Loads the layer called `name`.
    pub(crate) fn load(loader: &Loader, name: &str, n_state: usize) -> Result<Self, Error> {
        let linear =
            |part: &str, bias| loader.linear(&format!("{name}.{part}"), [n_state, n_state], bias);
        Ok(Self {
            kernels: loader.kernels,
            query: linear("query", true)?,
            key: linear("key", false)?,
            value: linear("value", true)?,
            out: linear("out", true)?,
        })
    }

    /// Projects `x` to the queries of all heads.
    ///
    /// # Shapes
    ///
    /// - x, output: `[1, n, n_state]`
    pub(crate) fn queries(&self, x: Tensor<3>) -> Tensor<3> {
        self.query.forward(x, Activation::None)
    }

    /// Projects `x`, `[1, n, n_state]`, to keys and values of all heads.
    pub(crate) fn key_value(&self, x: Tensor<3>) -> KeyValue {
        let key = self.key.forward(x.clone(), Activation::None);
        KeyValue::Growing { key, value: self.value.forward(x, Activation::None) }
    }

    /// Attends from `queries` to `kv` and projects the result back.
    ///
    /// # Shapes
    ///
    /// - queries, output: `[1, n, n_state]`
    pub(crate) fn attend(&self, queries: Tensor<3>, kv: &KeyValue, seen: Seen) -> Tensor<3> {
        let heads = kernels::attention(self.kernels, queries, kv, seen);
        self.out.forward(heads, Activation::None)
    }

    /// As [`attend`](Self::attend), each query to keys and values of its own, all of which it sees.
    pub(crate) fn attend_each(&self, queries: Tensor<3>, kvs: &[KeyValue]) -> Tensor<3> {
        let heads = kvs.iter().enumerate().map(|(i, kv)| {
            let query = queries.clone().narrow(1, i, 1);
            kernels::attention(self.kernels, query, kv, Seen::Causal)
        });
        self.out.forward(Tensor::cat(heads.collect(), 1), Activation::None)
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
        let h = self.expand.forward(self.ln.forward(x.clone()), Activation::Gelu);
        x + self.contract.forward(h, Activation::None)
    }
}
