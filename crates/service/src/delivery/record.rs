//! What has become of a text, told to the history, to the disk and to `main`.

use super::{Delivery, Text};
use crate::clock;
use crate::daemon::Event;
use crate::history::Fate;
use crate::parts::Delivered;

impl Delivery {
    /// Notes what has become of a text, and tells.
    pub(super) fn settle(&mut self, text: &Text, delivered: &Delivered, is_written: bool) {
        let fate = match (delivered.ok, is_written) {
            (false, _) => Fate::Undelivered,
            (true, true) => Fate::Delivered,
            (true, false) => Fate::Undone,
        };
        self.note(text.id, fate, delivered);
        self.report(Event::Delivered(text.of, text.id, delivered.clone()));
    }

    pub(super) fn note(&mut self, id: u64, fate: Fate, delivered: &Delivered) {
        let journal = &mut self.journal;
        self.history.with(|history| {
            let Some(entry) = history.get_mut(id) else { return };
            entry.fate = fate;
            entry.backend.clone_from(&delivered.backend);
            entry.detail = if delivered.ok { String::new() } else { delivered.detail.clone() };
            journal.settle(entry);
        });
    }

    pub(super) fn note_undone(&mut self) {
        let journal = &mut self.journal;
        self.history.with(|history| {
            if let Some(entry) = history.undone() {
                journal.settle(entry);
            }
        });
    }

    pub(super) fn keep(&mut self, id: u64) {
        let entry = self.history.with(|history| history.get(id).cloned());
        if let Some(entry) = entry {
            self.journal.add(&entry);
        }
    }

    /// Behind a task, not before it: the file may have to be written anew.
    pub(super) fn forget_what_is_old(&mut self) {
        let journal = &mut self.journal;
        journal.sync();
        self.history.with(|history| {
            if history.prune(clock::wall_unsigned()) {
                journal.rewrite(history);
            }
        });
    }
}
