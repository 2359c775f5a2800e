//! Sound for the tests: silence and something like a voice, the same every time.

use std::f32::consts::TAU;

use scriven_audio::SAMPLE_RATE;

/// Soft noise.
fn hush(n: usize) -> impl Iterator<Item = f32> {
    let mut state = 1u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state as f32 / (1u32 << 31) as f32 - 1.0) * 0.001
    })
    .take(n)
}

/// An "ah" at 120 Hz: harmonics with the formants of an open vowel, swelling five times a second.
fn vowel(n: usize) -> impl Iterator<Item = f32> {
    let formant = |hz: f32, center: f32| (-((hz - center) / 200.0).powi(2)).exp();
    (0..n).map(move |i| {
        let t = i as f32 / SAMPLE_RATE as f32;
        let harmonics = (1..30).map(|k| 120.0 * k as f32).map(|hz| {
            let weight = formant(hz, 730.0) + 0.5 * formant(hz, 1_090.0) + 0.05;
            weight * (TAU * hz * t).sin()
        });
        0.1 * harmonics.sum::<f32>() * (0.6 - 0.4 * (TAU * 5.0 * t).cos())
    })
}

/// Silence and voice in turn, in seconds.
pub(crate) fn said(turns: &[f32]) -> Vec<f32> {
    let mut samples = Vec::new();
    for (i, seconds) in turns.iter().enumerate() {
        let n = (seconds * SAMPLE_RATE as f32) as usize;
        match i % 2 {
            0 => samples.extend(hush(n)),
            _ => samples.extend(vowel(n).zip(hush(n)).map(|(voice, hush)| voice + hush)),
        }
    }
    samples
}
