//! Keys and values in 32 bits.

use pulp::Simd;

use super::super::tile::{COLUMNS, ROWS, Row, tile};
use super::{BlockAt, D_HEAD, Layout, Rescale, SCALE};

#[derive(Clone, Debug)]
pub(super) struct Wide {
    n_ctx: usize,
    /// Panels of 64 keys, `[n_head, n_panels, D_HEAD]`.
    keys: Vec<Row>,
    /// `[n_head, n_ctx]`
    values: Vec<Row>,
}

impl Wide {
    /// Lays out `[n_ctx, n_head, D_HEAD]` each.
    pub(super) fn new(keys: &[f32], values: &[f32], n_head: usize) -> Self {
        let n_state = n_head * D_HEAD;
        let n_ctx = keys.len() / n_state;
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
        Self { n_ctx, keys: panels, values: rows }
    }
}

/// Scaled queries, and room for the sums of a block.
pub(super) struct Queries {
    scaled: [Row; ROWS],
    sums: [Row; ROWS],
}

impl Layout for Wide {
    type Queries = Queries;
    const LARGEST_WEIGHT: f32 = 1.0;

    #[inline(always)]
    fn prepare<S: Simd>(&self, _: S, queries: &[Row]) -> Queries {
        let mut prepared = Queries { scaled: [[0.0; D_HEAD]; ROWS], sums: [[0.0; D_HEAD]; ROWS] };
        for (scaled, query) in prepared.scaled.iter_mut().zip(queries) {
            for (scaled, x) in scaled.iter_mut().zip(query) {
                *scaled = x * SCALE;
            }
        }
        prepared
    }

    #[inline(always)]
    fn score<S: Simd>(&self, simd: S, at: BlockAt, queries: &mut Queries, scores: &mut [Row]) {
        let n_panels = self.n_ctx.div_ceil(COLUMNS);
        let panel = &self.keys[(at.head * n_panels + at.block) * D_HEAD..][..D_HEAD];
        multiply(simd, &queries.scaled[..scores.len()], panel, scores);
    }

    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        simd: S,
        at: BlockAt,
        queries: &mut Queries,
        weights: &[Row],
        scales: &[Rescale],
        sums: &mut [Row],
    ) {
        let first = at.block * COLUMNS;
        let values = &self.values[at.head * self.n_ctx..][first..self.n_ctx.min(first + COLUMNS)];
        multiply(simd, weights, values, &mut queries.sums);
        for ((sums, products), scale) in sums.iter_mut().zip(&queries.sums).zip(scales) {
            for (sum, x) in sums.iter_mut().zip(products) {
                *sum = *sum * scale.before + x * scale.block;
            }
        }
    }
}

/// A few rows times one panel.
#[inline(always)]
fn multiply<S: Simd>(simd: S, rows: &[Row], panel: &[Row], sums: &mut [Row]) {
    let mut few = [&[][..]; ROWS];
    for (few, row) in few.iter_mut().zip(rows) {
        *few = row;
    }
    tile(simd, &few[..rows.len()], panel, sums);
}
