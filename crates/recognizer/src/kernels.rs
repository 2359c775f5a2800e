//! What the model computes that is more than one plain tensor operation: the seam for faster
//! versions. Every fast version stands beside the plain one and is tested against it.

use burn::tensor::Tensor;
use burn::tensor::module::attention as burn_attention;
use burn::tensor::ops::AttentionModuleOptions;

/// Scaled dot-product attention.
///
/// With `causal`, the last query stands at the last key, and none sees a key behind it.
///
/// # Shapes
///
/// - query: `[1, n_head, n, d_head]`
/// - key, value: `[1, n_head, n_ctx, d_head]`
/// - output: `[1, n_head, n, d_head]`
pub(crate) fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    causal: bool,
) -> Tensor<4> {
    let options = AttentionModuleOptions { is_causal: causal, ..Default::default() };
    burn_attention(query, key, value, None, None, options)
}
