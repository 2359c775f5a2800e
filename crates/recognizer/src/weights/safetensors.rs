//! safetensors files with OpenAI's or Hugging Face's names, whole or in shards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Deserialize;

use super::names::Naming;
use super::values::{self, Type};
use super::{Checkpoint, alignment};
use crate::error::Error;

/// A header longer than this is no header: large-v3 has 150 kB of it.
const MAX_HEADER: usize = 16 << 20;
/// Also an index is not longer, and no model comes in so many shards.
const MAX_SHARDS: usize = 256;

/// One mapped file with its table of tensors.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) metadata: Metadata,
    map: Mmap,
    /// Where the tensors' bytes begin.
    body: usize,
}

impl File {
    /// Maps a file and checks that its table agrees with itself and with the file's length.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let map = values::map(path)?;
        let damaged = |what: String| Error::Damaged { path: path.into(), what };
        let length = map.first_chunk().map(|&n| u64::from_le_bytes(n));
        let length = length.and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= MAX_HEADER);
        let header = length.and_then(|n| map.get(8..8 + n));
        let header = header.ok_or_else(|| damaged("its header ends too early".into()))?;
        // The table checks itself: no gaps, and each tensor as long as its shape says.
        let metadata: Metadata = serde_json::from_slice(header)
            .map_err(|error| damaged(format!("its header is wrong, {error}")))?;
        let body = 8 + header.len();
        if metadata.data_len() != map.len() - body {
            return Err(damaged("its length is not what its header says".into()));
        }
        Ok(Self { path: path.into(), metadata, map, body })
    }

    pub(super) fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        self.metadata
            .info(name)
            .ok_or_else(|| Error::MissingTensor { path: self.path.clone(), name: name.into() })
    }

    /// The type and bytes of a tensor.
    pub(super) fn tensor(&self, name: &str) -> Result<(Type, &[u8]), Error> {
        let info = self.info(name)?;
        let value = match info.dtype {
            Dtype::F16 => Type::F16,
            Dtype::BF16 => Type::Bf16,
            Dtype::F32 => Type::F32,
            Dtype::F64 => Type::F64,
            other => {
                let what = format!("tensor {name} holds {other:?} values");
                return Err(Error::Unsupported { path: self.path.clone(), what });
            }
        };
        let (start, end) = info.data_offsets;
        Ok((value, &self.map[self.body + start..self.body + end]))
    }

    /// Lets the system take back the memory of some of the file's bytes.
    pub(super) fn release(&self, bytes: &[u8]) {
        let start = bytes.as_ptr().addr().wrapping_sub(self.map.as_ptr().addr());
        values::release(&self.map, start, bytes.len());
    }
}

/// A model in one or several files.
pub(super) struct Safetensors {
    path: PathBuf,
    files: Vec<File>,
    naming: Naming,
}

/// `model.safetensors.index.json`: which tensor is in which file.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Safetensors {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::new(path, vec![File::open(path)?]))
    }

    /// Opens the files that the index names. They stand beside it, and nowhere else.
    pub(super) fn open_shards(path: &Path) -> Result<Self, Error> {
        let damaged = |what: &str| Error::Damaged { path: path.into(), what: what.into() };
        let io = |source| Error::Io { path: path.into(), source };
        if fs::metadata(path).map_err(io)?.len() > MAX_HEADER as u64 {
            return Err(damaged("an index is not so long"));
        }
        let index: Index = serde_json::from_slice(&fs::read(path).map_err(io)?)
            .map_err(|_| Error::UnknownFormat { path: path.into() })?;
        let mut shards: Vec<_> = index.weight_map.into_values().collect();
        shards.sort();
        shards.dedup();
        if shards.len() > MAX_SHARDS || shards.iter().any(|name| name.contains(['/', '\\'])) {
            return Err(damaged("it names files that are not beside it"));
        }
        let files = shards.iter().map(|name| File::open(&path.with_file_name(name)));
        Ok(Self::new(path, files.collect::<Result<_, _>>()?))
    }

    fn new(path: &Path, files: Vec<File>) -> Self {
        let has = |name: &str| files.iter().any(|file| file.metadata.info(name).is_some());
        let naming = Naming::find(has);
        Self { path: path.into(), files, naming }
    }

    fn file(&self, native: &str) -> Option<&File> {
        self.files.iter().find(|file| file.metadata.info(native).is_some())
    }
}

impl Checkpoint for Safetensors {
    fn format(&self) -> String {
        format!("safetensors with {} names", self.naming.whose())
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let native = self.naming.native(name);
        Some(self.file(&native)?.metadata.info(&native)?.shape.clone())
    }

    fn values(&self, name: &str) -> Result<Vec<f16>, Error> {
        let native = self.naming.native(name);
        let file = self.file(&native).ok_or_else(|| Error::MissingTensor {
            path: self.path.clone(),
            name: native.clone(),
        })?;
        let (value, bytes) = file.tensor(&native)?;
        Ok(values::to_f16(value, bytes))
    }

    fn alignment_heads(&self) -> Option<Vec<(usize, usize)>> {
        let metadata = self.files.first()?.metadata.metadata().as_ref();
        // Our own files say it themselves.
        if let Some(json) = metadata.and_then(|entries| entries.get("alignment_heads")) {
            return serde_json::from_str(json).ok();
        }
        alignment::read(&self.path.with_file_name("generation_config.json"))
    }
}
