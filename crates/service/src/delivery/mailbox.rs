//! The queue in front of the thread `delivery`. `main` never waits for it: what is shown only in
//! passing is replaced by what is newer, and what does not fit is handed back.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Task;

/// Texts and calls that may wait. Behind a window that takes no text each waits for a second or so;
/// whoever has spoken that much has noticed.
pub(crate) const ROOM: usize = 64;

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    bell: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that `main` has. Dropped, it ends the thread.
pub(crate) struct Sender(Arc<Shared>);

/// The end that `delivery` has.
pub(crate) struct Receiver(Arc<Shared>);

/// What the thread finds.
pub(crate) enum Found {
    Task(Task),
    /// Nothing in all that time.
    Nothing,
    /// Nothing more will come.
    Closed,
}

pub(crate) fn mailbox() -> (Sender, Receiver) {
    let shared = Arc::new(Shared::default());
    (Sender(shared.clone()), Receiver(shared))
}

impl Sender {
    /// Puts a task in.
    ///
    /// # Errors
    ///
    /// There is no room; the task comes back.
    pub(crate) fn send(&self, task: Task) -> Result<(), Box<Task>> {
        let mut queue = self.0.lock();
        if let Some(of) = task.utterance() {
            // What was to be shown of this utterance is old now.
            queue.tasks.retain(|task| !task.is_show() || task.utterance() != Some(of));
        }
        if queue.tasks.len() >= ROOM && !task.is_short() {
            return Err(Box::new(task));
        }
        queue.tasks.push_back(task);
        self.0.bell.notify_one();
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_one();
    }
}

impl Receiver {
    /// Waits for the next task, at most `patience`.
    pub(crate) fn next(&self, patience: Option<Duration>) -> Found {
        let idle = |queue: &mut Queue| queue.tasks.is_empty() && !queue.closed;
        let queue = self.0.lock();
        let mut queue = match patience {
            Some(patience) => {
                let waited = self.0.bell.wait_timeout_while(queue, patience, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.0.bell.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner),
        };
        match queue.tasks.pop_front() {
            Some(task) => Found::Task(task),
            None if queue.closed => Found::Closed,
            None => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Beginning, Of, Text};
    use super::*;
    use crate::config::Mode;

    fn show(utterance: u32, committed: &str) -> Task {
        let of = Of { session: 1, utterance };
        let (committed, tentative, language) = (committed.into(), String::new(), None);
        Task::Show { of, committed, tentative, language }
    }

    fn finish(utterance: u32) -> Task {
        let of = Of { session: 1, utterance };
        let (profile, language) = (None, None);
        Task::Finish(Text { of, id: 1, mode: Mode::Type, profile, text: "x".into(), language })
    }

    fn drain(receiver: &Receiver) -> Vec<String> {
        let mut found = Vec::new();
        while let Found::Task(task) = receiver.next(Some(Duration::ZERO)) {
            found.push(match task {
                Task::Show { of, committed, .. } => format!("show {} {committed}", of.utterance),
                Task::Finish(text) => format!("finish {}", text.of.utterance),
                _ => "other".into(),
            });
        }
        found
    }

    #[test]
    fn what_is_newer_replaces_what_was_to_be_shown() {
        let (sender, receiver) = mailbox();
        for task in [show(1, "a"), show(1, "a b"), show(2, "c"), finish(1), show(2, "c d")] {
            sender.send(task).ok().unwrap();
        }
        assert_eq!(drain(&receiver), ["finish 1", "show 2 c d"]);
    }

    #[test]
    fn what_does_not_fit_comes_back_and_the_rest_stays() {
        let (sender, receiver) = mailbox();
        for n in 0..ROOM as u32 {
            sender.send(finish(n)).ok().unwrap();
        }
        assert!(matches!(*sender.send(finish(99)).unwrap_err(), Task::Finish(text)
            if text.of.utterance == 99));
        assert!(sender.send(show(100, "a")).is_err());
        // The end of a session is small, and must be known; and without its beginning a text that
        // finds room later would go where the focus is by then.
        sender.send(Task::Ended(1)).ok().unwrap();
        let of = Of { session: 1, utterance: 101 };
        let (mode, held, late, profile) = (Mode::Type, false, false, None);
        let beginning = Beginning { of, mode, held, late, profile };
        sender.send(Task::Begin(beginning)).ok().unwrap();
        assert_eq!(drain(&receiver).len(), ROOM + 2);
    }

    #[test]
    fn what_was_put_in_before_the_end_is_still_found() {
        let (sender, receiver) = mailbox();
        sender.send(finish(1)).ok().unwrap();
        drop(sender);
        assert!(matches!(receiver.next(None), Found::Task(_)));
        assert!(matches!(receiver.next(None), Found::Closed));
    }
}
