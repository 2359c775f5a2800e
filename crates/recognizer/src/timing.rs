//! Where in the window each token was heard: dynamic time warping over the decoder's attention.
//!
//! Some heads of the decoder follow the speech. Their attention, one row a token, is normalized,
//! smoothed and averaged; the cheapest monotonic path through it tells when each token begins.
//!
//! Source: `find_alignment` in openai/whisper, `whisper/timing.py` at c0d2f62.

use crate::kernels::dispatch;

/// Width of the median filter over time, in positions.
const MEDIAN_WIDTH: usize = 7;

/// Finds the position at which what follows each row's token begins.
///
/// The first `skip` rows are no text; they only count for the normalization.
///
/// # Shapes
///
/// - rows: one a token, `[n_head * n_ctx]`: each head's attention weights over the window
/// - output: one position for each row that is not skipped, never falling
pub(crate) fn token_starts(rows: &[Vec<f32>], skip: usize, n_ctx: usize) -> Vec<usize> {
    let n_rows = rows.len().saturating_sub(skip);
    if n_rows == 0 || n_ctx == 0 {
        return vec![0; n_rows];
    }
    path_starts(&cost(rows, n_ctx)[skip * n_ctx..], n_rows, n_ctx)
}

/// Normalizes each head over the tokens, smooths over time, averages the heads; negated.
fn cost(rows: &[Vec<f32>], n_ctx: usize) -> Vec<f32> {
    let n_head = rows[0].len() / n_ctx;
    let mut cost = vec![0.0; rows.len() * n_ctx];
    let mut normalized = vec![0.0; n_ctx];
    let mut mirrored = Vec::with_capacity(n_ctx + MEDIAN_WIDTH);
    let (mean, inverse) = dispatch(|| spread(rows));
    dispatch(|| {
        for (token, row) in rows.iter().enumerate() {
            for head in 0..n_head {
                let heads = head * n_ctx..(head + 1) * n_ctx;
                let columns = mean[heads.clone()].iter().zip(&inverse[heads.clone()]);
                for ((out, x), (mean, inverse)) in
                    normalized.iter_mut().zip(&row[heads]).zip(columns)
                {
                    *out = (x - mean) * inverse;
                }
                let sums = &mut cost[token * n_ctx..(token + 1) * n_ctx];
                smooth(&mut normalized, &mut mirrored);
                sums.iter_mut().zip(&normalized).for_each(|(sum, x)| *sum -= x / n_head as f32);
            }
        }
    });
    cost
}

/// Mean over the rows at each place, and one over the standard deviation.
#[inline(always)]
fn spread(rows: &[Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
    let n = rows.len() as f32;
    let mut mean = vec![0.0; rows[0].len()];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x / n);
    }
    let mut inverse = vec![0.0; mean.len()];
    for row in rows {
        for ((sum, x), mean) in inverse.iter_mut().zip(row).zip(&mean) {
            *sum += (x - mean) * (x - mean) / n;
        }
    }
    // A single row has no spread; it then counts for nothing instead of for infinity.
    inverse.iter_mut().for_each(|x| *x = 1.0 / x.sqrt().max(1e-9));
    (mean, inverse)
}

/// Half of the filter, without its middle.
const HALF: usize = MEDIAN_WIDTH / 2;

/// Replaces each value by the median of those around it; the borders are mirrored into `mirrored`.
#[inline(always)]
fn smooth(values: &mut [f32], mirrored: &mut Vec<f32>) {
    let n = values.len();
    if n <= HALF {
        return;
    }
    mirrored.clear();
    mirrored.extend((1..=HALF).rev().map(|at| values[at]));
    mirrored.extend_from_slice(values);
    mirrored.extend((1..=HALF).map(|back| values[n - 1 - back]));
    for (median, around) in values.iter_mut().zip(mirrored.windows(MEDIAN_WIDTH)) {
        let &[a, b, c, d, e, f, g] = around else { continue };
        *median = median_of([a, b, c, d, e, f, g]);
    }
}

/// The median of seven by comparisons alone, so that many are found at once.
///
/// Source: N. Devillard, "Fast median search", 1998.
#[inline(always)]
fn median_of(mut x: [f32; MEDIAN_WIDTH]) -> f32 {
    macro_rules! exchange {
        ($($low:literal $high:literal),*) => {
            $((x[$low], x[$high]) = (x[$low].min(x[$high]), x[$low].max(x[$high]));)*
        };
    }
    exchange!(0 5, 0 3, 1 6, 2 4, 0 1, 3 5, 2 6, 2 3, 3 6, 4 5, 1 4, 1 3, 3 4);
    x[HALF]
}

/// Cheapest monotonic path through `cost`, `[n_rows, n_ctx]`; where it enters each row.
fn path_starts(cost: &[f32], n_rows: usize, n_ctx: usize) -> Vec<usize> {
    let at = |i: usize, j: usize| i * (n_ctx + 1) + j;
    let mut total = vec![f32::INFINITY; (n_rows + 1) * (n_ctx + 1)];
    let mut step = vec![Step::Both; total.len()];
    total[0] = 0.0;
    for i in 1..=n_rows {
        for j in 1..=n_ctx {
            let (both, down, along) =
                (total[at(i - 1, j - 1)], total[at(i - 1, j)], total[at(i, j - 1)]);
            let (best, from) = if both < down && both < along {
                (both, Step::Both)
            } else if down < both && down < along {
                (down, Step::Row)
            } else {
                (along, Step::Position)
            };
            total[at(i, j)] = cost[(i - 1) * n_ctx + j - 1] + best;
            step[at(i, j)] = from;
        }
    }
    let (mut i, mut j) = (n_rows, n_ctx);
    let mut starts = vec![0; n_rows];
    while i > 0 && j > 0 {
        starts[i - 1] = j - 1;
        match step[at(i, j)] {
            Step::Both => (i, j) = (i - 1, j - 1),
            Step::Row => i -= 1,
            Step::Position => j -= 1,
        }
    }
    starts
}

/// How a path came to a place.
#[derive(Clone, Copy)]
enum Step {
    Both,
    Row,
    Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One head that looks at `peaks[i]` while token `i` is written.
    fn rows(peaks: &[usize], n_ctx: usize) -> Vec<Vec<f32>> {
        let look = |peak: usize, at: usize| (-(peak.abs_diff(at) as f32) / 4.0).exp();
        peaks.iter().map(|&peak| (0..n_ctx).map(|at| look(peak, at)).collect()).collect()
    }

    #[test]
    fn tokens_begin_between_where_the_attention_rests() {
        let starts = token_starts(&rows(&[10, 40, 70, 90], 100), 0, 100);
        assert_eq!(starts[0], 0);
        for (start, between) in starts[1..].iter().zip([10..40, 40..70, 70..90]) {
            assert!(between.contains(start), "{starts:?}");
        }
    }

    #[test]
    fn starts_never_fall() {
        let starts = token_starts(&rows(&[50, 20, 80, 10, 60], 100), 0, 100);
        assert!(starts.is_sorted(), "{starts:?}");
    }

    #[test]
    fn a_median_mirrors_the_border() {
        let mut found: Vec<f32> = (0..10).map(|x| x as f32).collect();
        smooth(&mut found, &mut Vec::new());
        // 3 2 1 0 1 2 3 in front, 6 7 8 9 8 7 6 behind
        assert_eq!(found, [2.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 7.0, 7.0]);
    }

    #[test]
    fn a_median_is_the_middle_of_what_is_sorted() {
        let mut x: [f32; MEDIAN_WIDTH] = [0.0; MEDIAN_WIDTH];
        for seed in 0..1000u32 {
            for (i, x) in x.iter_mut().enumerate() {
                *x = (seed.wrapping_mul(2_654_435_761).rotate_left(5 * i as u32) % 9) as f32;
            }
            let mut sorted = x;
            sorted.sort_unstable_by(f32::total_cmp);
            assert_eq!(median_of(x), sorted[HALF]);
        }
    }

    #[test]
    fn nothing_heard_is_no_panic() {
        assert!(token_starts(&[], 2, 10).is_empty());
        assert_eq!(token_starts(&[vec![], vec![]], 0, 0), [0, 0]);
        assert_eq!(token_starts(&[vec![0.5], vec![0.5]], 0, 1), [0, 0]);
    }
}
