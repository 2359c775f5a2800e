//! Layers that follow each other, a few rows at a time: what lies between them stays in the nearer
//! caches, and no core waits for another from one layer to the next.
//!
//! A row comes to the same as layer by layer, to the bit.

use rayon::prelude::*;

use super::Activation;
use super::attention::{self, Panels};
use super::linear::{Linear, Rows};
use super::norm::LayerNorm;
use super::sharing;
use super::tile::ROWS;

/// The most rows in a share: what lies between its layers must stay in a near cache.
const MAX_ROWS: usize = 4 * ROWS;

fn share(n: usize) -> usize {
    sharing::rows(n, MAX_ROWS)
}

fn normalized(norm: &LayerNorm, x: &[f32]) -> Vec<f32> {
    let mut h = x.to_vec();
    norm.apply(&mut h);
    h
}

/// Normalizes each row of `[n, n_state]`.
pub(super) fn normalize(x: &mut [f32], norm: &LayerNorm) {
    let n = x.len() / norm.n_state();
    if sharing::by_rows(n) {
        x.par_chunks_mut(share(n) * norm.n_state()).for_each(|x| norm.apply(x));
    } else {
        norm.apply(x);
    }
}

/// Normalizes and projects.
///
/// # Shapes
///
/// - x: `[n, n_state]`
/// - output: `[N][n, d_output]`
pub(super) fn project<const N: usize>(
    norm: &LayerNorm,
    layers: [&Linear; N],
    x: &[f32],
    n: usize,
) -> [Vec<f32>; N] {
    let (n_state, rows) = (x.len() / n, share(n));
    let mut outputs = layers.map(|layer| vec![0.0; n * layer.d_output()]);
    let mut chunks: Vec<_> =
        outputs.iter_mut().zip(layers).map(|(o, l)| o.chunks_mut(rows * l.d_output())).collect();
    let shares: Vec<(&[f32], Vec<&mut [f32]>)> = x
        .chunks(rows * n_state)
        .map(|x| (x, chunks.iter_mut().filter_map(Iterator::next).collect()))
        .collect();
    shares.into_par_iter().for_each(|(x, outputs)| {
        let h = normalized(norm, x);
        let h = Rows::new(&h, n_state);
        for (layer, output) in layers.iter().zip(outputs) {
            layer.apply(h, Activation::None, output);
        }
    });
    outputs
}

/// Adds to each row of `x` what its query attends to.
///
/// # Shapes
///
/// - x, queries: `[n, n_state]`
pub(super) fn attend(
    x: &mut [f32],
    queries: &[f32],
    panels: &Panels,
    causal: bool,
    out: &Linear,
    n: usize,
) {
    let (n_state, rows) = (x.len() / n, share(n));
    x.par_chunks_mut(rows * n_state).enumerate().for_each(|(i, x)| {
        let heads = attention::forward_rows(
            queries,
            panels,
            causal,
            i * rows..i * rows + x.len() / n_state,
        );
        out.add(Rows::new(&heads, n_state), x);
    });
}

/// Adds to each row of `x`, `[n, n_state]`, what two layers make of it.
pub(super) fn mlp(x: &mut [f32], norm: &LayerNorm, expand: &Linear, contract: &Linear, n: usize) {
    let n_state = x.len() / n;
    x.par_chunks_mut(share(n) * n_state).for_each(|x| {
        let h = normalized(norm, x);
        let mut hidden = vec![0.0; x.len() / n_state * expand.d_output()];
        expand.apply(Rows::new(&h, n_state), Activation::Gelu, &mut hidden);
        contract.add(Rows::new(&hidden, expand.d_output()), x);
    });
}
