//! What the daemon is wired to: sound in, words out, each behind a small trait.
//!
//! `main` passes [`Parts::real`]; tests pass a scripted recognizer and a recording for a microphone.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use scriven_audio as audio;
use scriven_audio::capture::{CaptureOptions, Host, Microphone, SourceInfo, SourceKind};
use scriven_audio::cue::{self, Cue};
use scriven_audio::file::{FileSource, Pace};
use scriven_recognizer as recognizer;
use scriven_recognizer::{
    Compute, Options, Outcome, Partial, Precision, Recognizer, Segment, Transcript,
};

use crate::config::Detector;
use crate::models::Catalog;
use crate::voice;

mod output;

pub use self::output::{Delivered, Output, Rung, Wanted};
pub use crate::permission::TokenFile;

/// A source of samples with the few facts the bus tells about it.
pub trait Input: audio::Source + Send {
    /// The name a client knows it by.
    fn name(&self) -> String;
    /// How long it will last, if that is known.
    fn duration(&self) -> Option<Duration> {
        None
    }
    /// Whether it hears a room, in which it is never quite silent. A monitor may well be.
    fn is_microphone(&self) -> bool {
        false
    }
    /// What of the sound so far could not be had, though it goes on.
    fn flaw(&self) -> Option<audio::Error> {
        None
    }
    /// Samples lost so far because nobody took them in time.
    fn overruns(&self) -> u64 {
        0
    }
}

/// One live session's recognizer: columns in, words out. Lives on the recognition thread.
pub trait Recognize {
    /// Takes one column of log₁₀ energies, `[n_mels]`. Cheap.
    fn push(&mut self, column: &[f32]);
    /// Notes that nobody speaks from here on.
    fn quiet(&mut self);
    /// Notes that somebody speaks again.
    fn voice(&mut self);
    /// One update over all columns pushed. `None`: nothing new.
    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error>;
    /// The final text of the utterance; ready for the next one.
    fn finish(&mut self) -> Result<Outcome, recognizer::Error>;
}

/// A loaded model, shared by all sessions.
pub trait Model: Send + Sync {
    /// Bands in a column.
    fn n_mels(&self) -> usize;
    /// Where it computes: `cpu`, `gpu:NAME (Vulkan)`.
    fn backend(&self) -> &str;
    /// Why it does not compute on the GPU, if it was meant to.
    fn fallback(&self) -> Option<&str>;
    /// Whether the model can do what `options` ask for.
    fn check(&self, options: &Options) -> Result<(), recognizer::Error>;
    /// The same model on the CPU, for when a GPU fails in the middle of work; takes seconds.
    fn on_cpu(&self) -> Loaded;
    /// A recognizer for one live session.
    fn recognizer(&self, options: Options) -> Result<Box<dyn Recognize>, recognizer::Error>;
    /// A whole recording, see [`recognizer::Model::transcribe`].
    fn transcribe(
        &self,
        columns: &[f32],
        voiced: &[Range<usize>],
        options: &Options,
        progress: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
    ) -> Result<Transcript, recognizer::Error>;
}

type Opened = Result<Box<dyn Input>, audio::Error>;
type SecondOpinion = Option<Box<dyn audio::SecondOpinion>>;
type Loaded = Result<Arc<dyn Model>, recognizer::Error>;
/// Is told how many of how many steps of a GPU's warm-up are done.
type Progress<'a> = &'a mut dyn FnMut(usize, usize);
/// Finds a way into windows, on the thread that then uses it.
pub type MakeOutput = dyn Fn(&Wanted) -> Box<dyn Output> + Send + Sync;
/// Plays a cue of this level in dBFS, and returns when it has been heard.
pub type PlayCue = dyn Fn(Cue, f32, Host) -> Result<(), audio::Error> + Send + Sync;
/// How a microphone or monitor is opened.
pub(crate) type OpenMicrophone = dyn Fn(&CaptureOptions) -> Opened + Send + Sync;
/// Asks the user for the permission to type, for so long at most, and keeps the answer in the file.
pub type Permit = dyn Fn(TokenFile, Duration) -> Result<(), scriven_desktop::Error> + Send + Sync;
type Load = dyn Fn(&Path, &Compute, Precision, Progress) -> Loaded + Send + Sync;

/// How the daemon gets at devices, files and models.
#[derive(Clone)]
pub struct Parts {
    /// Opens a microphone or monitor; takes up to some 100 ms.
    pub microphone: Arc<OpenMicrophone>,
    /// Opens a recording.
    pub file: Arc<dyn Fn(File, Pace) -> Opened + Send + Sync>,
    /// What judges behind WebRTC's voice detector, one for each session.
    pub second_opinion: Arc<dyn Fn(Detector) -> SecondOpinion + Send + Sync>,
    /// Lists what can be captured.
    pub sources: Arc<dyn Fn(Host) -> Result<Vec<SourceInfo>, audio::Error> + Send + Sync>,
    /// Loads a model from its folder; takes seconds, and on a GPU that is new to it minutes.
    pub load: Arc<Load>,
    /// Makes the ways into the window in focus.
    pub output: Arc<MakeOutput>,
    /// Lets the user hear what happens.
    pub cue: Arc<PlayCue>,
    /// Gets the permission that one of them needs.
    pub permit: Arc<Permit>,
    /// The models that can be downloaded, and where they are.
    pub catalog: Catalog,
}

impl Parts {
    /// The sound system and Whisper.
    pub fn real() -> Self {
        Self {
            microphone: Arc::new(|options| Ok(Box::new(Microphone::open(options)?))),
            file: Arc::new(|file, pace| Ok(Box::new(FileSource::open(file, pace)?))),
            second_opinion: Arc::new(voice::second_opinion),
            sources: Arc::new(audio::capture::list_sources),
            load: Arc::new(|folder, compute, precision, progress| {
                Ok(Arc::new(Whisper::load(folder, compute, precision, progress)?))
            }),
            output: Arc::new(output::real),
            cue: Arc::new(cue::play),
            permit: Arc::new(output::permit),
            catalog: Catalog::builtin(),
        }
    }
}

impl Input for Microphone {
    fn name(&self) -> String {
        self.source().to_owned()
    }

    fn is_microphone(&self) -> bool {
        self.kind() == SourceKind::Microphone
    }

    fn overruns(&self) -> u64 {
        Self::overruns(self)
    }
}

impl Input for FileSource {
    fn name(&self) -> String {
        "file".into()
    }

    fn duration(&self) -> Option<Duration> {
        Self::duration(self)
    }

    fn flaw(&self) -> Option<audio::Error> {
        Self::flaw(self)
    }
}

impl Recognize for Recognizer {
    fn push(&mut self, column: &[f32]) {
        Self::push(self, column);
    }

    fn quiet(&mut self) {
        Self::quiet(self);
    }

    fn voice(&mut self) {
        Self::voice(self);
    }

    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error> {
        Self::step(self)
    }

    fn finish(&mut self) -> Result<Outcome, recognizer::Error> {
        Self::finish(self)
    }
}

/// A model and where to load it from again.
struct Whisper {
    model: recognizer::Model,
    folder: PathBuf,
    precision: Precision,
}

impl Whisper {
    fn load(
        folder: &Path,
        compute: &Compute,
        precision: Precision,
        progress: Progress,
    ) -> Result<Self, recognizer::Error> {
        let model = recognizer::Model::load_and_tell(folder, compute, precision, progress)?;
        Ok(Self { model, folder: folder.into(), precision })
    }
}

impl Model for Whisper {
    fn n_mels(&self) -> usize {
        self.model.n_mels()
    }

    fn backend(&self) -> &str {
        self.model.backend()
    }

    fn fallback(&self) -> Option<&str> {
        self.model.fallback()
    }

    fn check(&self, options: &Options) -> Result<(), recognizer::Error> {
        options.check(&self.model)
    }

    fn on_cpu(&self) -> Loaded {
        Ok(Arc::new(Self::load(&self.folder, &Compute::Cpu, self.precision, &mut |_, _| ())?))
    }

    fn recognizer(&self, options: Options) -> Result<Box<dyn Recognize>, recognizer::Error> {
        Ok(Box::new(Recognizer::new(self.model.clone(), options)?))
    }

    fn transcribe(
        &self,
        columns: &[f32],
        voiced: &[Range<usize>],
        options: &Options,
        progress: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
    ) -> Result<Transcript, recognizer::Error> {
        self.model.transcribe(columns, voiced, options, progress)
    }
}
