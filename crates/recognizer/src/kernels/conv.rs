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
        let n = frames.len() / self.channels_in / self.stride;
        let mut output = vec![0.0; n * channels_out];
        let alike = self.alike(frames);
        // Of those that are alike the first stands for all.
        for rows in [0..alike.start + 1, alike.end..n] {
            let output = &mut output[rows.start * channels_out..rows.end * channels_out];
            self.compute(frames, rows, activation, output);
        }
        let (first, others) =
            output[alike.start * channels_out..alike.end * channels_out].split_at_mut(channels_out);
        others.chunks_exact_mut(channels_out).for_each(|other| other.copy_from_slice(first));
        (output, n)
    }

    /// Some rows of the output.
    fn compute(
        &self,
        frames: &[f32],
        rows: Range<usize>,
        activation: Activation,
        output: &mut [f32],
    ) {
        let (mut rows, mut output) = (rows, output);
        let (channels_in, channels_out) = (self.channels_in, self.linear.d_output());
        let n = frames.len() / channels_in;
        // Windows that reach over the border.
        if rows.contains(&0) {
            let (first, others) = output.split_at_mut(channels_out);
            let window = [&vec![0.0; channels_in], &frames[..frames.len().min(2 * channels_in)]];
            self.edge(window.concat(), activation, first);
            (rows.start, output) = (1, others);
        }
        let last = rows.end.saturating_sub(1);
        if !rows.is_empty() && last * self.stride + 1 >= n {
            let (others, output_of_last) = output.split_at_mut((last - rows.start) * channels_out);
            self.edge(frames[(n - 2) * channels_in..].to_vec(), activation, output_of_last);
            (rows.end, output) = (last, others);
        }
        if !rows.is_empty() {
            let values = &frames[(rows.start * self.stride - 1) * channels_in..];
            let (stride, length) = (self.stride * channels_in, KERNEL * channels_in);
            let input = Rows { values, stride, length, n: rows.len() };
            self.linear.forward_into(input, activation, output);
        }
    }

    /// One row, of a window that ends with the border.
    fn edge(&self, mut window: Vec<f32>, activation: Activation, output: &mut [f32]) {
        let length = KERNEL * self.channels_in;
        window.resize(length, 0.0);
        self.linear.apply(Rows::new(&window, length), activation, output);
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
