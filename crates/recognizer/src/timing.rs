//! Where in the window each token was heard: dynamic time warping over the decoder's attention.
//!
//! Some heads of the decoder follow the speech. Their attention, one row a token, is normalized,
//! smoothed and averaged; the cheapest monotonic path through it tells when each token begins.
//!
//! Source: `find_alignment` in openai/whisper, `whisper/timing.py` at c0d2f62.

/// Width of the median filter over time, in positions.
const MEDIAN_WIDTH: usize = 7;

/// The heads of OpenAI's models whose attention follows the speech, as (layer, head).
///
/// `english` says whether the model has the English-only vocabulary. Models that are none of
/// OpenAI's sizes use every head of the upper half, as OpenAI's code does.
///
/// Source: `_ALIGNMENT_HEADS` in openai/whisper, `whisper/__init__.py` at c0d2f62.
pub(crate) fn alignment_heads(
    n_layer: usize,
    n_head: usize,
    n_mels: usize,
    english: bool,
) -> Vec<(usize, usize)> {
    let heads: &[(usize, usize)] = match (n_layer, n_head, n_mels, english) {
        (4, 6, 80, true) => {
            &[(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)]
        }
        (4, 6, 80, false) => &[(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)],
        (6, 8, 80, true) => &[(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)],
        (6, 8, 80, false) => {
            &[(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)]
        }
        (12, 12, 80, true) => &[
            (6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8),
            (9, 10), (10, 0), (10, 1), (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4),
        ],
        (12, 12, 80, false) => &[
            (5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5),
        ],
        (24, 16, 80, true) => &[
            (11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12),
            (17, 14), (18, 7), (18, 10), (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12),
        ],
        (24, 16, 80, false) => &[(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)],
        (32, 20, 80, false) => &[
            (10, 12), (13, 17), (16, 11), (16, 12), (16, 13), (17, 15), (17, 16), (18, 4),
            (18, 11), (18, 19), (19, 11), (21, 2), (21, 3), (22, 3), (22, 9), (22, 12), (23, 5),
            (23, 7), (23, 13), (25, 5), (26, 1), (26, 12), (27, 15),
        ],
        (32, 20, 128, false) => &[
            (7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1),
            (25, 6),
        ],
        (4, 20, 128, false) => &[(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)],
        _ => {
            let upper = n_layer / 2..n_layer;
            return upper.flat_map(|layer| (0..n_head).map(move |head| (layer, head))).collect();
        }
    };
    heads.to_vec()
}

/// Finds the position at which each token begins.
///
/// # Shapes
///
/// - rows: one a token, `[n_head * n_ctx]`: each head's attention weights over the window
/// - output: one position a row, never falling
pub(crate) fn token_starts(rows: &[Vec<f32>], n_ctx: usize) -> Vec<usize> {
    if rows.is_empty() || n_ctx == 0 {
        return vec![0; rows.len()];
    }
    path_starts(&cost(rows, n_ctx), rows.len(), n_ctx)
}

/// Normalizes each head over the tokens, smooths over time, averages the heads; negated.
fn cost(rows: &[Vec<f32>], n_ctx: usize) -> Vec<f32> {
    let n_head = rows[0].len() / n_ctx;
    let n = rows.len() as f32;
    let mut cost = vec![0.0; rows.len() * n_ctx];
    let mut normalized = vec![0.0; n_ctx];
    let columns: Vec<(f32, f32)> = (0..n_head * n_ctx)
        .map(|at| {
            let mean = rows.iter().map(|row| row[at]).sum::<f32>() / n;
            let variance = rows.iter().map(|row| (row[at] - mean).powi(2)).sum::<f32>() / n;
            // A single row has no spread; it then counts for nothing instead of for infinity.
            (mean, 1.0 / variance.sqrt().max(1e-9))
        })
        .collect();
    for (token, row) in rows.iter().enumerate() {
        for head in 0..n_head {
            let heads = head * n_ctx..(head + 1) * n_ctx;
            for ((out, x), (mean, inverse)) in
                normalized.iter_mut().zip(&row[heads.clone()]).zip(&columns[heads])
            {
                *out = (x - mean) * inverse;
            }
            let sums = &mut cost[token * n_ctx..(token + 1) * n_ctx];
            for (position, sum) in sums.iter_mut().enumerate() {
                *sum -= median(&normalized, position) / n_head as f32;
            }
        }
    }
    cost
}

/// The median of the values around `at`; the borders are mirrored.
fn median(values: &[f32], at: usize) -> f32 {
    const HALF: usize = MEDIAN_WIDTH / 2;
    if values.len() <= HALF {
        return values[at];
    }
    let mut around = [0.0; MEDIAN_WIDTH];
    for (offset, value) in around.iter_mut().enumerate() {
        let index = (at + offset).abs_diff(HALF);
        let last = values.len() - 1;
        *value = values[if index > last { 2 * last - index } else { index }];
    }
    around.sort_unstable_by(f32::total_cmp);
    around[HALF]
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
        let starts = token_starts(&rows(&[10, 40, 70, 90], 100), 100);
        assert_eq!(starts[0], 0);
        for (start, between) in starts[1..].iter().zip([10..40, 40..70, 70..90]) {
            assert!(between.contains(start), "{starts:?}");
        }
    }

    #[test]
    fn starts_never_fall() {
        let starts = token_starts(&rows(&[50, 20, 80, 10, 60], 100), 100);
        assert!(starts.is_sorted(), "{starts:?}");
    }

    #[test]
    fn a_median_mirrors_the_border() {
        let values: Vec<f32> = (0..10).map(|x| x as f32).collect();
        assert_eq!(median(&values, 5), 5.0);
        // 3 2 1 0 1 2 3
        assert_eq!(median(&values, 0), 2.0);
        assert_eq!(median(&values, 9), 7.0);
    }

    #[test]
    fn nothing_heard_is_no_panic() {
        assert!(token_starts(&[], 10).is_empty());
        assert_eq!(token_starts(&[vec![], vec![]], 0), [0, 0]);
        assert_eq!(token_starts(&[vec![0.5], vec![0.5]], 1), [0, 0]);
    }
}
