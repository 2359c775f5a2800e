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
//! `precision=f32|int8` is how weights are held, `interval=MS` how much new sound a live step waits
//! for (300), `kind=KIND` takes only recordings of one kind; `pad`, `pause_pad`, `kept_silence`,
//! `long_window`, `context`, `believed`, `end_guard`, `sure`, `unsure_guard` and `unsure_wait` are the
//! numbers of `Tuning`. `temperature`, `best_of`, `beam_size`, `prompt`
//! and `condition=true` say how whole files are decoded. `hotwords=FILE` names a file of one hotword a
//! line, `hotword_boost` how strongly they are preferred.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{Frontend, Progress, SegmentConfig, Source, Spectrogram, Speech};
use scriven_recognizer::{
    Compute, Decoding, Model, Options, Outcome, Precision, Recognizer, Tuning,
};

/// What the command line asks for.
struct Settings {
    precision: Precision,
    /// Milliseconds of sound from one live step to the next.
    interval: usize,
    kind: Option<String>,
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
                "pad" => tuning.pad = value.parse()?,
                "pause_pad" => tuning.pause_pad = value.parse()?,
                "kept_silence" => tuning.kept_silence = value.parse()?,
                "believed" => tuning.commit.believed = value.parse()?,
                "end_guard" => tuning.commit.end_guard = value.parse()?,
                "sure" => tuning.commit.sure = value.parse()?,
                "unsure_guard" => tuning.commit.unsure_guard = value.parse()?,
                "unsure_wait" => tuning.commit.unsure_wait = value.parse()?,
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
        let samples = read(&folder.join(fields[file]))?;
        heard += samples.len();
        let text = match mode.as_str() {
            "offline" => offline(&model, &options, &samples)?,
            "live" => live(&model, &options, &samples, &settings)?,
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

fn live(model: &Model, options: &Options, samples: &[f32], settings: &Settings) -> Result<String> {
    let tuning = settings.tuning.clone();
    let mut recognizer = Recognizer::tuned(model.clone(), options.clone(), tuning)?;
    let mut texts = Vec::new();
    let mut since_step = 0;
    speech(model, samples, 320, |event| {
        match event {
            Speech::Start { .. } => recognizer.reset(),
            Speech::Column(column) => {
                recognizer.push(&column);
                since_step += 10;
                if since_step >= settings.interval {
                    recognizer.step()?;
                    since_step = 0;
                }
            }
            Speech::Quiet { .. } => {
                recognizer.quiet();
                recognizer.step()?;
            }
            Speech::Voice { .. } => recognizer.voice(),
            Speech::End { .. } => {
                if let Outcome::Final(found) = recognizer.finish()? {
                    texts.push(found.text);
                }
            }
        }
        Ok(())
    })?;
    Ok(texts.join(" "))
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
