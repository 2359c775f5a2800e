//! Attention on the CPU: a few queries against all keys of a head at a time, so that the scores
//! stay in the nearest cache.

use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::tensor::values;
use super::tile::{COLUMNS, ROWS, Row, tile};
use super::{dispatch, math};

/// Width of a head; a panel is as wide.
const D_HEAD: usize = COLUMNS;
/// Multiplications below which a second core costs more than it brings.
const WORTH_SHARING: usize = 1 << 19;

/// Keys and values laid out for [`attend`].
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    n_head: usize,
    n_ctx: usize,
    /// Panels of 64 keys, `[n_head, n_panels, D_HEAD]`.
    keys: Vec<Row>,
    /// `[n_head, n_ctx]`
    values: Vec<Row>,
}

impl Panels {
    /// Lays out keys and values, `[1, n_ctx, n_state]` each.
    pub(super) fn of(key: &Tensor<3>, value: &Tensor<3>) -> Self {
        let [_, _, n_state] = key.dims();
        Self::new(&values(key.clone()), &values(value.clone()), n_state)
    }

    fn new(keys: &[f32], values: &[f32], n_state: usize) -> Self {
        let (n_head, n_ctx) = (n_state / D_HEAD, keys.len() / n_state);
        let n_panels = n_ctx.div_ceil(COLUMNS);
        let mut panels = vec![[0.0; COLUMNS]; n_head * n_panels * D_HEAD];
        let mut rows = vec![[0.0; D_HEAD]; n_head * n_ctx];
        for (at, (key, value)) in
            keys.chunks_exact(n_state).zip(values.chunks_exact(n_state)).enumerate()
        {
            let (key, _) = key.as_chunks::<D_HEAD>();
            let (value, _) = value.as_chunks::<D_HEAD>();
            for head in 0..n_head {
                rows[head * n_ctx + at] = value[head];
                let panel = (head * n_panels + at / COLUMNS) * D_HEAD;
                for (into, x) in panels[panel..panel + D_HEAD].iter_mut().zip(&key[head]) {
                    into[at % COLUMNS] = *x;
                }
            }
        }
        Self { n_head, n_ctx, keys: panels, values: rows }
    }
}

/// Attends from each query to all keys; with `causal` to none behind its own place.
///
/// # Shapes
///
/// - queries: `[n, n_state]`
/// - output: `[n, n_state]`
pub(super) fn attend(queries: &[f32], panels: &Panels, causal: bool) -> Vec<f32> {
    let n_state = panels.n_head * D_HEAD;
    let n = queries.len() / n_state;
    let mut output = vec![0.0; queries.len()];
    let all = 0..panels.n_head;
    let work = |output: &mut [f32], first, heads| {
        dispatch(Attend { queries, panels, causal, n, first, heads, output });
    };
    if n * panels.n_ctx * n_state < WORTH_SHARING {
        work(&mut output, 0, all);
    } else if n == 1 {
        let heads = output.par_chunks_mut(D_HEAD).enumerate();
        heads.for_each(|(head, output)| work(output, 0, head..head + 1));
    } else {
        let rows = output.par_chunks_mut(ROWS * n_state).enumerate();
        rows.for_each(|(i, output)| work(output, i * ROWS, all.clone()));
    }
    output
}

/// Some rows of the output, and some heads of them.
struct Attend<'a> {
    queries: &'a [f32],
    panels: &'a Panels,
    causal: bool,
    /// Queries in all.
    n: usize,
    /// The first query of `output`.
    first: usize,
    heads: std::ops::Range<usize>,
    /// `[rows, heads, D_HEAD]`
    output: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { queries, panels, causal, n, first, heads, output } = self;
        let Panels { n_head, n_ctx, .. } = *panels;
        let n_panels = n_ctx.div_ceil(COLUMNS);
        let mut scores = vec![0.0; ROWS * n_panels * COLUMNS];
        let width = heads.len() * D_HEAD;
        for (block, output) in output.chunks_mut(ROWS * width).enumerate() {
            let first = first + block * ROWS;
            let rows = output.len() / width;
            for head in heads.clone() {
                let mut query = [[0.0; D_HEAD]; ROWS];
                for (r, query) in query.iter_mut().take(rows).enumerate() {
                    let from = ((first + r) * n_head + head) * D_HEAD;
                    for (into, x) in query.iter_mut().zip(&queries[from..from + D_HEAD]) {
                        *into = x / (D_HEAD as f32).sqrt();
                    }
                }
                let keys = &panels.keys[head * n_panels * D_HEAD..][..n_panels * D_HEAD];
                score(simd, &query[..rows], keys, &mut scores);
                let mut weights = [0.0; ROWS];
                for (r, weight) in weights.iter_mut().take(rows).enumerate() {
                    let row = &mut scores[r * n_panels * COLUMNS..][..n_panels * COLUMNS];
                    let seen = if causal { n_ctx + 1 + first + r - n } else { n_ctx };
                    *weight = 1.0 / math::exponentials(&mut row[..seen]);
                    row[seen..].fill(0.0);
                }
                let values = &panels.values[head * n_ctx..(head + 1) * n_ctx];
                let mut sums = [[0.0; D_HEAD]; ROWS];
                weigh(simd, rows, &scores, n_panels * COLUMNS, values, &mut sums);
                for (r, sums) in sums.iter().take(rows).enumerate() {
                    let into = &mut output[r * width + (head - heads.start) * D_HEAD..][..D_HEAD];
                    for (into, x) in into.iter_mut().zip(sums) {
                        *into = x * weights[r];
                    }
                }
            }
        }
    }
}

/// The products of some queries with all keys of a head, `[rows, n_panels * COLUMNS]`.
#[inline(always)]
fn score<S: Simd>(simd: S, query: &[Row], keys: &[Row], scores: &mut [f32]) {
    let mut few = [&[][..]; ROWS];
    for (few, query) in few.iter_mut().zip(query) {
        *few = query;
    }
    let length = keys.len() / D_HEAD * COLUMNS;
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (p, panel) in keys.chunks_exact(D_HEAD).enumerate() {
        tile(simd, &few[..query.len()], panel, &mut sums);
        for (r, sums) in sums.iter().take(query.len()).enumerate() {
            scores[r * length + p * COLUMNS..][..COLUMNS].copy_from_slice(sums);
        }
    }
}

/// The values of a head, summed up by the weights in `scores`.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    rows: usize,
    scores: &[f32],
    length: usize,
    values: &[Row],
    sums: &mut [Row; ROWS],
) {
    let mut few = [&[][..]; ROWS];
    for (few, row) in few.iter_mut().zip(scores.chunks_exact(length)) {
        *few = row;
    }
    tile(simd, &few[..rows], values, sums);
}
