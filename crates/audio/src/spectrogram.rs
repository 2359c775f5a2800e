//! Log-Mel spectrogram: 16 kHz samples in, one column of Mel energies out every 10 ms.
//!
//! Last stage of the audio path: capture → resample → segment → **spectrogram**. It runs on the
//! analysis thread and allocates nothing after [`Spectrogram::new`].
//!
//! The columns are raw log₁₀ energies. Whisper's dynamic-range step (clip to 8 below the loudest
//! value, then `(x + 4) / 4`) looks at the whole 30 s window, so it cannot be done while samples
//! arrive; the recognizer does it when it cuts a window.
//!
//! Source: `log_mel_spectrogram` in openai/whisper, `whisper/audio.py` at c0d2f62.

mod filters;

use std::f32::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use self::filters::MelFilters;
use crate::SAMPLE_RATE;

/// Analysis window: 400 samples = 25 ms.
pub const N_FFT: usize = 400;
/// Distance between two columns: 160 samples = 10 ms.
pub const HOP_LENGTH: usize = 160;

const N_BINS: usize = N_FFT / 2 + 1;
/// Silence. Keeps log₁₀ away from zero and makes an empty column exactly −10.
const FLOOR: f32 = 1e-10;

/// Turns a stream of samples into log-Mel columns.
///
/// With samples of usual level (−35 dBFS and up) a value is within 1e-3 of what a 64-bit
/// computation of OpenAI's definition gives, for everything Whisper's clipping lets through.
pub struct Spectrogram {
    fft: Arc<dyn RealToComplex<f32>>,
    /// Hann window, `[N_FFT]`, periodic as in `torch.hann_window`.
    hann: Box<[f32]>,
    filters: MelFilters,
    /// Samples a column to come still needs; never more than `N_FFT + 1`.
    tail: Vec<f32>,
    /// Whether the samples left of sample 0 have been made up.
    primed: bool,
    n_samples: u64,
    n_columns: u64,
    windowed: Box<[f32]>,
    spectrum: Box<[Complex32]>,
    scratch: Box<[Complex32]>,
    power: Box<[f32]>,
    column: Box<[f32]>,
}

impl Spectrogram {
    /// Builds the tables for `n_mels` bands: 80, or 128 for large-v3 and its turbo.
    pub fn new(n_mels: usize) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(N_FFT);
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / N_FFT as f32).cos();
        Self {
            hann: (0..N_FFT).map(hann).collect(),
            filters: MelFilters::new(n_mels, N_BINS, SAMPLE_RATE),
            tail: Vec::with_capacity(N_FFT + 1),
            primed: false,
            n_samples: 0,
            n_columns: 0,
            windowed: fft.make_input_vec().into(),
            spectrum: fft.make_output_vec().into(),
            scratch: fft.make_scratch_vec().into(),
            power: vec![0.0; N_BINS].into(),
            column: vec![0.0; n_mels].into(),
            fft,
        }
    }

    /// Takes samples and hands each finished column to `emit`.
    ///
    /// Column `i` is centered on sample `160 * i`; it leaves 12.5 ms after that sample has come
    /// in. How the samples are cut into calls makes no difference.
    ///
    /// # Shapes
    ///
    /// - samples: `[n]`, mono, 16 kHz, −1.0..=1.0
    /// - column: `[n_mels]`, log₁₀ energy, −10.0 for silence
    pub fn push(&mut self, samples: &[f32], mut emit: impl FnMut(&[f32])) {
        self.n_samples += samples.len() as u64;
        self.extend(samples, &mut emit);
    }

    /// Emits the columns still due, as if zeros followed, and forgets the stream.
    ///
    /// `n` samples give `n / 160` columns in all, as OpenAI's code does, which drops the last
    /// frame of the transform.
    pub fn finish(&mut self, mut emit: impl FnMut(&[f32])) {
        let due = self.n_samples / HOP_LENGTH as u64;
        while self.n_columns < due {
            self.extend(&[0.0; HOP_LENGTH / 4], &mut emit);
        }
        self.reset();
    }

    /// Forgets the stream: the next sample is sample 0 again.
    pub fn reset(&mut self) {
        self.tail.clear();
        self.primed = false;
        self.n_samples = 0;
        self.n_columns = 0;
    }

    fn extend(&mut self, mut samples: &[f32], emit: &mut impl FnMut(&[f32])) {
        while !samples.is_empty() {
            let wanted = if self.primed { N_FFT } else { N_FFT / 2 + 1 };
            let (now, later) = samples.split_at(samples.len().min(wanted - self.tail.len()));
            self.tail.extend_from_slice(now);
            samples = later;
            if self.tail.len() < wanted {
                return;
            }
            if !self.primed {
                self.prime();
            }
            self.analyze();
            emit(&self.column);
            self.n_columns += 1;
            self.tail.drain(..HOP_LENGTH);
        }
    }

    /// Mirrors half a window to the left of sample 0, as `torch.stft(center=True)` does:
    /// `x0 x1 … x200` becomes `x200 … x1 x0 x1 … x200`.
    fn prime(&mut self) {
        self.tail.extend_from_within(1..);
        self.tail.rotate_right(N_FFT / 2);
        self.tail[..N_FFT / 2].reverse();
        self.primed = true;
    }

    /// Fills `column` from the first `N_FFT` samples of `tail`.
    fn analyze(&mut self) {
        for ((out, x), hann) in self.windowed.iter_mut().zip(&self.tail).zip(&self.hann) {
            *out = x * hann;
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers were made by this transform");
        for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr();
        }
        self.filters.apply(&self.power, &mut self.column);
        for band in &mut self.column {
            *band = band.max(FLOOR).log10();
        }
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::assert_no_alloc;
    use proptest::prelude::*;

    use super::*;

    /// The one place that knows how to drive a [`Spectrogram`].
    fn columns(samples: &[f32], cuts: &[usize]) -> Vec<Vec<f32>> {
        let mut spectrogram = Spectrogram::new(80);
        let (mut columns, mut rest, mut cuts) = (Vec::new(), samples, cuts.iter().cycle());
        while !rest.is_empty() {
            let cut = cuts.next().copied().unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(cut.clamp(1, rest.len()));
            spectrogram.push(now, |column| columns.push(column.to_vec()));
            rest = later;
        }
        spectrogram.finish(|column| columns.push(column.to_vec()));
        columns
    }

    fn chirp(n: usize) -> Vec<f32> {
        (0..n).map(|i| 0.5 * (i as f32 * i as f32 * 1e-4).sin()).collect()
    }

    /// Column `i` by the definition: 64 bits, no FFT, no state.
    fn naive(samples: &[f32], i: usize) -> Vec<f32> {
        use std::f64::consts::TAU;
        let sample = |at: i64| f64::from(*samples.get(at.unsigned_abs() as usize).unwrap_or(&0.0));
        let window: Vec<f64> = (0..N_FFT)
            .map(|k| {
                let hann = 0.5 - 0.5 * (TAU * k as f64 / N_FFT as f64).cos();
                hann * sample((i * HOP_LENGTH + k) as i64 - N_FFT as i64 / 2)
            })
            .collect();
        let power: Vec<f32> = (0..N_BINS)
            .map(|bin| {
                let (mut re, mut im) = (0.0, 0.0);
                for (k, x) in window.iter().enumerate() {
                    let phase = TAU * (bin * k % N_FFT) as f64 / N_FFT as f64;
                    (re, im) = (re + x * phase.cos(), im + x * phase.sin());
                }
                (re * re + im * im) as f32
            })
            .collect();
        let mut bands = vec![0.0; 80];
        MelFilters::new(80, N_BINS, SAMPLE_RATE).apply(&power, &mut bands);
        bands.iter().map(|band| band.max(FLOOR).log10()).collect()
    }

    #[test]
    fn the_fast_transform_is_the_definition() {
        let samples = chirp(3_000);
        for (i, column) in columns(&samples, &[]).iter().enumerate() {
            for (x, expected) in column.iter().zip(naive(&samples, i)) {
                assert!((x.max(-6.0) - expected.max(-6.0)).abs() < 1e-3, "column {i}");
            }
        }
    }

    #[test]
    fn a_column_leaves_half_a_window_after_its_sample() {
        let mut spectrogram = Spectrogram::new(80);
        let mut n = 0;
        for (after, sample) in chirp(1_000).into_iter().enumerate() {
            let due = (after + 1).saturating_sub(N_FFT / 2 + 1 - HOP_LENGTH) / HOP_LENGTH;
            spectrogram.push(&[sample], |_| n += 1);
            // The first one needs sample 200 for its mirror image, the others one less.
            assert!(
                due == n
                    || due.abs_diff(n) == 1 && after % HOP_LENGTH == N_FFT / 2 % HOP_LENGTH - 1
            );
        }
    }

    #[test]
    fn every_160_samples_give_a_column() {
        for (n, due) in [(0, 0), (159, 0), (160, 1), (200, 1), (201, 1), (319, 1), (320, 2)] {
            assert_eq!(columns(&chirp(n), &[64]).len(), due, "{n} samples");
        }
        assert_eq!(columns(&chirp(SAMPLE_RATE), &[64]).len(), 100);
    }

    #[test]
    fn the_end_is_as_if_zeros_followed() {
        let samples = chirp(1_000);
        let padded = [&samples[..], &[0.0; 400]].concat();
        assert_eq!(columns(&samples, &[]), columns(&padded, &[])[..6]);
    }

    #[test]
    fn silence_is_minus_ten() {
        assert!(columns(&[0.0; 4000], &[]).iter().flatten().all(|&x| x == -10.0));
    }

    #[test]
    fn after_finish_and_reset_comes_a_new_stream() {
        let samples = chirp(1000);
        let mut spectrogram = Spectrogram::new(80);
        spectrogram.push(&[1.0; 777], |_| ());
        spectrogram.reset();
        for _ in 0..2 {
            let mut again = Vec::new();
            spectrogram.push(&samples, |column| again.push(column.to_vec()));
            spectrogram.finish(|column| again.push(column.to_vec()));
            assert_eq!(again, columns(&samples, &[]));
        }
    }

    #[test]
    fn nothing_is_allocated_after_new() {
        let (samples, mut spectrogram) = (chirp(5_000), Spectrogram::new(128));
        assert_no_alloc(|| {
            let mut sum = 0.0;
            samples.chunks(77).for_each(|cut| spectrogram.push(cut, |column| sum += column[0]));
            spectrogram.finish(|column| sum += column[0]);
        });
    }

    proptest! {
        #[test]
        fn how_samples_are_cut_makes_no_difference(
            cuts in prop::collection::vec(1usize..700, 1..20),
            n in 0usize..4_000,
        ) {
            let samples = chirp(n);
            prop_assert_eq!(columns(&samples, &cuts), columns(&samples, &[]));
        }
    }
}
