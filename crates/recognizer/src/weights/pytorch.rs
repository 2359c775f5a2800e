//! PyTorch checkpoints: OpenAI's `.pt`, Hugging Face's `pytorch_model.bin`.
//!
//! The pickle inside is only read for its tables; nothing in it is ever run. Values come from the
//! file one tensor at a time.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};

use super::names::Naming;
use super::values::{self, Type};
use super::{Checkpoint, alignment};
use crate::error::Error;

/// A view may make many values of few bytes. Up to this size it need not be asked for more.
const HARMLESS: usize = 16 << 20;

pub(super) struct Pytorch {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
    naming: Naming,
    /// Bytes that a tensor may have: what the file has, for `torch.save` does not compress.
    limit: usize,
}

impl Pytorch {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.into(), source };
        let length = fs::metadata(path).map_err(io)?.len();
        let reader = PytorchReader::new(path).map_err(|error| match error {
            PytorchError::Io(source) if source.raw_os_error().is_some() => io(source),
            other => Error::Damaged { path: path.into(), what: other.to_string() },
        })?;
        let tensors = reader.into_tensors();
        let naming = Naming::find(|name| tensors.contains_key(name));
        let limit = usize::try_from(length).unwrap_or(usize::MAX).max(HARMLESS);
        Ok(Self { path: path.into(), tensors, naming, limit })
    }

    fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.clone(), what }
    }
}

impl Checkpoint for Pytorch {
    fn format(&self) -> String {
        format!("PyTorch with {} names", self.naming.whose())
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        Some(self.tensors.get(&self.naming.native(name))?.shape().to_vec())
    }

    fn values(&self, name: &str) -> Result<Vec<f16>, Error> {
        let native = self.naming.native(name);
        let missing = || Error::MissingTensor { path: self.path.clone(), name: native.clone() };
        let tensor = self.tensors.get(&native).ok_or_else(missing)?;
        let value = match tensor.dtype() {
            DType::F16 => Type::F16,
            DType::BF16 => Type::Bf16,
            DType::F32 => Type::F32,
            DType::F64 => Type::F64,
            other => return Err(self.damaged(format!("tensor {native} holds {other:?} values"))),
        };
        let length = values::byte_len(tensor.shape(), value);
        if length.is_none_or(|length| length > self.limit) {
            return Err(self.damaged(format!("tensor {native} is larger than the file")));
        }
        let bytes = tensor.read().map_err(|error| self.damaged(error.to_string()))?;
        Ok(values::to_f16(value, &bytes))
    }

    fn alignment_heads(&self) -> Option<Vec<(usize, usize)>> {
        alignment::read(&self.path.with_file_name("generation_config.json"))
    }
}
