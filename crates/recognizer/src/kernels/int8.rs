//! Products of 8-bit numbers: weights with one scale a column, activations with one scale a row.
//!
//! Sums are whole numbers, so they are exact in any order and for any number of rows; the rounding
//! of a row depends on that row alone.
//!
//! Activations are stored with 128 added, because the machines' instructions multiply an unsigned
//! number by a signed one; [`Weights::offsets`] takes it out again.

use std::sync::LazyLock;

use pulp::{Simd, WithSimd};

use super::tile::{COLUMNS, ROWS, Row};
use super::{dispatch, math};

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
    panels: Vec<Words>,
    /// What 1 stands for in each column, `[n_panels]`.
    scales: Vec<Row>,
    /// What the sums of a column have too much, `[n_panels]`.
    offsets: Vec<Sums>,
}

/// One panel of a matrix.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// `[d_input / GROUP]`
    pub(super) words: &'a [Words],
    scales: &'a Row,
    offsets: &'a Sums,
}

impl Panel<'_> {
    /// What the sums of a row stand for, where 1 stands for `scale` in the row.
    #[inline(always)]
    pub(super) fn restore(&self, sums: &Sums, scale: f32, into: &mut Row) {
        let columns = sums.iter().zip(self.offsets).zip(self.scales);
        for (into, ((sum, offset), column)) in into.iter_mut().zip(columns) {
            // Far from any overflow: a check would only keep it from being a vector.
            *into = sum.wrapping_sub(*offset) as f32 * (scale * column);
        }
    }

    /// As [`Panel::restore`], with a bias.
    #[inline(always)]
    pub(super) fn restore_biased(&self, sums: &Sums, scale: f32, bias: &Row, into: &mut Row) {
        let columns = sums.iter().zip(self.offsets).zip(self.scales).zip(bias);
        for (into, (((sum, offset), column), bias)) in into.iter_mut().zip(columns) {
            *into = sum.wrapping_sub(*offset) as f32 * (scale * column) + bias;
        }
    }
}

impl Weights {
    pub(super) fn panel(&self, panel: usize) -> Panel<'_> {
        let depth = self.panels.len() / self.scales.len();
        Panel {
            words: &self.panels[panel * depth..][..depth],
            scales: &self.scales[panel],
            offsets: &self.offsets[panel],
        }
    }

    /// Rounds `[d_output, d_input]`, row-major, to 8 bits; `d_input` is a multiple of [`GROUP`].
    pub(super) fn quantize(weight: &[f32], d_input: usize) -> Self {
        dispatch(QuantizeWeights { weight, d_input })
    }

    /// Room for `n` columns, which are zero.
    pub(super) fn zeros(n: usize, d_input: usize) -> Self {
        let n_panels = n.div_ceil(COLUMNS);
        Self {
            panels: vec![[0; GROUP * COLUMNS]; n_panels * d_input / GROUP],
            scales: vec![[0.0; COLUMNS]; n_panels],
            offsets: vec![[0; COLUMNS]; n_panels],
        }
    }

    /// Rounds the weights of one output, `[d_input]`. `bytes` is room for as many.
    #[inline(always)]
    pub(super) fn set<S: Simd>(
        &mut self,
        simd: S,
        output: usize,
        column: &[f32],
        bytes: &mut [u8],
    ) {
        let (panel, c) = (output / COLUMNS, output % COLUMNS);
        self.scales[panel][c] = quantize(simd, column, UNIT.reach_of_all(simd, column), bytes);
        let mut sum = 0;
        for byte in &mut *bytes {
            *byte = byte.wrapping_sub(OFFSET as u8);
            sum += i32::from(byte.cast_signed());
        }
        self.offsets[panel][c] = OFFSET * sum;
        let (words, _): (&[[u8; GROUP]], _) = bytes.as_chunks();
        let rows = &mut self.panels[panel * words.len()..][..words.len()];
        for (row, word) in rows.iter_mut().zip(words) {
            row[c * GROUP..][..GROUP].copy_from_slice(&bytemuck::cast::<_, [i8; GROUP]>(*word));
        }
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

struct QuantizeWeights<'a> {
    weight: &'a [f32],
    d_input: usize,
}

impl WithSimd for QuantizeWeights<'_> {
    type Output = Weights;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Weights {
        let Self { weight, d_input } = self;
        let mut weights = Weights::zeros(weight.len() / d_input, d_input);
        let mut bytes = vec![0; d_input];
        for (output, column) in weight.chunks_exact(d_input).enumerate() {
            weights.set(simd, output, column, &mut bytes);
        }
        weights
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

/// Rounds one row of activations, and gives what 1 stands for.
#[inline(always)]
pub(super) fn quantize_row<S: Simd>(simd: S, row: &[f32], into: &mut [u8]) -> f32 {
    quantize(simd, row, math::largest_magnitude(simd, row), into)
}

/// Rounds numbers so that `largest` becomes [`LARGEST`], adds 128, and gives what 1 stands for.
#[inline(always)]
fn quantize<S: Simd>(_: S, row: &[f32], largest: f32, into: &mut [u8]) -> f32 {
    let inverse = if largest > 0.0 { LARGEST / largest } else { 0.0 };
    for (q, x) in into.iter_mut().zip(row) {
        *q = round(x * inverse).wrapping_add(OFFSET as u8);
    }
    largest / LARGEST
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
    /// AVX-512 without them: pairs of products are added up in 16 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2, likewise.
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

    /// Whether the products of two neighbours are added up in 16 bits. For the largest activation, 255 once 128 is
    /// added, two weights must then not come to more than 128.
    pub(super) fn adds_pairs(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx2 => true,
            _ => false,
        }
    }

    /// What is to become [`LARGEST`] of two neighbouring weights. Rounding adds one at most.
    #[inline(always)]
    pub(super) fn reach(self, a: f32, b: f32) -> f32 {
        let both = if self.adds_pairs() { (a + b).abs() } else { 0.0 };
        let either = if a.abs() > b.abs() { a.abs() } else { b.abs() };
        if both > either { both } else { either }
    }

    /// The same of a whole row; its length is even.
    #[inline(always)]
    fn reach_of_all<S: Simd>(self, simd: S, row: &[f32]) -> f32 {
        if !self.adds_pairs() {
            return math::largest_magnitude(simd, row);
        }
        let pairs = row.as_chunks().0.iter();
        pairs.fold(0.0, |largest: f32, &[a, b]| largest.max(self.reach(a, b)))
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
            Self::Avx512Vnni | Self::AvxVnni | Self::Avx512 | Self::Avx2 => {
                x86::tile(self, rows, panel, sums);
            }
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
