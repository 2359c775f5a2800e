//! The players that are lowered now, on disk: should the process die, the next one puts them back.
//! `lowered.json` is there only meanwhile. What is in it is never trusted.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use scriven_desktop::feedback::media::Lowered;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tracing::warn;

/// A hundred players and more.
const MAX_BYTES: u64 = 64 << 10;

/// All of the file.
#[derive(Serialize, Deserialize)]
struct Page {
    /// Names of connections mean something on one bus only.
    bus: String,
    players: Vec<Lowered>,
}

pub(super) struct Ledger {
    path: PathBuf,
    bus: String,
}

impl Ledger {
    /// In the folder `state`, for the bus with this id.
    pub(super) fn new(state: &Path, bus: &str) -> Self {
        Self { path: state.join("lowered.json"), bus: bus.into() }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The players that an earlier process has left on this bus.
    pub(super) fn read(&self) -> Vec<Lowered> {
        let Ok(file) = File::open(&self.path) else { return Vec::new() };
        let mut text = String::new();
        let read = file.take(MAX_BYTES).read_to_string(&mut text);
        let page: Option<Page> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
        page.filter(|page| page.bus == self.bus).map(|page| page.players).unwrap_or_default()
    }

    /// Writes down who is about to be lowered.
    ///
    /// # Errors
    ///
    /// The file cannot be written; then what it held before is still there.
    pub(super) fn write(&self, players: &[Lowered]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        let page = Page { bus: self.bus.clone(), players: players.to_vec() };
        serde_json::to_writer(&mut file, &page)?;
        file.persist(&self.path)?;
        Ok(())
    }

    pub(super) fn clear(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                warn!(%error, path = %self.path.display(), "cannot be removed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered() -> Vec<Lowered> {
        serde_json::from_str(r#"[{"player":":1.7","from":0.8,"to":0.2}]"#).unwrap()
    }

    #[test]
    fn the_next_process_on_the_same_bus_finds_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let ledger = Ledger::new(&state, "bus");
        assert!(!ledger.exists() && ledger.read().is_empty());
        ledger.write(&lowered()).unwrap();
        assert_eq!(Ledger::new(&state, "bus").read(), lowered());
        assert!(Ledger::new(&state, "another").read().is_empty());
        ledger.clear();
        ledger.clear();
        assert!(!ledger.exists());
    }

    #[test]
    fn whatever_else_stands_in_the_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(folder.path(), "bus");
        let long = format!("{{\"bus\":\"bus\",\"players\":[{}", " ".repeat(1 << 20));
        for text in ["", "{", "[]", "{\"bus\":\"bus\",\"players\":[{\"player\":3}]}", &long] {
            fs::write(folder.path().join("lowered.json"), text).unwrap();
            assert!(ledger.read().is_empty(), "{text:.40}");
        }
    }
}
