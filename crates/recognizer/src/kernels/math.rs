//! Functions of vectors of numbers, without branches.
//!
//! Called from inside of [`super::dispatch`], where the compiler knows the machine's registers.

use std::f32::consts::{LOG2_E, SQRT_2};

use pulp::{Scalar, Simd};

use super::tile::Row;

/// 2 to the power of `x`, for `x` below 128; within 3e-7 of the true value, relatively, and 0 from −127
/// down.
///
/// Source: the polynomial of Cephes' `exp2f`.
#[inline(always)]
pub(super) fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const POLYNOMIAL: [f32; 7] = [
        1.535_336_2e-4,
        1.339_887_4e-3,
        9.618_437e-3,
        5.550_332_5e-2,
        2.402_264_8e-1,
        6.931_472e-1,
        1.0,
    ];
    let x = simd.max_f32s(x, simd.splat_f32s(-127.0));
    let shifted = simd.add_f32s(x, simd.splat_f32s(ROUND));
    let r = simd.sub_f32s(x, simd.sub_f32s(shifted, simd.splat_f32s(ROUND)));
    let p = polynomial(simd, r, POLYNOMIAL);
    let n = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(p), n))
}

/// The polynomial of `x` with these coefficients, the highest first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    // Not a closure: it would be compiled for no machine in particular.
    let mut sum = simd.splat_f32s(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = simd.mul_add_e_f32s(sum, x, simd.splat_f32s(coefficient));
    }
    sum
}

/// The error function; within 4e-7.
///
/// Source: the rational approximation used by Eigen and XLA.
#[inline(always)]
fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const P: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const Q: [f32; 5] =
        [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = simd.min_f32s(simd.max_f32s(x, simd.splat_f32s(-4.0)), simd.splat_f32s(4.0));
    let y = simd.mul_f32s(x, x);
    let (p, q) = (polynomial(simd, y, P), polynomial(simd, y, Q));
    simd.div_f32s(simd.mul_f32s(x, p), q)
}

/// Gaussian error linear unit, the exact one, of each number.
#[inline(always)]
pub(super) fn gelu<S: Simd>(simd: S, row: &mut Row) {
    let (half, one) = (simd.splat_f32s(0.5), simd.splat_f32s(1.0));
    for x in S::as_mut_simd_f32s(row).0 {
        let erf = erf(simd, simd.mul_f32s(*x, simd.splat_f32s(1.0 / SQRT_2)));
        *x = simd.mul_f32s(simd.mul_f32s(*x, half), simd.add_f32s(one, erf));
    }
}

/// Replaces each number by 2 to the power of its sum with `shift`, and gives the sums of those that
/// lie in the same place of a register.
#[inline(always)]
pub(super) fn powers<S: Simd>(simd: S, row: &mut Row, shift: f32) -> S::f32s {
    let (shift, mut sums) = (simd.splat_f32s(shift), simd.splat_f32s(0.0));
    for x in S::as_mut_simd_f32s(row).0 {
        *x = exp2(simd, simd.add_f32s(*x, shift));
        sums = simd.add_f32s(sums, *x);
    }
    sums
}

/// The sum of e to the distance of each number from `max`.
#[inline(always)]
pub(super) fn sum_of_exponentials<S: Simd>(simd: S, row: &[f32], max: f32) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let (scale, max_of_all) = (simd.splat_f32s(LOG2_E), simd.splat_f32s(max));
    // Four sums: one of as many numbers as a vocabulary has would lose the small ones.
    let mut sums = [simd.splat_f32s(0.0); 4];
    for four in vectors.chunks(4) {
        for (sum, &x) in sums.iter_mut().zip(four) {
            let distance = simd.mul_f32s(simd.sub_f32s(x, max_of_all), scale);
            *sum = simd.add_f32s(*sum, exp2(simd, distance));
        }
    }
    let [a, b, c, d] = sums;
    let mut sum = simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d)));
    for x in rest {
        sum += exp2(Scalar, (x - max) * LOG2_E);
    }
    sum
}

/// The sum of all numbers.
#[inline(always)]
pub(super) fn sum<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let mut sum = simd.splat_f32s(0.0);
    for &x in vectors {
        sum = simd.add_f32s(sum, x);
    }
    simd.reduce_sum_f32s(sum) + rest.iter().sum::<f32>()
}

/// The sum of the squares of all numbers.
#[inline(always)]
pub(super) fn sum_of_squares<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let mut sum = simd.splat_f32s(0.0);
    for &x in vectors {
        sum = simd.mul_add_e_f32s(x, x, sum);
    }
    simd.reduce_sum_f32s(sum) + rest.iter().map(|x| x * x).sum::<f32>()
}

/// The largest number; of none, minus infinity.
#[inline(always)]
pub(super) fn largest<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
    for &x in vectors {
        max = simd.max_f32s(max, x);
    }
    rest.iter().fold(simd.reduce_max_f32s(max), |max, &x| if x > max { x } else { max })
}

/// The largest number on either side of zero.
#[inline(always)]
pub(super) fn largest_magnitude<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let mut max = [simd.splat_f32s(0.0); 4];
    let (fours, others) = vectors.as_chunks::<4>();
    for four in fours {
        for (max, &x) in max.iter_mut().zip(four) {
            *max = simd.max_f32s(*max, simd.abs_f32s(x));
        }
    }
    for &x in others {
        max[0] = simd.max_f32s(max[0], simd.abs_f32s(x));
    }
    let [a, b, c, d] = max;
    let max = simd.max_f32s(simd.max_f32s(a, b), simd.max_f32s(c, d));
    rest.iter().fold(simd.reduce_max_f32s(max), |max, x| if x.abs() > max { x.abs() } else { max })
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::kernels::dispatch;
    use crate::kernels::tile::COLUMNS;

    fn range(from: i32, to: i32) -> Vec<f32> {
        (from * 1000..to * 1000).map(|x| x as f32 / 1000.0).collect()
    }

    /// What a function makes of a row, on the widest registers and on none.
    fn rows(values: &[f32], of: impl WithRow) -> Vec<(f32, [f32; 2])> {
        let mut all = Vec::new();
        for chunk in values.chunks(COLUMNS) {
            let mut row = [0.0; COLUMNS];
            row[..chunk.len()].copy_from_slice(chunk);
            let wide = dispatch(On(of, row));
            let narrow = On(of, row).with_simd(Scalar);
            all.extend(chunk.iter().zip(wide).zip(narrow).map(|((x, a), b)| (*x, [a, b])));
        }
        all
    }

    trait WithRow: Copy {
        fn apply<S: Simd>(self, simd: S, row: &mut Row);
    }

    struct On<F>(F, Row);

    impl<F: WithRow> WithSimd for On<F> {
        type Output = Row;

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> Row {
            self.0.apply(simd, &mut self.1);
            self.1
        }
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

    #[derive(Clone, Copy)]
    struct Powers;

    impl WithRow for Powers {
        #[inline(always)]
        fn apply<S: Simd>(self, simd: S, row: &mut Row) {
            let sum = simd.reduce_sum_f32s(powers(simd, row, 0.0));
            let exact: f64 = row.iter().map(|&x| f64::from(x)).sum();
            assert!(exact > 1e30 || (f64::from(sum) / exact - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_power_of_two_is_that_of_the_library() {
        for (x, found) in rows(&range(-126, 127), Powers) {
            let exact = f64::from(x).exp2();
            assert!(found.iter().all(|&y| (f64::from(y) / exact - 1.0).abs() < 3e-7), "{x}");
        }
        for x in [-127.0, -1e9, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(rows(&[x], Powers)[0].1, [0.0; 2], "{x}");
        }
    }

    #[derive(Clone, Copy)]
    struct Gelu;

    impl WithRow for Gelu {
        #[inline(always)]
        fn apply<S: Simd>(self, simd: S, row: &mut Row) {
            gelu(simd, row);
        }
    }

    #[test]
    fn an_activation_is_that_of_the_series() {
        for (x, found) in rows(&range(-5, 5), Gelu) {
            let x = f64::from(x);
            let exact = 0.5 * x * (1.0 + erf_by_series(x / 2.0f64.sqrt()));
            assert!(found.iter().all(|&y| (f64::from(y) - exact).abs() < 2e-6), "{x}: {found:?}");
        }
        for (x, found) in rows(&[90.0, -90.0], Gelu) {
            assert!(found.iter().all(|y| (y - x.max(0.0)).abs() < 1e-4), "{x}: {found:?}");
        }
    }

    #[test]
    fn a_sum_of_exponentials_is_that_of_the_library() {
        struct Sum<'a>(&'a [f32], f32);
        impl WithSimd for Sum<'_> {
            type Output = f32;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> f32 {
                sum_of_exponentials(simd, self.0, self.1)
            }
        }
        for n in (1..70).chain([51_866]) {
            let row: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin() * 9.0).collect();
            let max = row.iter().copied().fold(f32::MIN, f32::max);
            let exact: f64 = row.iter().map(|x| f64::from(x - max).exp()).sum();
            for sum in [dispatch(Sum(&row, max)), Sum(&row, max).with_simd(Scalar)] {
                // Without registers that hold several, a long sum loses more.
                let tolerance = 1e-6 + f64::from(n) * 1e-9;
                assert!((f64::from(sum) / exact - 1.0).abs() < tolerance, "{n}");
            }
        }
    }
}
