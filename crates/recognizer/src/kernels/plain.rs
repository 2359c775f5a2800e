//! The plain versions, in burn's operations: what a GPU runs, and what the fast versions are
//! tested against.

use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, relu};
use burn::tensor::module::attention as burn_attention;
use burn::tensor::ops::AttentionModuleOptions;

use super::Activation;
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

/// `[1, n, n_state]` → `[1, n_head, n, D_HEAD]`
fn split_heads(x: Tensor<3>) -> Tensor<4> {
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
