//! Linear layers on the CPU: weights in panels, in 32 or in 8 bits, and the work shared out over
//! the cores.

use std::ops::Range;

use rayon::prelude::*;

use self::products::{Compute, Epilogue, Prepared, Quantize};
use super::int8::{self, GROUP};
use super::tile::{COLUMNS, ROWS, Row};
use super::{Activation, Precision, dispatch, sharing};

mod products;

/// The most rows in a share: what is quantized must stay in a near cache.
const MAX_ROWS: usize = 16 * ROWS;

/// Outputs that are read at once: whole panels.
const PART: usize = 32 * COLUMNS;

/// Rows of numbers, which may overlap: row `i` is `length` numbers from `i * stride` on.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
    pub(super) length: usize,
    pub(super) n: usize,
}

impl<'a> Rows<'a> {
    /// `values` row after row.
    pub(super) fn new(values: &'a [f32], length: usize) -> Self {
        Self { values, stride: length, length, n: values.len() / length }
    }

    fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.stride..i * self.stride + self.length]
    }

    fn part(&self, rows: Range<usize>) -> Self {
        Self { values: &self.values[rows.start * self.stride..], n: rows.len(), ..*self }
    }
}

/// A matrix and a bias.
pub(crate) struct Linear {
    d_input: usize,
    d_output: usize,
    weights: Weights,
    /// `[n_panels]`; zero where there is none.
    bias: Vec<Row>,
}

enum Weights {
    /// `[n_panels, d_input]`
    F32(Vec<Row>),
    Int8(int8::Weights),
}

impl Linear {
    /// Packs `[d_output, d_input]`, row-major.
    pub(super) fn new(
        weight: &[f32],
        d_input: usize,
        bias: Option<&[f32]>,
        precision: Precision,
    ) -> Self {
        let d_output = weight.len() / d_input;
        let n_panels = d_output.div_ceil(COLUMNS);
        let mut padded = vec![[0.0; COLUMNS]; n_panels];
        for (into, bias) in padded.iter_mut().zip(bias.unwrap_or_default().chunks(COLUMNS)) {
            into[..bias.len()].copy_from_slice(bias);
        }
        let weights = match precision {
            Precision::F16 | Precision::Int8 if d_input.is_multiple_of(GROUP) => {
                Weights::Int8(int8::Weights::quantize(weight, d_input))
            }
            _ => Weights::F32(pack(weight, d_input)),
        };
        Self { d_input, d_output, weights, bias: padded }
    }

    /// Packs rows that are read a few at a time, so that they are never all there in 32 bits.
    pub(super) fn in_parts<E>(
        [d_output, d_input]: [usize; 2],
        precision: Precision,
        mut read: impl FnMut(Range<usize>) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let mut parts = (0..d_output).step_by(PART).map(|first| {
            let rows = read(first..d_output.min(first + PART))?;
            Ok(Self::new(&rows, d_input, None, precision))
        });
        let mut whole = Self::new(&[], d_input, None, precision);
        whole.reserve(d_output.div_ceil(COLUMNS));
        parts.try_for_each(|part| {
            whole.append(part?);
            Ok(())
        })?;
        Ok(whole)
    }

    fn reserve(&mut self, n_panels: usize) {
        self.bias.reserve_exact(n_panels);
        match &mut self.weights {
            Weights::F32(panels) => panels.reserve_exact(n_panels * self.d_input),
            Weights::Int8(weights) => weights.reserve(n_panels, self.d_input),
        }
    }

    /// Adds the outputs of `other` behind its own, which fill whole panels.
    fn append(&mut self, mut other: Self) {
        self.d_output += other.d_output;
        self.bias.append(&mut other.bias);
        match (&mut self.weights, other.weights) {
            (Weights::F32(panels), Weights::F32(mut more)) => panels.append(&mut more),
            (Weights::Int8(weights), Weights::Int8(more)) => weights.append(more),
            _ => unreachable!("parts are held alike"),
        }
    }

    /// The weights of one output, `[d_input]`.
    pub(super) fn column(&self, output: usize) -> Vec<f32> {
        match &self.weights {
            Weights::F32(panels) => {
                let panel = &panels[output / COLUMNS * self.d_input..][..self.d_input];
                panel.iter().map(|row| row[output % COLUMNS]).collect()
            }
            Weights::Int8(weights) => weights.column(output),
        }
    }

    /// Multiplies each row, adds the bias and applies `activation`.
    ///
    /// # Shapes
    ///
    /// - input: `[n, d_input]`
    /// - output: `[n, d_output]`
    pub(super) fn forward(&self, input: Rows, activation: Activation) -> Vec<f32> {
        let mut output = vec![0.0; input.n * self.d_output];
        self.forward_into(input, activation, &mut output);
        output
    }

    /// As [`Linear::forward`], into `output`.
    pub(super) fn forward_into(&self, input: Rows, activation: Activation, output: &mut [f32]) {
        debug_assert_eq!(input.length, self.d_input);
        if input.n * self.d_input * self.d_output < sharing::WORTH {
            self.apply(input, activation, output);
        } else if sharing::by_rows(input.n) {
            self.share_rows(input, activation, output);
        } else {
            self.share_panels(input, activation, output);
        }
    }

    /// As [`Linear::forward`], on this core alone, into `output`.
    pub(super) fn apply(&self, input: Rows, activation: Activation, output: &mut [f32]) {
        let mut rows: Vec<_> = output.chunks_exact_mut(self.d_output).collect();
        self.compute(
            &self.prepare(input),
            0..self.n_panels(),
            Epilogue::Write(activation),
            &mut rows,
        );
    }

    /// As [`Linear::apply`], added to what is there.
    pub(super) fn add(&self, input: Rows, output: &mut [f32]) {
        let mut rows: Vec<_> = output.chunks_exact_mut(self.d_output).collect();
        self.compute(&self.prepare(input), 0..self.n_panels(), Epilogue::Add, &mut rows);
    }

    pub(super) fn d_output(&self) -> usize {
        self.d_output
    }

    fn n_panels(&self) -> usize {
        self.bias.len()
    }

    fn share_rows(&self, input: Rows, activation: Activation, output: &mut [f32]) {
        let n = sharing::rows(input.n, MAX_ROWS);
        output.par_chunks_mut(n * self.d_output).enumerate().for_each(|(share, output)| {
            let rows = share * n..input.n.min((share + 1) * n);
            self.apply(input.part(rows), activation, output);
        });
    }

    fn share_panels(&self, input: Rows, activation: Activation, output: &mut [f32]) {
        let prepared = self.prepare(input);
        let share = sharing::panels(self.n_panels());
        // Of each row, each share has a piece.
        let mut shares: Vec<Vec<&mut [f32]>> = Vec::new();
        shares.resize_with(self.n_panels().div_ceil(share), Vec::new);
        for row in output.chunks_exact_mut(self.d_output) {
            let pieces = row.chunks_mut(share * COLUMNS);
            shares.iter_mut().zip(pieces).for_each(|(share, piece)| share.push(piece));
        }
        shares.par_iter_mut().enumerate().for_each(|(i, rows)| {
            let panels = i * share..self.n_panels().min((i + 1) * share);
            self.compute(&prepared, panels, Epilogue::Write(activation), rows);
        });
    }

    fn prepare<'a>(&self, input: Rows<'a>) -> Prepared<'a> {
        match self.weights {
            Weights::F32(_) => Prepared::F32(input),
            Weights::Int8(_) => {
                let (mut values, mut scales) =
                    (vec![0; input.n * input.length], vec![0.0; input.n]);
                dispatch(Quantize { input, values: &mut values, scales: &mut scales });
                Prepared::Int8 { values, length: input.length, scales }
            }
        }
    }

    fn compute(
        &self,
        input: &Prepared,
        panels: Range<usize>,
        epilogue: Epilogue,
        output: &mut [&mut [f32]],
    ) {
        dispatch(Compute { linear: self, input, panels, epilogue, output });
    }
}

/// `[d_output, d_input]` → panels of 64 outputs, `[n_panels, d_input]`.
fn pack(weight: &[f32], d_input: usize) -> Vec<Row> {
    let n_panels = (weight.len() / d_input).div_ceil(COLUMNS);
    let mut panels = vec![[0.0; COLUMNS]; n_panels * d_input];
    for (output, row) in weight.chunks_exact(d_input).enumerate() {
        let panel = &mut panels[output / COLUMNS * d_input..][..d_input];
        for (into, x) in panel.iter_mut().zip(row) {
            into[output % COLUMNS] = *x;
        }
    }
    panels
}
