//! A Whisper model, loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, FloatDType, Tensor};

use crate::Error;
use crate::audio_encoder::AudioEncoder;
use crate::compute::{Compute, Processor};
use crate::dims::ModelDimensions;
use crate::kernels::{Kernels, Precision};
use crate::loader::Loader;
use crate::scores::Filters;
use crate::text_decoder::TextDecoder;
use crate::tokenizer::Tokenizer;
use crate::warm_up::WarmUp;
use crate::weights::Weights;
use crate::window::{BUCKETS, GPU_BUCKETS, MAX_POSITIONS, Padding, bucket, window};

/// Tokens of the longest text, what it is told before included.
const TEXT: usize = 448;

/// A Whisper model on a processor. Cloning shares it.
#[derive(Clone)]
pub struct Model(Arc<Loaded>);

struct Loaded {
    dims: ModelDimensions,
    encoder: AudioEncoder,
    decoder: TextDecoder,
    tokenizer: Tokenizer,
    /// Where the device filters by itself.
    filters: Option<Filters>,
    alignment_heads: Vec<(usize, usize)>,
    processor: Processor,
}

impl Model {
    /// Loads the model in the cache folder `dir`, with weights held as `precision` says.
    ///
    /// A GPU that is missing, or that cannot run the model, is replaced by the CPU;
    /// [`Model::fallback`] then says why.
    ///
    /// # Errors
    ///
    /// A folder without a model, or with one that is damaged.
    pub fn load(dir: &Path, compute: &Compute, precision: Precision) -> Result<Self, Error> {
        Self::load_and_tell(dir, compute, precision, &mut |_, _| ())
    }

    /// As [`Model::load`]. A GPU is warmed up, which takes minutes where it has never run this model
    /// before; `progress` is told how many of how many steps are done.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn load_and_tell(
        dir: &Path,
        compute: &Compute,
        precision: Precision,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Error> {
        let weights = Weights::open(dir)?;
        let processor = Processor::find(compute);
        let fast = Kernels::Fast(match precision {
            Precision::F32 => Precision::F32,
            Precision::F16 | Precision::Int8 => Precision::Int8,
        });
        if !processor.is_gpu() {
            return Self::on(processor, &weights, fast);
        }
        // A driver's failure shows itself as a panic deep inside of wgpu.
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let float = float(precision, &processor);
            tracing::info!(backend = processor.name, ?float, "warming up");
            let model = Self::on(processor.clone(), &weights, Kernels::Static(float))?;
            let what = if processor.is_software { WarmUp::Shortest } else { WarmUp::Everything };
            model.warm_up(what, progress)?;
            Ok(model)
        }));
        let reason = match tried {
            Ok(Err(Error::Device(reason))) => reason,
            Ok(result) => return result,
            Err(panic) => message(panic.as_ref()),
        };
        let reason = format!("{} failed: {reason}", processor.name);
        Self::on(Processor::cpu(Some(reason)), &weights, fast)
    }

    /// Loads the model onto the CPU with burn's own operations, growing or in fixed shapes, to
    /// compare others with.
    #[cfg(test)]
    pub(crate) fn with_kernels(dir: &Path, kernels: Kernels) -> Result<Self, Error> {
        Self::on(Processor::cpu(None), &Weights::open(dir)?, kernels)
    }

    fn on(processor: Processor, weights: &Weights, kernels: Kernels) -> Result<Self, Error> {
        let dims = *weights.dims();
        weights.expect_room(MAX_POSITIONS, TEXT)?;
        let tokenizer = Tokenizer::for_dims(&dims)?;
        let filters =
            kernels.is_static().then(|| Filters::new(&tokenizer, dims.n_vocab, &processor.device));
        let loader = Loader { weights, device: &processor.device, kernels };
        Ok(Self(Arc::new(Loaded {
            encoder: AudioEncoder::load(&loader, &dims)?,
            decoder: TextDecoder::load(&loader, &dims)?,
            alignment_heads: weights.alignment_heads().to_vec(),
            tokenizer,
            filters,
            dims,
            processor,
        })))
    }

    /// Mel bands of a column.
    pub fn n_mels(&self) -> usize {
        self.0.dims.n_mels
    }

    /// Whether the model knows more than English.
    pub fn is_multilingual(&self) -> bool {
        self.0.tokenizer.is_multilingual()
    }

    /// What the model runs on: `cpu`, or `gpu:` and the name of the card.
    pub fn backend(&self) -> &str {
        &self.0.processor.name
    }

    /// Why the model does not run on the GPU that was asked for.
    pub fn fallback(&self) -> Option<&str> {
        self.0.processor.fallback.as_deref()
    }

    /// The numbers that burn computes with.
    pub(crate) fn float(&self) -> FloatDType {
        self.decoder().float()
    }

    pub(crate) fn dims(&self) -> &ModelDimensions {
        &self.0.dims
    }

    /// Positions of the window for `n_columns` and `pad` positions of silence behind them.
    pub(crate) fn bucket(&self, n_columns: usize, pad: usize) -> usize {
        let buckets = if self.0.processor.is_gpu() { &GPU_BUCKETS[..] } else { &BUCKETS };
        bucket(buckets, n_columns, pad)
    }

    pub(crate) fn device(&self) -> &Device {
        &self.0.processor.device
    }

    pub(crate) fn decoder(&self) -> &TextDecoder {
        &self.0.decoder
    }

    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        &self.0.tokenizer
    }

    pub(crate) fn filters(&self) -> Option<&Filters> {
        self.0.filters.as_ref()
    }

    pub(crate) fn alignment_heads(&self) -> &[(usize, usize)] {
        &self.0.alignment_heads
    }

    /// Encodes columns, filled up to `n_ctx` positions.
    ///
    /// # Shapes
    ///
    /// - columns: `[n_frames, n_mels]`, log₁₀ energy
    /// - output: `[1, n_ctx, n_state]`
    pub(crate) fn encode(
        &self,
        columns: &[f32],
        n_ctx: usize,
        loudest: f32,
        padding: Padding,
    ) -> Tensor<3> {
        let window = window(columns, self.n_mels(), n_ctx, loudest, padding, self.device());
        self.0.encoder.forward(window)
    }
}

/// The numbers that a GPU computes with.
fn float(precision: Precision, processor: &Processor) -> FloatDType {
    let is_wanted = match precision {
        Precision::F32 => false,
        Precision::F16 => true,
        Precision::Int8 => !processor.is_software,
    };
    match is_wanted && processor.device.supports_dtype(FloatDType::F16) {
        true => FloatDType::F16,
        false => FloatDType::F32,
    }
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(String::from);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".into())
}
