//! Models on their way in: downloaded or imported, one job at a time for each.
//!
//! A job runs on a thread of its own (`fetch`) and reports to `main`. One that is cancelled winds
//! down before the next may begin: it holds the lock of the model's files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{info, warn};

use super::{Book, Loaded, Shelf};
use crate::daemon::{Daemon, Event};
use crate::error::{Error, chain};
use crate::models::{self, Phase, Progress};
use crate::pipeline::spawn;
use crate::service::Desk;

/// What a job does: with the id of the model, until it is done or the flag is set.
type Job = Box<dyn FnOnce(&str, &AtomicBool, &mut dyn FnMut(Progress)) -> Outcome + Send>;
type Outcome = Result<(), models::Error>;

/// The job that is at a model.
pub(super) struct Fetching {
    /// Set to stop it.
    cancel: Arc<AtomicBool>,
    /// What was asked for when it was cancelled already, and begins when it has ended.
    next: Option<Job>,
}

impl Book {
    /// Begins a job, now or behind one that is cancelled.
    ///
    /// # Errors
    ///
    /// `Busy` where a job runs, or `Overloaded`.
    fn fetch(&mut self, job: Job, desk: &Desk) -> Result<(), Error> {
        match &mut self.fetching {
            None => self.begin(job, desk),
            Some(running) if running.cancel.load(Ordering::Relaxed) => {
                running.next = Some(job);
                Ok(())
            }
            Some(_) => Err(busy()),
        }
    }

    fn begin(&mut self, job: Job, desk: &Desk) -> Result<(), Error> {
        let cancel = Arc::new(AtomicBool::new(false));
        let (id, events, cancelled) = (self.shown.id.clone(), desk.0.clone(), cancel.clone());
        let started = spawn("fetch", move || {
            let mut on = |progress| {
                drop(events.send_blocking(Event::Fetching(id.clone(), progress)));
            };
            let result = job(&id, &cancelled, &mut on);
            drop(events.send_blocking(Event::Fetched(id, result)));
        });
        started.map_err(|error| Error::Overloaded(error.to_string()))?;
        self.fetching = Some(Fetching { cancel, next: None });
        self.shown.state = "downloading";
        self.shown.progress = (0, 0);
        self.shown.detail.clear();
        Ok(())
    }
}

/// A model is fetched by one job at a time.
pub(super) fn busy() -> Error {
    Error::Busy("the model is being fetched; cancel that first".into())
}

impl Shelf {
    pub(crate) fn cancel_download(&mut self, id: &str) -> Result<(), Error> {
        if let Some(running) = &mut self.book(id)?.fetching {
            running.cancel.store(true, Ordering::Relaxed);
            running.next = None;
        }
        Ok(())
    }
}

impl Daemon {
    /// Starts to download a model. What comes of it is told by the model's properties.
    pub(crate) fn download(&mut self, id: &str) -> Result<(), Error> {
        let store = self.shelf.store.clone();
        let is_of_catalog = self.shelf.is_of_catalog(id);
        let book = self.shelf.book(id)?;
        if !is_of_catalog {
            return Err(Error::NotFound(format!(
                "model {id} is not of the catalog and cannot be downloaded; run: scriven model \
                 import {id} PATH"
            )));
        }
        let job: Job = Box::new(move |id, cancel, on| store.pull(id, cancel, on));
        match book.fetch(job, &self.desk) {
            // What runs is what was asked for.
            Err(Error::Busy(_)) => Ok(()),
            result => result,
        }
    }

    /// Starts to import a model. What comes of it is told by the model's properties.
    pub(crate) fn import(&mut self, id: &str, path: PathBuf) -> Result<(), Error> {
        if !path.is_absolute() {
            let message = "the path must be absolute: the daemon runs in a folder of its own";
            return Err(Error::InvalidArgument(message.into()));
        }
        let store = self.shelf.store.clone();
        let job: Job = Box::new(move |id, cancel, on| store.import(id, &path, cancel, on));
        self.shelf.book(id)?.fetch(job, &self.desk)
    }

    pub(crate) fn fetching(&mut self, id: &str, progress: Progress) {
        let Ok(book) = self.shelf.book(id) else { return };
        book.shown.state = match progress.phase {
            Phase::Downloading => "downloading",
            Phase::Converting => "converting",
        };
        book.shown.progress = (progress.done, progress.total);
        book.shown.detail = progress.detail;
    }

    pub(crate) fn fetched(&mut self, id: &str, result: Outcome) {
        let installed = self.shelf.store.is_installed(id);
        let Ok(book) = self.shelf.book(id) else { return };
        let next = book.fetching.take().and_then(|ended| ended.next);
        if next.is_some_and(|job| book.begin(job, &self.desk).is_ok()) {
            return;
        }
        (book.shown.state, book.shown.detail) = match &result {
            Ok(()) => ("installed", String::new()),
            Err(error) if installed => ("installed", chain(error)),
            Err(models::Error::Cancelled) => ("absent", "cancelled".into()),
            Err(error) => ("failed", chain(error)),
        };
        match result {
            Ok(()) => info!(model = id, "model installed"),
            Err(error) => warn!(model = id, "{}", chain(&error)),
        }
        if installed {
            self.shelf.describe(id);
        }
        let helps = match &self.shelf.loaded {
            Loaded::Nothing => true,
            Loaded::Failed(_) => id == self.shelf.chosen,
            Loaded::Loading | Loaded::Ready(_) => false,
        };
        if installed && helps {
            self.shelf.choose(&self.config.model);
            self.load_model();
        }
    }
}
