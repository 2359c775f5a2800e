//! Multi-head attention and the residual block around it: what encoder and decoder share.
//!
//! Source: `MultiHeadAttention` and `ResidualAttentionBlock` in openai/whisper, `whisper/model.py`
//! at c0d2f62. Keys and values live outside of the module, so that the decoder can keep them from
//! one step to the next.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::gelu;

use crate::Error;
use crate::kernels;
use crate::loader::Loader;

/// Width of one head: the same in every size of Whisper.
pub(crate) const D_HEAD: usize = 64;

/// Keys and values of one layer, `[1, n_head, n_ctx, D_HEAD]` each.
#[derive(Clone, Debug)]
pub(crate) struct KeyValue {
    pub(crate) key: Tensor<4>,
    pub(crate) value: Tensor<4>,
}

impl KeyValue {
    /// Adds the positions of `next` behind those held.
    pub(crate) fn append(self, next: Self) -> Self {
        Self {
            key: Tensor::cat(vec![self.key, next.key], 2),
            value: Tensor::cat(vec![self.value, next.value], 2),
        }
    }

    /// Keeps the first `n_ctx` positions.
    pub(crate) fn truncate(self, n_ctx: usize) -> Self {
        Self { key: self.key.narrow(2, 0, n_ctx), value: self.value.narrow(2, 0, n_ctx) }
    }
}

/// Projections of one attention layer.
#[derive(Module, Debug)]
pub(crate) struct MultiHeadAttention {
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
    /// - x: `[1, n_ctx, n_state]`
    /// - output: `[1, n_head, n_ctx, D_HEAD]`
    pub(crate) fn queries(&self, x: Tensor<3>) -> Tensor<4> {
        split_heads(self.query.forward(x))
    }

    /// Projects `x` to keys and values of all heads.
    ///
    /// # Shapes
    ///
    /// - x: `[1, n_ctx, n_state]`
    pub(crate) fn key_value(&self, x: Tensor<3>) -> KeyValue {
        KeyValue {
            key: split_heads(self.key.forward(x.clone())),
            value: split_heads(self.value.forward(x)),
        }
    }

    /// Attends from `queries` to `kv` and projects the result back.
    ///
    /// With `causal`, the last query stands at the last key and none sees what follows it.
    ///
    /// # Shapes
    ///
    /// - queries: `[1, n_head, n_ctx, D_HEAD]`
    /// - output: `[1, n_ctx, n_state]`
    pub(crate) fn attend(&self, queries: Tensor<4>, kv: &KeyValue, causal: bool) -> Tensor<3> {
        let [_, n_head, n_ctx, _] = queries.dims();
        let heads = kernels::attention(queries, kv.key.clone(), kv.value.clone(), causal);
        self.out.forward(heads.swap_dims(1, 2).reshape([1, n_ctx, n_head * D_HEAD]))
    }
}

/// `[1, n_ctx, n_state]` → `[1, n_head, n_ctx, D_HEAD]`
fn split_heads(x: Tensor<3>) -> Tensor<4> {
    let [_, n_ctx, n_state] = x.dims();
    x.reshape([1, n_ctx, n_state / D_HEAD, D_HEAD]).swap_dims(1, 2)
}

/// The two linear layers behind every attention.
#[derive(Module, Debug)]
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
        let h = self.expand.forward(self.ln.forward(x.clone()));
        x + self.contract.forward(gelu(h))
    }
}
