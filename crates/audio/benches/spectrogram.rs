//! CPU time of the stages behind the ring, for one second of sound.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scriven_audio::resample::Resampler;
use scriven_audio::{Frontend, SAMPLE_RATE, SegmentConfig, Spectrogram};

/// One second with something in every band.
fn sound(rate: usize) -> Vec<f32> {
    (0..rate).map(|i| 0.3 * (i as f32 * i as f32 * 1e-4).sin()).collect()
}

fn spectrogram(criterion: &mut Criterion) {
    let samples = sound(SAMPLE_RATE);
    for n_mels in [80, 128] {
        let mut spectrogram = Spectrogram::new(n_mels);
        criterion.bench_function(&format!("spectrogram of 1 s, {n_mels} bands"), |bencher| {
            bencher.iter(|| spectrogram.push(&samples, |column| _ = black_box(column[0])));
        });
    }
}

fn resample(criterion: &mut Criterion) {
    for rate in [44_100, 48_000] {
        let (mut resampler, mut out) = (Resampler::new(rate as u32), Vec::new());
        let samples = sound(rate);
        criterion.bench_function(&format!("resample 1 s from {rate} Hz"), |bencher| {
            bencher.iter(|| {
                out.clear();
                resampler.push(&samples, &mut out);
            });
        });
    }
}

fn frontend(criterion: &mut Criterion) {
    let (mut frontend, samples) = (Frontend::new(80, SegmentConfig::default()), sound(SAMPLE_RATE));
    criterion.bench_function("frontend, 1 s", |bencher| {
        bencher.iter(|| frontend.push(&samples, &mut |speech| _ = black_box(speech)));
    });
}

criterion_group!(benches, spectrogram, resample, frontend);
criterion_main!(benches);
