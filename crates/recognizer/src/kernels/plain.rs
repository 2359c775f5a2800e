//! The plain versions, in burn's operations: what a GPU runs, and what the fast versions are
//! tested against.

use burn::tensor::activation::{gelu, relu, softmax};
use burn::tensor::module::attention as burn_attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{FloatDType, Tensor};

use super::{Activation, Seen};
use crate::attention::D_HEAD;

/// As [`super::attention`].
pub(super) fn attention(
    query: Tensor<3>,
    key: &Tensor<3>,
    value: &Tensor<3>,
    causal: bool,
) -> Tensor<3> {
    let shape = query.dims();
    let options = AttentionModuleOptions { is_causal: causal, ..Default::default() };
    let [query, key, value] = [query, key.clone(), value.clone()].map(split_heads);
    burn_attention(query, key, value, None, None, options).swap_dims(1, 2).reshape(shape)
}

/// As [`super::attention`], for keys and values of which a mask tells which are there.
///
/// Three small steps in place of burn's one: for the few queries of a decoder that is as quick, and
/// it leaves nothing to be tuned but two products.
///
/// # Shapes
///
/// - key: `[1, n_head, D_HEAD, n_ctx]`
/// - value: `[1, n_head, n_ctx, D_HEAD]`
pub(super) fn masked_attention(
    query: Tensor<3>,
    key: &Tensor<4>,
    value: &Tensor<4>,
    seen: Seen,
) -> Tensor<3> {
    let (shape, float) = (query.dims(), FloatDType::from(value.dtype()));
    let scores = split_heads(query).matmul(key.clone()).cast(FloatDType::F32);
    // Behind the product: with the mask it is one launch.
    let scores = scores / (D_HEAD as f32).sqrt();
    let scores = match seen {
        Seen::All => scores,
        Seen::Masked(mask) => scores + mask.clone(),
        Seen::Causal => unreachable!("keys that are padded are masked"),
    };
    softmax(scores, 3).cast(float).matmul(value.clone()).swap_dims(1, 2).reshape(shape)
}

/// Writes keys, `[1, n, n_state]`, into `[1, n_head, D_HEAD, n_ctx]` from position `at` on, in place where
/// nobody else holds it.
pub(super) fn write_keys(into: Tensor<4>, at: usize, x: Tensor<3>) -> Tensor<4> {
    let ([_, n_head, _, _], [_, n, _]) = (into.dims(), x.dims());
    into.slice_assign([0..1, 0..n_head, 0..D_HEAD, at..at + n], split_keys(x))
}

/// As [`write_keys`], values into `[1, n_head, n_ctx, D_HEAD]`.
pub(super) fn write_values(into: Tensor<4>, at: usize, x: Tensor<3>) -> Tensor<4> {
    let ([_, n_head, _, _], [_, n, _]) = (into.dims(), x.dims());
    into.slice_assign([0..1, 0..n_head, at..at + n, 0..D_HEAD], split_heads(x))
}

/// `[1, n, n_state]` → `[1, n_head, D_HEAD, n]`: as the product with queries takes keys, which would else be
/// laid out anew for each token.
pub(super) fn split_keys(x: Tensor<3>) -> Tensor<4> {
    let [_, n, n_state] = x.dims();
    x.swap_dims(1, 2).reshape([1, n_state / D_HEAD, D_HEAD, n])
}

/// `[1, n, n_state]` → `[1, n_head, n, D_HEAD]`
pub(super) fn split_heads(x: Tensor<3>) -> Tensor<4> {
    let [_, n, n_state] = x.dims();
    x.reshape([1, n, n_state / D_HEAD, D_HEAD]).swap_dims(1, 2)
}

pub(super) fn activate(x: Tensor<3>, activation: Activation) -> Tensor<3> {
    match activation {
        Activation::None => x,
        Activation::Gelu => gelu(x),
        Activation::Relu => relu(x),
    }
}
