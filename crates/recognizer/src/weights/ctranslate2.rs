//! CTranslate2's `model.bin`, as faster-whisper's models have it.
//!
//! A table of variables one after the other: name, shape, type, length, bytes; then pairs of
//! names that stand for the same variable. `int8` models carry a scale for each row.
//!
//! Source: `ModelSpec.save` in OpenNMT/CTranslate2, `python/ctranslate2/specs/model_spec.py` 4.8.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;
use half::vec::HalfFloatVecExt;
use memmap2::Mmap;

use super::cursor::Cursor;
use super::values::{self, Type};
use super::{Checkpoint, alignment, names};
use crate::error::Error;

/// Since version 4 a variable has a type and a length in bytes; 6 is the newest.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=6;
/// No variable of Whisper's has more than the three dimensions of a convolution.
const MAX_RANK: u8 = 4;

pub(super) struct Ctranslate2 {
    path: PathBuf,
    map: Mmap,
    variables: HashMap<String, Variable>,
    aliases: HashMap<String, String>,
}

struct Variable {
    shape: Vec<usize>,
    type_id: u8,
    bytes: Range<usize>,
}

impl Ctranslate2 {
    /// Reads the table of variables.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let map = values::map(path)?;
        let damaged = |what| Error::Damaged { path: path.into(), what };
        let (variables, aliases) = tables(Cursor::new(&map)).map_err(damaged)?;
        Ok(Self { path: path.into(), map, variables, aliases })
    }

    fn variable(&self, name: &str) -> Option<&Variable> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        self.variables.get(name)
    }

    /// The values of some rows as `f32`, multiplied out where they are quantized.
    fn dequantize(&self, name: &str, rows: &Range<usize>, bytes: &[u8]) -> Result<Vec<f32>, Error> {
        let scale_name = format!("{name}_scale");
        let damaged = |what| Error::Damaged { path: self.path.clone(), what };
        let scale = self
            .variable(&scale_name)
            .ok_or_else(|| Error::MissingTensor { path: self.path.clone(), name: scale_name })?;
        let value = float(scale.type_id)
            .ok_or_else(|| damaged(format!("the scale of {name} is not a number")))?;
        let scale_bytes = rows.start * value.size()..rows.end * value.size();
        let scales = self.map[scale.bytes.clone()]
            .get(scale_bytes)
            .ok_or_else(|| damaged(format!("{name} has more rows than scales")))?;
        let mut values = values::to_f32(Type::I8, bytes);
        let width = values.len() / rows.len().max(1);
        for (row, scale) in values.chunks_mut(width.max(1)).zip(values::to_f32(value, scales)) {
            row.iter_mut().for_each(|x| *x /= scale);
        }
        Ok(values)
    }
}

impl Checkpoint for Ctranslate2 {
    fn format(&self) -> String {
        let quantized = self.variable("decoder/embeddings/weight").is_some_and(|v| v.type_id == 1);
        format!("CTranslate2{}", if quantized { " int8" } else { "" })
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let (name, rows) = names::ctranslate2(name);
        let mut shape = self.variable(&name)?.shape.clone();
        let first = shape.first_mut()?;
        // Where the parts are not equal the shape stays whole, and is found to be wrong.
        if first.is_multiple_of(rows.of) {
            *first /= rows.of;
        }
        Some(shape)
    }

    fn values(&self, name: &str) -> Result<Vec<f16>, Error> {
        let (native, part) = names::ctranslate2(name);
        let variable = self.variable(&native).ok_or_else(|| Error::MissingTensor {
            path: self.path.clone(),
            name: native.clone(),
        })?;
        let n_rows = variable.shape.first().map_or(0, |rows| rows / part.of);
        let rows = part.part * n_rows..(part.part + 1) * n_rows;
        let length = variable.bytes.len() / part.of;
        let start = variable.bytes.start + part.part * length;
        let bytes = &self.map[start..start + length];
        match (variable.type_id, float(variable.type_id)) {
            (_, Some(value)) => Ok(values::to_f16(value, bytes)),
            (1, None) => Ok(Vec::from_f32_slice(&self.dequantize(&native, &rows, bytes)?)),
            _ => Err(Error::Unsupported {
                path: self.path.clone(),
                what: "it is quantized to 16-bit integers".into(),
            }),
        }
    }

    fn alignment_heads(&self) -> Option<Vec<(usize, usize)>> {
        alignment::read(&self.path.with_file_name("config.json"))
    }
}

/// The floating-point types by CTranslate2's number.
fn float(type_id: u8) -> Option<Type> {
    match type_id {
        0 => Some(Type::F32),
        4 => Some(Type::F16),
        5 => Some(Type::Bf16),
        _ => None,
    }
}

/// Bytes of one value by CTranslate2's number of its type.
fn size(type_id: u8) -> Option<usize> {
    match type_id {
        0 | 3 => Some(4),
        1 => Some(1),
        2 | 4 | 5 => Some(2),
        _ => None,
    }
}

type Tables = (HashMap<String, Variable>, HashMap<String, String>);

/// Reads the variables and the aliases; the values are passed over.
fn tables(mut cursor: Cursor) -> Result<Tables, String> {
    let version = cursor.u32()?;
    if !VERSIONS.contains(&version) {
        return Err(format!("it has version {version}, known are 4 to 6"));
    }
    name(&mut cursor)?;
    cursor.u32()?;
    let (mut variables, mut aliases) = (HashMap::new(), HashMap::new());
    for _ in 0..cursor.u32()? {
        let (name, variable) = variable(&mut cursor)?;
        variables.insert(name, variable);
    }
    for _ in 0..cursor.u32()? {
        aliases.insert(name(&mut cursor)?, name(&mut cursor)?);
    }
    match cursor.is_at_end() {
        true => Ok((variables, aliases)),
        false => Err("bytes are left over behind the last variable".into()),
    }
}

fn variable(cursor: &mut Cursor) -> Result<(String, Variable), String> {
    let name = name(cursor)?;
    let rank = cursor.u8()?;
    if rank > MAX_RANK {
        return Err(format!("variable {name} has {rank} dimensions"));
    }
    let shape =
        (0..rank).map(|_| Ok(cursor.u32()? as usize)).collect::<Result<Vec<_>, String>>()?;
    let type_id = cursor.u8()?;
    let length = cursor.u32()? as usize;
    let expected = size(type_id)
        .and_then(|size| shape.iter().try_fold(size, |bytes, &n| bytes.checked_mul(n)));
    if expected != Some(length) {
        return Err(format!("variable {name} is not as long as its shape {shape:?} says"));
    }
    let start = cursor.position();
    cursor.take(length)?;
    Ok((name, Variable { shape, type_id, bytes: start..cursor.position() }))
}

/// A string with its length, the NUL at its end counted.
fn name(cursor: &mut Cursor) -> Result<String, String> {
    let length = cursor.u16()?;
    let bytes = cursor.take(usize::from(length))?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    String::from_utf8(bytes.into()).map_err(|_| "a name is not text".into())
}
