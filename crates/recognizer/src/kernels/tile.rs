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

/// `sums[r] = Σ rows[r][k] · panel[k]`.
///
/// # Shapes
///
/// - rows: `[1..=ROWS]`, each at least as long as the panel
/// - panel: `[k, COLUMNS]`
#[inline(always)]
pub(super) fn tile<S: Simd>(simd: S, rows: &[&[f32]], panel: &[Row], sums: &mut [Row; ROWS]) {
    match rows {
        [a] => tile_of(simd, [a], panel, sums),
        [a, b] => tile_of(simd, [a, b], panel, sums),
        [a, b, c] => tile_of(simd, [a, b, c], panel, sums),
        [a, b, c, d] => tile_of(simd, [a, b, c, d], panel, sums),
        [a, b, c, d, e] => tile_of(simd, [a, b, c, d, e], panel, sums),
        [a, b, c, d, e, f] => tile_of(simd, [a, b, c, d, e, f], panel, sums),
        _ => unreachable!("a tile has one to six rows"),
    }
}

/// Four registers of columns where there are 32 registers, two where there are 16.
#[inline(always)]
fn tile_of<S: Simd, const R: usize>(
    simd: S,
    rows: [&[f32]; R],
    panel: &[Row],
    sums: &mut [Row; ROWS],
) {
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
    sums: &mut [Row; ROWS],
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
        for (sums, acc) in sums.iter_mut().zip(&acc) {
            let (lanes, _) = S::as_mut_simd_f32s(&mut sums[first..first + width]);
            lanes.copy_from_slice(acc);
        }
    }
}
