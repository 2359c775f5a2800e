//! The daemon with the microphone of a real sound server: noise is played into it, so that each
//! moment of what a session hears can be found in what was played.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use scriven_audio as audio;
use scriven_service::parts::{Input, Parts};

use crate::client::Dict;
use crate::fixture::Fixture;
use crate::microphone::{now, started};

const RATE: u64 = 16_000;
/// How much of the noise is played.
const SECONDS: usize = 60;
/// What is looked for: the first tenth of a second.
const PIECE: usize = 1_600;
/// Samples of white noise in each of ours.
const SMOOTH: usize = 8;

/// All that the microphones of the daemon have delivered, one list a microphone.
pub type Heard = Arc<Mutex<Vec<Vec<f32>>>>;

/// A real microphone, and a copy of all that is read from it.
struct Copied {
    input: Box<dyn Input>,
    heard: Heard,
}

impl audio::Source for Copied {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<audio::Progress, audio::Error> {
        let before = out.len();
        let progress = self.input.read(out)?;
        self.heard.lock().unwrap().last_mut().unwrap().extend(&out[before..]);
        Ok(progress)
    }
}

impl Input for Copied {
    fn name(&self) -> String {
        self.input.name()
    }
}

/// The parts of `parts`, but for the microphone.
pub fn with_real_microphone(parts: Parts, heard: &Heard) -> Parts {
    let (real, heard) = (Parts::real().microphone, heard.clone());
    let microphone = move |options: &_| {
        let input = real(options)?;
        heard.lock().unwrap().push(Vec::new());
        let heard = heard.clone();
        Ok(Box::new(Copied { input, heard }) as Box<dyn Input>)
    };
    Parts { microphone: Arc::new(microphone), ..parts }
}

/// Noise that never repeats, below 2 kHz: half a sample, by which two clocks may differ, makes no
/// difference there.
fn noise() -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        // xorshift32
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32 - 0.5) * 0.5
    };
    let white: Vec<f32> = (0..SECONDS * RATE as usize + SMOOTH).map(|_| next()).collect();
    white.windows(SMOOTH).map(|window| window.iter().sum::<f32>() / SMOOTH as f32).collect()
}

fn play(folder: &Path, samples: &[f32]) -> Child {
    let path = folder.join("noise.wav");
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = hound::WavWriter::create(&path, format).unwrap();
    samples.iter().for_each(|&sample| file.write_sample(sample).unwrap());
    file.finalize().unwrap();
    let mut player = Command::new("pw-play");
    player.args(["--target", "virtmic_in"]).arg(path).stderr(Stdio::null()).spawn().unwrap()
}

/// Where in `played` the `piece` is, at most at `end`, and how alike both are (1: the same).
fn find(piece: &[f32], played: &[f32], end: usize) -> (usize, f32) {
    let norm = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>().sqrt();
    let likeness = |at: usize| {
        let there = &played[at..at + piece.len()];
        let product: f32 = piece.iter().zip(there).map(|(x, y)| x * y).sum();
        product / (norm(piece) * norm(there)).max(f32::MIN_POSITIVE)
    };
    let places = end.saturating_sub(2 * RATE as usize)..end.min(played.len() - piece.len());
    let best = places.map(|at| (at, likeness(at))).max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.unwrap()
}

#[test]
fn the_first_sample_is_real_sound_and_its_time_is_told() {
    if std::env::var_os("SCRIVEN_DESK").is_none() {
        eprintln!(
            "SKIPPED: the first sample of a real microphone — no desk: tests/scripts/desk.sh"
        );
        return;
    }
    let heard = Heard::default();
    let fixture = Fixture::hearing(&heard);
    let noise = noise();
    let played = now();
    let mut player = play(fixture.folder.path(), &noise);
    let mut begins = Vec::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        thread::sleep(Duration::from_secs(1));
        for _ in 0..5 {
            let called = now();
            let session = client.start(Dict::new()).await.unwrap();
            let first = started(&client.signals_until("SessionStarted").await);
            thread::sleep(Duration::from_millis(400));
            client.call::<_, ()>(&session, "Stop", &()).await.unwrap();
            client.signals_until("SessionEnded").await;
            let wait = first.saturating_sub(called) / 1_000;
            // Where nothing else runs it is less: docs/latency.md.
            assert!(wait < 1_000, "{wait} ms from the call to the first sample");
            begins.push(first);
        }
    });
    player.kill().unwrap();
    player.wait().unwrap();

    let mut begun = Vec::new();
    for (first, heard) in begins.iter().zip(heard.lock().unwrap().iter()) {
        let end = ((first - played) * RATE / 1_000_000) as usize;
        let (at, likeness) = find(&heard[..PIECE], &noise, end);
        assert!(likeness > 0.8, "the first samples are those that were played: {likeness}");
        begun.push(first - at as u64 * 1_000_000 / RATE);
    }
    // All sessions agree on when the player began.
    let spread = begun.iter().max().unwrap() - begun.iter().min().unwrap();
    assert!(spread < 40_000, "{spread} µs, from {begun:?}");
}
