//! Attention on the CPU: a few queries against all keys of a head at a time, so that the scores
//! stay in the nearest cache.

mod narrow;
mod wide;

use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use self::narrow::Narrow;
use self::wide::Wide;
use super::tensor::values;
use super::tile::{COLUMNS, ROWS, Row};
use super::{Precision, dispatch, math};

/// Width of a head; a panel is as wide.
const D_HEAD: usize = COLUMNS;
/// Multiplications below which a second core costs more than it brings.
const WORTH_SHARING: usize = 1 << 19;

/// Keys and values laid out for [`attend`].
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

/// How keys and values lie in memory, and what is done with them there.
trait Layout: Sync {
    /// The products of some queries with all keys of a head.
    ///
    /// # Shapes
    ///
    /// - query: `[1..=ROWS]`
    /// - scores: `[ROWS, length]`, where `length` is `n_ctx` rounded up to whole panels
    fn score<S: Simd>(&self, simd: S, head: usize, query: &[Row], scores: &mut [f32]);

    /// The values of a head, summed up by `weights` of the shape of the scores.
    fn weigh<S: Simd>(
        &self,
        simd: S,
        head: usize,
        rows: usize,
        weights: &[f32],
        sums: &mut [Row; ROWS],
    );
}

/// Attends from each query to all keys; with `causal` to none behind its own place.
///
/// # Shapes
///
/// - queries: `[n, n_state]`
/// - output: `[n, n_state]`
pub(super) fn attend(queries: &[f32], panels: &Panels, causal: bool) -> Vec<f32> {
    match &panels.laid_out {
        LaidOut::F32(wide) => share(queries, panels, wide, causal),
        LaidOut::Int8(narrow) => share(queries, panels, narrow, causal),
    }
}

fn share<L: Layout>(queries: &[f32], panels: &Panels, layout: &L, causal: bool) -> Vec<f32> {
    let n_state = panels.n_head * D_HEAD;
    let n = queries.len() / n_state;
    let mut output = vec![0.0; queries.len()];
    let all = 0..panels.n_head;
    let work = |output: &mut [f32], first, heads| {
        dispatch(Attend { queries, panels, layout, causal, n, first, heads, output });
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
struct Attend<'a, L> {
    queries: &'a [f32],
    panels: &'a Panels,
    layout: &'a L,
    causal: bool,
    /// Queries in all.
    n: usize,
    /// The first query of `output`.
    first: usize,
    heads: std::ops::Range<usize>,
    /// `[rows, heads, D_HEAD]`
    output: &'a mut [f32],
}

impl<L: Layout> WithSimd for Attend<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { queries, panels, layout, causal, n, first, heads, output } = self;
        let Panels { n_head, n_ctx, .. } = *panels;
        let length = n_ctx.next_multiple_of(COLUMNS);
        let mut scores = vec![0.0; ROWS * length];
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
                layout.score(simd, head, &query[..rows], &mut scores);
                let mut weights = [0.0; ROWS];
                for (r, weight) in weights.iter_mut().take(rows).enumerate() {
                    let row = &mut scores[r * length..(r + 1) * length];
                    let seen = if causal { n_ctx + 1 + first + r - n } else { n_ctx };
                    *weight = 1.0 / math::exponentials(&mut row[..seen]);
                    row[seen..].fill(0.0);
                }
                let mut sums = [[0.0; D_HEAD]; ROWS];
                layout.weigh(simd, head, rows, &scores, &mut sums);
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
