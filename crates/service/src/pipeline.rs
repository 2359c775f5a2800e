//! The whole program on one page: what runs where, and what flows between.
//!
//! ```text
//!                       Control ◄──────────────┐
//!                          ▼                   │
//! device ─ring→ analysis ──Work──► recognition ─Report─► main ─D-Bus─► clients
//!   file ─────→ (one a session)    (one)                 (one)
//!                                                     Task │ ▲ what became of it
//!                                                          ▼ │
//!                                                       delivery ──► the window in focus
//! ```
//!
//! - **device callback** (in `audio`): real time; a full ring drops samples and counts.
//! - **analysis** ([`crate::analysis`]): owns one session's source and front end. Opens the device
//!   when the session starts and closes it when it ends, so that a microphone is open only while
//!   someone dictates.
//! - **pre-roll** ([`crate::microphones`]): only where it is asked for, keeps a microphone open
//!   between sessions, which then take it from there.
//! - **recognition** ([`crate::recognition`]): one loaded model, all sessions; the microphone first.
//! - **delivery** ([`crate::delivery`]): writes final texts down and puts them into windows.
//! - **main** ([`crate::daemon`]): the bus, the state. Never computes, never waits for the others.
//!
//! Every queue is bounded. Columns from a device are dropped and counted when recognition is
//! minutes late; nobody else ever drops: what marks an utterance waits for room, and a file, which
//! does not run away, does too.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use scriven_audio::capture::CaptureOptions;
use scriven_audio::{SAMPLE_RATE, SegmentConfig, Speech};
use scriven_recognizer::{self as recognizer, Options};

use crate::analysis;
use crate::config::Detector;
use crate::daemon::Event;
use crate::error::Error;
use crate::microphones::Microphones;
use crate::parts::{Model, Parts};
use crate::recognition::Recognition;
use crate::watch::watched;

/// Five minutes of columns. A recognizer that is later than that will not catch up.
pub const WORK_QUEUE: usize = 30_000;
/// A session gets at most one of each.
pub const CONTROL_QUEUE: usize = 8;
/// What `main` may be behind by before the other threads wait for it.
pub const EVENT_QUEUE: usize = 256;
/// How much is kept while the model loads: two minutes, 8 MB.
pub const HELD_SAMPLES: usize = 120 * SAMPLE_RATE;
/// Samples from one column to the next.
pub const HOP_LENGTH: u64 = 160;

/// Number of a session, unique while the daemon runs.
pub type Id = u64;

/// `main` → `analysis`.
pub(crate) enum Control {
    /// The model to use; a file takes it as its turn.
    Ready(Arc<dyn Model>),
    /// End the session and finish what was said.
    Stop,
    /// End the session and drop what was said. The meter's flag says so to `recognition` too.
    Cancel,
}

/// `analysis` → `recognition`.
pub(crate) enum Work {
    Open(Arc<Job>, Arc<dyn Model>),
    Speech(Id, Speech),
    /// No more speech from this session.
    Close(Id),
    Recording(Box<Recording>),
}

/// `analysis` and `recognition` → `main`. Carries what was said: never to be logged.
pub(crate) enum Report {
    /// The source is open.
    Opened {
        source: String,
        duration: Option<Duration>,
    },
    /// Sound flows: the device has delivered samples. Sample 0 was taken at `monotonic` µs, with a
    /// pre-roll before the session was asked for.
    Started {
        monotonic: u64,
    },
    /// Nobody has spoken for as long as the session was to wait.
    Silent,
    /// The source is closed; what was said is being finished.
    Closed,
    /// Somebody begins to speak.
    Begun {
        utterance: u32,
        /// It is heard later than it was said: the sound had to wait for the model.
        late: bool,
    },
    Partial {
        utterance: u32,
        revision: u32,
        committed: String,
        tentative: String,
        said: Said,
    },
    Final {
        utterance: u32,
        text: String,
        said: Said,
    },
    Discarded {
        utterance: u32,
        reason: String,
    },
    /// Something is wrong, and the session goes on.
    Warned(Error),
    /// The source broke; what it gave before is still being finished.
    Broken(Error),
    Failed(Error),
    /// Nothing more follows.
    Done,
}

/// When and how something was said. Times are µs of session audio.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub start: u64,
    pub end: u64,
    /// How far recognition has listened.
    pub audio_end: u64,
    pub language: Option<String>,
    pub confidence: Option<f32>,
    pub words: Vec<Word>,
}

/// A word of what was said, with the space in front of it. Times are µs of session audio.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub text: String,
    pub start: u64,
    pub end: u64,
    pub probability: f64,
}

impl Word {
    /// The recognizer's word, of an utterance that began at `origin` µs.
    pub(crate) fn new(word: recognizer::Word, origin: u64) -> Self {
        Self {
            start: origin + micros_of(word.start),
            end: origin + micros_of(word.end),
            probability: f64::from(word.probability),
            text: word.text,
        }
    }
}

/// What a session reads.
pub(crate) enum Input {
    Device(CaptureOptions),
    /// A recording, transcribed as a whole.
    File(File),
    /// A recording, heard at the speed of life as if it were spoken.
    LiveFile(File),
}

/// What to do for one session. Shared by the threads that do it.
pub(crate) struct Job {
    pub id: Id,
    pub options: Options,
    /// A microphone or monitor: served before files.
    pub device: bool,
    /// Whether anybody wants text before it is final.
    pub partials: bool,
    pub segments: SegmentConfig,
    pub detector: Detector,
    /// How long a device is heard on after the key is let go.
    pub tail: Duration,
    /// New audio that a partial waits for, at least.
    pub update: Duration,
    /// Samples without a voice after which the session is to end.
    pub auto_stop: Option<u64>,
    pub meter: Meter,
}

/// What a session has taken and lost, readable from any thread.
#[derive(Default)]
pub(crate) struct Meter {
    /// Samples taken in.
    pub audio: AtomicU64,
    /// Samples lost on the way.
    pub overruns: AtomicU64,
    pub cancelled: AtomicBool,
}

impl Meter {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// A whole recording, ready for the model.
pub(crate) struct Recording {
    pub job: Arc<Job>,
    pub model: Arc<dyn Model>,
    /// `[n_frames, n_mels]`.
    pub columns: Vec<f32>,
    /// Columns with speech in them.
    pub voiced: Vec<std::ops::Range<usize>>,
}

/// The running threads, seen from `main`.
pub(crate) struct Pipeline {
    parts: Parts,
    microphones: Microphones,
    work: Sender<Work>,
    events: async_channel::Sender<Event>,
}

impl Pipeline {
    /// Starts the recognition thread. It ends when the pipeline and the last session are gone.
    pub(crate) fn start(
        parts: Parts,
        microphones: Microphones,
        events: async_channel::Sender<Event>,
    ) -> std::io::Result<Self> {
        let (work, work_rx) = bounded(WORK_QUEUE);
        let reports = events.clone();
        // Made on its thread: a recognizer need not be able to move.
        spawn("recognition", move || Recognition::new(work_rx, reports).run())?;
        Ok(Self { parts, microphones, work, events })
    }

    /// Starts a session's analysis thread. It ends when its source does, or when told.
    pub(crate) fn listen(&self, job: Arc<Job>, input: Input) -> std::io::Result<Sender<Control>> {
        let (control, control_rx): (_, Receiver<Control>) = bounded(CONTROL_QUEUE);
        let (parts, microphones) = (self.parts.clone(), self.microphones.clone());
        let (work, events) = (self.work.clone(), self.events.clone());
        spawn("analysis", move || {
            analysis::run(job, input, &parts, &microphones, control_rx, work, events);
        })?;
        Ok(control)
    }
}

/// Starts a thread with a name, at most 15 characters, as `top -H` shows it.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(|| watched(run)).map(drop)
}

/// Seconds → µs.
pub(crate) fn micros_of(seconds: f32) -> u64 {
    (f64::from(seconds.max(0.0)) * 1e6).round() as u64
}

/// Samples at 16 kHz → µs.
pub(crate) fn micros(samples: u64) -> u64 {
    samples * 1_000_000 / SAMPLE_RATE as u64
}
