//! Models that the catalog does not have: imported under a name of the user's own.
//!
//! Each has an object from its import to its removal, and again whenever the daemon starts.

use std::path::PathBuf;

use tracing::warn;
use zbus::{Connection, OwnedObjectPath};

use super::{Book, Shelf};
use crate::daemon::{Daemon, sent};
use crate::error::{Error, chain};
use crate::model_object::{ModelObject, ModelShown};

/// More are refused: each import is a thread, and a name stays until it is removed.
const MOST: usize = 64;

impl Shelf {
    pub(super) fn is_of_catalog(&self, id: &str) -> bool {
        self.store.catalog().find(id).is_some()
    }

    /// Adds what is installed besides the catalog.
    pub(super) fn add_those_of_the_user(&mut self) {
        for id in self.store.installed() {
            if self.is_of_catalog(&id) {
                continue;
            }
            if let Err(error) = self.add(&id) {
                warn!(model = id, "not shown: {}", chain(&error));
            }
        }
        self.list();
    }

    /// A book for a model that is installed, or will be.
    fn add(&mut self, id: &str) -> Result<(), Error> {
        let check = self.store.check_id(id);
        check.map_err(|error| Error::InvalidArgument(chain(&error)))?;
        let path = ModelObject::path(id);
        let like = |book: &&Book| ModelObject::path(&book.shown.id) == path;
        if let Some(Book { shown, .. }) = self.books.iter().find(like) {
            let message = format!("{id} is too much like {}; choose another id", shown.id);
            return Err(Error::InvalidArgument(message));
        }
        let (size, multilingual) = self.store.facts(id);
        self.books.push(Book::new(ModelShown {
            id: id.into(),
            size,
            multilingual,
            state: if self.store.is_installed(id) { "installed" } else { "absent" },
            progress: (0, 0),
            detail: String::new(),
        }));
        Ok(())
    }

    /// Writes down what only the file of a model tells that has just been installed.
    pub(super) fn describe(&mut self, id: &str) {
        if self.is_of_catalog(id) {
            return;
        }
        let facts = self.store.facts(id);
        if let Ok(book) = self.book(id) {
            (book.shown.size, book.shown.multilingual) = facts;
        }
    }

    fn list(&self) {
        let paths = self.books.iter().map(|book| ModelObject::path(&book.shown.id));
        self.listed.replace(paths.collect());
    }

    /// Takes the objects of models down that nothing is left of but their names.
    pub(super) async fn drop_the_forgotten(&mut self, connection: &Connection) {
        let catalog = self.store.catalog();
        let is_forgotten = |book: &mut Book| {
            let ModelShown { id, state, .. } = &book.shown;
            *state == "absent" && book.fetching.is_none() && catalog.find(id).is_none()
        };
        let forgotten: Vec<_> = self.books.extract_if(.., is_forgotten).collect();
        if forgotten.is_empty() {
            return;
        }
        self.list();
        for book in forgotten {
            let path = ModelObject::path(&book.shown.id);
            let removed = connection.object_server().remove::<ModelObject, _>(path).await;
            sent(removed.map(drop));
        }
    }
}

impl Daemon {
    /// Starts to import a model under any name, and tells where it is shown.
    pub(crate) async fn import_model(
        &mut self,
        id: &str,
        file: PathBuf,
    ) -> Result<OwnedObjectPath, Error> {
        let path = ModelObject::path(id);
        if self.shelf.book(id).is_err() {
            self.show(id).await?;
        }
        self.import(id, file)?;
        Ok(path)
    }

    /// Puts the object of a new model on the bus.
    async fn show(&mut self, id: &str) -> Result<(), Error> {
        let shelf = &mut self.shelf;
        if shelf.books.len() - shelf.store.catalog().entries().len() >= MOST {
            let message = format!("there are {MOST} models of your own already; remove one first");
            return Err(Error::Overloaded(message));
        }
        shelf.add(id)?;
        shelf.list();
        let board = shelf.book(id)?.board.clone();
        let object = ModelObject { id: id.into(), desk: self.desk.clone(), board };
        self.connection.object_server().at(ModelObject::path(id), object).await?;
        Ok(())
    }
}
