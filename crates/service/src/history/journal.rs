//! The history on disk: `history.jsonl`, one JSON object a line, the user's alone.
//!
//! A line with `text` is a new text; one without says what became of an earlier one. A text is
//! written before it is delivered, so that a crash in between leaves it `undelivered`. What is in
//! the file is never trusted: whatever is not such a line is passed over.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tracing::warn;

use super::{Access, Entry, Fate, History, Limits};

/// What is read at the start, at most; of a larger file its end. A thousand long texts are 1 MB.
const MAX_BYTES: u64 = 8 << 20;
/// Numbers from here on are no times, but those of the year 2255, and clients that read JSON take them
/// for others. Behind the largest of all there would be none for the next text.
const MAX_ID: u64 = 1 << 53;
/// The user's alone.
const MODE: u32 = 0o600;

/// One line.
#[derive(Serialize, Deserialize)]
struct Line {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    backend: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Line {
    fn new(entry: &Entry) -> Self {
        Self {
            id: entry.id,
            text: Some(entry.text.clone()),
            language: entry.language.clone(),
            state: entry.fate.word().into(),
            backend: entry.backend.clone(),
            detail: entry.detail.clone(),
        }
    }

    fn fate(entry: &Entry) -> Self {
        Self { text: None, language: None, ..Self::new(entry) }
    }
}

/// The file, open for writing at its end.
pub(crate) struct Journal {
    /// `None` where nothing is to be on disk.
    path: Option<PathBuf>,
    file: Option<File>,
    /// Whether anything was written that the disk may not have yet.
    dirty: bool,
}

impl Journal {
    /// Reads what an earlier process has left, and forgets what is too old at `now` (µs since 1970).
    /// With zero hours the file is removed.
    pub(crate) fn open(path: PathBuf, limits: Limits, now: u64) -> (Self, History) {
        if limits.keep.is_zero() {
            complain("remove", gone(&path));
            let journal = Self { path: None, file: None, dirty: false };
            return (journal, History::new(limits, Vec::new()));
        }
        let entries = match read(&path) {
            Ok(bytes) => entries(&bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                complain("read", Err(error));
                Vec::new()
            }
        };
        let mut history = History::new(limits, dated(entries, now));
        history.prune(now);
        let mut journal = Self { path: Some(path), file: None, dirty: false };
        // Also takes away half a line at the end, which the next one would be glued to.
        if history.latest().next().is_some() {
            journal.rewrite(&history);
        } else if let Some(path) = &journal.path {
            complain("remove", gone(path));
        }
        (journal, history)
    }

    /// Writes a new text. From here on it outlives the process; [`sync`](Self::sync) lets it
    /// outlive the machine.
    pub(crate) fn add(&mut self, entry: &Entry) {
        self.append(entry, &Line::new(entry));
    }

    /// Writes what has become of a text.
    pub(crate) fn settle(&mut self, entry: &Entry) {
        self.append(entry, &Line::fate(entry));
    }

    fn append(&mut self, entry: &Entry, line: &Line) {
        if entry.access != Access::All || self.path.is_none() {
            return;
        }
        complain("write", self.try_append(line));
    }

    fn try_append(&mut self, line: &Line) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) if file.metadata()?.nlink() > 0 => file,
            file => file.insert(create(path)?),
        };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.dirty = true;
        file.write_all(text.as_bytes())
    }

    /// Waits until the disk has what was written.
    pub(crate) fn sync(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.dirty) {
            complain("write", file.sync_data());
        }
        self.dirty = false;
    }

    /// Writes the file anew, with nothing in it that `history` has forgotten.
    pub(crate) fn rewrite(&mut self, history: &History) {
        let Some(path) = &self.path else { return };
        let lines: Vec<_> = history.on_disk().map(Line::new).collect();
        self.file = None;
        self.dirty = false;
        complain("write", if lines.is_empty() { gone(path) } else { replace(path, &lines) });
    }
}

/// An error costs the copy on disk and nothing else; it is no reason to stop delivering.
fn complain(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        warn!(%error, "cannot {what} the history; it is kept in memory alone");
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file that is no link, pipe or device; opening such a thing could hang or lead elsewhere.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(ErrorKind::InvalidData, "it is not a file")),
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = open(path, OpenOptions::new().append(true).create(true).mode(MODE))?;
    rustix::fs::fchmod(&file, MODE.into())?;
    Ok(file)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path, OpenOptions::new().read(true))?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A crash leaves either the old file or the new one.
fn replace(path: &Path, lines: &[Line]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    for line in lines {
        serde_json::to_writer(&mut file, line)?;
        file.write_all(b"\n")?;
    }
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The texts of a file, oldest first, each with what became of it.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    // Not a list that is sorted: one whose lines stand upside down would take minutes.
    let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
        let Some(fate) = Fate::of(&line.state).filter(|_| line.id < MAX_ID) else { continue };
        let Line { id, text, language, backend, detail, .. } = line;
        match (entries.get_mut(&id), text) {
            (Some(entry), _) => (entry.fate, entry.backend, entry.detail) = (fate, backend, detail),
            (None, Some(text)) => {
                let access = Access::All;
                entries.insert(id, Entry { id, text, language, access, fate, backend, detail });
            }
            (None, None) => {}
        }
    }
    entries.into_values().collect()
}

/// Texts that a wrong clock has dated ahead of `now`, dated anew in their order: else they would not grow old, and
/// what is said next would have to be numbered behind them.
fn dated(entries: Vec<Entry>, now: u64) -> Vec<Entry> {
    let mut latest = Some(now);
    let newest_first = entries.into_iter().rev().map_while(|entry| {
        let id = entry.id.min(latest?);
        latest = id.checked_sub(1);
        Some(Entry { id, ..entry })
    });
    let mut dated: Vec<_> = newest_first.collect();
    dated.reverse();
    dated
}

#[cfg(test)]
mod tests;
