//! Keys and values in 32 bits.

use pulp::Simd;

use super::super::tile::{COLUMNS, ROWS, Row, tile};
use super::{D_HEAD, Layout};

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

impl Layout for Wide {
    #[inline(always)]
    fn score<S: Simd>(&self, simd: S, head: usize, query: &[Row], scores: &mut [f32]) {
        let mut few = [&[][..]; ROWS];
        for (few, query) in few.iter_mut().zip(query) {
            *few = query;
        }
        let length = self.n_ctx.next_multiple_of(COLUMNS);
        let keys = &self.keys[head * length..(head + 1) * length];
        let mut sums = [[0.0; COLUMNS]; ROWS];
        for (p, panel) in keys.chunks_exact(D_HEAD).enumerate() {
            tile(simd, &few[..query.len()], panel, &mut sums);
            for (r, sums) in sums.iter().take(query.len()).enumerate() {
                scores[r * length + p * COLUMNS..][..COLUMNS].copy_from_slice(sums);
            }
        }
    }

    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        simd: S,
        head: usize,
        rows: usize,
        weights: &[f32],
        sums: &mut [Row; ROWS],
    ) {
        let length = self.n_ctx.next_multiple_of(COLUMNS);
        let mut few = [&[][..]; ROWS];
        for (few, row) in few.iter_mut().zip(weights.chunks_exact(length)) {
            *few = row;
        }
        tile(simd, &few[..rows], &self.values[head * self.n_ctx..(head + 1) * self.n_ctx], sums);
    }
}
