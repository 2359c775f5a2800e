//! What the model is made of, each in two versions: the plain one in burn's operations, which runs
//! on every device, and the fast one for the CPU.
//!
//! | | plain | fast |
//! | --- | --- | --- |
//! | [`Linear`] | `burn::nn::Linear`, `gelu` | weights in panels, 8 or 32 bits; activation in the same pass |
//! | [`Conv1d`] | `burn::nn::conv::Conv1d` | a linear layer over overlapping rows, once for all that are alike |
//! | [`Embedding`] | `select`, `matmul` | rows and products of one packed matrix |
//! | [`LayerNorm`] | `burn::nn::LayerNorm` | row by row |
//! | [`attention`] | `module::attention` | a few queries at a time; keys and values laid out once, 8 or 32 bits |
//!
//! [`project`], [`attend`] and [`mlp`] are layers that follow each other; the fast version of many rows
//! takes a few of them through all layers at once.
//!
//! Which one it is, is decided when the model is loaded ([`Kernels`]); the tests run one against
//! the other. A GPU runs the plain ones in shapes that stay the same from step to step, because it
//! compiles and tunes for each shape that is new to it.
//!
//! A fast version gives each row the same bits alone and among others, so a draft that is verified
//! in one pass is judged as if it had been written token by token.

use std::ops::Range;

use burn::nn;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use pulp::{Arch, Simd, WithSimd};

use crate::attention::D_HEAD;

mod attention;
mod conv;
mod int8;
mod key_value;
mod linear;
mod math;
mod norm;
mod plain;
mod rows;
mod sharing;
mod tensor;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use key_value::{KeyValue, Seen, attend, attention};
use tensor::{from_values, update, values};

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

    fn as_fast(&self) -> &linear::Linear {
        match self {
            Self::Fast(linear) => linear,
            Self::Plain(_) => unreachable!("all layers of a model are of one kind"),
        }
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
            Self::Fast(linear) => apply(linear, x, activation),
        }
    }
}

/// Brings each row to a mean of 0 and a variance of 1, then scales and shifts it.
pub(crate) enum LayerNorm {
    Plain(nn::LayerNorm),
    Fast(norm::LayerNorm),
}

impl LayerNorm {
    /// `gamma`, `beta`: `[n_state]`
    pub(crate) fn fast(gamma: Vec<f32>, beta: Vec<f32>) -> Self {
        Self::Fast(norm::LayerNorm::new(gamma, beta))
    }

    /// Normalizes each row of `[1, n, n_state]`.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Plain(norm) => norm.forward(x),
            Self::Fast(norm) => update(x, |x| rows::normalize(x, norm)),
        }
    }
}

/// Normalizes and projects.
///
/// # Shapes
///
/// - x: `[1, n, n_state]`
/// - output: `[N]` of `[1, n, d_output]`
pub(crate) fn project<const N: usize>(
    norm: &LayerNorm,
    layers: [&Linear; N],
    x: &Tensor<3>,
) -> [Tensor<3>; N] {
    let [_, n, _] = x.dims();
    match norm {
        LayerNorm::Fast(norm) if sharing::by_rows(n) => {
            let outputs = rows::project(norm, layers.map(Linear::as_fast), &values(x.clone()), n);
            outputs.map(|output| {
                let d_output = output.len() / n;
                from_values(output, [1, n, d_output], &x.device())
            })
        }
        _ => {
            let h = norm.forward(x.clone());
            layers.map(|layer| layer.forward(h.clone(), Activation::None))
        }
    }
}

/// Adds to `x`, `[1, n, n_state]`, what two layers make of it.
pub(crate) fn mlp(norm: &LayerNorm, expand: &Linear, contract: &Linear, x: Tensor<3>) -> Tensor<3> {
    let [_, n, _] = x.dims();
    match norm {
        LayerNorm::Fast(norm) if sharing::by_rows(n) => {
            update(x, |x| rows::mlp(x, norm, expand.as_fast(), contract.as_fast(), n))
        }
        _ => {
            let h = expand.forward(norm.forward(x.clone()), Activation::Gelu);
            x + contract.forward(h, Activation::None)
        }
    }
}

/// Applies a fast layer to each row: `[1, n, d_input]` → `[1, n, d_output]`.
fn apply(linear: &linear::Linear, x: Tensor<3>, activation: Activation) -> Tensor<3> {
    let ([_, n, d_input], device) = (x.dims(), x.device());
    let rows = values(x);
    let output = linear.forward(linear::Rows::new(&rows, d_input), activation);
    let d_output = output.len() / n;
    from_values(output, [1, n, d_output], &device)
}

/// A convolution over time with a kernel of 3 and a border of 1.
pub(crate) enum Conv1d {
    Plain(nn::conv::Conv1d),
    Fast(conv::Conv1d),
}

impl Conv1d {
    /// Packs `[channels_out, channels_in, 3]`.
    pub(crate) fn fast(weight: &[f32], bias: &[f32], stride: usize, precision: Precision) -> Self {
        Self::Fast(conv::Conv1d::new(weight, bias, stride, precision))
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
            Self::Fast(conv) => {
                let device = x.device();
                let (output, n) = conv.forward(&values(x), activation);
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
            Self::Fast(weight, _) => apply(weight, hidden, Activation::None),
        }
    }
}

/// Log of the sum of the exponentials, without overflow.
pub(crate) fn log_sum_exp(values: &[f32]) -> f32 {
    dispatch(LogSumExp(values))
}

struct LogSumExp<'a>(&'a [f32]);

impl WithSimd for LogSumExp<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        match math::largest(simd, self.0) {
            f32::NEG_INFINITY => f32::NEG_INFINITY,
            max => max + math::sum_of_exponentials(simd, self.0, max).ln(),
        }
    }
}

/// Takes the softmax in place.
pub(crate) fn softmax(values: &mut [f32]) {
    let sum = log_sum_exp(values);
    values.iter_mut().for_each(|x| *x = (*x - sum).exp());
}

/// The place of the largest value; of equal ones the first.
pub(crate) fn argmax(values: &[f32]) -> usize {
    let max = dispatch(Largest(values));
    values.iter().position(|&x| x == max).unwrap_or(0)
}

struct Largest<'a>(&'a [f32]);

impl WithSimd for Largest<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        math::largest(simd, self.0)
    }
}

/// The columns of one head in `[1, n, n_state]`.
pub(crate) fn head(x: &Tensor<3>, head: usize) -> Tensor<3> {
    x.clone().narrow(2, head * D_HEAD, D_HEAD)
}
