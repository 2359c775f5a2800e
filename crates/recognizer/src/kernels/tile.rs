//! The one product that all others are made of: a few rows times a panel of 64 columns.
//!
//! Each sum runs over `k` in order, whatever the number of rows: a row gives the same bits alone
//! and among others. That is what makes the verification of a draft exact.

use pulp::Simd;

/// Rows that are computed at once: as many as leave registers for the columns.
pub(super) const ROWS: usize = 6;
/// Columns of a panel: those of one attention head.
pub(super) const COLUMNS: usize = 64;
/// One row of a panel.
pub(super) type Row = [f32; COLUMNS];

/// Goes on with a slice of rows as an array of as many: each number of rows is compiled by itself, so that
/// the sums can stay in registers.
macro_rules! by_count {
    ($rows:expr, $few:ident => $work:expr) => {
        by_count!(@ $rows, $few => $work; [a] [a b] [a b c] [a b c d] [a b c d e] [a b c d e f])
    };
    (@ $rows:expr, $few:ident => $work:expr; $([$($row:ident)+])+) => {
        match $rows {
            $([$($row),+] => {
                let $few = [$(*$row),+];
                $work
            })+
            _ => unreachable!("a tile has one to six rows"),
        }
    };
}
pub(super) use by_count;

/// `sums[r] = Σ rows[r][k] · panel[k]`.
///
/// # Shapes
///
/// - rows: `[1..=ROWS]`, each at least as long as the panel
/// - panel: `[k, COLUMNS]`
#[inline(always)]
pub(super) fn tile<S: Simd>(simd: S, rows: &[&[f32]], panel: &[Row], sums: &mut [Row]) {
    by_count!(rows, few => tile_of(simd, few, panel, sums));
}

/// Four registers of columns where there are 32 registers, two where there are 16.
#[inline(always)]
fn tile_of<S: Simd, const R: usize>(simd: S, rows: [&[f32]; R], panel: &[Row], sums: &mut [Row]) {
    if S::REGISTER_COUNT >= 32 {
        strips::<S, R, 4>(simd, rows, panel, sums);
    } else {
        strips::<S, R, 2>(simd, rows, panel, sums);
    }
}

#[inline(always)]
fn strips<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[f32]; R],
    panel: &[Row],
    sums: &mut [Row],
) {
    let n = panel.len();
    let mut cut = rows;
    for row in &mut cut {
        *row = &row[..n];
    }
    let width = V * S::F32_LANES;
    for first in (0..COLUMNS).step_by(width) {
        let mut acc = [[simd.splat_f32s(0.0); V]; R];
        for k in 0..n {
            let (lanes, _) = S::as_simd_f32s(&panel[k][first..first + width]);
            for r in 0..R {
                let a = simd.splat_f32s(cut[r][k]);
                for v in 0..V {
                    acc[r][v] = simd.mul_add_e_f32s(a, lanes[v], acc[r][v]);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            let (lanes, _) = S::as_mut_simd_f32s(&mut sums[first..first + width]);
            // One by one: a copy of them all would need them in memory, in each round of the loop.
            for (lane, acc) in lanes.iter_mut().zip(acc) {
                *lane = acc;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::random::noise;

    struct Tile<'a>(&'a [&'a [f32]], &'a [Row]);

    impl WithSimd for Tile<'_> {
        type Output = [Row; ROWS];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut sums = [[0.0; COLUMNS]; ROWS];
            tile(simd, self.0, self.1, &mut sums);
            sums
        }
    }

    /// The machine that runs the tests has the widest registers; others have narrower ones.
    #[test]
    fn registers_of_every_width_sum_alike() {
        let mut next = noise(1);
        let panel: Vec<Row> = (0..70).map(|_| std::array::from_fn(|_| next())).collect();
        let values: Vec<f32> = (0..ROWS * 70).map(|_| next()).collect();
        for n in 1..=ROWS {
            let rows: Vec<&[f32]> = values.chunks_exact(70).take(n).collect();
            let mut all = vec![Tile(&rows, &panel).with_simd(pulp::Scalar)];
            #[cfg(target_arch = "aarch64")]
            {
                let neon = pulp::aarch64::Neon::try_new();
                all.extend(neon.map(|simd| Simd::vectorize(simd, Tile(&rows, &panel))));
            }
            #[cfg(target_arch = "x86_64")]
            {
                use pulp::x86::{V3, V4};
                all.extend(V3::try_new().map(|simd| Simd::vectorize(simd, Tile(&rows, &panel))));
                all.extend(V4::try_new().map(|simd| Simd::vectorize(simd, Tile(&rows, &panel))));
            }
            for (r, row) in rows.iter().enumerate() {
                for c in 0..COLUMNS {
                    let exact: f64 =
                        row.iter().zip(&panel).map(|(a, b)| f64::from(*a) * f64::from(b[c])).sum();
                    for sums in &all {
                        assert!((f64::from(sums[r][c]) - exact).abs() < 1e-4);
                    }
                }
            }
        }
    }
}
