//! Blocks of 32 numbers of few bits behind their scale, as whisper.cpp's `quantize` writes them.
//!
//! | kind | bytes of a block | a number |
//! | --- | --- | --- |
//! | `q4_0` | scale, 16 of low bits | (q − 8) · scale |
//! | `q4_1` | scale, minimum, 16 of low bits | q · scale + minimum |
//! | `q5_0` | scale, 4 of fifth bits, 16 of low bits | (q − 16) · scale |
//! | `q5_1` | scale, minimum, 4 of fifth bits, 16 of low bits | q · scale + minimum |
//! | `q8_0` | scale, 32 | q · scale |
//!
//! Scale and minimum have 16 bits. A byte of low bits holds four of the number at its place in its
//! lower half, and four of the number 16 places on in its upper half.
//!
//! Source: `block_q4_0` … `block_q8_0` in ggml-org/ggml, `src/ggml-common.h`.

use half::f16;
use half::vec::HalfFloatVecExt;

/// Numbers in a block.
const LENGTH: usize = 32;

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) name: &'static str,
    bits: usize,
    has_minimum: bool,
}

impl Blocks {
    /// The kind of this number in a file.
    pub(super) fn of(number: u32) -> Option<Self> {
        let (name, bits, has_minimum) = match number {
            2 => ("q4_0", 4, false),
            3 => ("q4_1", 4, true),
            6 => ("q5_0", 5, false),
            7 => ("q5_1", 5, true),
            8 => ("q8_0", 8, false),
            _ => return None,
        };
        Some(Self { name, bits, has_minimum })
    }

    /// Bytes of `n_values`, if they fill blocks.
    pub(super) fn byte_len(self, n_values: usize) -> Option<usize> {
        let n_blocks = n_values.is_multiple_of(LENGTH).then_some(n_values / LENGTH)?;
        n_blocks.checked_mul(self.block())
    }

    /// Bytes of one block.
    fn block(self) -> usize {
        2 + if self.has_minimum { 2 } else { 0 } + LENGTH * self.bits / 8
    }

    /// The numbers of whole blocks.
    pub(super) fn values(self, bytes: &[u8]) -> Vec<f16> {
        let mut values = Vec::with_capacity(bytes.len() / self.block() * LENGTH);
        for block in bytes.chunks_exact(self.block()) {
            values.append(&mut Vec::from_f32_slice(&self.restore(block)));
        }
        values
    }

    fn restore(self, block: &[u8]) -> [f32; LENGTH] {
        let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
        let scale = half(0);
        let (minimum, packed) = match self.has_minimum {
            true => (half(2), &block[4..]),
            false => (0.0, &block[2..]),
        };
        let middle = match (self.has_minimum, self.bits) {
            (true, _) | (_, 8) => 0,
            (false, bits) => 1 << (bits - 1),
        };
        std::array::from_fn(|i| (self.number(packed, i) - middle) as f32 * scale + minimum)
    }

    /// The `i`-th number of a block without its scale.
    fn number(self, packed: &[u8], i: usize) -> i32 {
        if self.bits == 8 {
            return i32::from(packed[i] as i8);
        }
        let (fifth, low) = packed.split_at(packed.len() - LENGTH / 2);
        let byte = low[i % (LENGTH / 2)];
        let low = if i < LENGTH / 2 { byte & 15 } else { byte >> 4 };
        let fifth = fifth.get(i / 8).map_or(0, |byte| byte >> (i % 8) & 1);
        i32::from(low | fifth << 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, a block in hexadecimal digits, and its numbers, from the Python package gguf; see
    /// `tests/golden/make_blocks.py`.
    const GOLDEN: &str = include_str!("../../../tests/golden/blocks.txt");

    fn bytes(digits: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn blocks_of_all_kinds_are_read_as_others_read_them() {
        let mut kinds = 0;
        for line in GOLDEN.lines() {
            let mut fields = line.split(' ');
            let kind = Blocks::of(fields.next().unwrap().parse().unwrap()).unwrap();
            let block = bytes(fields.next().unwrap());
            assert_eq!(kind.byte_len(LENGTH), Some(block.len()), "{}", kind.name);
            let expected: Vec<f16> =
                fields.map(|value| f16::from_f32(value.parse().unwrap())).collect();
            assert_eq!(kind.values(&block), expected, "{}", kind.name);
            kinds += 1;
        }
        assert_eq!(kinds, 5);
    }

    #[test]
    fn numbers_that_fill_no_block_have_no_length() {
        assert_eq!(Blocks::of(2).unwrap().byte_len(33), None);
        assert_eq!(Blocks::of(2).unwrap().byte_len(64), Some(36));
        assert_eq!(Blocks::of(10), None);
    }
}
