//! Keys and values in 8 bits: a scale for each key, and one for 64 values of the same column.
//!
//! Queries are rounded row by row, weights 64 by 64, so that the many small ones beside a large one
//! are not lost. What a row comes to depends on that row alone.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::dispatch;
use super::super::int8::{self, GROUP, Sums, UNIT, Word, Words};
use super::super::tile::{COLUMNS, ROWS, Row};
use super::{BlockAt, D_HEAD, Layout, Rescale, SCALE};

/// Groups of four in a head, and in a block of values.
const DEPTH: usize = D_HEAD / GROUP;

#[derive(Clone, Debug)]
pub(super) struct Narrow {
    /// `[n_head]`
    heads: Vec<Head>,
}

#[derive(Clone, Debug)]
struct Head {
    /// A block for each 64 keys; those behind the last are zero.
    keys: int8::Weights,
    values: Vec<Block>,
}

/// Values at 64 positions.
#[derive(Clone, Debug)]
struct Block {
    /// Position by position in groups of four, column by column.
    words: [Words; DEPTH],
    /// What 1 stands for in each column.
    scales: Row,
}

impl Narrow {
    /// Lays out `[n_ctx, n_head, D_HEAD]` each.
    pub(super) fn new(keys: &[f32], values: &[f32], n_head: usize) -> Self {
        let (keys, values) = (keys.as_chunks().0, values.as_chunks().0);
        let head = |head| dispatch(LayOut { keys, values, head, n_head });
        Self { heads: (0..n_head).into_par_iter().map(head).collect() }
    }
}

/// Lays out one head of `[n_ctx, n_head]` rows.
struct LayOut<'a> {
    keys: &'a [Row],
    values: &'a [Row],
    head: usize,
    n_head: usize,
}

impl WithSimd for LayOut<'_> {
    type Output = Head;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Head {
        let Self { keys, values, head, n_head } = self;
        let n_ctx = keys.len() / n_head;
        let mean = mean(keys, head, n_head);
        let mut rounded = int8::Weights::zeros(n_ctx, D_HEAD);
        let (mut key, mut bytes) = ([0.0; D_HEAD], [0; D_HEAD]);
        for at in 0..n_ctx {
            for ((into, x), mean) in key.iter_mut().zip(&keys[at * n_head + head]).zip(&mean) {
                *into = x - mean;
            }
            rounded.set(simd, at, &key, &mut bytes);
        }
        let mut blocks = Vec::with_capacity(n_ctx.div_ceil(COLUMNS));
        for first in (0..n_ctx).step_by(COLUMNS) {
            let rows = first..n_ctx.min(first + COLUMNS);
            blocks.push(Block::quantize(values, rows, head, n_head));
        }
        Head { keys: rounded, values: blocks }
    }
}

/// The mean key: it adds the same to all scores of a query, which the softmax does not see, and what is
/// left without it is smaller.
#[inline(always)]
fn mean(keys: &[Row], head: usize, n_head: usize) -> Row {
    let mut mean = [0.0; D_HEAD];
    for keys in keys.chunks_exact(n_head) {
        for (mean, x) in mean.iter_mut().zip(&keys[head]) {
            *mean += x;
        }
    }
    for mean in &mut mean {
        *mean /= (keys.len() / n_head) as f32;
    }
    mean
}

impl Block {
    /// Rounds up to 64 values of a head.
    #[inline(always)]
    fn quantize(values: &[Row], rows: Range<usize>, head: usize, n_head: usize) -> Self {
        let value = |at: usize| match rows.contains(&at) {
            true => &values[at * n_head + head],
            false => &[0.0; D_HEAD],
        };
        let (unit, mut largest) = (*UNIT, [0.0f32; D_HEAD]);
        for at in rows.clone().step_by(2) {
            let pair = value(at).iter().zip(value(at + 1));
            for (largest, (a, b)) in largest.iter_mut().zip(pair) {
                let reach = unit.reach(*a, *b);
                *largest = if reach > *largest { reach } else { *largest };
            }
        }
        let (mut scales, mut inverses) = ([0.0; D_HEAD], [0.0; D_HEAD]);
        for ((scale, inverse), largest) in scales.iter_mut().zip(&mut inverses).zip(&largest) {
            *scale = largest / int8::LARGEST;
            *inverse = if *largest > 0.0 { int8::LARGEST / largest } else { 0.0 };
        }
        let mut words = [[0; GROUP * COLUMNS]; DEPTH];
        for (words, first) in words.iter_mut().zip(rows.clone().step_by(GROUP)) {
            // Four values of a column side by side, as one number: they need not be written one by one then.
            let mut columns = [0u32; D_HEAD];
            for (k, at) in (first..rows.end.min(first + GROUP)).enumerate() {
                for ((column, x), inverse) in columns.iter_mut().zip(value(at)).zip(&inverses) {
                    *column |= (u32::from(int8::round(x * inverse)) << (8 * k)).to_le();
                }
            }
            *words = bytemuck::cast(columns);
        }
        Self { words, scales }
    }
}

/// Queries in 8 bits, and room for weights and sums.
pub(super) struct Queries {
    /// `[ROWS]`
    words: [[Word; DEPTH]; ROWS],
    /// What 1 stands for in each.
    scales: [f32; ROWS],
    weights: [[Word; DEPTH]; ROWS],
    sums: [Sums; ROWS],
}

impl Layout for Narrow {
    type Queries = Queries;
    // The largest number of 8 bits without a sign.
    const LARGEST_WEIGHT: f32 = 255.0;

    #[inline(always)]
    fn prepare<S: Simd>(&self, simd: S, queries: &[Row]) -> Queries {
        let mut prepared = Queries {
            words: [[[0; GROUP]; DEPTH]; ROWS],
            scales: [0.0; ROWS],
            weights: [[[0; GROUP]; DEPTH]; ROWS],
            sums: [[0; COLUMNS]; ROWS],
        };
        let rows = prepared.words.iter_mut().zip(&mut prepared.scales);
        for ((words, scale), query) in rows.zip(queries) {
            *scale = SCALE * int8::quantize_row(simd, query, words.as_flattened_mut());
        }
        prepared
    }

    #[inline(always)]
    fn score<S: Simd>(&self, _: S, at: BlockAt, queries: &mut Queries, scores: &mut [Row]) {
        let Queries { words, scales, sums, .. } = queries;
        let panel = self.heads[at.head].keys.panel(at.block);
        multiply(&words[..scores.len()], panel.words, sums);
        for ((scores, sums), scale) in scores.iter_mut().zip(sums).zip(scales) {
            panel.restore(sums, *scale, scores);
        }
    }

    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        _: S,
        at: BlockAt,
        queries: &mut Queries,
        weights: &[Row],
        scales: &[Rescale],
        sums: &mut [Row],
    ) {
        let Queries { weights: words, sums: products, .. } = queries;
        let block = &self.heads[at.head].values[at.block];
        for (words, weights) in words.iter_mut().zip(weights) {
            for (q, x) in words.as_flattened_mut().iter_mut().zip(weights) {
                *q = int8::round(*x);
            }
        }
        multiply(&words[..weights.len()], &block.words, products);
        for ((sums, products), scale) in sums.iter_mut().zip(products).zip(scales) {
            for ((sum, x), column) in sums.iter_mut().zip(products).zip(&block.scales) {
                *sum = *sum * scale.before + *x as f32 * (scale.block * column);
            }
        }
    }
}

/// A few rows times one panel.
#[inline(always)]
fn multiply(rows: &[[Word; DEPTH]], panel: &[Words], sums: &mut [Sums; ROWS]) {
    let mut few = [&[][..]; ROWS];
    for (few, row) in few.iter_mut().zip(rows) {
        *few = row;
    }
    UNIT.tile(&few[..rows.len()], panel, sums);
}
