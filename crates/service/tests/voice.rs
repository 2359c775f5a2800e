//! Silero's detector behind WebRTC's: what is noise gives no utterance, and soft speech is heard.
#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;
use std::io::Write;
use std::path::{Path, PathBuf};

use scriven_audio::{Frontend, SegmentConfig, Speech};
use scriven_recognizer::{Compute, Model, Options, Outcome, Precision, Recognizer};
use scriven_service::config::Detector;
use scriven_service::second_opinion;

const N_MELS: usize = 80;

fn heard(detector: Detector, samples: &[f32]) -> Vec<Speech> {
    let mut heard = Vec::new();
    let mut frontend = Frontend::new(N_MELS, &SegmentConfig::default(), second_opinion(detector));
    frontend.push(samples, &mut |speech| heard.push(speech));
    frontend.finish(&mut |speech| heard.push(speech));
    heard
}

fn utterances(heard: &[Speech]) -> usize {
    heard.iter().filter(|speech| matches!(speech, Speech::Start { .. })).count()
}

/// White noise, the same every time.
fn white(n: usize) -> impl Iterator<Item = f32> {
    let mut state = 1u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / (1u32 << 31) as f32 - 1.0
    })
    .take(n)
}

/// A factor that swells slowly, once in `seconds`.
fn swell(i: usize, seconds: f32) -> f32 {
    0.55 - 0.45 * (TAU * i as f32 / 16_000.0 / seconds).cos()
}

#[test]
fn noise_that_webrtc_takes_for_voice_is_no_utterance() {
    let n = 20 * 16_000;
    let mut sum = 0.0;
    let brown = white(n).enumerate().map(|(i, x)| {
        sum = 0.98 * sum + 0.02 * x;
        sum * swell(i, 0.7)
    });
    let brown: Vec<f32> = brown.collect();
    let hum = |i: usize| {
        let wave = |k: usize| (TAU * (50 * k * i % 16_000) as f32 / 16_000.0).sin() / k as f32;
        0.02 * [1, 2, 3, 5, 7, 11].into_iter().map(wave).sum::<f32>() * swell(i, 0.5)
    };
    let hum: Vec<f32> = (0..n).map(hum).collect();
    for (name, samples) in [("brown noise", brown), ("hum", hum)] {
        let alone = utterances(&heard(Detector::Webrtc, &samples));
        assert!(alone > 0, "{name} is nothing to WebRTC's detector: it proves nothing");
        assert_eq!(utterances(&heard(Detector::Silero, &samples)), 0, "{name}");
    }
}

/// A file that `tests/scripts/setup.sh` fetches, or `None` and a word about it.
fn fetched(name: &str) -> Option<PathBuf> {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/cache");
    let path = cache.join(name);
    if !path.exists() {
        let what = format!("SKIPPED: soft speech is heard — no {name}; run make test");
        // Past the harness, which keeps what a test prints.
        drop(writeln!(std::io::stderr(), "{what}"));
        return None;
    }
    Some(path)
}

/// John F. Kennedy at a level in dBFS, rounded to 16 bits.
fn jfk(level: f32) -> Option<Vec<f32>> {
    let bytes = std::fs::read(fetched("jfk.wav")?).unwrap();
    let samples = bytes[bytes.len() - 2 * 176_000..].as_chunks().0.iter();
    let samples: Vec<f32> = samples.map(|&x| f32::from(i16::from_le_bytes(x))).collect();
    let power = samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
    let gain = 10f32.powf(level / 20.0) / power.sqrt();
    Some(samples.iter().map(|x| (x * gain * 32768.0).round() / 32768.0).collect())
}

#[test]
fn soft_speech_is_heard() {
    let (Some(samples), Some(model)) = (jfk(-35.0), fetched("tiny.en/converted")) else { return };
    let model = Model::load(&model, &Compute::Cpu, Precision::default()).unwrap();
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    let mut texts = Vec::new();
    for speech in heard(Detector::Silero, &samples) {
        match speech {
            Speech::Start { .. } => recognizer.reset(),
            Speech::Column(column) => recognizer.push(&column),
            Speech::Quiet { .. } => recognizer.quiet(),
            Speech::Voice { .. } => recognizer.voice(),
            Speech::End { .. } => {
                if let Outcome::Final(found) = recognizer.finish().unwrap() {
                    texts.push(found.text);
                }
            }
        }
    }
    let words: String = texts.join(" ").to_lowercase();
    let words: String = words.chars().filter(|c| c.is_alphabetic() || *c == ' ').collect();
    assert_eq!(
        words,
        "and so my fellow americans ask not what your country can do for you ask what you can do \
         for your country"
    );
}
