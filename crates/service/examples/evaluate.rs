//! Runs a set of recordings through the recognizer and writes what it heard, to be scored.
//!
//! ```text
//! evaluate MANIFEST MODEL_FOLDER offline|live [NAME=VALUE ...] > HYP.tsv
//! ```
//!
//! `offline` is the way of `scriven transcribe`. `live` is the way of dictation, but as fast as the
//! machine can. The manifest is a TSV whose header names the columns `id`, `file` and `language`;
//! files lie beside it. Each line of the output is `id<TAB>text`.
//!
//! With `events=FOLDER`, live runs also leave an event log for each recording there: one JSON line
//! for each change of the text, at the time of the sound that had been heard by then, as if
//! computing took no time.
//!
//! `precision=f32|int8` is how weights are held, `interval=MS` how much new sound a live step waits
//! for (300), `kind=KIND` takes only recordings of one kind; `pad`, `pause_pad`, `kept_silence`, `draft_bias`,
//! `long_window`, `context`, `believed`, `end_guard`, `sure`, `unsure_guard` and `unsure_wait` are the
//! numbers of `Tuning`.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{Frontend, Progress, SegmentConfig, Source, Spectrogram, Speech};
use scriven_recognizer::{Compute, Model, Options, Outcome, Precision, Recognizer, Tuning};
use serde_json::json;

/// What the command line asks for.
struct Settings {
    precision: Precision,
    /// Milliseconds of sound from one live step to the next.
    interval: usize,
    kind: Option<String>,
    events: Option<PathBuf>,
    tuning: Tuning,
}

impl Settings {
    fn parse(args: &[String]) -> Result<Self> {
        let mut settings = Self {
            precision: Precision::default(),
            interval: 300,
            kind: None,
            events: None,
            tuning: Tuning::default(),
        };
        for arg in args {
            let (name, value) = arg.split_once('=').context("settings are NAME=VALUE")?;
            let tuning = &mut settings.tuning;
            match name {
                "precision" if value == "f32" => settings.precision = Precision::F32,
                "precision" if value == "int8" => settings.precision = Precision::Int8,
                "interval" => settings.interval = value.parse()?,
                "kind" => settings.kind = Some(value.into()),
                "events" => settings.events = Some(value.into()),
                "pad" => tuning.pad = value.parse()?,
                "pause_pad" => tuning.pause_pad = value.parse()?,
                "kept_silence" => tuning.kept_silence = value.parse()?,
                "draft_bias" => tuning.draft_bias = value.parse()?,
                "believed" => tuning.commit.believed = value.parse()?,
                "end_guard" => tuning.commit.end_guard = value.parse()?,
                "sure" => tuning.commit.sure = value.parse()?,
                "unsure_guard" => tuning.commit.unsure_guard = value.parse()?,
                "unsure_wait" => tuning.commit.unsure_wait = value.parse()?,
                "long_window" => tuning.long_window = value.parse()?,
                "context" => tuning.context = value.parse()?,
                _ => bail!("{arg}: no such setting"),
            }
        }
        Ok(settings)
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [manifest, model, mode, rest @ ..] = args.as_slice() else {
        bail!("usage: evaluate MANIFEST MODEL_FOLDER offline|live [NAME=VALUE ...]");
    };
    let settings = Settings::parse(rest)?;
    let model = Model::load(Path::new(model), &Compute::Cpu, settings.precision)?;
    let table = std::fs::read_to_string(manifest)?;
    let folder = Path::new(manifest).parent().context("manifest")?;
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().context("empty manifest")?.split('\t').collect();
    let column = |name| header.iter().position(|h| *h == name).context("column missing");
    let (id, file, language) = (column("id")?, column("file")?, column("language")?);
    let kind = column("kind").ok();
    let (started, mut heard) = (Instant::now(), 0);
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        if settings.kind.as_deref().is_some_and(|wanted| kind.map(|at| fields[at]) != Some(wanted))
        {
            continue;
        }
        let languages = match fields[language] {
            "-" | "" => vec![],
            code => vec![code.to_owned()],
        };
        let options = Options { languages, ..Options::default() };
        if options.check(&model).is_err() {
            continue;
        }
        let samples = read(&folder.join(fields[file]))?;
        heard += samples.len();
        let text = match mode.as_str() {
            "offline" => offline(&model, &options, &samples)?,
            "live" => {
                let log = settings.events.as_ref();
                let log = log.map(|dir| File::create(dir.join(format!("{}.jsonl", fields[id]))));
                live(&model, &options, &samples, &settings, EventLog::new(log.transpose()?))?
            }
            mode => bail!("{mode} is neither offline nor live"),
        };
        writeln!(std::io::stdout(), "{}\t{}", fields[id], text.replace(['\t', '\n'], " "))?;
    }
    let (seconds, sound) = (started.elapsed().as_secs_f32(), heard as f32 / 16_000.0);
    writeln!(std::io::stderr(), "{sound:.0} s of sound in {seconds:.0} s")?;
    Ok(())
}

/// All samples of a recording, 16 kHz.
fn read(path: &Path) -> Result<Vec<f32>> {
    let mut source = FileSource::open(File::open(path)?, Pace::AsFast)?;
    let mut samples = Vec::new();
    while source.read(&mut samples)? != Progress::Ended {}
    Ok(samples)
}

fn offline(model: &Model, options: &Options, samples: &[f32]) -> Result<String> {
    let mut columns = Vec::new();
    let mut spectrogram = Spectrogram::new(model.n_mels());
    spectrogram.push(samples, |column: &[f32]| columns.extend_from_slice(column));
    spectrogram.finish(|column: &[f32]| columns.extend_from_slice(column));
    let mut voiced = Vec::new();
    let mut began = 0;
    speech(model, samples, samples.len(), |event| {
        match event {
            Speech::Start { at } => began = at as usize / 160,
            Speech::End { at } => voiced.push(began..(at as usize).div_ceil(160)),
            _ => {}
        }
        Ok(())
    })?;
    let found =
        model.transcribe(&columns, &voiced, options, &mut |_, _| ControlFlow::Continue(()))?;
    let texts: Vec<String> = found.segments.into_iter().map(|segment| segment.text).collect();
    Ok(texts.join(" "))
}

fn live(
    model: &Model,
    options: &Options,
    samples: &[f32],
    settings: &Settings,
    mut log: EventLog,
) -> Result<String> {
    let tuning = settings.tuning.clone();
    let mut recognizer = Recognizer::tuned(model.clone(), options.clone(), tuning)?;
    let mut texts: Vec<String> = Vec::new();
    let (mut now, mut since_step) = (0.0, 0);
    speech(model, samples, 320, |event| {
        match event {
            Speech::Start { at } => {
                now = at as f64 / 16_000.0;
                recognizer.reset();
            }
            Speech::Column(column) => {
                recognizer.push(&column);
                now += 0.01;
                since_step += 10;
                if since_step >= settings.interval {
                    log.step(now, &texts, &mut recognizer)?;
                    since_step = 0;
                }
            }
            Speech::Quiet { .. } => {
                recognizer.quiet();
                log.step(now, &texts, &mut recognizer)?;
            }
            Speech::Voice { .. } => recognizer.voice(),
            Speech::End { .. } => {
                let started = Instant::now();
                if let Outcome::Final(found) = recognizer.finish()? {
                    texts.push(found.text);
                }
                log.write(now, started.elapsed(), &texts.join(" "), "")?;
            }
        }
        Ok(())
    })?;
    log.end(samples.len() as f64 / 16_000.0)?;
    Ok(texts.join(" "))
}

/// What a live run shows, and when.
struct EventLog {
    file: Option<File>,
    last: (String, String),
    updates: usize,
}

impl EventLog {
    fn new(file: Option<File>) -> Self {
        Self { file, last: Default::default(), updates: 0 }
    }

    fn step(&mut self, now: f64, finals: &[String], recognizer: &mut Recognizer) -> Result<()> {
        let started = Instant::now();
        let Some(partial) = recognizer.step()? else { return Ok(()) };
        self.updates += 1;
        let committed = [&finals.join(" "), partial.committed.as_str()].join(" ");
        self.write(now, started.elapsed(), committed.trim(), &partial.tentative)
    }

    fn write(&mut self, now: f64, took: Duration, committed: &str, partial: &str) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let shown = (committed.to_owned(), partial.to_owned());
        if shown != self.last {
            let line = json!({
                "now": now, "audio_end": now, "wall_ms": took.as_secs_f64() * 1e3, "cpu_ms": 0,
                "committed": committed, "partial": partial,
            });
            writeln!(file, "{line}")?;
            self.last = shown;
        }
        Ok(())
    }

    fn end(&mut self, audio: f64) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = json!({
            "summary": 1, "audio": audio, "updates": self.updates, "cpu_s": 0, "rss_mb": 0,
        });
        Ok(writeln!(file, "{line}")?)
    }
}

/// Runs samples through the front end in blocks.
fn speech(
    model: &Model,
    samples: &[f32],
    block: usize,
    mut take: impl FnMut(Speech) -> Result<()>,
) -> Result<()> {
    let mut frontend = Frontend::new(model.n_mels(), SegmentConfig::default());
    let mut events = Vec::new();
    for samples in samples.chunks(block.max(1)) {
        frontend.push(samples, &mut |event| events.push(event));
        events.drain(..).try_for_each(&mut take)?;
    }
    frontend.finish(&mut |event| events.push(event));
    events.drain(..).try_for_each(&mut take)
}
