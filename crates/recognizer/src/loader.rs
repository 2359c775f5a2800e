//! Parameters by name → burn modules on a device.

use burn::module::Param;
use burn::nn::conv::Conv1dConfig;
use burn::nn::{self, PaddingConfig1d};
use burn::tensor::{Device, Tensor, TensorData};

use crate::Error;
use crate::kernels::{Conv1d, Embedding, Kernels, LayerNorm, Linear, Precision};
use crate::weights::Weights;

/// Reads the parameters of one model onto one device.
pub(crate) struct Loader<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) device: &'a Device,
    pub(crate) kernels: Kernels,
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

    /// A parameter in the numbers that the model computes with.
    pub(crate) fn weight<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, Error> {
        Ok(self.tensor(name, shape)?.cast(self.kernels.float()))
    }

    /// A linear layer, stored as `[d_output, d_input]`.
    pub(crate) fn linear(
        &self,
        name: &str,
        [d_output, d_input]: [usize; 2],
        bias: bool,
    ) -> Result<Linear, Error> {
        let (weight, shape) = (format!("{name}.weight"), [d_output, d_input]);
        let bias = bias.then(|| format!("{name}.bias"));
        if let Kernels::Fast(precision) = self.kernels {
            let bias = bias.map(|bias| self.weights.f32(&bias, &[d_output])).transpose()?;
            let weight = self.weights.f32(&weight, &shape)?;
            return Ok(Linear::fast(&weight, d_input, bias.as_deref(), precision));
        }
        let bias = bias.map(|bias| self.weight(&bias, [d_output])).transpose()?;
        // Burn multiplies by the transpose.
        let weight = Param::from_tensor(self.weight(&weight, shape)?.transpose());
        Ok(Linear::Plain(nn::Linear { weight, bias: bias.map(Param::from_tensor) }))
    }

    /// The vectors of the vocabulary, `[n_vocab, n_state]`.
    pub(crate) fn embedding(&self, name: &str, shape: [usize; 2]) -> Result<Embedding, Error> {
        Ok(match self.kernels {
            Kernels::Fast(precision) => {
                let read = |rows| self.weights.rows(name, shape, rows);
                Embedding::fast(shape, precision, self.device, read)?
            }
            _ => Embedding::Plain(self.weight(name, shape)?),
        })
    }

    /// Burn normalizes in 32 bits whatever comes in; so are the parameters.
    pub(crate) fn layer_norm(&self, name: &str, n_state: usize) -> Result<LayerNorm, Error> {
        let [gamma, beta] = [format!("{name}.weight"), format!("{name}.bias")];
        if let Kernels::Fast(_) = self.kernels {
            let read = |name: &str| self.weights.f32(name, &[n_state]);
            return Ok(LayerNorm::fast(read(&gamma)?, read(&beta)?));
        }
        let mut norm = nn::LayerNormConfig::new(n_state).init(self.device);
        norm.gamma = Param::from_tensor(self.tensor(&gamma, [n_state])?);
        norm.beta = Some(Param::from_tensor(self.tensor(&beta, [n_state])?));
        Ok(LayerNorm::Plain(norm))
    }

    /// A convolution with a kernel of 3 and a border of 1.
    pub(crate) fn conv1d(
        &self,
        name: &str,
        [channels_in, channels_out]: [usize; 2],
        stride: usize,
    ) -> Result<Conv1d, Error> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let shape = [channels_out, channels_in, 3];
        if let Kernels::Fast(precision) = self.kernels {
            // The columns themselves are heard in full; to round them would spare little.
            let precision = if stride == 1 { Precision::F32 } else { precision };
            let bias = self.weights.f32(&bias, &[channels_out])?;
            let weight = self.weights.f32(&weight, &shape)?;
            return Ok(Conv1d::fast(&weight, &bias, stride, precision));
        }
        let mut conv = Conv1dConfig::new(channels_in, channels_out, 3)
            .with_stride(stride)
            .with_padding(PaddingConfig1d::Explicit(1, 1))
            .init(self.device);
        conv.weight = Param::from_tensor(self.weight(&weight, shape)?);
        conv.bias = Some(Param::from_tensor(self.weight(&bias, [channels_out])?));
        Ok(Conv1d::Plain(conv))
    }
}
