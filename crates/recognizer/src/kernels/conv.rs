//! Convolution over time on the CPU: a linear layer over windows of three frames, which overlap.

use std::ops::Range;

use super::linear::{Linear, Rows};
use super::{Activation, Precision};

/// Frames of a window.
const KERNEL: usize = 3;

/// A convolution with a kernel of 3 and a border of 1.
pub(crate) struct Conv1d {
    linear: Linear,
    stride: usize,
    channels_in: usize,
}

impl Conv1d {
    /// Packs `[channels_out, channels_in, 3]`.
    pub(super) fn new(weight: &[f32], bias: &[f32], stride: usize, precision: Precision) -> Self {
        let channels_in = weight.len() / bias.len() / KERNEL;
        let d_input = KERNEL * channels_in;
        // A window is one row of `[3, channels_in]`.
        let by_frame: Vec<f32> = weight
            .chunks_exact(d_input)
            .flat_map(|output| {
                (0..KERNEL)
                    .flat_map(move |tap| (0..channels_in).map(move |c| output[KERNEL * c + tap]))
            })
            .collect();
        let linear = Linear::new(&by_frame, d_input, Some(bias), precision);
        Self { linear, stride, channels_in }
    }

    /// Convolves frames and applies `activation`.
    ///
    /// # Shapes
    ///
    /// - frames: `[n, channels_in]`
    /// - output: `[n / stride, channels_out]`, and how many rows that is
    pub(super) fn forward(&self, frames: &[f32], activation: Activation) -> (Vec<f32>, usize) {
        let channels_out = self.linear.d_output();
        let n_frames = frames.len() / self.channels_in;
        let n = n_frames / self.stride;
        let mut output = vec![0.0; n * channels_out];
        let alike = self.alike(frames);
        // Rows whose windows reach over no border, without those for which the first of its kind stands.
        let inside = 1..(n_frames - 1).div_ceil(self.stride);
        for rows in [inside.start..alike.start + 1, alike.end..inside.end] {
            if !rows.is_empty() {
                let output = &mut output[rows.start * channels_out..rows.end * channels_out];
                self.linear.forward_into(self.windows(frames, rows), activation, output);
            }
        }
        for row in [0, n - 1].into_iter().filter(|row| !inside.contains(row)) {
            let output = &mut output[row * channels_out..][..channels_out];
            let window = self.window_at_border(frames, row);
            self.linear.apply(Rows::new(&window, window.len()), activation, output);
        }
        let alike = &mut output[alike.start * channels_out..alike.end * channels_out];
        let (first, others) = alike.split_at_mut(channels_out);
        others.chunks_exact_mut(channels_out).for_each(|other| other.copy_from_slice(first));
        (output, n)
    }

    /// The windows of some rows of the output, as rows that overlap.
    fn windows<'a>(&self, frames: &'a [f32], rows: Range<usize>) -> Rows<'a> {
        let values = &frames[(rows.start * self.stride - 1) * self.channels_in..];
        let (stride, length) = (self.stride * self.channels_in, KERNEL * self.channels_in);
        Rows { values, stride, length, n: rows.len() }
    }

    /// The window of one row of the output, zero where there are no frames.
    fn window_at_border(&self, frames: &[f32], row: usize) -> Vec<f32> {
        let mut window = vec![0.0; KERNEL * self.channels_in];
        for (tap, into) in window.chunks_exact_mut(self.channels_in).enumerate() {
            let frame = (row * self.stride + tap).wrapping_sub(1);
            if let Some(frame) = frames.chunks_exact(self.channels_in).nth(frame) {
                into.copy_from_slice(frame);
            }
        }
        window
    }

    /// Rows of the output that are alike, at least one: windows inside of the longest run of equal
    /// frames. Behind live speech lies silence, as long as the speech or longer.
    fn alike(&self, frames: &[f32]) -> Range<usize> {
        let run = longest_run(frames, self.channels_in);
        let first = (run.start + 1).div_ceil(self.stride);
        // The last window must end inside.
        let end = run.end.saturating_sub(2) / self.stride + 1;
        if run.len() >= KERNEL && end > first { first..end } else { 0..1 }
    }
}

/// The longest run of equal frames.
fn longest_run(frames: &[f32], channels: usize) -> Range<usize> {
    let (mut longest, mut start) = (0..1, 0);
    let mut pairs = frames.chunks_exact(channels).zip(frames.chunks_exact(channels).skip(1));
    for end in 1.. {
        let is_same = pairs.next().map(|(a, b)| a == b);
        if is_same == Some(true) {
            continue;
        }
        if end - start > longest.len() {
            longest = start..end;
        }
        if is_same.is_none() {
            break;
        }
        start = end;
    }
    longest
}
