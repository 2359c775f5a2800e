//! A file that is not complete yet, with the hash of what is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::{Error, Job};

/// Read at once when what is on the disk is hashed.
const BLOCK: usize = 1 << 20;

/// `NAME.part`, which becomes `NAME`, and `NAME.etag`: which version of the file it began with.
pub(super) struct Partial {
    whole: PathBuf,
    path: PathBuf,
    etag_path: PathBuf,
    file: File,
    hash: Sha256,
    len: u64,
    etag: Option<String>,
}

impl Partial {
    /// Opens what there is of the file `to`, or nothing yet. More than `size` bytes are nothing.
    pub(super) fn open(to: &Path, size: u64, job: &mut Job<'_>) -> Result<Self, Error> {
        let (path, etag_path) = (to.with_added_extension("part"), to.with_added_extension("etag"));
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(Error::at(&path))?;
        let (hash, len) = hash_all(&mut file, &path, job)?;
        let etag = fs::read_to_string(&etag_path).ok();
        let mut partial = Self { whole: to.into(), path, etag_path, file, hash, len, etag };
        if len > size {
            partial.restart()?;
        }
        Ok(partial)
    }

    /// Bytes there.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Keeps the name of the version for the next attempt, be it tomorrow.
    pub(super) fn set_etag(&mut self, etag: Option<&str>) {
        if self.etag.as_deref() == etag {
            return;
        }
        self.etag = etag.map(Into::into);
        // Not essential: without it the hash still catches a file that changed in between.
        match etag {
            Some(etag) => fs::write(&self.etag_path, etag).ok(),
            None => fs::remove_file(&self.etag_path).ok(),
        };
    }

    /// Begins at the first byte again.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(Error::at(&self.path))?;
        self.hash = Sha256::new();
        self.len = 0;
        self.set_etag(None);
        Ok(())
    }

    /// Adds the next bytes, of `size` in all.
    ///
    /// A full disk costs what was downloaded: a desktop that cannot write is worse off.
    pub(super) fn append(&mut self, block: &[u8], size: u64) -> Result<(), Error> {
        if let Err(error) = self.file.write_all(block) {
            let is_full = error.kind() == io::ErrorKind::StorageFull;
            if is_full {
                self.file.set_len(0).ok();
                self.remove();
            }
            return Err(Error::writing(&self.path, size)(error));
        }
        self.hash.update(block);
        self.len += block.len() as u64;
        Ok(())
    }

    /// Whether the bytes there are the file that is meant.
    pub(super) fn has(&self, sha256: &str) -> bool {
        hex(self.hash.clone()) == sha256
    }

    /// Verifies the file and gives it its name.
    pub(super) fn finish(self, sha256: &str) -> Result<(), Error> {
        if !self.has(sha256) {
            self.remove();
            return Err(Error::Source(format!(
                "what arrived has the SHA-256 {} in place of {sha256}; it was deleted",
                hex(self.hash)
            )));
        }
        fs::rename(&self.path, &self.whole).map_err(Error::at(&self.whole))?;
        fs::remove_file(&self.etag_path).ok();
        Ok(())
    }

    /// Leaves nothing behind.
    pub(super) fn remove(&self) {
        fs::remove_file(&self.path).ok();
        fs::remove_file(&self.etag_path).ok();
    }
}

/// Whether `path` is there and is the file meant.
pub(in crate::models) fn is_whole(
    path: &Path,
    size: u64,
    sha256: &str,
    job: &mut Job<'_>,
) -> Result<bool, Error> {
    Ok(path.metadata().is_ok_and(|file| file.len() == size) && hash(path, job)? == sha256)
}

/// The SHA-256 of a file, in hex.
pub(in crate::models) fn hash(path: &Path, job: &mut Job<'_>) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::at(path))?;
    Ok(hex(hash_all(&mut file, path, job)?.0))
}

fn hash_all(file: &mut File, path: &Path, job: &mut Job<'_>) -> Result<(Sha256, u64), Error> {
    let (mut hash, mut len) = (Sha256::new(), 0);
    let mut block = vec![0; BLOCK];
    loop {
        job.check()?;
        match file.read(&mut block) {
            Ok(0) => return Ok((hash, len)),
            Ok(n) => {
                hash.update(&block[..n]);
                len += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::at(path)(error)),
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
