//! Attention on the CPU: a few queries on their way through the keys of a head, 64 at a time. The
//! softmax goes with them, so that scores never leave the nearest cache.
//!
//! Source of the softmax that is corrected as larger scores come: Milakov and Gimelshein, "Online
//! normalizer calculation for softmax", 2018.

mod narrow;
mod wide;

use std::f32::consts::LOG2_E;
use std::ops::Range;

use burn::tensor::Tensor;
use pulp::{Scalar, Simd, WithSimd};
use rayon::prelude::*;

use self::narrow::Narrow;
use self::wide::Wide;
use super::tensor::values;
use super::tile::{COLUMNS, ROWS, Row};
use super::{Precision, dispatch, math, sharing};
use crate::attention::D_HEAD;

/// What a score is multiplied by, so that its weight is a power of two.
const SCALE: f32 = LOG2_E / 8.0;
const _: () = assert!(D_HEAD == COLUMNS && D_HEAD == 8 * 8);

/// Keys and values laid out for [`forward`].
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    n_head: usize,
    n_ctx: usize,
    laid_out: LaidOut,
}

#[derive(Clone, Debug)]
enum LaidOut {
    F32(Wide),
    Int8(Narrow),
}

impl Panels {
    /// Lays out keys and values, `[1, n_ctx, n_state]` each.
    pub(super) fn of(key: &Tensor<3>, value: &Tensor<3>, precision: Precision) -> Self {
        let [_, n_ctx, n_state] = key.dims();
        let n_head = n_state / D_HEAD;
        let (keys, values) = (values(key.clone()), values(value.clone()));
        let laid_out = match precision {
            Precision::F32 => LaidOut::F32(Wide::new(&keys, &values, n_head)),
            Precision::F16 | Precision::Int8 => LaidOut::Int8(Narrow::new(&keys, &values, n_head)),
        };
        Self { n_head, n_ctx, laid_out }
    }
}

/// How keys and values lie in memory, a block for each 64 positions, and what is done with them there.
trait Layout: Sync {
    /// A few queries of a head as its products take them, and room for what comes of them.
    type Queries;
    /// The largest weight of a block.
    const LARGEST_WEIGHT: f32;

    /// Prepares queries, `[1..=ROWS]`.
    fn prepare<S: Simd>(&self, simd: S, queries: &[Row]) -> Self::Queries;

    /// The products of queries with the keys of a block, scaled by [`SCALE`]; those behind the last key
    /// are anything.
    fn score<S: Simd>(&self, simd: S, at: BlockAt, queries: &mut Self::Queries, scores: &mut [Row]);

    /// Adds the values of a block, by `weights` of the shape of the scores, to `sums`.
    fn weigh<S: Simd>(
        &self,
        simd: S,
        at: BlockAt,
        queries: &mut Self::Queries,
        weights: &[Row],
        scales: &[Rescale],
        sums: &mut [Row],
    );
}

/// A block of a head.
#[derive(Clone, Copy)]
struct BlockAt {
    head: usize,
    block: usize,
}

/// How much the sums of a block count in a row, and how much those of all blocks before still do.
#[derive(Clone, Copy, Default)]
struct Rescale {
    before: f32,
    block: f32,
}

/// Attends from each query to all keys; with `causal` to none behind its own place.
///
/// # Shapes
///
/// - queries: `[n, n_state]`
/// - output: `[n, n_state]`
pub(super) fn forward(queries: &[f32], panels: &Panels, causal: bool) -> Vec<f32> {
    let n_head = panels.n_head;
    let n_state = n_head * D_HEAD;
    let n = queries.len() / n_state;
    if n * panels.n_ctx * n_state < sharing::WORTH {
        return forward_rows(queries, panels, causal, 0..n);
    }
    // Head by head: the rows are few.
    let shares: Vec<_> =
        (0..n.div_ceil(ROWS) * n_head).map(|i| (i / n_head * ROWS, i % n_head)).collect();
    let heads: Vec<Vec<f32>> = shares
        .par_iter()
        .map(|&(first, head)| {
            let mut output = vec![0.0; ROWS.min(n - first) * D_HEAD];
            compute(queries, panels, causal, first, head..head + 1, &mut output);
            output
        })
        .collect();
    let mut output = vec![0.0; n * n_state];
    for ((first, head), rows) in shares.into_iter().zip(heads) {
        let rows = rows.chunks_exact(D_HEAD).zip(output.chunks_exact_mut(n_state).skip(first));
        for (row, output) in rows {
            output[head * D_HEAD..][..D_HEAD].copy_from_slice(row);
        }
    }
    output
}

/// As [`forward`], for some of the queries and on this core alone.
pub(super) fn forward_rows(
    queries: &[f32],
    panels: &Panels,
    causal: bool,
    rows: Range<usize>,
) -> Vec<f32> {
    let mut output = vec![0.0; rows.len() * panels.n_head * D_HEAD];
    compute(queries, panels, causal, rows.start, 0..panels.n_head, &mut output);
    output
}

/// The rows of the output from `first` on, as many as there is room for, and some heads of them:
/// `[rows, heads, D_HEAD]`.
fn compute(
    queries: &[f32],
    panels: &Panels,
    causal: bool,
    first: usize,
    heads: Range<usize>,
    output: &mut [f32],
) {
    let n = queries.len() / (panels.n_head * D_HEAD);
    match &panels.laid_out {
        LaidOut::F32(layout) => {
            let attention = Attention { queries, panels, layout, causal, n };
            dispatch(Attend { attention, first, heads, output });
        }
        LaidOut::Int8(layout) => {
            let attention = Attention { queries, panels, layout, causal, n };
            dispatch(Attend { attention, first, heads, output });
        }
    }
}

/// Some rows of the output, and some heads of them.
struct Attend<'a, L> {
    attention: Attention<'a, L>,
    /// The first query of `output`.
    first: usize,
    heads: Range<usize>,
    /// `[rows, heads, D_HEAD]`
    output: &'a mut [f32],
}

impl<L: Layout> WithSimd for Attend<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { attention, first, heads, output } = self;
        let width = heads.len() * D_HEAD;
        // Head by head: the keys and values of one stay in the nearer caches.
        for (place, head) in heads.enumerate() {
            for (i, output) in output.chunks_mut(ROWS * width).enumerate() {
                let from = first + i * ROWS;
                let sums = attention.head(simd, head, from..from + output.len() / width);
                for (output, sums) in output.chunks_exact_mut(width).zip(&sums) {
                    output[place * D_HEAD..][..D_HEAD].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Queries, and what they attend to.
struct Attention<'a, L> {
    /// `[n, n_state]`
    queries: &'a [f32],
    panels: &'a Panels,
    layout: &'a L,
    causal: bool,
    n: usize,
}

impl<L: Layout> Attention<'_, L> {
    /// Attends from a few queries to one head.
    #[inline(always)]
    fn head<S: Simd>(&self, simd: S, head: usize, rows: Range<usize>) -> [Row; ROWS] {
        let (n_rows, n_ctx) = (rows.len(), self.panels.n_ctx);
        let (heads, _) = self.queries.as_chunks();
        let mut queries = [[0.0; D_HEAD]; ROWS];
        for (query, row) in queries.iter_mut().zip(rows.clone()) {
            *query = heads[row * self.panels.n_head + head];
        }
        let mut queries = self.layout.prepare(simd, &queries[..n_rows]);

        let mut softmax = [Softmax::new(simd); ROWS];
        let (mut scores, mut scales) = ([[0.0; COLUMNS]; ROWS], [Rescale::default(); ROWS]);
        let mut sums = [[0.0; D_HEAD]; ROWS];
        let n_seen = if self.causal { n_ctx - (self.n - rows.end) } else { n_ctx };
        for block in 0..n_seen.div_ceil(COLUMNS) {
            let at = BlockAt { head, block };
            self.layout.score(simd, at, &mut queries, &mut scores[..n_rows]);
            self.hide(block, rows.clone(), &mut scores);
            // One thing after the other for all rows: they do not wait for each other.
            let mut largest = [0.0; ROWS];
            for (largest, scores) in largest.iter_mut().zip(&scores[..n_rows]) {
                *largest = math::largest(simd, scores);
            }
            for r in 0..n_rows {
                scales[r] = softmax[r].rise(largest[r], L::LARGEST_WEIGHT);
            }
            for r in 0..n_rows {
                let shift = L::LARGEST_WEIGHT.log2() - largest[r];
                let weights = math::powers(simd, &mut scores[r], shift);
                softmax[r].add(simd, weights, scales[r]);
            }
            let (weights, sums) = (&scores[..n_rows], &mut sums[..n_rows]);
            self.layout.weigh(simd, at, &mut queries, weights, &scales[..n_rows], sums);
        }
        for (sums, softmax) in sums.iter_mut().zip(&softmax[..n_rows]) {
            let total = simd.reduce_sum_f32s(softmax.total);
            for x in sums {
                *x /= total;
            }
        }
        sums
    }

    /// Hides the scores of keys that are not there, or not for that row.
    #[inline(always)]
    fn hide(&self, block: usize, rows: Range<usize>, scores: &mut [Row; ROWS]) {
        let keys_left = self.panels.n_ctx - block * COLUMNS;
        if !self.causal && keys_left >= COLUMNS {
            return;
        }
        for (scores, row) in scores.iter_mut().zip(rows) {
            let behind = if self.causal { self.n - 1 - row } else { 0 };
            let hidden = scores.get_mut(keys_left.saturating_sub(behind)..);
            hidden.unwrap_or_default().fill(f32::MIN);
        }
    }
}

/// The softmax of a row, as far as it has come.
#[derive(Clone, Copy)]
struct Softmax<S: Simd> {
    /// The largest score.
    largest: f32,
    /// The sums of the weights that lay in the same place of a register; that of the largest score is 1.
    total: S::f32s,
}

impl<S: Simd> Softmax<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self { largest: f32::MIN, total: simd.splat_f32s(0.0) }
    }

    /// Takes notice of the largest score of a block, which is to have the weight `unit` there.
    #[inline(always)]
    fn rise(&mut self, largest: f32, unit: f32) -> Rescale {
        let before = self.largest;
        self.largest = if largest > before { largest } else { before };
        let block = math::exp2(Scalar, largest - self.largest) / unit;
        Rescale { before: math::exp2(Scalar, before - self.largest), block }
    }

    /// Adds the weights of a block.
    #[inline(always)]
    fn add(&mut self, simd: S, weights: S::f32s, scale: Rescale) {
        let faded = simd.mul_f32s(self.total, simd.splat_f32s(scale.before));
        self.total = simd.mul_add_e_f32s(weights, simd.splat_f32s(scale.block), faded);
    }
}
