//! The folder of installed models: `ID/model.safetensors`, and `.partial/` for those to come.
//!
//! A model is installed when its file has its name, and it gets that last. One job at a time works
//! on a model: a lock file says so, to other processes too, and a crash releases it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rustix::fs::{FlockOperation, flock};
use scriven_recognizer::weights;
use tracing::{info, warn};

use super::catalog::{Catalog, Entry, Source, is_valid_id};
use super::download::Patience;
use super::source::Fetcher;
use super::{Error, Job, Phase, Progress, header, pip};

/// The one file of an installed model.
const MODEL: &str = "model.safetensors";
/// Where models are made. Beside the models, so that a rename completes one.
const PARTIAL: &str = ".partial";
/// Where a conversion writes, below the folder of the partial files.
const CONVERTED: &str = "converted";

type Convert = fn(&Path, &Path, &mut dyn FnMut(u64, u64)) -> Result<(), scriven_recognizer::Error>;

/// The models on this machine.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    catalog: Catalog,
    pub(super) convert: Convert,
    pub(super) patience: Patience,
    pub(super) pips: Vec<pip::Command>,
}

impl Store {
    /// A store in `folder`, which is created when the first model comes.
    pub fn new(folder: PathBuf, catalog: Catalog) -> Self {
        let (patience, pips) = (Patience::default(), pip::commands());
        Self { folder, catalog, convert: weights::convert, patience, pips }
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub fn is_installed(&self, id: &str) -> bool {
        is_valid_id(id) && self.folder(id).join(MODEL).is_file()
    }

    /// Every installed model by its id, those imported under a name of their own included.
    pub fn installed(&self) -> Vec<String> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<_> = names.filter(|id| self.is_installed(id)).collect();
        ids.sort();
        ids
    }

    /// Whether `id` can name a model.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidId`] says what can.
    pub fn check_id(&self, id: &str) -> Result<(), Error> {
        if is_valid_id(id) { Ok(()) } else { Err(Error::InvalidId(id.into())) }
    }

    /// Bytes of an installed model, and whether it knows more than English; else nothing of both.
    pub fn facts(&self, id: &str) -> (u64, bool) {
        let model = self.folder(id).join(MODEL);
        let size = model.metadata().map_or(0, |file| file.len());
        (size, header::is_multilingual(&model).unwrap_or(false))
    }

    /// Where the model `id` lies, or would lie.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Deletes a model and whatever there is of it. A program that has it loaded keeps it.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], [`Error::Busy`], [`Error::InvalidId`], [`Error::Io`].
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        let _lock = self.lock(id)?;
        fs::remove_dir_all(self.partial(id)).ok();
        let (folder, model) = (self.folder(id), self.folder(id).join(MODEL));
        match fs::remove_file(&model) {
            Ok(()) => fs::remove_dir_all(&folder).map_err(Error::at(&folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NotInstalled(id.into()))
            }
            Err(error) => Err(Error::at(&model)(error)),
        }
    }

    /// Installs a model of the catalog, from the first of its sources that has it.
    ///
    /// An interrupted pull goes on where it stopped. An installed model is left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NoSource`] tells what became of each source; [`Error::Unknown`], [`Error::Busy`],
    /// [`Error::Cancelled`], [`Error::NoSpace`], [`Error::Convert`], [`Error::Io`].
    pub fn pull(
        &self,
        id: &str,
        cancel: &AtomicBool,
        on: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let entry = self.catalog.find(id).ok_or_else(|| Error::Unknown(id.into()))?;
        let _lock = self.lock(id)?;
        if self.is_installed(id) {
            return Ok(());
        }
        self.forget_other_versions(entry);
        let job = &mut Job::new(cancel, on);
        let (mut failed, mut said) = (Vec::new(), String::new());
        for (n, source) in entry.sources.iter().enumerate() {
            let (name, of) = (source.name(), entry.sources.len());
            job.now.detail = format!("{said}trying {name} (source {} of {of})", n + 1);
            let reason = match self.pull_from(entry, source, job) {
                Ok(()) => {
                    info!(id, source = %source, "model installed");
                    return Ok(());
                }
                Err(error) if error.concerns_every_source() => return Err(error),
                Err(error) => (source, error),
            };
            warn!(id, source = %source, reason = %reason.1, "source has no model");
            said = format!("{said}{name}: {}; ", reason.1);
            failed.push(reason);
        }
        Err(no_source(id, failed))
    }

    /// Installs a file or folder the user has, under an id of the catalog or a new one. A model
    /// that is installed under this id is replaced. The source is only read.
    ///
    /// # Errors
    ///
    /// [`Error::Convert`] says what is wrong with the file; [`Error::InvalidId`],
    /// [`Error::Busy`], [`Error::Cancelled`], [`Error::NoSpace`], [`Error::Io`].
    pub fn import(
        &self,
        id: &str,
        path: &Path,
        cancel: &AtomicBool,
        on: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let _lock = self.lock(id)?;
        path.metadata().map_err(Error::at(path))?;
        let job = &mut Job::new(cancel, on);
        job.now.detail = format!("reading {}", path.display());
        self.install(id, path, job)?;
        // An interrupted pull of this model need not be finished any more.
        fs::remove_dir_all(self.partial(id)).ok();
        info!(id, path = %path.display(), "model imported");
        Ok(())
    }

    fn pull_from(&self, entry: &Entry, source: &Source, job: &mut Job<'_>) -> Result<(), Error> {
        let folder = self.partial(&entry.id);
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let fetcher = Fetcher {
            folder: &folder,
            patience: &self.patience,
            pips: &self.pips,
            reserve: entry.size,
        };
        let checkpoint = fetcher.fetch(source, job)?;
        job.now.detail = format!("converting what came from {}", source.name());
        self.install(&entry.id, &checkpoint, job)?;
        fs::remove_dir_all(&folder).map_err(Error::at(&folder))
    }

    /// Converts `checkpoint`, and puts the outcome in its place at once.
    fn install(&self, id: &str, checkpoint: &Path, job: &mut Job<'_>) -> Result<(), Error> {
        let converted = self.partial(id).join(CONVERTED);
        fs::remove_dir_all(&converted).ok();
        fs::create_dir_all(&converted).map_err(Error::at(&converted))?;
        job.begin(Phase::Converting, 0);
        let mut progress = |done, total| {
            job.now.total = total;
            job.reach(done);
        };
        let outcome = (self.convert)(checkpoint, &converted, &mut progress)
            .map_err(Error::Convert)
            .and_then(|()| job.check())
            .and_then(|()| self.place(id, &converted.join(MODEL)));
        fs::remove_dir_all(&converted).ok();
        outcome
    }

    /// Moves a complete model in. Replacing one that is loaded does it no harm: it stays mapped.
    fn place(&self, id: &str, model: &Path) -> Result<(), Error> {
        // Otherwise a crash could leave the name without the contents.
        File::open(model).and_then(|file| file.sync_all()).map_err(Error::at(model))?;
        let folder = self.folder(id);
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let place = folder.join(MODEL);
        fs::rename(model, &place).map_err(Error::at(&place))
    }

    /// Deletes what is left of versions that the catalog no longer has.
    fn forget_other_versions(&self, entry: &Entry) {
        let known: Vec<_> = entry.sources.iter().flat_map(Fetcher::files).collect();
        for file in fs::read_dir(self.partial(&entry.id)).into_iter().flatten().flatten() {
            if !known.iter().any(|name| file.file_name() == **name) {
                let path = file.path();
                fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).ok();
            }
        }
    }

    fn partial(&self, id: &str) -> PathBuf {
        self.folder.join(PARTIAL).join(id)
    }

    /// Makes this the only job on model `id`, for as long as the lock is held.
    fn lock(&self, id: &str) -> Result<Lock, Error> {
        self.check_id(id)?;
        let folder = self.folder.join(PARTIAL);
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let path = folder.join(format!(".{id}.lock"));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(Error::at(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy(id.into())),
            Err(error) => Err(Error::at(&path)(error.into())),
        }
    }
}

/// The lock file of one model.
struct Lock(File);

impl Drop for Lock {
    /// Lets go at once. Closing alone would leave the lock to a child process that was just being
    /// started and still has the file open.
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Error {
    /// Whether another source would fare no better.
    fn concerns_every_source(&self) -> bool {
        use scriven_recognizer::Error::DiskFull;
        matches!(self, Self::Cancelled | Self::Io { .. } | Self::Convert(DiskFull { .. }))
    }
}

/// What to tell when every source failed: where it was for the same reason, a full disk, just that.
fn no_source(id: &str, mut failed: Vec<(&Source, Error)>) -> Error {
    if failed.iter().all(|(_, error)| matches!(error, Error::NoSpace { .. }))
        && let Some((_, error)) = failed.pop()
    {
        return error;
    }
    let reasons = failed.iter().map(|(source, error)| format!("{source}: {error}")).collect();
    Error::NoSource { id: id.into(), reasons }
}
