//! The Mel filterbank: power per frequency bin in, energy per Mel band out.
//!
//! Part of [`spectrogram`](crate::spectrogram). Only the bins under a triangle are stored: a dense
//! `[n_mels, n_bins]` table is 98 % zeros.
//!
//! Source: `librosa.filters.mel(sr=16000, n_fft=400, n_mels=n_mels)`, which made
//! `whisper/assets/mel_filters.npz`.

use std::ops::Range;

/// Triangular filters, evenly spaced on the Slaney Mel scale from 0 Hz to half the sample rate,
/// each of area 1.
pub(super) struct MelFilters {
    /// For each band the bins under its triangle, as a range of the bins.
    bins: Box<[Range<usize>]>,
    /// The weights of all bands, one behind the other.
    weights: Box<[f32]>,
}

impl MelFilters {
    pub(super) fn new(n_mels: usize, n_bins: usize, sample_rate: usize) -> Self {
        let nyquist = sample_rate as f64 / 2.0;
        let top = hz_to_mel(nyquist);
        let edge = |m: usize| mel_to_hz(top * m as f64 / (n_mels + 1) as f64);

        let mut bins = Vec::with_capacity(n_mels);
        let mut weights = Vec::new();
        for m in 0..n_mels {
            let (left, center, right) = (edge(m), edge(m + 1), edge(m + 2));
            let weight = |bin: usize| {
                let hz = bin as f64 * nyquist / (n_bins - 1) as f64;
                let rise = (hz - left) / (center - left);
                let fall = (right - hz) / (right - center);
                rise.min(fall).max(0.0) * 2.0 / (right - left)
            };
            let first = (0..n_bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let count = (first..n_bins).take_while(|&bin| weight(bin) > 0.0).count();
            bins.push(first..first + count);
            weights.extend((first..first + count).map(|bin| weight(bin) as f32));
        }
        Self { bins: bins.into(), weights: weights.into() }
    }

    /// # Shapes
    ///
    /// - power: `[n_bins]`
    /// - bands: `[n_mels]`, overwritten
    pub(super) fn apply(&self, power: &[f32], bands: &mut [f32]) {
        let mut weights = self.weights.iter();
        for (band, bins) in bands.iter_mut().zip(&self.bins) {
            let power = &power[bins.clone()];
            // `power` goes first: `zip` takes from its left side before it sees the right one end.
            *band = power.iter().zip(weights.by_ref()).map(|(power, weight)| power * weight).sum();
        }
    }
}

/// Linear below 1 kHz (200/3 Hz to the Mel), logarithmic above (27 Mels for a factor of 6.4).
const KNEE: f64 = 15.0;

fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1000.0 { hz * 3.0 / 200.0 } else { KNEE + (hz / 1000.0).ln() * 27.0 / 6.4f64.ln() }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < KNEE { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - KNEE) * 6.4f64.ln() / 27.0).exp() }
}
