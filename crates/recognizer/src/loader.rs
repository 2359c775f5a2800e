//! Parameters by name → burn modules on a device.

use burn::module::Param;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, PaddingConfig1d};
use burn::tensor::{Device, Tensor, TensorData};

use crate::Error;
use crate::weights::Weights;

/// Reads the parameters of one model onto one device.
pub(crate) struct Loader<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) device: &'a Device,
}

impl Loader<'_> {
    /// A parameter as it is stored.
    pub(crate) fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, Error> {
        let values = self.weights.f32(name, &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    /// A linear layer, stored as `[d_output, d_input]` and used as its transpose.
    pub(crate) fn linear(
        &self,
        name: &str,
        [d_output, d_input]: [usize; 2],
        bias: bool,
    ) -> Result<Linear, Error> {
        let weight = self.tensor(&format!("{name}.weight"), [d_output, d_input])?.transpose();
        let bias = match bias {
            true => Some(Param::from_tensor(self.tensor(&format!("{name}.bias"), [d_output])?)),
            false => None,
        };
        Ok(Linear { weight: Param::from_tensor(weight), bias })
    }

    pub(crate) fn layer_norm(&self, name: &str, n_state: usize) -> Result<LayerNorm, Error> {
        let mut norm = LayerNormConfig::new(n_state).init(self.device);
        norm.gamma = Param::from_tensor(self.tensor(&format!("{name}.weight"), [n_state])?);
        norm.beta = Some(Param::from_tensor(self.tensor(&format!("{name}.bias"), [n_state])?));
        Ok(norm)
    }

    /// A convolution with a kernel of 3 and a border of 1.
    pub(crate) fn conv1d(
        &self,
        name: &str,
        [channels_in, channels_out]: [usize; 2],
        stride: usize,
    ) -> Result<Conv1d, Error> {
        let mut conv = Conv1dConfig::new(channels_in, channels_out, 3)
            .with_stride(stride)
            .with_padding(PaddingConfig1d::Explicit(1, 1))
            .init(self.device);
        let weight = self.tensor(&format!("{name}.weight"), [channels_out, channels_in, 3])?;
        conv.weight = Param::from_tensor(weight);
        conv.bias = Some(Param::from_tensor(self.tensor(&format!("{name}.bias"), [channels_out])?));
        Ok(conv)
    }
}
