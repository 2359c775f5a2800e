//! Numbers as files hold them: little-endian bytes of several types ↔ `f16` and `f32`.

use std::fs::File;
use std::path::Path;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use memmap2::{Mmap, UncheckedAdvice};

use crate::error::Error;

/// How many values are converted at a time: small enough for the first-level cache.
const BLOCK: usize = 2048;

/// The types that a checkpoint may hold its parameters in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    F16,
    Bf16,
    F32,
    F64,
    /// CTranslate2's: to be divided by a scale for each row.
    I8,
}

impl Type {
    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// Bytes of a tensor, or `None` if the product does not fit.
pub(super) fn byte_len(shape: &[usize], value: Type) -> Option<usize> {
    shape.iter().try_fold(value.size(), |bytes, &n| bytes.checked_mul(n))
}

/// Reads values of any type as `f16`.
pub(super) fn to_f16(value: Type, bytes: &[u8]) -> Vec<f16> {
    if value == Type::F16 {
        return halves(bytes).collect();
    }
    let mut values = vec![f16::ZERO; bytes.len() / value.size()];
    let mut block = [0.0; BLOCK];
    for (out, bytes) in values.chunks_mut(BLOCK).zip(bytes.chunks(BLOCK * value.size())) {
        let block = &mut block[..out.len()];
        fill_f32(value, bytes, block);
        out.convert_from_f32_slice(block);
    }
    values
}

/// Reads values of any type as `f32`.
pub(super) fn to_f32(value: Type, bytes: &[u8]) -> Vec<f32> {
    let mut values = vec![0.0; bytes.len() / value.size()];
    fill_f32(value, bytes, &mut values);
    values
}

fn fill_f32(value: Type, bytes: &[u8], out: &mut [f32]) {
    let chunks = bytes.chunks_exact(value.size());
    match value {
        Type::F16 => {
            let mut block = [f16::ZERO; BLOCK];
            for (out, bytes) in out.chunks_mut(BLOCK).zip(bytes.chunks(BLOCK * 2)) {
                let block = &mut block[..out.len()];
                block.iter_mut().zip(halves(bytes)).for_each(|(to, from)| *to = from);
                block.convert_to_f32_slice(out);
            }
        }
        Type::Bf16 => fill(out, chunks.map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())),
        Type::F32 => fill(out, chunks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        Type::F64 => fill(
            out,
            chunks.map(|b| {
                f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32
            }),
        ),
        Type::I8 => fill(out, bytes.iter().map(|&b| f32::from(b as i8))),
    }
}

fn fill(out: &mut [f32], values: impl Iterator<Item = f32>) {
    out.iter_mut().zip(values).for_each(|(to, from)| *to = from);
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = f16> {
    bytes.as_chunks::<2>().0.iter().map(|&b| f16::from_le_bytes(b))
}

/// Whether all values are numbers: one NaN or infinity would spread through the whole model.
pub(super) fn are_finite(values: &[f16]) -> bool {
    // Without a branch the compiler uses vector registers.
    !values.iter().fold(false, |bad, x| bad | (x.to_bits() & 0x7c00 == 0x7c00))
}

/// Maps a file for reading.
#[allow(
    unsafe_code,
    reason = "a mapping is only sound while nobody cuts the file; checkpoints are written beside \
              and renamed into place, never changed, and reading gigabytes into memory in place \
              of it would cost more than the model itself"
)]
pub(super) fn map(path: &Path) -> Result<Mmap, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    // SAFETY: see the reason above; all access is through bounds-checked slices of `u8`.
    unsafe { Mmap::map(&file) }.map_err(io)
}

/// Lets the system take back the memory of `length` mapped bytes from `start` on. Whoever looks at
/// them again has them read from the disk again.
#[allow(
    unsafe_code,
    reason = "the same call would throw away what is written to other mappings; this one is only read"
)]
pub(super) fn release(map: &Mmap, start: usize, length: usize) {
    // SAFETY: the mapping is of a file and was never written to, so its bytes stay what they are.
    let result = unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, length) };
    // Only a wish.
    drop(result);
}
