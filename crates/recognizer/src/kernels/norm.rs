//! Layer norm on the CPU, row by row.

use pulp::{Simd, WithSimd};

use super::{dispatch, math};

/// What is added to a variance, so that nothing is divided by zero: that of PyTorch, and of burn.
const EPSILON: f32 = 1e-5;

/// What a row is scaled by and what is added to it, once its mean is 0 and its variance 1.
pub(crate) struct LayerNorm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl LayerNorm {
    /// `gamma`, `beta`: `[n_state]`
    pub(super) fn new(gamma: Vec<f32>, beta: Vec<f32>) -> Self {
        Self { gamma, beta }
    }

    pub(super) fn n_state(&self) -> usize {
        self.gamma.len()
    }

    /// Normalizes the rows of `[n, n_state]` on this core alone.
    pub(super) fn apply(&self, rows: &mut [f32]) {
        dispatch(Normalize { norm: self, rows });
    }
}

struct Normalize<'a> {
    norm: &'a LayerNorm,
    /// `[n, n_state]`
    rows: &'a mut [f32],
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { norm: LayerNorm { gamma, beta }, rows } = self;
        for row in rows.chunks_exact_mut(gamma.len()) {
            let n = row.len() as f32;
            let mean = math::sum(simd, row) / n;
            for x in &mut *row {
                *x -= mean;
            }
            let variance = math::sum_of_squares(simd, row) / n;
            let scale = 1.0 / (variance + EPSILON).sqrt();
            for ((x, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
                *x = *x * scale * gamma + beta;
            }
        }
    }
}
