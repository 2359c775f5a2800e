//! Runs a set of recordings through the recognizer and writes what it heard, to be scored.
//!
//! ```text
//! evaluate MANIFEST MODEL_FOLDER offline|live|drafts|speech [NAME=VALUE ...] > HYP.tsv
//! ```
//!
//! `offline` is the way of `scriven transcribe`. `live` is the way of dictation, but as fast as the
//! machine can. `speech` recognizes nothing: its text is where each utterance was heard, as
//! `heard:start-end` in seconds. The manifest is a TSV whose header names the columns `id`, `file`
//! and `language`; files lie beside it. Each line of the output is `id<TAB>text`.
//!
//! `drafts` checks that the verification of drafts is exact: what a greedy search finds in the first 30 seconds, in
//! the full window and in one as short as live recognition takes it, is given back to it as its own draft, whole and
//! with its middle token changed, and has to come out again; else the run ends. Its text is how many tokens there were.
//!
//! With `events=FOLDER`, live runs also leave an event log for each recording there: one JSON line for each change of
//! the text, at the time of the sound that had been heard by then, as if computing took no time. With `words=true` it
//! has a line for each step, with all words of the hypothesis (text, start, end, probability) that are shown: all of
//! them with `believed=0`. From this `tests/measure/commit_rules.py` tells what other rules would have committed.
//!
//! `precision=f32|int8` is how weights are held, `interval=MS` how much new sound a live step waits for (300),
//! `kind=KIND` takes only recordings of one kind, `level=DBFS` brings all to one level; `vad=webrtc|silero` is what
//! detects voice, and for the latter `sure_of_voice=PERCENT` and `onset=MS` how readily; `hangover=MS` how long a
//! pause has to last to be told; `pad`, `doubt_pad`, `pause_pad`, `bucket`, `kept_silence`, `draft_bias`,
//! `long_window`, `context`, `believed`, `end_guard`, `sure`, `unsure_guard`, `unsure_wait` and `settled` are the
//! numbers of `Tuning`. `temperature`, `best_of`, `beam_size`, `prompt` and `condition=true` say how whole files are
//! decoded. `hotwords=FILE` names a file of one hotword a line, `hotword_boost` how strongly they are preferred.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{Frontend, Progress, SegmentConfig, Source, Spectrogram, Speech};
use scriven_recognizer::bench::{Window, encode};
use scriven_recognizer::{
    Compute, Decoding, Model, Options, Outcome, Precision, Recognizer, Tuning, Word,
};
use scriven_service::config::Detector;
use scriven_service::second_opinion;
use serde_json::json;

/// What the command line asks for.
struct Settings {
    precision: Precision,
    /// Milliseconds of sound from one live step to the next.
    interval: usize,
    kind: Option<String>,
    events: Option<PathBuf>,
    /// Whether these have the words of each step.
    words: bool,
    detector: Detector,
    segments: SegmentConfig,
    level: Option<f32>,
    tuning: Tuning,
    decoding: Decoding,
    hotwords: Vec<String>,
    hotword_boost: f32,
}

impl Settings {
    fn parse(args: &[String]) -> Result<Self> {
        let mut settings = Self {
            precision: Precision::default(),
            interval: 300,
            kind: None,
            events: None,
            words: false,
            detector: Detector::default(),
            segments: SegmentConfig::default(),
            level: None,
            tuning: Tuning::default(),
            decoding: Decoding::default(),
            hotwords: Vec::new(),
            hotword_boost: Options::default().hotword_boost,
        };
        for arg in args {
            let (name, value) = arg.split_once('=').context("settings are NAME=VALUE")?;
            let Self { tuning, decoding, .. } = &mut settings;
            match name {
                "precision" if value == "f32" => settings.precision = Precision::F32,
                "precision" if value == "int8" => settings.precision = Precision::Int8,
                "interval" => settings.interval = value.parse()?,
                "kind" => settings.kind = Some(value.into()),
                "events" => settings.events = Some(value.into()),
                "words" => settings.words = value.parse()?,
                "vad" if value == "webrtc" => settings.detector = Detector::Webrtc,
                "vad" if value == "silero" => settings.detector = Detector::Silero,
                "sure_of_voice" => settings.segments.second_opinion_percent = value.parse()?,
                "onset" => settings.segments.second_opinion_onset_ms = value.parse()?,
                "hangover" => settings.segments.hangover_ms = value.parse()?,
                "level" => settings.level = Some(value.parse()?),
                "pad" => tuning.pad = value.parse()?,
                "doubt_pad" => tuning.doubt_pad = value.parse()?,
                "pause_pad" => tuning.pause_pad = value.parse()?,
                "bucket" => tuning.bucket = value.parse()?,
                "kept_silence" => tuning.kept_silence = value.parse()?,
                "draft_bias" => tuning.draft_bias = value.parse()?,
                "believed" => tuning.commit.believed = value.parse()?,
                "end_guard" => tuning.commit.end_guard = value.parse()?,
                "sure" => tuning.commit.sure = value.parse()?,
                "unsure_guard" => tuning.commit.unsure_guard = value.parse()?,
                "unsure_wait" => tuning.commit.unsure_wait = value.parse()?,
                "settled" => tuning.settled = value.parse()?,
                "long_window" => tuning.long_window = value.parse()?,
                "context" => tuning.context = value.parse()?,
                "hotwords" => {
                    let words = std::fs::read_to_string(value)?;
                    settings.hotwords = words.lines().map(str::to_owned).collect();
                }
                "hotword_boost" => settings.hotword_boost = value.parse()?,
                "beam_size" => decoding.beam_size = value.parse()?,
                "prompt" => decoding.prompt = value.into(),
                "temperature" => decoding.temperature = value.parse()?,
                "best_of" => decoding.best_of = value.parse()?,
                "condition" => decoding.condition_on_previous_text = value.parse()?,
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
        let options = Options {
            languages,
            hotwords: settings.hotwords.clone(),
            hotword_boost: settings.hotword_boost,
            decoding: settings.decoding.clone(),
            ..Options::default()
        };
        if options.check(&model).is_err() {
            continue;
        }
        let mut samples = read(&folder.join(fields[file]))?;
        if let Some(level) = settings.level {
            bring_to(level, &mut samples);
        }
        heard += samples.len();
        let text = match mode.as_str() {
            "offline" => offline(&model, &options, &samples, &settings)?,
            "drafts" => drafts(&model, &samples)?,
            "speech" => utterances(&model, &samples, &settings)?,
            "live" => {
                let log = settings.events.as_ref();
                let log = log.map(|dir| File::create(dir.join(format!("{}.jsonl", fields[id]))));
                let log = EventLog::new(log.transpose()?, settings.words);
                live(&model, &options, &samples, &settings, log)?
            }
            mode => bail!("{mode} is neither offline, live, drafts nor speech"),
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

/// Scales samples to a level in dBFS, and rounds them as a microphone of 16 bits does.
fn bring_to(level: f32, samples: &mut [f32]) {
    let power = samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
    let gain = 10f32.powf(level / 20.0) / power.sqrt().max(1e-9);
    samples.iter_mut().for_each(|x| *x = (*x * gain * 32768.0).round() / 32768.0);
}

/// Where each utterance was heard to begin, and from and to where it lasts.
fn utterances(model: &Model, samples: &[f32], settings: &Settings) -> Result<String> {
    let config = &settings.segments;
    let mut frontend = Frontend::new(model.n_mels(), config, second_opinion(settings.detector));
    let seconds = |at: u64| at as f32 / 16_000.0;
    let mut found = Vec::new();
    let mut take = |now: u64, event| match event {
        Speech::Start { at } => found.push(format!("{:.2}:{:.2}", seconds(now), seconds(at))),
        Speech::End { at } => found.push(format!("-{:.2} ", seconds(at))),
        _ => {}
    };
    for samples in samples.chunks(320) {
        let now = frontend.position() + samples.len() as u64;
        frontend.push(samples, &mut |event| take(now, event));
    }
    frontend.finish(&mut |event| take(0, event));
    Ok(found.concat().trim_end().into())
}

/// Searches with the result of a search as its draft.
fn drafts(model: &Model, samples: &[f32]) -> Result<String> {
    const WINDOW: usize = 3000;
    const PAD: usize = 256;
    let columns = columns(model, samples);
    let columns = &columns[..columns.len().min(WINDOW * model.n_mels())];
    let sound = columns.len() / model.n_mels() / 2;
    let mut n_tokens = 0;
    for n_ctx in [WINDOW / 2, (sound + PAD).next_multiple_of(64).min(WINDOW / 2)] {
        let window = Window::new(model, &encode(model, columns, n_ctx));
        let plain = window.search(&[], 224)?;
        let mut wrong = plain.clone();
        if let Some(token) = wrong.get_mut(plain.len() / 2) {
            *token += 1;
        }
        for draft in [&plain, &wrong] {
            ensure!(window.search(draft, 224)? == plain, "a draft has changed the text");
        }
        n_tokens += plain.len();
    }
    Ok(n_tokens.to_string())
}

/// All columns of a recording, `[n, n_mels]`.
fn columns(model: &Model, samples: &[f32]) -> Vec<f32> {
    let mut columns = Vec::new();
    let mut spectrogram = Spectrogram::new(model.n_mels());
    spectrogram.push(samples, |column: &[f32]| columns.extend_from_slice(column));
    spectrogram.finish(|column: &[f32]| columns.extend_from_slice(column));
    columns
}

fn offline(
    model: &Model,
    options: &Options,
    samples: &[f32],
    settings: &Settings,
) -> Result<String> {
    let columns = columns(model, samples);
    let mut voiced = Vec::new();
    let mut began = 0;
    speech(model, samples, samples.len(), settings, |event| {
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
    speech(model, samples, 320, settings, |event| {
        match event {
            Speech::Start { at } => {
                now = at as f64 / 16_000.0;
                log.begin(now);
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
                let mut words = Vec::new();
                if let Outcome::Final(found) = recognizer.finish()? {
                    texts.push(found.text);
                    words = found.words;
                }
                log.write(now, started.elapsed(), [&texts.join(" "), ""], &words)?;
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
    has_words: bool,
    /// Which utterance it is, and when it began.
    utterance: (usize, f64),
    last: [String; 2],
    updates: usize,
}

impl EventLog {
    fn new(file: Option<File>, has_words: bool) -> Self {
        Self { file, has_words, utterance: (0, 0.0), last: Default::default(), updates: 0 }
    }

    fn begin(&mut self, now: f64) {
        self.utterance = (self.utterance.0 + 1, now);
    }

    fn step(&mut self, now: f64, finals: &[String], recognizer: &mut Recognizer) -> Result<()> {
        let started = Instant::now();
        let Some(partial) = recognizer.step()? else { return Ok(()) };
        self.updates += 1;
        let committed = [&finals.join(" "), partial.committed.as_str()].join(" ");
        let shown = [committed.trim(), &partial.tentative];
        self.write(now, started.elapsed(), shown, &partial.words)
    }

    fn write(&mut self, now: f64, took: Duration, shown: [&str; 2], words: &[Word]) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.has_words || self.last != shown {
            let mut line = json!({
                "now": now, "audio_end": now, "wall_ms": took.as_secs_f64() * 1e3, "cpu_ms": 0,
                "committed": shown[0], "partial": shown[1],
            });
            if self.has_words {
                let (number, origin) = self.utterance;
                let time = |at: f32| origin + f64::from(at);
                let word = |w: &Word| json!([w.text, time(w.start), time(w.end), w.probability]);
                line["words"] = words.iter().map(word).collect();
                line["utterance"] = number.into();
            }
            writeln!(file, "{line}")?;
            self.last = shown.map(str::to_owned);
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
    settings: &Settings,
    mut take: impl FnMut(Speech) -> Result<()>,
) -> Result<()> {
    let mut frontend =
        Frontend::new(model.n_mels(), &settings.segments, second_opinion(settings.detector));
    let mut events = Vec::new();
    for samples in samples.chunks(block.max(1)) {
        frontend.push(samples, &mut |event| events.push(event));
        events.drain(..).try_for_each(&mut take)?;
    }
    frontend.finish(&mut |event| events.push(event));
    events.drain(..).try_for_each(&mut take)
}
