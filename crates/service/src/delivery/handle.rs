//! The thread `delivery` seen from `main`: nothing here waits for it.

use super::mailbox::Sender;
use super::{Beginning, Of, Task, Text, too_much};
use crate::clock;
use crate::history::{Access, Fate, Shared};
use crate::parts::Delivered;
use crate::pipeline::Id;

/// Hands texts to the thread. Dropped, it ends it.
pub(crate) struct Handle {
    tasks: Sender,
    pub(crate) history: Shared,
}

impl Handle {
    pub(super) fn new(tasks: Sender, history: Shared) -> Self {
        Self { tasks, history }
    }

    /// Puts a final text into the history, where it stays whatever happens from here on.
    pub(crate) fn remember(
        &self,
        text: &str,
        language: Option<&str>,
        access: Access,
        fate: Fate,
    ) -> u64 {
        let (now, language) = (clock::wall_unsigned(), language.map(str::to_owned));
        self.history.with(|history| history.add(now, text.into(), language, access, fate))
    }

    /// Writes down a text that no window is to have.
    pub(crate) fn keep(&self, id: u64) {
        self.pass(Task::Keep(id));
    }

    pub(crate) fn begin(&self, beginning: Beginning) {
        self.pass(Task::Begin(beginning));
    }

    pub(crate) fn show(&self, of: Of, committed: &str, tentative: &str, language: Option<&str>) {
        let (committed, tentative) = (committed.to_owned(), tentative.to_owned());
        let language = language.map(str::to_owned);
        self.pass(Task::Show { of, committed, tentative, language });
    }

    pub(crate) fn discard(&self, of: Of) {
        self.pass(Task::Discard(of));
    }

    pub(crate) fn released(&self, session: Id) {
        self.pass(Task::Released(session));
    }

    pub(crate) fn ended(&self, session: Id) {
        self.pass(Task::Ended(session));
    }

    /// Puts a final text into the window. Where too much is waiting it stays in the history, and
    /// what has become of it is known at once.
    pub(crate) fn finish(&self, text: Text) -> Option<Delivered> {
        let id = text.id;
        self.tasks.send(Task::Finish(text)).err().map(|_| {
            self.keep(id);
            too_much()
        })
    }

    /// Asks for something that is answered.
    ///
    /// # Errors
    ///
    /// Too much is waiting; the task comes back.
    pub(crate) fn ask(&self, task: Task) -> Result<(), Box<Task>> {
        self.tasks.send(task)
    }

    /// What finds no room can be left out: it is shown in passing, or made good by the text.
    fn pass(&self, task: Task) {
        drop(self.tasks.send(task));
    }
}
