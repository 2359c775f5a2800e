//! Products of 8-bit numbers: weights with one scale a column, activations with one scale a row.
//!
//! Sums are whole numbers, so they are exact in any order and for any number of rows; the rounding
//! of a row depends on that row alone.
//!
//! Activations are stored with 128 added, because the machines' instructions multiply an unsigned
//! number by a signed one; [`Weights::offsets`] takes it out again.

use std::sync::LazyLock;

use super::math;
use super::tile::{COLUMNS, ROWS, Row};

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Numbers that one instruction multiplies and adds.
pub(super) const GROUP: usize = 4;
/// Four activations, 128 added.
pub(super) type Word = [u8; GROUP];
/// Four rows of a panel, column by column.
pub(super) type Words = [i8; GROUP * COLUMNS];
/// Sums of one row.
pub(super) type Sums = [i32; COLUMNS];

/// The largest value on either side of zero.
pub(super) const LARGEST: f32 = 127.0;
/// What is added to an activation.
const OFFSET: i32 = 128;

/// A matrix in panels of 64 columns.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    /// `[n_panels, d_input / GROUP]`
    pub(super) panels: Vec<Words>,
    /// What 1 stands for in each column, `[n_panels]`.
    pub(super) scales: Vec<Row>,
    /// What the sums of a column have too much, `[n_panels]`.
    pub(super) offsets: Vec<Sums>,
}

impl Weights {
    /// Rounds `[d_output, d_input]`, row-major, to 8 bits; `d_input` is a multiple of [`GROUP`].
    pub(super) fn quantize(weight: &[f32], d_input: usize) -> Self {
        let n_panels = (weight.len() / d_input).div_ceil(COLUMNS);
        let depth = d_input / GROUP;
        let mut panels = vec![[0; GROUP * COLUMNS]; n_panels * depth];
        let mut scales = vec![[0.0; COLUMNS]; n_panels];
        let mut offsets = vec![[0; COLUMNS]; n_panels];
        for (output, column) in weight.chunks_exact(d_input).enumerate() {
            let (panel, c) = (output / COLUMNS, output % COLUMNS);
            let (scale, inverse) = scale(column);
            scales[panel][c] = scale;
            for (k, x) in column.iter().enumerate() {
                let q = round(x * inverse) as i8;
                panels[panel * depth + k / GROUP][c * GROUP + k % GROUP] = q;
                offsets[panel][c] += OFFSET * i32::from(q);
            }
        }
        Self { panels, scales, offsets }
    }

    pub(super) fn reserve(&mut self, n_panels: usize, d_input: usize) {
        self.panels.reserve_exact(n_panels * d_input / GROUP);
        self.scales.reserve_exact(n_panels);
        self.offsets.reserve_exact(n_panels);
    }

    /// Adds the panels of `other` behind its own.
    pub(super) fn append(&mut self, mut other: Self) {
        self.panels.append(&mut other.panels);
        self.scales.append(&mut other.scales);
        self.offsets.append(&mut other.offsets);
    }

    /// The weights of one output, as they are after rounding.
    pub(super) fn column(&self, output: usize) -> Vec<f32> {
        let (panel, c) = (output / COLUMNS, output % COLUMNS);
        let depth = self.panels.len() / self.scales.len();
        let scale = self.scales[panel][c];
        self.panels[panel * depth..(panel + 1) * depth]
            .iter()
            .flat_map(|words| &words[c * GROUP..(c + 1) * GROUP])
            .map(|&q| f32::from(q) * scale)
            .collect()
    }
}

/// The nearest whole number, modulo 256: whoever asks knows whether it has a sign.
///
/// Adding the constant leaves the number in the lowest bits; a conversion would have to look out
/// for what is too large for it.
#[inline(always)]
pub(super) fn round(x: f32) -> u8 {
    (x + 12_582_912.0).to_bits() as u8
}

/// What 1 stands for, and its inverse.
fn scale(row: &[f32]) -> (f32, f32) {
    let largest = row.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    match largest > 0.0 {
        true => (largest / LARGEST, LARGEST / largest),
        false => (0.0, 0.0),
    }
}

/// Rounds one row of activations, and gives what 1 stands for.
#[inline(always)]
pub(super) fn quantize_row(row: &[f32], into: &mut [u8]) -> f32 {
    let largest = math::largest_magnitude(row);
    let inverse = if largest > 0.0 { LARGEST / largest } else { 0.0 };
    for (q, x) in into.iter_mut().zip(row) {
        *q = round(x * inverse).wrapping_add(OFFSET as u8);
    }
    largest / LARGEST
}

/// Sums of one row → what they stand for.
#[inline(always)]
pub(super) fn restore(whole: &Sums, offsets: &Sums, scale: f32, columns: &Row, into: &mut Row) {
    for (((into, whole), offset), column) in into.iter_mut().zip(whole).zip(offsets).zip(columns) {
        // Far from any overflow: a check would only keep it from being a vector.
        *into = whole.wrapping_sub(*offset) as f32 * (scale * column);
    }
}

/// What multiplies on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// AVX-512 with its neural network instructions.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// The same instructions on 256 bits.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// 16-bit products of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// The dot products of Armv8.2.
    #[cfg(target_arch = "aarch64")]
    Dotprod,
    /// 16-bit products of NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Whatever the compiler makes of it.
    Portable,
}

/// The fastest that this machine has.
pub(super) static UNIT: LazyLock<Unit> = LazyLock::new(|| Unit::found()[0]);

impl Unit {
    /// All that this machine has, the fastest first.
    pub(super) fn found() -> Vec<Self> {
        let mut units = Vec::new();
        #[cfg(target_arch = "aarch64")]
        units.extend(aarch64::found());
        #[cfg(target_arch = "x86_64")]
        units.extend(x86::found());
        units.push(Self::Portable);
        units
    }

    /// `sums[r] = Σ rows[r][k] · panel[k]`, the activations' offset included.
    ///
    /// # Shapes
    ///
    /// - rows: `[1..=ROWS]`, each as long as the panel
    /// - panel: `[d_input / GROUP]`
    pub(super) fn tile(self, rows: &[&[Word]], panel: &[Words], sums: &mut [Sums; ROWS]) {
        match self {
            #[cfg(target_arch = "aarch64")]
            Self::Dotprod | Self::Neon => aarch64::tile(self, rows, panel, sums),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni | Self::AvxVnni | Self::Avx2 => x86::tile(self, rows, panel, sums),
            Self::Portable => portable(rows, panel, sums),
        }
    }
}

fn portable(rows: &[&[Word]], panel: &[Words], sums: &mut [Sums; ROWS]) {
    for (row, sums) in rows.iter().zip(sums) {
        *sums = [0; COLUMNS];
        for (a, words) in row.iter().zip(panel) {
            let a = a.map(i32::from);
            for (sum, b) in sums.iter_mut().zip(words.as_chunks::<GROUP>().0) {
                for (a, b) in a.iter().zip(b) {
                    *sum += a * i32::from(*b);
                }
            }
        }
    }
}
