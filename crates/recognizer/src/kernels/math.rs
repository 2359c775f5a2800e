//! Functions of one number without branches, for loops that the compiler turns into vectors.
//!
//! Called from inside of [`super::dispatch`], where the compiler knows the machine's registers.

use std::f32::consts::{LOG2_E, SQRT_2};

/// e to the power of `x`, for `x` at most 88; within 2e-7 of the true value, relatively.
///
/// Source: the reduction of Cody and Waite, with the polynomial of Cephes' `expf`.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let p = p * r * r + r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// The error function; within 4e-7.
///
/// Source: the rational approximation used by Eigen and XLA.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let y = x * x;
    let p = -2.726_142_3e-10;
    let p = p * y + 2.770_681_4e-8;
    let p = p * y - 2.101_024e-6;
    let p = p * y - 5.692_506_4e-5;
    let p = p * y - 7.349_906e-4;
    let p = p * y - 2.954_6e-3;
    let p = p * y - 1.609_603_3e-2;
    let q = -1.456_607_2e-5;
    let q = q * y - 2.133_740_6e-4;
    let q = q * y - 1.682_827e-3;
    let q = q * y - 7.373_329e-3;
    let q = q * y - 1.426_473_9e-2;
    x * p / q
}

/// Gaussian error linear unit, the exact one.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * (1.0 / SQRT_2)))
}

/// Sums that stand side by side, so that they fit into registers: their order is fixed.
const LANES: usize = 16;

/// The larger of two numbers; `f32::max` has to look out for what is none.
#[inline(always)]
pub(super) fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The largest value.
#[inline(always)]
pub(super) fn largest(row: &[f32]) -> f32 {
    largest_of(row, f32::NEG_INFINITY, |x| x)
}

/// The largest value on either side of zero.
#[inline(always)]
pub(super) fn largest_magnitude(row: &[f32]) -> f32 {
    largest_of(row, 0.0, f32::abs)
}

#[inline(always)]
fn largest_of(row: &[f32], least: f32, of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [least; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        // A new array each time, which can stay in a register; one that is changed in place does not.
        lanes = std::array::from_fn(|i| max(lanes[i], of(chunk[i])));
    }
    let lanes = lanes.into_iter().fold(least, max);
    rest.iter().fold(lanes, |a, &x| max(a, of(x)))
}

/// The sum of e to the distance of each value from `max`.
#[inline(always)]
pub(super) fn sum_of_exponentials(row: &[f32], max: f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += exp(*x - max);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| exp(*x - max)).sum::<f32>()
}

/// Replaces each value by e to its distance from the largest, and gives the sum.
#[inline(always)]
pub(super) fn exponentials(row: &mut [f32]) -> f32 {
    let max = largest(row);
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *x = exp(*x - max);
            *sum += *x;
        }
    }
    let mut sum: f32 = sums.iter().sum();
    for x in rest {
        *x = exp(*x - max);
        sum += *x;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: i32, to: i32) -> impl Iterator<Item = f32> {
        (from * 1000..to * 1000).map(|x| x as f32 / 1000.0)
    }

    /// The error function by its Taylor series, in double precision.
    fn erf_by_series(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn an_exponential_is_that_of_the_library() {
        for x in range(-87, 88) {
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "{x}");
        }
        assert!(exp(-1e9) < 1e-37);
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn an_error_function_is_that_of_its_series() {
        for x in range(-4, 4) {
            assert!((f64::from(erf(x)) - erf_by_series(f64::from(x))).abs() < 4e-7, "{x}");
        }
        assert!((erf(90.0) - 1.0).abs() < 1e-6 && (erf(-90.0) + 1.0).abs() < 1e-6);
    }

    #[test]
    fn exponentials_and_their_sum() {
        for n in 1..70 {
            let mut row: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin() * 9.0).collect();
            let max = row.iter().copied().fold(f32::MIN, f32::max);
            let exact: Vec<f32> = row.iter().map(|x| (x - max).exp()).collect();
            let sum = exponentials(&mut row);
            assert!((sum / exact.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!(row.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
}
