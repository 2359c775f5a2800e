//! What the model is made of, each in two versions: the plain one in burn's operations, which runs
//! on every device, and the fast one for the CPU.
//!
//! | | plain | fast |
//! | --- | --- | --- |
//! | [`Linear`] | `burn::nn::Linear`, `gelu` | weights in panels, 8 or 32 bits; activation in the same pass |
//! | [`Conv1d`] | `burn::nn::conv::Conv1d` | a linear layer over overlapping rows |
//! | [`Embedding`] | `select`, `matmul` | rows and products of one packed matrix |
//! | [`attention`] | `module::attention` | a few queries at a time; keys and values laid out once, 8 or 32 bits |
//!
//! Which one it is, is decided when the model is loaded ([`Kernels`]); the tests run one against
//! the other. A GPU runs the plain ones in shapes that stay the same from step to step, because it
//! compiles and tunes for each shape that is new to it.
//!
//! A fast version gives each row the same bits alone and among others, so a draft that is verified
//! in one pass is judged as if it had been written token by token.

use std::ops::Range;
use std::sync::Arc;

use burn::nn;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use pulp::{Arch, WithSimd};

use crate::attention::D_HEAD;

mod attention;
mod int8;
mod linear;
mod math;
mod plain;
mod tensor;
#[cfg(test)]
mod tests;
mod tile;

use tensor::{from_values, values};

/// How weights are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As 32-bit numbers.
    F32,
    /// On a GPU that can compute with them, as 16-bit numbers, and on the CPU as 8-bit ones.
    F16,
    /// On the CPU as 8-bit numbers with a scale for each output; activations are rounded to 8 bits
    /// row by row. A GPU has 16 bits in place of 8; software Vulkan, which gains nothing by it, 32.
    #[default]
    Int8,
}

/// Which version of everything a model uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernels {
    /// Burn's own operations, on any device: what the others are tested and measured against.
    Plain,
    /// Burn's own operations in a few fixed shapes, with numbers of this type: for a GPU.
    Static(FloatDType),
    /// Those for the CPU.
    Fast(Precision),
}

/// What is done to the output of a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
    Relu,
}

impl Kernels {
    /// Whether there are a few fixed shapes.
    pub(crate) fn is_static(self) -> bool {
        matches!(self, Self::Static(_))
    }

    /// The type of weights and activations. Norms, softmax and logits have 32 bits in any case.
    pub(crate) fn float(self) -> FloatDType {
        match self {
            Self::Static(float) => float,
            _ => FloatDType::F32,
        }
    }
}

/// Runs `work` as it was compiled for the vector registers of this machine.
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    Arch::new().dispatch(work)
}

/// A matrix and a bias.
pub(crate) enum Linear {
    Plain(nn::Linear),
    Fast(linear::Linear),
}

impl Linear {
    /// Packs `[d_output, d_input]`, row-major.
    pub(crate) fn fast(
        weight: &[f32],
        d_input: usize,
        bias: Option<&[f32]>,
        precision: Precision,
    ) -> Self {
        Self::Fast(linear::Linear::new(weight, d_input, bias, precision))
    }

    /// Applies the layer to each row.
    ///
    /// # Shapes
    ///
    /// - x: `[1, n, d_input]`
    /// - output: `[1, n, d_output]`
    pub(crate) fn forward(&self, x: Tensor<3>, activation: Activation) -> Tensor<3> {
        match self {
            Self::Plain(linear) => plain::activate(linear.forward(x), activation),
            Self::Fast(linear) => project(linear, x, activation),
        }
    }
}

/// Applies a fast layer to each row: `[1, n, d_input]` → `[1, n, d_output]`.
fn project(linear: &linear::Linear, x: Tensor<3>, activation: Activation) -> Tensor<3> {
    let ([_, n, d_input], device) = (x.dims(), x.device());
    let rows = values(x);
    let output = linear.forward(linear::Rows::new(&rows, d_input), activation);
    let d_output = output.len() / n;
    from_values(output, [1, n, d_output], &device)
}

/// A convolution over time with a kernel of 3 and a border of 1.
pub(crate) enum Conv1d {
    Plain(nn::conv::Conv1d),
    Fast { linear: linear::Linear, stride: usize },
}

impl Conv1d {
    /// Packs `[channels_out, channels_in, 3]`.
    pub(crate) fn fast(weight: &[f32], bias: &[f32], stride: usize, precision: Precision) -> Self {
        let channels_in = weight.len() / bias.len() / 3;
        // A window of three frames is one row of `[3, channels_in]`.
        let by_frame: Vec<f32> = weight
            .chunks_exact(3 * channels_in)
            .flat_map(|output| {
                (0..3).flat_map(move |tap| (0..channels_in).map(move |c| output[3 * c + tap]))
            })
            .collect();
        let linear = linear::Linear::new(&by_frame, 3 * channels_in, Some(bias), precision);
        Self::Fast { linear, stride }
    }

    /// Convolves frames and applies `activation`.
    ///
    /// # Shapes
    ///
    /// - x: `[1, n, channels_in]`
    /// - output: `[1, n / stride, channels_out]`
    pub(crate) fn forward(&self, x: Tensor<3>, activation: Activation) -> Tensor<3> {
        match self {
            Self::Plain(conv) => {
                let x = conv.forward(x.swap_dims(1, 2));
                plain::activate(x, activation).swap_dims(1, 2)
            }
            Self::Fast { linear, stride } => {
                let ([_, n, channels], device) = (x.dims(), x.device());
                let border = vec![0.0; channels];
                let frames = [&border[..], &values(x), &border].concat();
                let (stride, n) = (stride * channels, n / stride);
                let rows = linear::Rows { values: &frames, stride, length: 3 * channels, n };
                let output = linear.forward(rows, activation);
                let channels_out = output.len() / n;
                from_values(output, [1, n, channels_out], &device)
            }
        }
    }
}

/// One vector a token, which gives both the input for a token and, as a product, its score.
pub(crate) enum Embedding {
    /// `[n_vocab, n_state]`
    Plain(Tensor<2>),
    Fast(linear::Linear, Device),
}

impl Embedding {
    /// Packs `[n_vocab, n_state]`, of which `read` gives some rows.
    pub(crate) fn fast<E>(
        shape: [usize; 2],
        precision: Precision,
        device: &Device,
        read: impl FnMut(Range<usize>) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        Ok(Self::Fast(linear::Linear::in_parts(shape, precision, read)?, device.clone()))
    }

    /// The vectors of some tokens.
    ///
    /// # Shapes
    ///
    /// - output: `[n, n_state]`
    pub(crate) fn select(&self, tokens: &[u32]) -> Tensor<2> {
        match self {
            Self::Plain(weight) => {
                let ids: Vec<i32> = tokens.iter().map(|&id| id as i32).collect();
                let ids = TensorData::new(ids, [tokens.len()]);
                weight.clone().select(0, Tensor::from_data(ids, &weight.device()))
            }
            Self::Fast(weight, device) => {
                let rows: Vec<f32> =
                    tokens.iter().flat_map(|&id| weight.column(id as usize)).collect();
                let n_state = rows.len() / tokens.len();
                from_values(rows, [tokens.len(), n_state], device)
            }
        }
    }

    /// Scores all tokens for each row.
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`
    /// - output: `[1, n, n_vocab]`
    pub(crate) fn scores(&self, hidden: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Plain(weight) => {
                let [_, n, n_state] = hidden.dims();
                hidden.reshape([n, n_state]).matmul(weight.clone().transpose()).unsqueeze()
            }
            Self::Fast(weight, _) => project(weight, hidden, Activation::None),
        }
    }
}

/// Keys and values of one attention layer.
#[derive(Clone)]
pub(crate) enum KeyValue {
    /// `[1, n_ctx, n_state]` each.
    Growing { key: Tensor<3>, value: Tensor<3> },
    /// Laid out for the fast version; never changes any more.
    Fixed(Arc<attention::Panels>),
    /// `[1, n_head, n_ctx, D_HEAD]` each. `n_ctx` is the same from the first token to the last;
    /// positions that hold nothing yet have to be masked.
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
        let empty = || Tensor::<4>::zeros([1, n_head, n_ctx, D_HEAD], device).cast(kernels.float());
        Self::Heads { key: empty(), value: empty() }
    }

    /// Lays out what does not change any more, where that is worth it.
    pub(crate) fn fixed(self, kernels: Kernels) -> Self {
        match (self, kernels) {
            (Self::Growing { key, value }, Kernels::Fast(precision)) => {
                Self::Fixed(Arc::new(attention::Panels::of(&key, &value, precision)))
            }
            (Self::Growing { key, value }, Kernels::Static(_)) => {
                Self::Heads { key: plain::split_heads(key), value: plain::split_heads(value) }
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
                key: plain::write_heads(key, n_ctx, k),
                value: plain::write_heads(value, n_ctx, v),
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
    let (shape, device) = (query.dims(), query.device());
    let causal = matches!(seen, Seen::Causal);
    let output = match kv {
        KeyValue::Heads { key, value } => {
            return plain::masked_attention(query, key, value, seen);
        }
        KeyValue::Growing { key, value } => {
            let precision = match kernels {
                // What grows is short, and its rounding must not depend on how far it has grown.
                Kernels::Fast(_) if causal => Precision::F32,
                Kernels::Fast(precision) => precision,
                _ => return plain::attention(query, key, value, causal),
            };
            let panels = attention::Panels::of(key, value, precision);
            attention::attend(&values(query), &panels, causal)
        }
        KeyValue::Fixed(panels) => attention::attend(&values(query), panels, causal),
    };
    from_values(output, shape, &device)
}

/// Log of the sum of the exponentials, without overflow.
pub(crate) fn log_sum_exp(values: &[f32]) -> f32 {
    dispatch(|| {
        let max = math::largest(values);
        match max {
            f32::NEG_INFINITY => max,
            max => max + math::sum_of_exponentials(values, max).ln(),
        }
    })
}

/// Takes the softmax in place.
pub(crate) fn softmax(values: &mut [f32]) {
    let sum = log_sum_exp(values);
    values.iter_mut().for_each(|x| *x = (*x - sum).exp());
}

/// The place of the largest value; of equal ones the first.
pub(crate) fn argmax(values: &[f32]) -> usize {
    dispatch(|| {
        let max = math::largest(values);
        values.iter().position(|&x| x == max).unwrap_or(0)
    })
}

/// The columns of one head in `[1, n, n_state]`.
pub(crate) fn head(x: &Tensor<3>, head: usize) -> Tensor<3> {
    x.clone().narrow(2, head * D_HEAD, D_HEAD)
}
