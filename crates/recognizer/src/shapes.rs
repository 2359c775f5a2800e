//! The few shapes that a GPU is asked to compute in.
//!
//! A GPU compiles and tunes for what it has not seen before, for seconds. So the rows of a pass
//! through the decoder are filled up to one of a few lengths, its keys and values have room for the
//! longest text from the beginning, and a mask tells what is there. [`crate::Model::load`] runs
//! each of the shapes once; afterwards nothing is new.

use burn::tensor::{Device, Tensor, TensorData};

/// What is added to a score to hide it. Not minus infinity: WGSL lets a driver take it that there
/// are no infinities.
pub(crate) const HIDDEN: f32 = -1e30;

/// Lengths that a pass of many tokens is filled up to. A step has one row.
const ROWS: [usize; 3] = [16, 64, 192];

/// The lengths of all passes where `n_ctx` is the longest text.
pub(crate) fn all_rows(n_ctx: usize) -> impl Iterator<Item = usize> {
    let several = ROWS.into_iter().filter(move |&n| n < n_ctx);
    std::iter::once(1).chain(several).chain(std::iter::once(n_ctx))
}

/// How many rows to compute for `n` of them, where there is room for `room`.
pub(crate) fn rows(n: usize, room: usize) -> usize {
    match n {
        1 => 1,
        n => ROWS.into_iter().find(|&rows| rows >= n).unwrap_or(room).min(room).max(n),
    }
}

/// Fills `[1, n, width]` up to `[1, rows, width]` with zeros.
pub(crate) fn fill(x: Tensor<3>, rows: usize) -> Tensor<3> {
    let [_, n, width] = x.dims();
    if n == rows {
        return x;
    }
    // Copied there: a device would compile another kernel to write zeros for another number of them.
    let nothing = TensorData::new(vec![0.0f32; (rows - n) * width], [1, rows - n, width]);
    let nothing = Tensor::<3>::from_data(nothing, &x.device()).cast(x.dtype());
    Tensor::cat(vec![x, nothing], 1)
}

/// What hides from each of `rows` tokens, the first of them at position `at`, all that stands behind
/// it.
///
/// # Shapes
///
/// - output: `[1, 1, rows, n_ctx]`, 0 or [`HIDDEN`]
pub(crate) fn causal_mask(at: usize, rows: usize, n_ctx: usize, device: &Device) -> Tensor<4> {
    let mut mask = vec![HIDDEN; rows * n_ctx];
    for (row, mask) in mask.chunks_exact_mut(n_ctx).enumerate() {
        mask[..n_ctx.min(at + row + 1)].fill(0.0);
    }
    Tensor::from_data(TensorData::new(mask, [1, 1, rows, n_ctx]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_the_tokens_and_fit_the_room() {
        let all: Vec<usize> = all_rows(448).collect();
        for n in 1..=448 {
            for room in n..=448 {
                let rows = rows(n, room);
                assert!((n..=room).contains(&rows), "{n} in {room}: {rows}");
            }
            assert!(all.contains(&rows(n, 448)), "{n}");
        }
    }

    #[test]
    fn a_mask_shows_what_stands_before() {
        let mask = causal_mask(1, 2, 4, &Device::flex()).try_into_vec_as::<f32>().unwrap();
        const NO: f32 = HIDDEN;
        assert_eq!(mask, [0.0, 0.0, NO, NO, 0.0, 0.0, 0.0, NO]);
    }
}
