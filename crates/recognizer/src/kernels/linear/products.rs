//! Products of rows and panels on one core, and what becomes of them at once.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::int8::{self, GROUP, Sums, UNIT, Word};
use super::super::tile::{COLUMNS, ROWS, Row, tile};
use super::super::{Activation, math};
use super::{Linear, Rows, Weights};

/// Input as the weights take it.
pub(super) enum Prepared<'a> {
    F32(Rows<'a>),
    Int8 { values: Vec<u8>, length: usize, scales: Vec<f32> },
}

/// Rounds all rows to 8 bits.
pub(super) struct Quantize<'a> {
    pub(super) input: Rows<'a>,
    /// `[n, length]`
    pub(super) values: &'a mut [u8],
    /// What 1 stands for in each row.
    pub(super) scales: &'a mut [f32],
}

impl WithSimd for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, values, scales } = self;
        for (i, into) in values.chunks_exact_mut(input.length).enumerate() {
            scales[i] = int8::quantize_row(simd, input.row(i), into);
        }
    }
}

/// What becomes of a product, once the bias is added.
#[derive(Clone, Copy)]
pub(super) enum Epilogue {
    Write(Activation),
    /// It is added to what is there.
    Add,
}

/// Some panels, for all rows.
pub(super) struct Compute<'a, 'b> {
    pub(super) linear: &'a Linear,
    pub(super) input: &'a Prepared<'a>,
    pub(super) panels: Range<usize>,
    pub(super) epilogue: Epilogue,
    /// A piece of each row, as long as the panels are wide.
    pub(super) output: &'a mut [&'b mut [f32]],
}

impl WithSimd for Compute<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { linear, input, panels, epilogue, output } = self;
        for (i, panel) in panels.enumerate() {
            let at = i * COLUMNS..i * COLUMNS + COLUMNS.min(linear.d_output - panel * COLUMNS);
            let bias = &linear.bias[panel];
            match (&linear.weights, input) {
                (Weights::F32(panels), Prepared::F32(input)) => {
                    let panel = &panels[panel * linear.d_input..][..linear.d_input];
                    wide(simd, input, panel, bias, epilogue, at, output);
                }
                (Weights::Int8(weights), Prepared::Int8 { values, length, scales }) => {
                    let panel = weights.panel(panel);
                    let input = (values.as_chunks().0, length / GROUP, &scales[..]);
                    narrow(simd, input, panel, bias, epilogue, at, output);
                }
                _ => unreachable!("input is prepared for the weights"),
            }
        }
    }
}

/// One panel of 32 bits, for the places `at` of each row.
#[inline(always)]
fn wide<S: Simd>(
    simd: S,
    input: &Rows,
    panel: &[Row],
    bias: &Row,
    epilogue: Epilogue,
    at: Range<usize>,
    output: &mut [&mut [f32]],
) {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (first, output) in (0..).step_by(ROWS).zip(output.chunks_mut(ROWS)) {
        let mut few = [&[][..]; ROWS];
        for (i, few) in few.iter_mut().enumerate().take(output.len()) {
            *few = input.row(first + i);
        }
        tile(simd, &few[..output.len()], panel, &mut sums);
        for (sums, output) in sums.iter_mut().zip(output) {
            for (sum, bias) in sums.iter_mut().zip(bias) {
                *sum += bias;
            }
            finish(simd, epilogue, sums, &mut output[at.clone()]);
        }
    }
}

/// One panel of 8 bits, for the places `at` of each row.
#[inline(always)]
fn narrow<S: Simd>(
    simd: S,
    (words, depth, scales): (&[Word], usize, &[f32]),
    panel: int8::Panel,
    bias: &Row,
    epilogue: Epilogue,
    at: Range<usize>,
    output: &mut [&mut [f32]],
) {
    let (mut sums, mut row): ([Sums; ROWS], Row) = ([[0; COLUMNS]; ROWS], [0.0; COLUMNS]);
    for (first, output) in (0..).step_by(ROWS).zip(output.chunks_mut(ROWS)) {
        let mut few = [&[][..]; ROWS];
        for (i, few) in few.iter_mut().enumerate().take(output.len()) {
            *few = &words[(first + i) * depth..][..depth];
        }
        UNIT.tile(&few[..output.len()], panel.words, &mut sums);
        for ((sums, scale), output) in sums.iter().zip(&scales[first..]).zip(output) {
            let output = &mut output[at.clone()];
            match output.first_chunk_mut() {
                // Where nothing else is to be done: straight into its place.
                Some(output) if matches!(epilogue, Epilogue::Write(Activation::None)) => {
                    panel.restore_biased(sums, *scale, bias, output);
                }
                _ => {
                    panel.restore_biased(sums, *scale, bias, &mut row);
                    finish(simd, epilogue, &mut row, output);
                }
            }
        }
    }
}

/// Does what is left to do with the products of a row, of which there may be more than wanted.
#[inline(always)]
fn finish<S: Simd>(simd: S, epilogue: Epilogue, row: &mut Row, output: &mut [f32]) {
    match epilogue {
        Epilogue::Write(Activation::None) => {}
        Epilogue::Write(Activation::Gelu) => math::gelu(simd, row),
        Epilogue::Write(Activation::Relu) => {
            for x in &mut *row {
                *x = x.max(0.0);
            }
        }
        Epilogue::Add => {
            for (output, x) in output.iter_mut().zip(&*row) {
                *output += x;
            }
            return;
        }
    }
    match output.first_chunk_mut::<COLUMNS>() {
        // As long as is known here: without a loop.
        Some(output) => *output = *row,
        None => output.copy_from_slice(&row[..output.len()]),
    }
}
