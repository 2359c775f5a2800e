//! The thread `delivery` seen from `main`: nothing here waits for it, but at the end of the daemon.

use std::time::Duration;

use tracing::warn;
use zruntime::SharedRuntime;

use super::mailbox::Sender;
use super::{Beginning, Of, Task, Text, too_much};
use crate::clock;
use crate::config::Mode;
use crate::history::{Access, Fate, Shared};
use crate::parts::Delivered;
use crate::pipeline::Id;

/// How long the thread may take for what still waits when the daemon ends. More, and systemd could lose patience:
/// the last words may have taken [`LAST_WORDS`](crate::daemon::LAST_WORDS) before.
const END: Duration = Duration::from_secs(4);

/// Hands texts to the thread. Dropped, it ends it.
pub(crate) struct Handle {
    tasks: Sender,
    pub(crate) history: Shared,
}

impl Handle {
    pub(super) fn new(tasks: Sender, history: Shared) -> Self {
        Self { tasks, history }
    }

    /// Ends when the thread has done what it was asked to, once this is dropped; after some seconds at the latest.
    pub(crate) fn settled(&self) -> impl Future<Output = ()> + 'static {
        // The thread has the history until it ends.
        let gone = self.history.gone();
        async move {
            let Ok(runtime) = SharedRuntime::current() else { return };
            if runtime.timeout(END, gone.recv()).await.is_err() {
                warn!("a window does not answer; what was said last may be missing in the history");
            }
        }
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

    /// What a session says before it can be heard is meant for what is in focus now.
    pub(crate) fn expect(&self, session: Id, mode: Mode) {
        self.pass(Task::Expect(session, mode));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::mailbox::{Found, mailbox};
    use super::*;
    use crate::history::{History, Limits};
    use crate::pipeline::spawn;

    #[test]
    fn the_end_waits_for_what_was_handed_over() {
        let (sender, tasks) = mailbox();
        let limits = Limits { max: 1, keep: Duration::ZERO };
        let history = Shared::new(History::new(limits, Vec::new()));
        let handle = Handle::new(sender, history.clone());
        let kept = Arc::new(AtomicUsize::new(0));
        let counted = kept.clone();
        let slow = move || {
            let _history = history;
            while let Found::Task(Task::Keep(_)) = tasks.next(None) {
                std::thread::sleep(Duration::from_millis(50));
                counted.fetch_add(1, Ordering::Relaxed);
            }
        };
        spawn("delivery", slow).unwrap();
        handle.keep(1);
        handle.keep(2);
        let settled = handle.settled();
        drop(handle);
        zbus::block_on(settled);
        assert_eq!(kept.load(Ordering::Relaxed), 2);
    }
}
