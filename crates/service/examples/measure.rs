//! Measures the recognizer for `make bench`: what it prints is put beside what other programs take.
//!
//! ```text
//! measure WEIGHTS_FOLDER RECORDING parts|file [RUNS]
//! ```
//!
//! `parts` is the encoder at three lengths of the window, alone and with the keys and values of the
//! decoder; the milliseconds a token, in a greedy search over 1,500 positions; and the verification
//! of 20 tokens. `file` is the whole way of `scriven transcribe`, with the model loaded. Each is the
//! median of RUNS runs (9) behind one that does not count. Output: a JSON object a line, `what`,
//! `value` and `unit`, and at last `text`.
//!
//! Weights that are not in our format are converted once, into `converted` below their folder.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rustix::time::{ClockId, clock_gettime};
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::segment::{Piece, Segmenter};
use scriven_audio::{Progress, SegmentConfig, Source, Spectrogram};
use scriven_recognizer::bench::{Window, encode};
use scriven_recognizer::{Compute, Model, Options, Precision, weights};
use scriven_service::config::Detector;
use scriven_service::second_opinion;
use serde_json::json;

/// Positions of the encoder: windows of 5, 10 and 30 seconds.
const LENGTHS: [usize; 3] = [256, 512, 1500];
/// Tokens of the short search; what the long one takes more is for the tokens behind them.
const FEW: usize = 5;
/// More than the recording has.
const ENOUGH: usize = 200;
/// Tokens that are verified.
const DRAFT: usize = 20;
/// Samples in a column.
const HOP: u64 = 160;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, recording, what, runs @ ..] = args.as_slice() else {
        bail!("usage: measure WEIGHTS_FOLDER RECORDING parts|file [RUNS]");
    };
    let runs = runs.first().map_or(Ok(9), |runs| runs.parse())?;
    let folder = converted(Path::new(folder))?;
    let model = Model::load(&folder, &Compute::Cpu, Precision::default())?;
    match what.as_str() {
        "parts" => parts(&model, Path::new(recording), runs),
        "file" => file(&model, Path::new(recording), runs),
        what => bail!("{what} is neither parts nor file"),
    }
}

fn converted(folder: &Path) -> Result<PathBuf> {
    if weights::is_cache(folder) {
        return Ok(folder.into());
    }
    let cache = folder.join("converted");
    if !weights::is_cache(&cache) {
        weights::convert(folder, &cache, &mut |_, _| ())?;
    }
    Ok(cache)
}

fn parts(model: &Model, recording: &Path, runs: usize) -> Result<()> {
    let (columns, _) = hear(model, recording)?;
    for n_ctx in LENGTHS {
        let [alone, whole] = [false, true].map(|with_keys| {
            median(runs, || {
                let features = encode(model, &columns, n_ctx);
                black_box(with_keys.then(|| Window::new(model, &features)));
                Ok(())
            })
        });
        say(&format!("encoder-{n_ctx}"), alone?, "ms")?;
        say(&format!("encoder-keys-{n_ctx}"), whole?, "ms")?;
    }
    let window = Window::new(model, &encode(model, &columns, LENGTHS[2]));
    let tokens = window.search(&[], ENOUGH)?;
    ensure!(tokens.len() >= DRAFT, "the recording has only {} tokens", tokens.len());
    let few = median(runs, || Ok(window.search(&[], FEW).map(drop)?))?;
    let all = median(runs, || Ok(window.search(&[], ENOUGH).map(drop)?))?;
    // The end of the text is a token too, and so is the one that a used up budget leaves out.
    say("token", (all - few) / (tokens.len() - FEW) as f64, "ms")?;
    let draft = &tokens[..DRAFT];
    say("verify-20", median(runs, || Ok(window.search(draft, DRAFT).map(drop)?))?, "ms")?;
    tell(&window.text(&tokens))
}

fn file(model: &Model, recording: &Path, runs: usize) -> Result<()> {
    let options = Options { languages: vec!["en".into()], ..Options::default() };
    let transcribe = || -> Result<String> {
        let (columns, voiced) = hear(model, recording)?;
        let go_on = &mut |_: usize, _: &[_]| ControlFlow::Continue(());
        let segments = model.transcribe(&columns, &voiced, &options, go_on)?.segments;
        Ok(segments.into_iter().map(|segment| segment.text).collect::<Vec<_>>().join(" "))
    };
    let text = transcribe()?;
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        transcribe()?;
        walls.push(wall.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
    }
    say("file-11s-wall", middle(walls), "s")?;
    say("file-11s-cpu", middle(cpus), "s")?;
    tell(&text)
}

/// Columns and voiced columns of a recording, as a session of the daemon takes them.
fn hear(model: &Model, recording: &Path) -> Result<(Vec<f32>, Vec<Range<usize>>)> {
    let file = File::open(recording).with_context(|| recording.display().to_string())?;
    let mut source = FileSource::open(file, Pace::AsFast)?;
    let mut spectrogram = Spectrogram::new(model.n_mels());
    let detector = second_opinion(Detector::default());
    let mut segmenter = Segmenter::new(&SegmentConfig::default(), detector);
    let (mut samples, mut columns, mut voiced, mut began) = (vec![], vec![], vec![], 0);
    let mut note = |piece: Piece| match piece {
        Piece::Start { at } => began = (at / HOP) as usize,
        Piece::End { at } => voiced.push(began..at.div_ceil(HOP) as usize),
        _ => {}
    };
    loop {
        samples.clear();
        let progress = source.read(&mut samples)?;
        spectrogram.push(&samples, |column| columns.extend_from_slice(column));
        segmenter.push(&samples, &mut note);
        if progress == Progress::Ended {
            spectrogram.finish(|column| columns.extend_from_slice(column));
            segmenter.finish(&mut note);
            return Ok((columns, voiced));
        }
    }
}

/// Milliseconds of `work`.
fn median(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(middle(times))
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn say(what: &str, value: f64, unit: &str) -> Result<()> {
    let line = json!({ "what": what, "value": value, "unit": unit });
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn tell(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", json!({ "text": text.trim() }))?)
}
