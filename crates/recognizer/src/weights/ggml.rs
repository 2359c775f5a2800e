//! whisper.cpp's `ggml-*.bin`: sizes, Mel filters and vocabulary, which we do not need, then
//! tensors up to the end of the file, under OpenAI's names.
//!
//! Quantized files are read as well ([`blocks`]), those with superblocks (`q2_k` … `q6_k`) excepted.
//!
//! Source: ggml-org/whisper.cpp, `models/convert-pt-to-ggml.py` at 41e789e.

mod blocks;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;
use memmap2::Mmap;

use self::blocks::Blocks;
use super::Checkpoint;
use super::cursor::Cursor;
use super::values::{self, Type};
use crate::error::Error;

/// The magic number and eleven sizes, which the tensors tell as well.
const HEADER: usize = 12 * 4;
const MAX_RANK: u32 = 4;

pub(super) struct Ggml {
    path: PathBuf,
    map: Mmap,
    tensors: HashMap<String, Tensor>,
}

struct Tensor {
    shape: Vec<usize>,
    kind: Kind,
    bytes: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain(Type),
    Quantized(Blocks),
}

impl Ggml {
    /// Reads the table of tensors.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let map = values::map(path)?;
        let damaged = |what| Error::Damaged { path: path.into(), what };
        let mut cursor = Cursor::new(&map);
        skip_to_tensors(&mut cursor).map_err(damaged)?;
        let mut tensors = HashMap::new();
        while !cursor.is_at_end() {
            let (name, shape, number) = head(&mut cursor).map_err(damaged)?;
            let kind = kind(number).ok_or_else(|| Error::Unsupported {
                path: path.into(),
                what: format!("its tensors are of kind {number}, which is not read"),
            })?;
            let length = byte_len(&shape, kind)
                .ok_or_else(|| damaged(format!("tensor {name} has an impossible shape")))?;
            let start = cursor.position();
            cursor.take(length).map_err(damaged)?;
            let bytes = start..cursor.position();
            tensors.insert(name, Tensor { shape, kind, bytes });
        }
        Ok(Self { path: path.into(), map, tensors })
    }
}

impl Checkpoint for Ggml {
    fn format(&self) -> String {
        let quantized = self.tensors.values().find_map(|tensor| match tensor.kind {
            Kind::Quantized(blocks) => Some(blocks.name),
            Kind::Plain(_) => None,
        });
        quantized.map_or("whisper.cpp".into(), |name| format!("whisper.cpp {name}"))
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let mut shape = self.tensors.get(name)?.shape.clone();
        // The biases of the convolutions are stored as columns.
        if name.ends_with(".bias") && shape.last() == Some(&1) {
            shape.pop();
        }
        Some(shape)
    }

    fn values(&self, name: &str) -> Result<Vec<f16>, Error> {
        let missing = || Error::MissingTensor { path: self.path.clone(), name: name.into() };
        let tensor = self.tensors.get(name).ok_or_else(missing)?;
        let bytes = &self.map[tensor.bytes.clone()];
        Ok(match tensor.kind {
            Kind::Plain(value) => values::to_f16(value, bytes),
            Kind::Quantized(blocks) => blocks.values(bytes),
        })
    }
}

fn skip_to_tensors(cursor: &mut Cursor) -> Result<(), String> {
    cursor.take(HEADER)?;
    let (n_mels, n_bins) = (cursor.u32()? as usize, cursor.u32()? as usize);
    let filters = n_mels.checked_mul(n_bins).and_then(|n| n.checked_mul(4));
    cursor.take(filters.ok_or("its Mel filters have an impossible shape")?)?;
    for _ in 0..cursor.u32()? {
        let length = cursor.u32()?;
        cursor.take(length as usize)?;
    }
    Ok(())
}

/// Name, shape and number of the kind. The shape is stored with the last dimension first.
fn head(cursor: &mut Cursor) -> Result<(String, Vec<usize>, u32), String> {
    let (rank, name_length, kind) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    if rank > MAX_RANK {
        return Err(format!("a tensor has {rank} dimensions"));
    }
    let shape =
        (0..rank).map(|_| Ok(cursor.u32()? as usize)).collect::<Result<Vec<_>, String>>()?;
    let name = cursor.take(name_length as usize)?;
    let name = String::from_utf8(name.into()).map_err(|_| "a name is not text")?;
    Ok((name, shape.into_iter().rev().collect(), kind))
}

fn kind(number: u32) -> Option<Kind> {
    match number {
        0 => Some(Kind::Plain(Type::F32)),
        1 => Some(Kind::Plain(Type::F16)),
        _ => Blocks::of(number).map(Kind::Quantized),
    }
}

fn byte_len(shape: &[usize], kind: Kind) -> Option<usize> {
    match kind {
        Kind::Plain(value) => values::byte_len(shape, value),
        Kind::Quantized(blocks) => {
            // Blocks do not go on from one row to the next.
            blocks.byte_len(*shape.last()?)?;
            blocks.byte_len(values::byte_len(shape, Type::I8)?)
        }
    }
}
