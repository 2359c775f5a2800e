//! The configuration file → one struct, read once when the daemon starts.
//!
//! This module is the only one that knows where files live. `docs/configuration.md` shows each key;
//! a test reads it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::ProjectDirs;
use scriven_audio::capture::{CaptureOptions, Host};
use scriven_recognizer as recognizer;
use serde::Deserialize;

mod action;
mod capture;
mod feedback;
mod output;
mod speech;
mod writing;

pub use self::action::{Action, DICTATE, Gesture, Shortcut};
pub use self::capture::Capture;
pub use self::feedback::{Feedback, Media};
pub use self::output::{History, Live, Mode, Output};
pub use self::speech::{Detector, Speech, Strictness};
pub(crate) use self::writing::Style;
pub use self::writing::{Profile, Writing};

/// All there is to configure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Id of a model, or `auto`: the one chosen last with `Use`, else the first one installed.
    pub model: String,
    /// `auto`, `cpu`, `gpu`, or a part of a GPU's name.
    pub compute: String,
    /// How the weights are held.
    pub precision: Precision,
    /// ISO codes; empty for any language.
    pub languages: Vec<String>,
    pub task: Task,
    /// Words and phrases that are likely to be said.
    pub hotwords: Vec<String>,
    /// `default`, or an id of `scriven sources`.
    pub source: String,
    pub host: SoundHost,
    /// New audio that a partial waits for.
    pub update_ms: u64,
    /// How long the microphone is heard on after the key is let go, if somebody still speaks.
    pub tail_ms: u64,
    /// Folder of the models; empty for the usual one.
    pub models: PathBuf,
    /// What to log, in the words of `RUST_LOG`.
    pub log: String,
    pub capture: Capture,
    pub speech: Speech,
    pub output: Output,
    pub feedback: Feedback,
    pub history: History,
    pub writing: Writing,
    /// What is otherwise in some programs.
    pub profile: Vec<Profile>,
    pub shortcut: Shortcut,
    /// What keys do; [`actions`](Self::actions) has the built-in one too.
    pub action: Vec<Action>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // Whatever is there works, and pulling one model is all there is to do.
            model: "auto".into(),
            // A GPU where there is one; the property `Backend` says what became of it.
            compute: "auto".into(),
            // Hears what 32 bits hear, in half of the time and with half of the memory.
            precision: Precision::Int8,
            // A multilingual model finds out; an English one need not.
            languages: Vec::new(),
            // Translation that nobody asked for is the worst surprise.
            task: Task::Transcribe,
            // Nobody knows them but the user.
            hotwords: Vec::new(),
            // Follows the desktop's choice.
            source: "default".into(),
            // PipeWire, or ALSA where there is none.
            host: SoundHost::Auto,
            // Five times a second looks continuous; a slow machine falls back by itself.
            update_ms: 250,
            // People let go of the key while the last word still sounds.
            tail_ms: 200,
            // Under the XDG data folder.
            models: PathBuf::new(),
            // The life of the service and nothing that repeats.
            log: "info".into(),
            capture: Capture::default(),
            speech: Speech::default(),
            output: Output::default(),
            feedback: Feedback::default(),
            history: History::default(),
            writing: Writing::default(),
            profile: Vec::new(),
            shortcut: Shortcut::default(),
            action: Vec::new(),
        }
    }
}

/// How the weights are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    F32,
    F16,
    Int8,
}

impl From<Precision> for recognizer::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F16 => Self::F16,
            Precision::Int8 => Self::Int8,
        }
    }
}

/// What becomes of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    Transcribe,
    Translate,
}

impl From<Task> for recognizer::Task {
    fn from(task: Task) -> Self {
        match task {
            Task::Transcribe => Self::Transcribe,
            Task::Translate => Self::Translate,
        }
    }
}

/// Which sound system is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundHost {
    Auto,
    PipeWire,
    Alsa,
    Pulse,
}

impl From<SoundHost> for Host {
    fn from(host: SoundHost) -> Self {
        match host {
            SoundHost::Auto => Self::Auto,
            SoundHost::PipeWire => Self::PipeWire,
            SoundHost::Alsa => Self::Alsa,
            SoundHost::Pulse => Self::Pulse,
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}; check who may read it, or name another file with --config")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "{path}: {}\nCorrect the line, or remove the file to have all defaults",
        .problem.to_string().trim_end()
    )]
    Syntax { path: PathBuf, problem: Box<toml::de::Error> },
    #[error("{path}: `{key}` {problem}")]
    Value { path: PathBuf, key: &'static str, problem: &'static str },
    #[error("the configuration of writing: {0}")]
    Writing(String),
}

impl Config {
    /// Reads `path`. A file that is not there is a file without keys.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or understood; the message shows line and column.
    pub fn read(path: &Path) -> Result<Self, Error> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(Error::Read { path: path.into(), source }),
        }
    }

    /// Reads the text of a file that is called `path` in messages.
    ///
    /// # Errors
    ///
    /// An unknown key, a wrong type or a value out of its range.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let config: Self = toml::from_str(text)
            .map_err(|problem| Error::Syntax { path: path.into(), problem: problem.into() })?;
        config.check().map_err(|(key, problem)| Error::Value {
            path: path.into(),
            key,
            problem,
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(100..=5_000).contains(&self.update_ms) {
            return Err(("update_ms", "must lie between 100 and 5000"));
        }
        if self.tail_ms > 2_000 {
            return Err(("tail_ms", "must not be more than 2000"));
        }
        self.speech.check()?;
        let hotwords = self.hotwords.clone();
        if (recognizer::Options { hotwords, ..Default::default() }).check_values().is_err() {
            return Err(("hotwords", "must be at most 1000 words, of at most 100 bytes each"));
        }
        if !self.models.as_os_str().is_empty() && !self.models.is_absolute() {
            return Err(("models", "must be an absolute path"));
        }
        if !(100..=2_000).contains(&self.shortcut.hold_ms) {
            return Err(("shortcut.hold_ms", "must lie between 100 and 2000"));
        }
        action::check(&self.action)?;
        self.feedback.check()?;
        self.history.check()
    }

    /// How what was said is written, in each profile; the first is that of none.
    pub(crate) fn styles(&self) -> Result<Vec<Style>, Error> {
        writing::styles(&self.writing, &self.profile).map_err(Error::Writing)
    }

    /// With the words of the lists that `[writing]` names, which are preferred as well.
    ///
    /// # Errors
    ///
    /// A list cannot be read, or there are too many.
    pub(crate) fn with_vocabulary(mut self) -> Result<Self, Error> {
        let listed = self.writing.hotwords().map_err(Error::Writing)?;
        for word in listed {
            if !self.hotwords.contains(&word) {
                self.hotwords.push(word);
            }
        }
        let hotwords = self.hotwords.clone();
        match (recognizer::Options { hotwords, ..Default::default() }).check_values() {
            Ok(()) => Ok(self),
            Err(_) => Err(Error::Writing(
                "`hotwords` and the lists of `writing.vocabulary` are more than 1000 words, or one is \
                 longer than 100 bytes"
                    .into(),
            )),
        }
    }

    /// What keys can do.
    pub fn actions(&self) -> Vec<Action> {
        action::all(&self.action)
    }

    /// What is listened to, unless a session says otherwise.
    pub(crate) fn microphone(&self) -> CaptureOptions {
        CaptureOptions { source: self.source.clone(), host: self.host.into() }
    }

    pub(crate) fn update(&self) -> Duration {
        Duration::from_millis(self.update_ms)
    }

    pub(crate) fn tail(&self) -> Duration {
        Duration::from_millis(self.tail_ms)
    }
}

/// Where the daemon keeps what.
#[derive(Clone, Debug)]
pub struct Folders {
    /// `$XDG_CONFIG_HOME/scriven/config.toml`.
    pub config: PathBuf,
    /// `$XDG_DATA_HOME/scriven/models`, unless configured.
    pub models: PathBuf,
    /// `$XDG_STATE_HOME/scriven`: the model chosen last, the history.
    pub state: PathBuf,
    /// `$XDG_CACHE_HOME/scriven/gpu`: what was tuned and compiled for a GPU.
    pub gpu_cache: PathBuf,
}

impl Folders {
    /// The folders of the user. `None` if there is no home.
    pub fn of_user() -> Option<Self> {
        let folders = ProjectDirs::from("org", "scriven", "scriven")?;
        Some(Self {
            config: folders.config_dir().join("config.toml"),
            models: folders.data_dir().join("models"),
            state: folders.state_dir()?.into(),
            gpu_cache: folders.cache_dir().join("gpu"),
        })
    }
}

#[cfg(test)]
mod tests;
