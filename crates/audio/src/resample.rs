//! Resampler: mono samples at the rate of a device or file in, 16 kHz out.
//!
//! Second stage of the audio path: capture → **resample** → segment → spectrogram. It runs on the
//! analysis thread. 16 kHz passes through untouched, to the bit.
//!
//! The filter is rubato's windowed sinc: flat up to 7.5 kHz, aliases 92 dB down. Its delay is taken
//! out again, so that sample 0 stays sample 0.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction, calculate_cutoff,
};

use crate::SAMPLE_RATE;

/// Filter length in samples of the slower side. Half would lose the band above 7 kHz, twice as
/// much would double the delay of 4 ms for half a band that no speech needs.
const FILTER_LEN: usize = 128;
const WINDOW: WindowFunction = WindowFunction::BlackmanHarris;
/// Up to here the filter's phases are computed exactly (44.1 kHz needs 160), beyond they are
/// interpolated.
const MAX_EXACT_PHASES: usize = 640;
/// Blocks of 1/200 s: what the resampler waits for before it computes.
const BLOCKS_PER_SECOND: usize = 200;
/// The slowest and the fastest input. Beyond are mistakes and lies, which would cost memory.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Turns a stream of samples at one rate into 16 kHz.
pub struct Resampler {
    /// `None` when the input is 16 kHz already.
    filter: Option<Filter>,
}

impl Resampler {
    /// Builds the filter for input at `rate` Hz.
    ///
    /// # Panics
    ///
    /// If `rate` is outside of [`RATES`]; sources check before.
    pub fn new(rate: u32) -> Self {
        assert!(RATES.contains(&rate), "sample rate {rate} is out of range");
        let filter = (rate as usize != SAMPLE_RATE).then(|| Filter::new(rate as usize));
        Self { filter }
    }

    /// Takes samples and appends what they give to `out`.
    ///
    /// How the samples are cut into calls makes no difference: the filter only ever sees blocks
    /// of 5 ms.
    ///
    /// # Shapes
    ///
    /// - samples: `[n]`, mono, at the input's rate
    /// - out: grows by about `n * 16_000 / rate`, late by up to 9 ms
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        match &mut self.filter {
            None => out.extend_from_slice(samples),
            Some(filter) => filter.push(samples, out),
        }
    }

    /// Appends what the filter still holds and forgets the stream.
    ///
    /// In all, `n` samples in give `n * 16_000 / rate` samples out, rounded.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        if let Some(filter) = &mut self.filter {
            filter.finish(out);
        }
    }
}

struct Filter {
    rate: usize,
    inner: Async<f32>,
    /// Input waiting until `block_len` of it are there.
    block: Vec<f32>,
    block_len: usize,
    result: Box<[f32]>,
    /// Zeros before sample 0, and results to throw away for them and the filter's delay.
    lead_in: usize,
    lead_out: usize,
    /// Results still to throw away.
    skip: usize,
    n_in: u64,
    n_out: u64,
}

impl Filter {
    fn new(rate: usize) -> Self {
        let common = gcd(rate, SAMPLE_RATE);
        let (step, phases) = (rate / common, SAMPLE_RATE / common);
        let len = (FILTER_LEN * rate.div_ceil(SAMPLE_RATE)).next_multiple_of(8);
        let exact = phases <= MAX_EXACT_PHASES;
        let parameters = SincInterpolationParameters::new(len, WINDOW)
            .f_cutoff(calculate_cutoff(len * SAMPLE_RATE.min(rate) / rate, WINDOW))
            .oversampling_factor(if exact { phases } else { 256 })
            .interpolation(match exact {
                true => SincInterpolationType::Nearest,
                false => SincInterpolationType::Cubic,
            });
        let ratio = SAMPLE_RATE as f64 / rate as f64;
        let block_len = rate / BLOCKS_PER_SECOND;
        let inner = Async::new_sinc(ratio, 1.0, &parameters, block_len, 1, FixedAsync::Input)
            .expect("the rate was checked, and the rest is constant");
        let (lead_in, lead_out) = alignment(len, step, phases);
        let mut filter = Self {
            rate,
            block: Vec::with_capacity(block_len),
            block_len,
            result: vec![0.0; inner.output_frames_max()].into(),
            inner,
            lead_in,
            lead_out,
            skip: 0,
            n_in: 0,
            n_out: 0,
        };
        filter.reset();
        filter
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.block.clear();
        (self.n_in, self.n_out, self.skip) = (0, 0, self.lead_out);
        for _ in 0..self.lead_in {
            self.feed(&[0.0], &mut Vec::new());
        }
    }

    fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.n_in += samples.len() as u64;
        self.feed(samples, out);
    }

    fn finish(&mut self, out: &mut Vec<f32>) {
        let due = (self.n_in * SAMPLE_RATE as u64 * 2 + self.rate as u64) / (self.rate as u64 * 2);
        while self.n_out < due {
            self.feed(&[0.0; 64], out);
        }
        out.truncate(out.len() - (self.n_out - due) as usize);
        self.reset();
    }

    fn feed(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        while !samples.is_empty() {
            let missing = self.block_len - self.block.len();
            let (now, later) = samples.split_at(samples.len().min(missing));
            self.block.extend_from_slice(now);
            samples = later;
            if now.len() == missing {
                self.convert(out);
                self.block.clear();
            }
        }
    }

    /// Runs the filter over one full block.
    fn convert(&mut self, out: &mut Vec<f32>) {
        const FITS: &str = "the buffers have the sizes the filter asked for";
        let room = self.result.len();
        let block = InterleavedSlice::new(&self.block, 1, self.block_len).expect(FITS);
        let mut result = InterleavedSlice::new_mut(&mut self.result, 1, room).expect(FITS);
        let (_, n) = self.inner.process_into_buffer(&block, &mut result, None).expect(FITS);
        let skipped = self.skip.min(n);
        self.skip -= skipped;
        self.n_out += (n - skipped) as u64;
        out.extend_from_slice(&self.result[skipped..n]);
    }
}

/// How many zeros to feed before sample 0 and how many results to drop, so that the first result
/// kept is centered exactly on sample 0.
///
/// rubato centers its result `j` on input sample `((j + 1) * step + 1) / phases - len / 2`. This is
/// 0 for the right count of leading zeros; where finding it could take many (an odd rate), the
/// nearest result is at most 31 µs away, and good enough.
fn alignment(len: usize, step: usize, phases: usize) -> (usize, usize) {
    let target = |lead_in: usize| (len / 2 + lead_in) * phases - 1;
    let exact = (0..step.min(4096)).find(|&lead_in| target(lead_in).is_multiple_of(step));
    let lead_in = exact.unwrap_or(0);
    let results = (target(lead_in) + step / 2) / step;
    (lead_in, results.saturating_sub(1))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    /// The one place that knows how to drive a [`Resampler`].
    fn resampled(rate: u32, samples: &[f32], cuts: &[usize]) -> Vec<f32> {
        let mut resampler = Resampler::new(rate);
        let (mut out, mut rest, mut cuts) = (Vec::new(), samples, cuts.iter().cycle());
        while !rest.is_empty() {
            let cut = cuts.next().copied().unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(cut.clamp(1, rest.len()));
            resampler.push(now, &mut out);
            rest = later;
        }
        resampler.finish(&mut out);
        out
    }

    fn tone(rate: u32, hz: f64, n: usize) -> Vec<f32> {
        (0..n).map(|i| (0.5 * (TAU * hz * i as f64 / f64::from(rate)).sin()) as f32).collect()
    }

    const USUAL: [u32; 10] =
        [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];

    #[test]
    fn sixteen_kilohertz_pass_through_to_the_bit() {
        let samples = tone(16_000, 440.0, 1_234);
        assert_eq!(resampled(16_000, &samples, &[7, 100]), samples);
    }

    #[test]
    fn the_length_is_that_of_the_input_rounded() {
        for rate in USUAL.into_iter().chain([1_000, 44_099, 47_999, 768_000]) {
            for n in [0, 1, 2, 99, 1_000, 30_011] {
                let due = (n as f64 * 16_000.0 / f64::from(rate)).round() as usize;
                assert_eq!(resampled(rate, &vec![0.1; n], &[333]).len(), due, "{n} at {rate} Hz");
            }
        }
    }

    #[test]
    fn a_tone_keeps_its_place_and_its_level() {
        for rate in USUAL.into_iter().chain([44_099, 47_999]) {
            let out = resampled(rate, &tone(rate, 1_000.0, rate as usize), &[]);
            let expected = tone(16_000, 1_000.0, 16_000);
            let apart = |i: usize| (out[i] - expected[i]).abs();
            // A full sample of delay would be 0.2 apart; odd rates may be half a sample late.
            let allowed = if USUAL.contains(&rate) { 2e-4 } else { 0.1 };
            let worst = (200..15_800).map(apart).fold(0.0, f32::max);
            assert!(worst < allowed, "{worst} at {rate} Hz");
        }
    }

    #[test]
    fn what_would_fold_back_is_gone() {
        for hz in [8_600.0, 12_000.0, 15_000.0, 20_000.0] {
            let out = resampled(48_000, &tone(48_000, hz, 48_000), &[]);
            let loudest = out[400..15_600].iter().fold(0.0f32, |loudest, x| loudest.max(x.abs()));
            assert!(loudest < 1e-4, "{hz} Hz comes through at {loudest}");
        }
    }

    #[test]
    fn after_finish_comes_a_new_stream() {
        let samples = tone(44_100, 300.0, 5_000);
        let mut resampler = Resampler::new(44_100);
        let mut first = Vec::new();
        resampler.push(&samples, &mut first);
        resampler.finish(&mut first);
        let mut second = Vec::new();
        resampler.push(&samples, &mut second);
        resampler.finish(&mut second);
        assert_eq!(first, second);
    }

    proptest! {
        #[test]
        fn how_samples_are_cut_makes_no_difference(
            cuts in prop::collection::vec(1usize..900, 1..20),
            rate in prop::sample::select(USUAL.as_slice()),
        ) {
            let samples = tone(rate, 700.0, 7_000);
            prop_assert_eq!(resampled(rate, &samples, &cuts), resampled(rate, &samples, &[]));
        }
    }
}
