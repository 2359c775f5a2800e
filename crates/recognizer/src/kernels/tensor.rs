//! Burn's tensors on the CPU ↔ plain numbers.

use std::ops::Deref;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Device, Tensor, TensorData};

/// The numbers of a tensor, row-major, without a copy where they lie that way already.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Values {
    match tensor.try_into_primitive::<Flex>() {
        Ok(tensor) => Values(tensor.to_contiguous()),
        Err(error) => unreachable!("the fast kernels are for the CPU: {error:?}"),
    }
}

/// Borrowed from a tensor.
pub(super) struct Values(FlexTensor);

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.storage()
    }
}

/// A tensor whose numbers, row-major, `work` has changed; in place where nobody else holds them.
pub(super) fn update<const D: usize>(
    tensor: Tensor<D>,
    work: impl FnOnce(&mut [f32]),
) -> Tensor<D> {
    let Values(mut numbers) = values(tensor);
    work(numbers.storage_mut());
    Tensor::from_primitive::<Flex>(numbers)
}

/// A tensor of these numbers, row-major.
pub(super) fn from_values<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
