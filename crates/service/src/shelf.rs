//! Which model is chosen, whether it is loaded, and what becomes of the others.
//!
//! Loading and fetching run on threads of their own (`model`, `fetch`) and report to `main`.

mod fetch;
mod own;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use scriven_recognizer::{Compute, Options};
use tracing::{info, warn};
use zbus::{Connection, OwnedObjectPath};

use crate::config::{Config, Folders};
use crate::daemon::{Daemon, Ending, Event, sent};
use crate::error::{Error, chain};
use crate::feedback::Notice;
use crate::model_object::{ModelObject, ModelShown};
use crate::models::{self, Catalog, Entry, Store};
use crate::parts::Model;
use crate::pipeline::spawn;
use crate::service::Board;
use crate::shelf::fetch::Fetching;
use crate::watch::trying;

/// What to pull where nothing was chosen: good on any machine, and knows every language.
const FIRST_MODEL: &str = "base";
/// Said where loading breaks off in a way that nobody has foreseen.
const BROKE_OFF: &str =
    "loading it broke off with a panic; set compute = \"cpu\", or see: scriven doctor";

/// The models of the catalog, those of the user's own, and the one in use.
pub(crate) struct Shelf {
    store: Arc<Store>,
    books: Vec<Book>,
    /// The objects of all books, as `ListModels` tells them.
    listed: Board<Vec<OwnedObjectPath>>,
    /// Where the id of the model chosen last is kept.
    memory: PathBuf,
    chosen: String,
    /// Which attempt to load is the one that counts.
    attempt: u64,
    loaded: Loaded,
}

enum Loaded {
    Nothing,
    Loading,
    Ready(Arc<dyn Model>),
    Failed(Error),
}

/// One model.
struct Book {
    shown: ModelShown,
    board: Board<ModelShown>,
    fetching: Option<Fetching>,
}

impl Shelf {
    pub(crate) fn new(config: &Config, folders: &Folders, catalog: Catalog) -> Self {
        let configured = !config.models.as_os_str().is_empty();
        let folder = if configured { &config.models } else { &folders.models };
        let store = Arc::new(Store::new(folder.clone(), catalog));
        let mut shelf = Self {
            books: store.catalog().entries().iter().map(|entry| Book::of(entry, &store)).collect(),
            listed: Board::default(),
            memory: folders.state.join("model"),
            chosen: String::new(),
            attempt: 0,
            loaded: Loaded::Nothing,
            store,
        };
        shelf.add_those_of_the_user();
        shelf.choose(&config.model);
        shelf
    }

    /// `auto`: the model chosen last, else the first one installed, else the one to begin with.
    fn choose(&mut self, configured: &str) {
        let remembered = || fs::read_to_string(&self.memory).ok().map(|id| id.trim().to_owned());
        let installed = |id: &String| self.store.is_installed(id);
        self.chosen = match configured {
            "auto" => remembered()
                .filter(installed)
                .or_else(|| self.books.iter().map(|book| book.shown.id.clone()).find(installed))
                .unwrap_or_else(|| FIRST_MODEL.into()),
            id => id.into(),
        };
    }

    /// The objects of all models, as they are from time to time.
    pub(crate) fn listed(&self) -> Board<Vec<OwnedObjectPath>> {
        self.listed.clone()
    }

    /// The objects to put on the bus.
    pub(crate) fn boards(&self) -> impl Iterator<Item = (&str, Board<ModelShown>)> {
        self.books.iter().map(|book| (book.shown.id.as_str(), book.board.clone()))
    }

    pub(crate) fn chosen(&self) -> &str {
        &self.chosen
    }

    pub(crate) fn model(&self) -> Option<Arc<dyn Model>> {
        match &self.loaded {
            Loaded::Ready(model) => Some(model.clone()),
            _ => None,
        }
    }

    pub(crate) fn failure(&self) -> Option<&Error> {
        match &self.loaded {
            Loaded::Failed(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn state(&self) -> &'static str {
        match self.loaded {
            Loaded::Nothing => "unloaded",
            Loaded::Loading => "loading",
            Loaded::Ready(_) => "ready",
            Loaded::Failed(_) => "failed",
        }
    }

    /// Whether a session may begin: also while the model loads.
    pub(crate) fn can_serve(&self) -> Result<(), Error> {
        match &self.loaded {
            Loaded::Loading | Loaded::Ready(_) => Ok(()),
            Loaded::Failed(error) => Err(error.clone()),
            Loaded::Nothing => Err(self.absent(&self.chosen)),
        }
    }

    fn absent(&self, id: &str) -> Error {
        Error::NoModel(match self.is_of_catalog(id) {
            true => format!("model {id} is not installed; run: scriven model pull {id}"),
            false => format!("model {id} is not installed; run: scriven model import {id} PATH"),
        })
    }

    /// Checks options against the model; while it loads, the threads find out.
    pub(crate) fn check(&self, options: &Options) -> Result<(), Error> {
        let Some(model) = self.model() else { return Ok(()) };
        model.check(options).map_err(|error| Error::recognizing(&error))
    }

    /// What goes on with the model chosen.
    fn say(&mut self, detail: String) {
        let chosen = self.chosen.clone();
        if let Ok(book) = self.book(&chosen) {
            book.shown.detail = detail;
        }
    }

    fn book(&mut self, id: &str) -> Result<&mut Book, Error> {
        let found = self.books.iter_mut().find(|book| book.shown.id == id);
        found.ok_or_else(|| Error::NotFound(format!("no model is called {id}")))
    }

    /// Tells the bus about models that have changed.
    pub(crate) async fn publish(&mut self, connection: &Connection) {
        for book in &self.books {
            let (now, was) = (&book.shown, book.board.replace(book.shown.clone()));
            if *now == was {
                continue;
            }
            let path = ModelObject::path(&now.id);
            let Ok(object) = connection.object_server().interface::<_, ModelObject>(path).await
            else {
                continue;
            };
            let (object, to) = (object.get().await, object.signal_emitter());
            if now.size != was.size {
                sent(object.size_changed(to).await);
            }
            if now.multilingual != was.multilingual {
                sent(object.multilingual_changed(to).await);
            }
            if now.progress != was.progress {
                sent(object.progress_changed(to).await);
            }
            if now.detail != was.detail {
                sent(object.detail_changed(to).await);
            }
            if now.state != was.state {
                sent(object.state_changed(to).await);
            }
        }
        self.drop_the_forgotten(connection).await;
    }
}

impl Book {
    /// A model of the catalog.
    fn of(entry: &Entry, store: &Store) -> Self {
        Self::new(ModelShown {
            id: entry.id.clone(),
            size: entry.size,
            multilingual: entry.multilingual,
            state: if store.is_installed(&entry.id) { "installed" } else { "absent" },
            progress: (0, 0),
            detail: String::new(),
        })
    }

    fn new(shown: ModelShown) -> Self {
        Self { board: Board::new(shown.clone()), shown, fetching: None }
    }
}

impl Daemon {
    /// Loads the chosen model, if it is installed.
    pub(crate) fn load_model(&mut self) {
        let shelf = &mut self.shelf;
        shelf.attempt += 1;
        // The old model goes before the new one comes: there may be room for one only.
        shelf.loaded = Loaded::Nothing;
        if !shelf.store.is_installed(&shelf.chosen) {
            info!(model = shelf.chosen, "model is not installed");
            return;
        }
        let (attempt, id, folder) =
            (shelf.attempt, shelf.chosen.clone(), shelf.store.folder(&shelf.chosen));
        let load = self.parts.load.clone();
        let events = self.desk.0.clone();
        // Every string is the name of some processor.
        let Ok(compute) = self.config.compute.parse::<Compute>();
        let precision = self.config.precision.into();
        let started = spawn("model", move || {
            let begun = Instant::now();
            let mut warming = |done, of| {
                info!("warming up the GPU, {done} of {of}");
                drop(events.send_blocking(Event::Warming(attempt, done, of)));
            };
            let tried = trying(|| load(&folder, &compute, precision, &mut warming));
            let result = match tried {
                Ok(result) => result.map_err(|error| Error::recognizing(&error)),
                Err(_) => Err(Error::Failed(BROKE_OFF.into())),
            };
            if let Ok(model) = &result {
                info!(model = id, backend = model.backend(), elapsed = ?begun.elapsed(), "loaded");
            }
            drop(events.send_blocking(Event::Loaded(attempt, result)));
        });
        self.shelf.loaded = match started {
            Ok(()) => Loaded::Loading,
            Err(error) => Loaded::Failed(Error::Overloaded(error.to_string())),
        };
    }

    /// The GPU is being warmed up for the model that is being loaded.
    pub(crate) fn warming(&mut self, attempt: u64, done: usize, of: usize) {
        let shelf = &mut self.shelf;
        if attempt != shelf.attempt {
            return;
        }
        shelf.say(match done == of {
            true => String::new(),
            false => format!("warming up the GPU, {done} of {of}"),
        });
    }

    pub(crate) fn loaded(&mut self, attempt: u64, result: Result<Arc<dyn Model>, Error>) {
        if attempt != self.shelf.attempt {
            return;
        }
        self.shelf.say(String::new());
        match result {
            Ok(model) => {
                if let Some(reason) = model.fallback() {
                    self.note(&Error::GpuUnavailable(reason.into()));
                }
                self.shelf.loaded = Loaded::Ready(model);
                let task = self.config.task.into();
                let languages = self.languages.clone();
                let options = Options { languages, task, ..Options::default() };
                if let Err(error) = self.shelf.check(&options) {
                    self.note(&error);
                }
            }
            Err(error) => {
                self.note(&error);
                self.feedback.wrong(Notice::of_model(&error));
                for session in &mut self.sessions.all {
                    session.failure.get_or_insert(error.clone());
                    session.end(Ending::Failed);
                }
                self.shelf.loaded = Loaded::Failed(error);
            }
        }
    }

    /// The GPU has failed in the middle of work, and `by` computes from now on.
    pub(crate) fn replaced(
        &mut self,
        failed: &Arc<dyn Model>,
        why: &Error,
        by: Result<Arc<dyn Model>, Error>,
    ) {
        if !self.shelf.model().is_some_and(|model| Arc::ptr_eq(&model, failed)) {
            // Another model was chosen meanwhile.
            return;
        }
        self.note(why);
        self.shelf.loaded = by.map_or_else(Loaded::Failed, Loaded::Ready);
    }

    pub(crate) fn remove_model(&mut self, id: &str) -> Result<(), Error> {
        let in_use = self.shelf.chosen == id;
        if in_use && !self.sessions.all.is_empty() {
            return Err(Error::Busy("the model is in use; stop the session first".into()));
        }
        let (store, is_of_catalog) = (self.shelf.store.clone(), self.shelf.is_of_catalog(id));
        let book = self.shelf.book(id)?;
        if book.fetching.is_some() {
            return Err(fetch::busy());
        }
        match store.remove(id) {
            Ok(()) => {}
            // An import that has failed is forgotten.
            Err(models::Error::NotInstalled(_)) if !is_of_catalog => {}
            Err(error @ models::Error::NotInstalled(_)) => {
                return Err(Error::NotFound(chain(&error)));
            }
            Err(error) => return Err(Error::Failed(chain(&error))),
        }
        book.shown.state = "absent";
        book.shown.progress = (0, 0);
        book.shown.detail.clear();
        if in_use {
            self.shelf.choose(&self.config.model);
            self.load_model();
        }
        Ok(())
    }

    /// Changes to an installed model, now and whenever the configuration says `auto`.
    pub(crate) fn use_model(&mut self, id: &str) -> Result<(), Error> {
        if !self.shelf.store.is_installed(id) {
            return Err(self.shelf.absent(id));
        }
        if !self.sessions.all.is_empty() {
            return Err(Error::Busy("the model is in use; stop the session first".into()));
        }
        let memory = &self.shelf.memory;
        let folder = memory.parent().unwrap_or(memory);
        if let Err(error) = fs::create_dir_all(folder).and_then(|()| fs::write(memory, id)) {
            warn!(%error, "the choice of model will be forgotten");
        }
        let ready = matches!(self.shelf.loaded, Loaded::Ready(_) | Loaded::Loading);
        if self.shelf.chosen != id || !ready {
            self.shelf.chosen = id.into();
            self.load_model();
        }
        Ok(())
    }
}
