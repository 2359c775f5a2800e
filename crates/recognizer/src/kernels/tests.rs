//! Each fast version against its plain twin, on shapes that fit into no panel.

use std::convert::Infallible;

use burn::module::Param;
use burn::nn::conv::Conv1dConfig;
use burn::nn::{self, PaddingConfig1d};
use proptest::prelude::*;

use super::int8::{GROUP, Unit, Word, Words};
use super::tile::{COLUMNS, ROWS};
use super::*;
use crate::random::noise;
use crate::shapes::causal_mask;

const FIXED: Kernels = Kernels::Static(FloatDType::F32);

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    std::iter::repeat_with(noise(seed + 1)).take(n).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    from_values(values.to_vec(), shape, &Device::flex())
}

/// The largest deviation, in parts of the largest value.
fn deviation<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>) -> f32 {
    assert_eq!(ours.dims(), theirs.dims());
    let (ours, theirs) = (values(ours), values(theirs));
    assert!(ours.iter().all(|x| x.is_finite()));
    let largest = theirs.iter().fold(f32::MIN_POSITIVE, |max, x| max.max(x.abs()));
    ours.iter().zip(theirs.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

fn bits<const D: usize>(x: Tensor<D>) -> Vec<u32> {
    values(x).iter().map(|x| x.to_bits()).collect()
}

/// The same layer, plain and fast.
fn linears(d_input: usize, d_output: usize, precision: Precision) -> [Linear; 2] {
    let weight = numbers(d_input * d_output, 1);
    let bias = numbers(d_output, 2);
    let plain = nn::Linear {
        weight: Param::from_tensor(tensor(&weight, [d_output, d_input]).transpose()),
        bias: Some(Param::from_tensor(tensor(&bias, [d_output]))),
    };
    [Linear::Plain(plain), Linear::fast(&weight, d_input, Some(&bias), precision)]
}

fn row(x: &Tensor<3>, row: usize) -> Tensor<3> {
    x.clone().narrow(1, row, 1)
}

proptest! {
    // Each case is many products.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_linear_layer_is_the_plain_one(
        n in 1usize..80, d_input in 1usize..50, d_output in 1usize..300, gelu: bool,
    ) {
        let activation = if gelu { Activation::Gelu } else { Activation::None };
        let x = tensor(&numbers(n * 4 * d_input, 3), [1, n, 4 * d_input]);
        for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Int8, 0.02)] {
            let [plain, fast] = linears(4 * d_input, d_output, precision);
            let ours = fast.forward(x.clone(), activation);
            let off = deviation(ours, plain.forward(x.clone(), activation));
            prop_assert!(off < tolerance, "{precision:?} is off by {off}");
        }
    }

    #[test]
    fn attention_is_the_plain_one(n in 1usize..30, more in 0usize..200, heads in 1usize..4, causal: bool) {
        let (n_ctx, n_state) = (n + more, heads * D_HEAD);
        let seen = if causal { Seen::Causal } else { Seen::All };
        let query = tensor(&numbers(n * n_state, 4), [1, n, n_state]) * 3.0;
        let [key, value] = [5, 6].map(|seed| tensor(&numbers(n_ctx * n_state, seed), [1, n_ctx, n_state]));
        let kv = KeyValue::Growing { key, value };
        let plain = attention(Kernels::Plain, query.clone(), &kv, seen);
        for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Int8, 0.03)] {
            let fast = Kernels::Fast(precision);
            let ours = attention(fast, query.clone(), &kv, seen);
            let off = deviation(ours.clone(), plain.clone());
            prop_assert!(off < tolerance, "{precision:?} is off by {off}");
            if !causal {
                let laid_out = attention(fast, query.clone(), &kv.clone().fixed(fast), seen);
                prop_assert_eq!(bits(ours), bits(laid_out));
            }
        }
    }

    #[test]
    fn what_is_masked_is_not_there(n in 1usize..30, more in 0usize..200, heads in 1usize..4) {
        let (n_ctx, n_state) = (n + more, heads * D_HEAD);
        let query = tensor(&numbers(n * n_state, 4), [1, n, n_state]) * 3.0;
        let [key, value] = [5, 6].map(|seed| tensor(&numbers(n_ctx * n_state, seed), [1, n_ctx, n_state]));
        let kv = KeyValue::Growing { key, value };
        let room = KeyValue::padded(FIXED, heads, n_ctx + 7, &Device::flex()).append(kv.clone(), 0);
        let mask = causal_mask(more, n, n_ctx + 7, &Device::flex());
        let ours = attention(FIXED, query.clone(), &room, Seen::Masked(&mask));
        let off = deviation(ours, attention(Kernels::Plain, query.clone(), &kv, Seen::Causal));
        prop_assert!(off < 1e-5, "off by {off}");
        let ours = attention(FIXED, query.clone(), &kv.clone().fixed(FIXED), Seen::All);
        let off = deviation(ours, attention(Kernels::Plain, query, &kv, Seen::All));
        prop_assert!(off < 1e-5, "off by {off}");
    }

    #[test]
    fn a_convolution_is_the_plain_one(n in 1usize..40, channels_in in 1usize..9, channels_out in 1usize..70, stride in 1usize..3, relu: bool) {
        let activation = if relu { Activation::Relu } else { Activation::Gelu };
        let n = n * stride;
        let weight = numbers(channels_out * channels_in * 3, 7);
        let bias = numbers(channels_out, 8);
        let mut plain = Conv1dConfig::new(channels_in, channels_out, 3)
            .with_stride(stride)
            .with_padding(PaddingConfig1d::Explicit(1, 1))
            .init(&Device::flex());
        plain.weight = Param::from_tensor(tensor(&weight, [channels_out, channels_in, 3]));
        plain.bias = Some(Param::from_tensor(tensor(&bias, [channels_out])));
        let x = tensor(&numbers(n * channels_in, 9), [1, n, channels_in]);
        let plain = Conv1d::Plain(plain).forward(x.clone(), activation);
        for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Int8, 0.02)] {
            let ours = Conv1d::fast(&weight, &bias, stride, precision).forward(x.clone(), activation);
            let off = deviation(ours, plain.clone());
            prop_assert!(off < tolerance, "{precision:?} is off by {off}");
        }
    }

    #[test]
    fn a_norm_is_the_plain_one(n in 1usize..60, n_state in 1usize..300) {
        let (gamma, beta) = (numbers(n_state, 20), numbers(n_state, 21));
        let mut plain = nn::LayerNormConfig::new(n_state).init(&Device::flex());
        plain.gamma = Param::from_tensor(tensor(&gamma, [n_state]));
        plain.beta = Some(Param::from_tensor(tensor(&beta, [n_state])));
        let x = tensor(&numbers(n * n_state, 22), [1, n, n_state]) * 3.0 + 1.0;
        let ours = LayerNorm::fast(gamma, beta).forward(x.clone());
        let off = deviation(ours, LayerNorm::Plain(plain).forward(x));
        prop_assert!(off < 1e-5, "off by {off}");
    }

    #[test]
    fn a_convolution_computes_each_window(
        runs in proptest::collection::vec((1usize..12, 0u8..3), 1..8), stride in 1usize..3,
    ) {
        // Three frames that come in runs, of which the longest is computed once.
        let frames: Vec<u8> = runs.iter().flat_map(|&(n, frame)| vec![frame; n]).collect();
        let n = frames.len() / stride * stride;
        prop_assume!(n > 0);
        let frame = |i: usize| match frames[..n].get(i.wrapping_sub(1)) {
            Some(&frame) => numbers(5, u64::from(frame) + 30),
            None => vec![0.0; 5],
        };
        let values: Vec<f32> = (1..=n).flat_map(frame).collect();
        let (weight, bias) = (numbers(70 * 5 * 3, 23), numbers(70, 24));
        for precision in [Precision::F32, Precision::Int8] {
            let conv = Conv1d::fast(&weight, &bias, stride, precision);
            let all = conv.forward(tensor(&values, [1, n, 5]), Activation::Gelu);
            prop_assert_eq!(all.dims(), [1, n / stride, 70]);
            for at in 0..n / stride {
                // Behind a frame of nothing, so that its window ends at no border.
                let window = (0..3).flat_map(|k| frame(at * stride + k));
                let window: Vec<f32> = frame(0).into_iter().chain(window).collect();
                let alone = conv.forward(tensor(&window, [1, 4, 5]), Activation::Gelu);
                let alone = row(&alone, 2 / stride);
                prop_assert_eq!(bits(alone), bits(row(&all, at)), "{:?} row {}", precision, at);
            }
        }
    }

    #[test]
    fn every_unit_multiplies_alike(rows in 1..=ROWS, depth in 1usize..40, seed: u32) {
        let mut next = noise(seed.into());
        let words: Vec<Word> = (0..rows * depth)
            .map(|_| std::array::from_fn(|_| (next() * 127.9 + 128.0) as u8))
            .collect();
        let rows: Vec<&[Word]> = words.chunks_exact(depth).collect();
        for unit in Unit::found() {
            let largest = if unit.adds_pairs() { 64.9 } else { 127.9 };
            let mut weight = || (next() * largest) as i8;
            let panel: Vec<Words> =
                (0..depth).map(|_| std::array::from_fn(|_| weight())).collect();
            let mut expected = [[0; COLUMNS]; ROWS];
            for (row, sums) in rows.iter().zip(&mut expected) {
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum = (0..depth * GROUP)
                        .map(|k| i32::from(row[k / GROUP][k % GROUP])
                            * i32::from(panel[k / GROUP][c * GROUP + k % GROUP]))
                        .sum();
                }
            }
            let mut sums = [[0; COLUMNS]; ROWS];
            unit.tile(&rows, &panel, &mut sums);
            prop_assert_eq!(sums, expected, "{:?}", unit);
        }
    }
}

#[test]
fn no_unit_overflows() {
    // As deep as the widest layer of any model, everything as far from zero as it can be.
    let depth = 5120 / GROUP;
    let row = vec![[255; GROUP]; depth];
    for unit in Unit::found() {
        let furthest: &[[i8; GROUP]] = match unit.adds_pairs() {
            true => &[[64; 4], [127, 1, 127, -127], [-64; 4], [-127, -1, -1, -127]],
            false => &[[127; 4], [-127; 4]],
        };
        for word in furthest {
            let panel = vec![std::array::from_fn(|i| word[i % GROUP]); depth];
            let mut sums = [[0; COLUMNS]; ROWS];
            unit.tile(&[&row[..]; ROWS], &panel, &mut sums);
            let sum: i32 = word.iter().map(|&q| i32::from(q)).sum();
            assert_eq!(sums, [[255 * sum * depth as i32; COLUMNS]; ROWS], "{unit:?}");
        }
    }
}

#[test]
fn weights_are_within_the_reach_of_each_unit() {
    let mut next = noise(3);
    for unit in Unit::found() {
        for _ in 0..10_000 {
            let [a, b] = [next(), next()];
            let [p, q] = [a, b].map(|x| (x * 127.0 / unit.reach(a, b)).round());
            assert!(p.abs().max(q.abs()) <= 127.0, "{a} {b}");
            assert!(!unit.adds_pairs() || (p + q).abs() <= 128.0, "{a} {b}");
        }
        assert_eq!(unit.reach(1.0, -2.0), 2.0);
        assert_eq!(unit.reach(-1.0, -2.0), if unit.adds_pairs() { 3.0 } else { 2.0 });
    }
}

/// Rows at the borders of tiles and of blocks, and positions in all.
const SOME: [usize; 10] = [0, 5, 6, 62, 63, 64, 65, 127, 128, 199];
const ALL: usize = 200;

#[test]
fn a_row_gives_the_same_bits_alone_and_among_others() {
    let x = tensor(&numbers(ALL * 256, 10), [1, ALL, 256]);
    for precision in [Precision::F32, Precision::Int8] {
        let [_, fast] = linears(256, 500, precision);
        let together = fast.forward(x.clone(), Activation::Gelu);
        for n in SOME {
            let alone = fast.forward(row(&x, n), Activation::Gelu);
            assert_eq!(bits(alone), bits(row(&together, n)), "{precision:?} row {n}");
        }
    }
    let kv = KeyValue::Growing { key: x.clone(), value: x.clone() * 0.5 };
    for precision in [Precision::F32, Precision::Int8] {
        let kernels = Kernels::Fast(precision);
        let fixed = kv.clone().fixed(kernels);
        let together = attention(kernels, x.clone(), &fixed, Seen::All);
        for n in SOME {
            let alone = attention(kernels, row(&x, n), &fixed, Seen::All);
            assert_eq!(bits(alone), bits(row(&together, n)), "{precision:?} row {n}");
        }
    }
}

#[test]
fn a_token_gives_the_same_bits_whatever_stands_behind_it() {
    let x = tensor(&numbers(ALL * 256, 10), [1, ALL, 256]);
    // The first is nothing, so that whatever another adds to it would show.
    let value = Tensor::cat(vec![row(&x, 0) * 0.0, x.clone().narrow(1, 1, ALL - 1)], 1);
    let kv = KeyValue::Growing { key: x.clone(), value };
    let kernels = Kernels::Fast(Precision::Int8);
    let together = attention(kernels, x.clone(), &kv, Seen::Causal);
    for n in SOME {
        let seen = kv.clone().truncate(n + 1);
        let alone = attention(kernels, row(&x, n), &seen, Seen::Causal);
        assert_eq!(bits(alone), bits(row(&together, n)), "row {n}");
    }
}

#[test]
fn work_that_is_shared_out_comes_to_the_same() {
    // As much as the cores share: heads of one row, and overlapping rows of a convolution.
    let x = tensor(&numbers(1500 * 384, 16), [1, 1500, 384]);
    let kv = KeyValue::Growing { key: x.clone(), value: x.clone() };
    for precision in [Precision::F32, Precision::Int8] {
        let kernels = Kernels::Fast(precision);
        let kv = kv.clone().fixed(kernels);
        let seven = attention(kernels, x.clone().narrow(1, 0, 7), &kv, Seen::All);
        for n in [0, 6] {
            let alone = attention(kernels, row(&x, n), &kv, Seen::All);
            assert_eq!(bits(alone), bits(row(&seven, n)), "{precision:?} row {n}");
        }
        let (weight, bias) = (numbers(70 * 16 * 3, 17), numbers(70, 18));
        let conv = Conv1d::fast(&weight, &bias, 1, precision);
        let frames = tensor(&numbers(600 * 16, 19), [1, 600, 16]);
        let all = conv.forward(frames.clone(), Activation::Gelu);
        for n in [1, 47, 48, 598] {
            let three = conv.forward(frames.clone().narrow(1, n - 1, 3), Activation::Gelu);
            assert_eq!(bits(row(&three, 1)), bits(row(&all, n)), "{precision:?} row {n}");
        }
    }
}

#[test]
fn rows_that_go_through_several_layers_come_to_what_they_come_to_layer_by_layer() {
    let n = ALL.max(2 * rayon::current_num_threads() * ROWS + 8);
    assert!(sharing::by_rows(n) && !sharing::by_rows(2));
    let x = tensor(&numbers(n * 256, 15), [1, n, 256]);
    let norm = LayerNorm::fast(numbers(256, 13), numbers(256, 14));
    let h = norm.forward(x.clone());
    for precision in [Precision::F32, Precision::Int8] {
        let linear = |d_input, d_output| {
            let [_, fast] = linears(d_input, d_output, precision);
            fast
        };
        let kernels = Kernels::Fast(precision);
        let (narrow, expand, contract) = (linear(256, 256), linear(256, 500), linear(500, 256));

        let [a, b] = project(&norm, [&narrow, &expand], &x);
        assert_eq!(bits(a), bits(narrow.forward(h.clone(), Activation::None)));
        assert_eq!(bits(b), bits(expand.forward(h.clone(), Activation::None)));

        let hidden = expand.forward(h.clone(), Activation::Gelu);
        let expected = x.clone() + contract.forward(hidden, Activation::None);
        assert_eq!(bits(mlp(&norm, &expand, &contract, x.clone())), bits(expected));

        let kv = KeyValue::Growing { key: h.clone(), value: x.clone() };
        for seen in [Seen::All, Seen::Causal] {
            let found = attention(kernels, h.clone(), &kv, seen);
            let expected = x.clone() + narrow.forward(found, Activation::None);
            let ours = attend(kernels, x.clone(), h.clone(), &kv, seen, &narrow);
            assert_eq!(bits(ours), bits(expected));
        }
    }
    // What others hold as well is not changed.
    assert_eq!(*values(x), numbers(n * 256, 15));
}

#[test]
fn an_embedding_is_the_plain_one() {
    // More than are read at once, and a panel that is not full.
    let n_vocab = 2048 + 130;
    let weight = numbers(n_vocab * 64, 11);
    let plain = Embedding::Plain(tensor(&weight, [n_vocab, 64]));
    let x = tensor(&numbers(3 * 64, 12), [1, 3, 64]);
    for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Int8, 0.02)] {
        let read = |rows: Range<usize>| {
            Ok::<_, Infallible>(weight[rows.start * 64..rows.end * 64].to_vec())
        };
        let fast = Embedding::fast([n_vocab, 64], precision, &Device::flex(), read).unwrap();
        let tokens = [0, 63, 64, 2047, 2048, n_vocab as u32 - 1];
        assert!(deviation(fast.select(&tokens), plain.select(&tokens)) < tolerance);
        assert!(deviation(fast.scores(x.clone()), plain.scores(x.clone())) < tolerance);
    }
}

#[test]
fn rows_of_nothing_stay_nothing() {
    let [_, fast] = linears(64, 10, Precision::Int8);
    let bias = fast.forward(tensor(&[0.0; 64], [1, 1, 64]), Activation::None);
    assert_eq!(*values(bias), numbers(10, 2));
}
