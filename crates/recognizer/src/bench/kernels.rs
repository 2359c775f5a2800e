//! Each kernel at the shapes that tiny.en has, plain and fast.

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::Range;

use burn::module::Param;
use burn::nn::conv::Conv1dConfig;
use burn::nn::{self, PaddingConfig1d};
use burn::tensor::{Device, Tensor, TensorData};

use crate::Precision;
use crate::kernels::{
    Activation, Conv1d, Embedding, Kernels, KeyValue, LayerNorm, Linear, Seen, attention, mlp,
};

const N_MELS: usize = 80;
const N_STATE: usize = 384;
const N_VOCAB: usize = 51_864;
/// Positions of the longest window, and of the one of ten seconds that dictation mostly has.
const N_CTX: [usize; 2] = [1500, 512];

const NAMED: [(&str, Kernels); 3] = [
    ("plain", Kernels::Plain),
    ("f32", Kernels::Fast(Precision::F32)),
    ("int8", Kernels::Fast(Precision::Int8)),
];

/// The name of a version, and what runs it once.
pub type Version = (&'static str, Box<dyn Fn()>);

/// A computation in its versions; each gives the same result.
pub struct Kernel {
    /// What is computed, and at which shape.
    pub name: String,
    /// The plain version and the fast ones.
    pub versions: Vec<Version>,
}

/// All kernels.
pub fn all() -> Vec<Kernel> {
    let mut all = Vec::new();
    for n in N_CTX {
        all.push(linear(n, N_STATE, 4 * N_STATE, Activation::Gelu));
        all.push(linear(n, 4 * N_STATE, N_STATE, Activation::None));
        all.push(two_layers(n));
        all.push(self_attention(n));
    }
    all.push(linear(1, N_STATE, 4 * N_STATE, Activation::Gelu));
    all.push(linear(1, N_STATE, N_STATE, Activation::None));
    all.push(cross_attention(1, N_CTX[0]));
    all.push(cross_attention(20, N_CTX[0]));
    all.push(convolution(2 * N_CTX[0], N_MELS, 1));
    all.push(convolution(2 * N_CTX[0], N_STATE, 2));
    all.push(scores(1));
    all.push(scores(20));
    all
}

/// Numbers in −1..=1 without a pattern that any kernel could make use of.
fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 7919 % 2001) as f32 / 1000.0 - 1.0).collect()
}

fn tensor<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let values = numbers(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// A version that runs `work` and throws its result away.
fn version<T>(name: &'static str, work: impl Fn() -> T + 'static) -> Version {
    (name, Box::new(move || drop(black_box(work()))))
}

/// A layer in its versions.
fn layers(d_input: usize, d_output: usize) -> [Linear; 3] {
    let (weight, bias) = (numbers(d_input * d_output), numbers(d_output));
    let fast = |precision| Linear::fast(&weight, d_input, Some(&bias), precision);
    let plain = Linear::Plain(nn::Linear {
        weight: Param::from_tensor(tensor([d_output, d_input]).transpose()),
        bias: Some(Param::from_tensor(tensor([d_output]))),
    });
    [plain, fast(Precision::F32), fast(Precision::Int8)]
}

fn linear(n: usize, d_input: usize, d_output: usize, activation: Activation) -> Kernel {
    let x = tensor([1, n, d_input]);
    let versions = NAMED.into_iter().zip(layers(d_input, d_output)).map(|((name, _), layer)| {
        let x = x.clone();
        version(name, move || layer.forward(x.clone(), activation))
    });
    Kernel { name: format!("linear {n}x{d_input}x{d_output}"), versions: versions.collect() }
}

/// A norm and two layers, which the fast versions take a few rows through at once.
fn two_layers(n: usize) -> Kernel {
    let x = tensor([1, n, N_STATE]);
    let pairs = layers(N_STATE, 4 * N_STATE).into_iter().zip(layers(4 * N_STATE, N_STATE));
    let versions = NAMED.into_iter().zip(pairs).map(|((name, kernels), (expand, contract))| {
        let norm = match kernels {
            Kernels::Plain => {
                LayerNorm::Plain(nn::LayerNormConfig::new(N_STATE).init(&Device::flex()))
            }
            _ => LayerNorm::fast(vec![1.0; N_STATE], vec![0.0; N_STATE]),
        };
        let x = x.clone();
        version(name, move || mlp(&norm, &expand, &contract, x.clone()))
    });
    Kernel { name: format!("norm and two layers {n}x{N_STATE}"), versions: versions.collect() }
}

/// As in the encoder: keys and values are new each time.
fn self_attention(n: usize) -> Kernel {
    let x = tensor([1, n, N_STATE]);
    let of = |(name, kernels)| {
        let x = x.clone();
        version(name, move || {
            let kv = KeyValue::Growing { key: x.clone(), value: x.clone() };
            attention(kernels, x.clone(), &kv, Seen::All)
        })
    };
    Kernel { name: format!("self-attention {n}x{n}"), versions: NAMED.map(of).into() }
}

/// As in the decoder: keys and values are laid out once for all tokens.
fn cross_attention(n: usize, n_ctx: usize) -> Kernel {
    let of = |(name, kernels)| {
        let kv = KeyValue::Growing {
            key: tensor([1, n_ctx, N_STATE]),
            value: tensor([1, n_ctx, N_STATE]),
        };
        let (kv, query) = (kv.fixed(kernels), tensor([1, n, N_STATE]));
        version(name, move || attention(kernels, query.clone(), &kv, Seen::All))
    };
    Kernel { name: format!("cross-attention {n}x{n_ctx}"), versions: NAMED.map(of).into() }
}

fn convolution(n: usize, channels_in: usize, stride: usize) -> Kernel {
    let (weight, bias) = (numbers(N_STATE * channels_in * 3), numbers(N_STATE));
    let fast = |precision| Conv1d::fast(&weight, &bias, stride, precision);
    let mut plain = Conv1dConfig::new(channels_in, N_STATE, 3)
        .with_stride(stride)
        .with_padding(PaddingConfig1d::Explicit(1, 1))
        .init(&Device::flex());
    plain.weight = Param::from_tensor(tensor([N_STATE, channels_in, 3]));
    plain.bias = Some(Param::from_tensor(tensor([N_STATE])));
    let x = tensor([1, n, channels_in]);
    let plain = Conv1d::Plain(plain);
    let named = [("plain", plain), ("f32", fast(Precision::F32)), ("int8", fast(Precision::Int8))];
    let versions = named.map(|(name, layer)| {
        let x = x.clone();
        version(name, move || layer.forward(x.clone(), Activation::Gelu))
    });
    Kernel {
        name: format!("convolution {n}x{channels_in}x{N_STATE} stride {stride}"),
        versions: versions.into(),
    }
}

/// The scores of all tokens of the vocabulary.
fn scores(n: usize) -> Kernel {
    let weight = numbers(N_VOCAB * N_STATE);
    let read = |rows: Range<usize>| {
        Ok::<_, Infallible>(weight[rows.start * N_STATE..rows.end * N_STATE].to_vec())
    };
    let fast = |precision| {
        let Ok(embedding) = Embedding::fast([N_VOCAB, N_STATE], precision, &Device::flex(), read);
        embedding
    };
    let plain = Embedding::Plain(tensor([N_VOCAB, N_STATE]));
    let hidden = tensor([1, n, N_STATE]);
    let named = [("plain", plain), ("f32", fast(Precision::F32)), ("int8", fast(Precision::Int8))];
    let versions = named.map(|(name, embedding)| {
        let hidden = hidden.clone();
        version(name, move || embedding.scores(hidden.clone()))
    });
    Kernel { name: format!("scores {n}x{N_STATE}x{N_VOCAB}"), versions: versions.into() }
}
