//! Keys and values in 8 bits: a scale for each key, and one for 64 values of the same column.
//!
//! Queries are rounded row by row, weights 64 by 64, so that the many small ones beside a large one
//! are not lost. What a row comes to depends on that row alone.

use pulp::Simd;
use rayon::prelude::*;

use super::super::int8::{self, GROUP, Sums, UNIT, Word, Words};
use super::super::math;
use super::super::tile::{COLUMNS, ROWS, Row};
use super::{D_HEAD, Layout};

/// Groups of four in a head, and in a block of values.
const DEPTH: usize = D_HEAD / GROUP;
/// The largest weight, in 8 bits without a sign.
const LARGEST_WEIGHT: f32 = 255.0;

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
        let (keys, values) = (keys.as_chunks::<D_HEAD>().0, values.as_chunks::<D_HEAD>().0);
        let of = |rows: &[Row], head: usize| -> Vec<Row> {
            rows.iter().skip(head).step_by(n_head).copied().collect()
        };
        let head = |head| {
            let mut keys = of(keys, head);
            center(&mut keys);
            let values = of(values, head);
            Head {
                keys: int8::Weights::quantize(keys.as_flattened(), D_HEAD),
                values: values.chunks(COLUMNS).map(Block::quantize).collect(),
            }
        };
        Self { heads: (0..n_head).into_par_iter().map(head).collect() }
    }
}

/// Takes the mean key out of all keys: it adds the same to all scores of a query, which the softmax
/// does not see, and what is left is smaller.
fn center(keys: &mut [Row]) {
    let mut mean = [0.0; D_HEAD];
    for key in &*keys {
        mean.iter_mut().zip(key).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= keys.len() as f32);
    for key in keys {
        key.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
    }
}

impl Block {
    /// Rounds up to 64 values.
    fn quantize(values: &[Row]) -> Self {
        let mut largest = [0.0f32; D_HEAD];
        for value in values {
            largest.iter_mut().zip(value).for_each(|(max, x)| *max = math::max(*max, x.abs()));
        }
        let scales = largest.map(|largest| largest / int8::LARGEST);
        let inverse = scales.map(|scale| if scale > 0.0 { 1.0 / scale } else { 0.0 });
        let mut words = [[0; GROUP * COLUMNS]; DEPTH];
        for (k, value) in values.iter().enumerate() {
            let word = &mut words[k / GROUP];
            for (c, (x, inverse)) in value.iter().zip(&inverse).enumerate() {
                word[c * GROUP + k % GROUP] = int8::round(x * inverse) as i8;
            }
        }
        Self { words, scales }
    }
}

impl Layout for Narrow {
    #[inline(always)]
    fn score<S: Simd>(&self, _: S, head: usize, query: &[Row], scores: &mut [f32]) {
        let mut rounded = [[[0; GROUP]; DEPTH]; ROWS];
        let mut scales = [0.0; ROWS];
        let mut few: [&[Word]; ROWS] = [&[]; ROWS];
        for ((row, scale), query) in rounded.iter_mut().zip(&mut scales).zip(query) {
            *scale = int8::quantize_row(query, row.as_flattened_mut());
        }
        for (few, row) in few.iter_mut().zip(&rounded) {
            *few = row;
        }
        let keys = &self.heads[head].keys;
        let length = keys.scales.len() * COLUMNS;
        let mut whole: [Sums; ROWS] = [[0; COLUMNS]; ROWS];
        for (p, panel) in keys.panels.chunks_exact(DEPTH).enumerate() {
            UNIT.tile(&few[..query.len()], panel, &mut whole);
            for (r, scale) in scales[..query.len()].iter().enumerate() {
                let at = r * length + p * COLUMNS;
                let Some(into) = scores[at..].first_chunk_mut() else { continue };
                int8::restore(&whole[r], &keys.offsets[p], *scale, &keys.scales[p], into);
            }
        }
    }

    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        _: S,
        head: usize,
        rows: usize,
        weights: &[f32],
        sums: &mut [Row; ROWS],
    ) {
        let blocks = &self.heads[head].values;
        let length = blocks.len() * COLUMNS;
        let mut rounded = [[[0; GROUP]; DEPTH]; ROWS];
        let mut whole: [Sums; ROWS] = [[0; COLUMNS]; ROWS];
        for (p, block) in blocks.iter().enumerate() {
            let mut scales = [0.0; ROWS];
            for (r, (row, scale)) in rounded.iter_mut().zip(&mut scales).take(rows).enumerate() {
                let Some(weights) = weights[r * length + p * COLUMNS..].first_chunk() else {
                    continue;
                };
                *scale = quantize_weights(weights, row.as_flattened_mut());
            }
            let few = rounded.each_ref().map(|row| &row[..]);
            UNIT.tile(&few[..rows], &block.words, &mut whole);
            for ((sums, whole), scale) in sums.iter_mut().zip(&whole).zip(&scales).take(rows) {
                for ((sum, whole), column) in sums.iter_mut().zip(whole).zip(&block.scales) {
                    *sum += *whole as f32 * (scale * column);
                }
            }
        }
    }
}

/// Rounds weights, none below zero, to 8 bits without a sign, and gives what 1 stands for.
#[inline(always)]
fn quantize_weights(weights: &Row, into: &mut [u8]) -> f32 {
    let largest = math::largest(weights);
    let inverse = if largest > 0.0 { LARGEST_WEIGHT / largest } else { 0.0 };
    for (q, x) in into.iter_mut().zip(weights) {
        *q = int8::round(x * inverse);
    }
    largest / LARGEST_WEIGHT
}
