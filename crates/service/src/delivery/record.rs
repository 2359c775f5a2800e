//! What has become of a text, told to the history, to the disk and to `main`.

use super::{Delivery, Text};
use crate::clock;
use crate::config::Mode;
use crate::daemon::Event;
use crate::history::Fate;
use crate::parts::Delivered;

/// As many as can be taken back.
const MOST: usize = 16;

/// What was put into windows and onto the clipboard, in this order: the numbers that the texts have
/// in the history; `None` for one that is not there.
#[derive(Default)]
pub(super) struct Trails {
    windows: Vec<Option<u64>>,
    clipboard: Vec<Option<u64>>,
}

impl Trails {
    fn of(&mut self, mode: Mode) -> &mut Vec<Option<u64>> {
        if mode == Mode::Copy { &mut self.clipboard } else { &mut self.windows }
    }

    /// Nothing that was put there can be taken back.
    pub(super) fn forget(&mut self, mode: Mode) {
        self.of(mode).clear();
    }

    /// A text, or a part of it, was put there.
    pub(super) fn add(&mut self, mode: Mode, id: Option<u64>) {
        let trail = self.of(mode);
        trail.push(id);
        trail.drain(..trail.len().saturating_sub(MOST));
    }
}

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

    /// So many of the texts that were put there last are there no more.
    pub(super) fn note_undone(&mut self, mode: Mode, count: usize) {
        let journal = &mut self.journal;
        let trail = self.trails.of(mode);
        let undone = trail.split_off(trail.len().saturating_sub(count));
        self.history.with(|history| {
            for id in undone.into_iter().rev().flatten() {
                if let Some(entry) = history.undone(id) {
                    journal.settle(entry);
                }
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
