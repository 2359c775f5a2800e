//! What a query attends to, and how.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::attention::Panels;
use super::tensor::{from_values, update, values};
use super::{Activation, Kernels, Linear, Precision, plain, rows, sharing};
use crate::attention::D_HEAD;

/// Keys and values of one attention layer.
#[derive(Clone)]
pub(crate) enum KeyValue {
    /// `[1, n_ctx, n_state]` each.
    Growing { key: Tensor<3>, value: Tensor<3> },
    /// Laid out for the fast version; never changes any more.
    Fixed(Arc<Panels>),
    /// Keys `[1, n_head, D_HEAD, n_ctx]`, values `[1, n_head, n_ctx, D_HEAD]`. `n_ctx` is the same from the
    /// first token to the last; positions that hold nothing yet have to be masked.
    Heads { key: Tensor<4>, value: Tensor<4> },
}

/// Which keys a query sees.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// All of them.
    All,
    /// The last query stands at the last key, and none sees a key behind it.
    Causal,
    /// What the mask says, `[1, 1, n, n_ctx]`: 0, or [`crate::shapes::HIDDEN`]. For [`KeyValue::Heads`].
    Masked(&'a Tensor<4>),
}

impl KeyValue {
    /// Room for `n_ctx` positions of `n_head` heads.
    pub(crate) fn padded(kernels: Kernels, n_head: usize, n_ctx: usize, device: &Device) -> Self {
        // Not just any numbers: a mask hides what is finite only.
        let empty = |rows, columns| {
            Tensor::<4>::zeros([1, n_head, rows, columns], device).cast(kernels.float())
        };
        Self::Heads { key: empty(D_HEAD, n_ctx), value: empty(n_ctx, D_HEAD) }
    }

    /// Lays out what does not change any more, where that is worth it.
    pub(crate) fn fixed(self, kernels: Kernels) -> Self {
        match (self, kernels) {
            (Self::Growing { key, value }, Kernels::Fast(precision)) => {
                Self::Fixed(Arc::new(Panels::of(&key, &value, precision)))
            }
            (Self::Growing { key, value }, Kernels::Static(_)) => {
                Self::Heads { key: plain::split_keys(key), value: plain::split_heads(value) }
            }
            (other, _) => other,
        }
    }

    /// Writes the positions of `next` behind the first `n_ctx`.
    pub(crate) fn append(self, next: Self, n_ctx: usize) -> Self {
        let Self::Growing { key: k, value: v } = next else {
            unreachable!("what is fixed cannot be added");
        };
        match self {
            Self::Growing { key, value } => Self::Growing {
                key: Tensor::cat(vec![key, k], 1),
                value: Tensor::cat(vec![value, v], 1),
            },
            Self::Heads { key, value } => Self::Heads {
                key: plain::write_keys(key, n_ctx, k),
                value: plain::write_values(value, n_ctx, v),
            },
            Self::Fixed(_) => unreachable!("what is fixed does not grow"),
        }
    }

    /// One position alone.
    pub(crate) fn position(&self, at: usize) -> Self {
        match self {
            Self::Growing { key, value } => Self::Growing {
                key: key.clone().narrow(1, at, 1),
                value: value.clone().narrow(1, at, 1),
            },
            other => other.clone(),
        }
    }

    /// Keeps the first `n_ctx` positions.
    pub(crate) fn truncate(self, n_ctx: usize) -> Self {
        match self {
            Self::Growing { key, value } => {
                Self::Growing { key: key.narrow(1, 0, n_ctx), value: value.narrow(1, 0, n_ctx) }
            }
            // The mask hides the others until they are written anew.
            other => other,
        }
    }

    /// Laid out for the fast version, where that is the one to use.
    fn panels(&self, kernels: Kernels, seen: Seen) -> Option<Arc<Panels>> {
        match (self, kernels) {
            (Self::Fixed(panels), _) => Some(panels.clone()),
            (Self::Growing { key, value }, Kernels::Fast(precision)) => {
                // What grows is short, and its rounding must not depend on how far it has grown.
                let precision = if seen.is_causal() { Precision::F32 } else { precision };
                Some(Arc::new(Panels::of(key, value, precision)))
            }
            _ => None,
        }
    }
}

impl Seen<'_> {
    fn is_causal(self) -> bool {
        matches!(self, Self::Causal)
    }
}

/// Scaled dot-product attention of all heads.
///
/// # Shapes
///
/// - query: `[1, n, n_state]`
/// - output: `[1, n, n_state]`
pub(crate) fn attention(
    kernels: Kernels,
    query: Tensor<3>,
    kv: &KeyValue,
    seen: Seen,
) -> Tensor<3> {
    if let Some(panels) = kv.panels(kernels, seen) {
        let (shape, device) = (query.dims(), query.device());
        let output = super::attention::forward(&values(query), &panels, seen.is_causal());
        return from_values(output, shape, &device);
    }
    match kv {
        KeyValue::Heads { key, value } => plain::masked_attention(query, key, value, seen),
        KeyValue::Growing { key, value } => plain::attention(query, key, value, seen.is_causal()),
        KeyValue::Fixed(_) => unreachable!("what is fixed has panels"),
    }
}

/// Adds to `x` what attention finds, once `out` has projected it.
///
/// # Shapes
///
/// - x, query, output: `[1, n, n_state]`
pub(crate) fn attend(
    kernels: Kernels,
    x: Tensor<3>,
    query: Tensor<3>,
    kv: &KeyValue,
    seen: Seen,
    out: &Linear,
) -> Tensor<3> {
    let [_, n, _] = x.dims();
    match out {
        Linear::Fast(out) if sharing::by_rows(n) => {
            let Some(panels) = kv.panels(kernels, seen) else {
                unreachable!("fast layers have fast attention");
            };
            let query = values(query);
            update(x, |x| rows::attend(x, &query, &panels, seen.is_causal(), out, n))
        }
        _ => x + out.forward(attention(kernels, query, kv, seen), Activation::None),
    }
}
