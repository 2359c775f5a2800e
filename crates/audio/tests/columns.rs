//! The columns against openai-whisper's, for a signal that `golden/make_columns.py` makes as well.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use scriven_audio::{SAMPLE_RATE, Spectrogram};

/// Whisper clips whatever is this far below the loudest value.
const CLIP: f32 = 8.0;
/// How far 32-bit arithmetic may be from 64-bit; whisper's own is 3e-4 away at most.
const TOLERANCE: f32 = 1e-3;

/// The script's `signal()`.
fn signal() -> Vec<f32> {
    let mut state = 1u32;
    let mut sample = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let t = i as f64 / SAMPLE_RATE as f64;
        let chirp = (TAU * (7_000.0 * t - 1_725.0 * t * t)).sin();
        let noise = f64::from(state) / f64::from(1u32 << 31) - 1.0;
        let x = if i >= 28_000 { 0.0 } else { 0.25 * chirp + 0.001 * noise };
        ((x * 32768.0).round_ties_even() / 32768.0) as f32
    };
    (0..32_000).map(&mut sample).collect()
}

fn check(n_mels: usize, golden: &str) {
    let mut spectrogram = Spectrogram::new(n_mels);
    let mut columns: Vec<Vec<f32>> = Vec::new();
    spectrogram.push(&signal(), |column| columns.push(column.to_vec()));
    spectrogram.finish(|column| columns.push(column.to_vec()));
    assert_eq!(columns.len(), 200);

    let expected: Vec<Vec<f32>> =
        golden.lines().map(|line| line.split(' ').map(|x| x.parse().unwrap()).collect()).collect();
    let loudest = expected.iter().flatten().copied().fold(f32::MIN, f32::max);
    let mut worst = 0.0f32;
    for (column, expected) in columns.iter().step_by(10).zip(&expected) {
        assert_eq!(column.len(), expected.len());
        for (x, expected) in column.iter().zip(expected) {
            worst = worst.max((x.max(loudest - CLIP) - expected.max(loudest - CLIP)).abs());
        }
    }
    assert!(worst < TOLERANCE, "{worst} apart");
}

#[test]
fn eighty_bands_are_those_of_whisper() {
    check(80, include_str!("golden/columns_80.txt"));
}

#[test]
fn one_hundred_and_twenty_eight_bands_are_those_of_whisper() {
    check(128, include_str!("golden/columns_128.txt"));
}
