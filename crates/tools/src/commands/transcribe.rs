//! `transcribe`: recordings to text, JSON or subtitles.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use anyhow::{Context as _, bail};
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use futures_lite::{Stream, StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use zbus::OwnedObjectPath;

use crate::Outcome;
use crate::bus::{Bus, Happening, decoding_options, scope_name, speech_options};
use crate::cli::{Cli, Format, TranscribeArgs};
use crate::error::{explain, explain_named};
use crate::event::{Event, Kind, seconds, session_error, session_warning};
use crate::interrupt::interrupts;
use crate::subtitles::{Segment, VTT_HEADER, Word, srt_cue, vtt_cue};
use crate::terminal::{is_closed_pipe, note, plain, write};

/// What a running transcription waits for; `None` is Ctrl-C.
type Inputs<'a> = Pin<Box<dyn Stream<Item = Option<Happening>> + 'a>>;

/// Transcribes the files one after the other. One that fails does not keep the others from it.
pub(crate) async fn transcribe(args: TranscribeArgs) -> anyhow::Result<Outcome> {
    if args.decoding.words && args.format != Format::Json {
        usage("--words are written with --format json only");
    }
    let targets = targets(&args);
    let bus = Bus::connect().await?;
    let happenings = bus.happenings().await?.map(Some);
    let mut inputs: Inputs<'_> = Box::pin(stream::or(interrupts()?.map(|()| None), happenings));
    let mut outcome = Outcome::Success;
    for (path, target) in args.files.iter().zip(&targets) {
        let mut transcript = Transcript::new(path, &args, target.is_none());
        match run(&bus, &mut inputs, path, &args, &mut transcript).await {
            Ok(Outcome::Interrupted) => return Ok(Outcome::Interrupted),
            Ok(ended) => {
                transcript.finish(target.as_deref())?;
                if ended == Outcome::Failure {
                    outcome = ended;
                }
            }
            Err(error) if is_closed_pipe(&error) => return Err(error),
            Err(error) => {
                note(&explain(&error.context(path.display().to_string())));
                outcome = Outcome::Failure;
            }
        }
    }
    Ok(outcome)
}

/// Transcribes one file.
async fn run(
    bus: &Bus,
    inputs: &mut Inputs<'_>,
    path: &Path,
    args: &TranscribeArgs,
    transcript: &mut Transcript,
) -> anyhow::Result<Outcome> {
    let file = File::open(path).context("cannot open it")?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        bail!("it is a folder; name the recordings in it");
    }
    let mut options = speech_options(&args.speech);
    options.insert("scope", scope_name(args.scope).into());
    options.insert("live", args.live.into());
    if !args.live {
        // Words come with dictation in any case, and nothing else can be asked of it.
        options.extend(decoding_options(&args.decoding));
    }
    let session = bus.daemon().await?.transcribe_file(file.as_fd().into(), &options).await?;
    while let Some(input) = inputs.next().await {
        match input {
            Some(Happening::Event(event)) if event.session == session.as_str() => {
                if let Some(outcome) = transcript.event(&event)? {
                    return Ok(outcome);
                }
            }
            Some(Happening::Vanished) => bail!("the daemon stopped in the middle"),
            Some(_) => (),
            None => {
                cancel(bus, &session).await;
                return Ok(Outcome::Interrupted);
            }
        }
    }
    bail!("the session bus is gone")
}

/// Cancels the session. If that fails it ends with our connection anyway.
async fn cancel(bus: &Bus, session: &OwnedObjectPath) {
    if let Ok(session) = bus.session(session).await {
        session.cancel().await.ok();
    }
}

/// Where each transcript goes: a file, or `None` for stdout. Ends the program on a contradiction.
fn targets(args: &TranscribeArgs) -> Vec<Option<PathBuf>> {
    let several = args.files.len() > 1;
    let subtitles = matches!(args.format, Format::Srt | Format::Vtt);
    if args.output.as_os_str() == "-" {
        if several && subtitles {
            usage("subtitles of several recordings need a folder: --output FOLDER/");
        }
        return vec![None; args.files.len()];
    }
    if !several && !args.output.is_dir() {
        return vec![Some(args.output.clone())];
    }
    let targets: Vec<_> = args.files.iter().map(|file| in_folder(file, args)).collect();
    if targets.iter().collect::<HashSet<_>>().len() < targets.len() {
        usage("two recordings of the same name would become one file");
    }
    targets.into_iter().map(Some).collect()
}

fn in_folder(file: &Path, args: &TranscribeArgs) -> PathBuf {
    let extension = match args.format {
        Format::Text => "txt",
        Format::Json => "json",
        Format::Srt => "srt",
        Format::Vtt => "vtt",
    };
    let name = Path::new(file.file_name().unwrap_or(file.as_os_str()));
    args.output.join(name).with_extension(extension)
}

fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

/// What has come of one file.
struct Transcript {
    file: String,
    format: Format,
    /// Whether pieces are written to stdout as they come; else they are kept until all are there,
    /// so that a file is never half a transcript.
    streaming: bool,
    /// Whether words are written with their times.
    words: bool,
    written: String,
    segments: Vec<Segment>,
    language: Option<String>,
    /// Seconds; 0 if unknown.
    duration: f64,
    bar: ProgressBar,
}

impl Transcript {
    fn new(path: &Path, args: &TranscribeArgs, streaming: bool) -> Self {
        let transcript = Self {
            file: path.display().to_string(),
            format: args.format,
            streaming,
            words: args.decoding.words,
            written: String::new(),
            segments: Vec::new(),
            language: None,
            duration: 0.0,
            bar: progress_bar(path),
        };
        if streaming && args.format == Format::Text && args.files.len() > 1 {
            // As `head` does it.
            write(&format!("==> {} <==\n", plain(&transcript.file))).ok();
        }
        transcript
    }

    /// Takes a signal of the session; the outcome is there once it has ended.
    fn event(&mut self, event: &Event) -> anyhow::Result<Option<Outcome>> {
        match &event.kind {
            Kind::Started { info } => self.duration = seconds(info, "duration").unwrap_or(0.0),
            Kind::Partial { info, .. } => self.progress(seconds(info, "audio-end")),
            Kind::Final { text, info, .. } => {
                self.progress(seconds(info, "end"));
                self.segment(text, info)?;
            }
            Kind::Discarded { .. } | Kind::Delivered { .. } => (),
            Kind::Ended { reason, stats } => {
                self.bar.finish_and_clear();
                if let Some((name, message)) = session_warning(stats) {
                    self.complain(&explain_named(&name, &message));
                }
                return match reason.as_str() {
                    "done" | "stopped" => Ok(Some(Outcome::Success)),
                    "error" => self.broken(session_error(stats).unwrap_or_default()),
                    reason => bail!("the session ended early: {reason}"),
                };
            }
        }
        Ok(None)
    }

    /// The session ended with an error. What it had found of a damaged recording is kept: there will never be more.
    fn broken(&self, (name, message): (String, String)) -> anyhow::Result<Option<Outcome>> {
        let error = explain_named(&name, &message);
        if self.segments.is_empty() || !name.ends_with(".InvalidFile") {
            bail!("{error}");
        }
        self.complain(&error);
        Ok(Some(Outcome::Failure))
    }

    fn complain(&self, what: &str) {
        note(&format!("{}: {what}", plain(&self.file)));
    }

    fn segment(&mut self, text: &str, info: &Map<String, Value>) -> std::io::Result<()> {
        if let Some(language) = info.get("language").and_then(Value::as_str) {
            self.language = Some(language.to_owned());
        }
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Ok(());
        }
        let start = seconds(info, "start").unwrap_or(0.0);
        let end = seconds(info, "end").unwrap_or(start).max(start);
        let confidence = info.get("confidence").and_then(Value::as_f64);
        let words = info.get("words").filter(|_| self.words).map(words).unwrap_or_default();
        let segment = Segment { start, end, text, confidence, words };
        let piece = match self.format {
            Format::Text => plain(&segment.text) + "\n",
            Format::Json => String::new(),
            Format::Srt => srt_cue(self.segments.len() + 1, &segment),
            Format::Vtt if self.segments.is_empty() => VTT_HEADER.to_owned() + &vtt_cue(&segment),
            Format::Vtt => vtt_cue(&segment),
        };
        self.segments.push(segment);
        self.put(&piece)
    }

    /// Writes what is left, and the file.
    fn finish(mut self, target: Option<&Path>) -> anyhow::Result<()> {
        match self.format {
            Format::Json => {
                let json = self.to_json();
                self.put(&format!("{json}\n"))?;
            }
            // Without a cue it is a WebVTT file all the same.
            Format::Vtt if self.segments.is_empty() => self.put(VTT_HEADER)?,
            Format::Text | Format::Srt | Format::Vtt => (),
        }
        let Some(path) = target else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).ok();
        }
        fs::write(path, &self.written).with_context(|| format!("cannot write {}", path.display()))
    }

    fn to_json(&self) -> Value {
        let texts: Vec<_> = self.segments.iter().map(|segment| segment.text.as_str()).collect();
        json!({
            "file": self.file,
            "language": self.language,
            "segments": self.segments,
            "text": texts.join(" "),
        })
    }

    fn put(&mut self, piece: &str) -> std::io::Result<()> {
        if !self.streaming {
            self.written.push_str(piece);
            return Ok(());
        }
        // The bar stands on the same terminal.
        self.bar.suspend(|| write(piece))
    }

    fn progress(&self, reached: Option<f64>) {
        let Some(reached) = reached else { return };
        if self.duration > 0.0 {
            self.bar.set_length((self.duration * 1e3) as u64);
            self.bar.set_position((reached * 1e3) as u64);
        } else {
            self.bar.set_message(format!("{reached:.0} s"));
            self.bar.tick();
        }
    }
}

/// The words of a `Final`: text, start and end in microseconds, probability.
fn words(value: &Value) -> Vec<Word> {
    let read = serde_json::from_value::<Vec<(String, f64, f64, f64)>>(value.clone());
    let word = |(text, start, end, probability): (String, f64, f64, f64)| Word {
        text: text.trim().to_owned(),
        start: start / 1e6,
        end: end / 1e6,
        probability,
    };
    read.unwrap_or_default().into_iter().map(word).collect()
}

/// A bar on stderr; invisible where that is no terminal.
fn progress_bar(path: &Path) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent:>3} % {eta:>4} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    bar.set_prefix(plain(&name));
    bar
}
