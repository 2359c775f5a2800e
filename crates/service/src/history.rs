//! What was dictated lately, so that no word is lost that did not get into a window.
//!
//! Lives in memory, shared by `main`, which adds what is final and lists it, and the thread
//! `delivery`, which notes what became of it. [`journal`] is the copy on disk. Bounded by number
//! and by age. Nothing here is ever logged.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::Caller;

pub(crate) mod journal;

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No window was asked for: its program has it from the bus.
    Unasked,
    /// It is not known to be in a window.
    Undelivered,
    /// It is in a window.
    Delivered,
    /// It was, and has been taken back.
    Undone,
}

impl Fate {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Undelivered => "undelivered",
            Self::Delivered => "delivered",
            Self::Undone => "undone",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let all = [Self::Unasked, Self::Undelivered, Self::Delivered, Self::Undone];
        all.into_iter().find(|fate| fate.word() == word)
    }
}

/// Who may read a text again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every program on the bus; it is on disk as well.
    #[default]
    All,
    /// The program whose session it was, and nobody else; only in memory.
    Owner(Caller),
    /// Nobody: it was meant for a field for passwords. It can only be delivered; only in memory.
    Nobody,
}

/// One final text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was final, in µs since 1970, or a little more: no two are the same.
    pub id: u64,
    pub text: String,
    pub language: Option<String>,
    pub access: Access,
    pub fate: Fate,
    /// The way it took into the window, if it did.
    pub backend: String,
    /// Why it is not in a window, if it should be.
    pub detail: String,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Texts, at least one.
    pub max: usize,
    /// For how long; zero keeps them as long as the daemon runs, and nothing on disk.
    pub keep: Duration,
}

/// The texts, oldest first.
pub(crate) struct History {
    entries: VecDeque<Entry>,
    limits: Limits,
    /// Some were forgotten that may still be on disk.
    forgotten: bool,
}

impl History {
    /// `entries` are those of an earlier process.
    pub(crate) fn new(limits: Limits, entries: Vec<Entry>) -> Self {
        Self { entries: entries.into(), limits, forgotten: false }
    }

    /// Adds a text at `now`, in µs since 1970, and gives it a number.
    pub(crate) fn add(
        &mut self,
        now: u64,
        text: String,
        language: Option<String>,
        access: Access,
        fate: Fate,
    ) -> u64 {
        // Numbered behind texts that a wrong clock has dated far ahead, this one would be forgotten with them: already
        // from half as far as `prune` allows.
        let ahead = now.saturating_add(self.keep() / 2);
        self.retain(|entry| entry.id < ahead);
        let id = now.max(self.entries.back().map_or(0, |entry| entry.id + 1));
        let (backend, detail) = Default::default();
        self.entries.push_back(Entry { id, text, language, access, fate, backend, detail });
        id
    }

    /// Forgets what is too old at `now` or too many. Whether anything was forgotten since this was asked last.
    pub(crate) fn prune(&mut self, now: u64) -> bool {
        let keep = self.keep();
        // What a wrong clock has dated as far ahead would stay for longer than it may.
        self.retain(|entry| entry.id.abs_diff(now) < keep);
        let surplus = self.entries.len().saturating_sub(self.limits.max);
        self.entries.drain(..surplus);
        std::mem::take(&mut self.forgotten) || surplus > 0
    }

    /// How old a text may be, in µs.
    fn keep(&self) -> u64 {
        let keep = self.limits.keep;
        if keep.is_zero() { u64::MAX } else { keep.as_micros() as u64 }
    }

    fn retain(&mut self, is_kept: impl Fn(&Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(is_kept);
        self.forgotten |= self.entries.len() < before;
    }

    /// How long until the oldest text is too old.
    pub(crate) fn next_expiry(&self, now: u64) -> Option<Duration> {
        let oldest = self.entries.front().filter(|_| !self.limits.keep.is_zero())?;
        let due = oldest.id.saturating_add(self.limits.keep.as_micros() as u64);
        Some(Duration::from_micros(due.saturating_sub(now)))
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// The text to deliver again: this one, or the last that should be in a window and is not.
    pub(crate) fn to_deliver(&self, id: Option<u64>) -> Option<&Entry> {
        match id {
            Some(id) => self.get(id),
            None => self.entries.iter().rev().find(|entry| entry.fate == Fate::Undelivered),
        }
    }

    /// A text that was delivered is no longer in the window.
    pub(crate) fn undone(&mut self, id: u64) -> Option<&Entry> {
        let entry = self.get_mut(id).filter(|entry| entry.fate == Fate::Delivered)?;
        entry.fate = Fate::Undone;
        Some(entry)
    }

    /// Newest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// What may be on disk, oldest first.
    pub(crate) fn on_disk(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.access == Access::All)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// One history for two threads.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Held>);

struct Held {
    history: Mutex<History>,
    /// Only held: its end closes the channel.
    _held: async_channel::Sender<()>,
    gone: async_channel::Receiver<()>,
}

impl Shared {
    pub(crate) fn new(history: History) -> Self {
        let (_held, gone) = async_channel::bounded(1);
        Self(Arc::new(Held { history: Mutex::new(history), _held, gone }))
    }

    /// Does something short with it: no call of the system, nothing that waits.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut History) -> T) -> T {
        work(&mut self.0.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closed when no thread has the history any more.
    pub(crate) fn gone(&self) -> async_channel::Receiver<()> {
        self.0.gone.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000;

    fn history(max: usize, hours: u64) -> History {
        History::new(Limits { max, keep: Duration::from_secs(hours * 3600) }, Vec::new())
    }

    fn add(history: &mut History, now: u64, text: &str, fate: Fate) -> u64 {
        history.add(now, text.into(), None, Access::All, fate)
    }

    fn texts(history: &History) -> Vec<&str> {
        history.latest().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn what_is_too_many_or_too_old_is_forgotten() {
        let mut history = history(2, 1);
        for (at, text) in [(1, "one"), (2, "two"), (3, "three")] {
            add(&mut history, at, text, Fate::Delivered);
        }
        assert!(history.prune(3));
        assert_eq!(texts(&history), ["three", "two"]);
        assert_eq!(history.next_expiry(HOUR - 8), Some(Duration::from_micros(10)));
        assert!(history.prune(HOUR + 2) && !history.prune(HOUR + 2));
        assert_eq!(texts(&history), ["three"]);
    }

    #[test]
    fn without_hours_nothing_grows_old() {
        let mut history = history(2, 0);
        add(&mut history, 1, "one", Fate::Unasked);
        assert!(!history.prune(u64::MAX));
        assert_eq!(history.next_expiry(5), None);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_number_twice() {
        let mut history = history(9, 0);
        let ids = [100, 40, 100].map(|now| add(&mut history, now, "x", Fate::Unasked));
        assert_eq!(ids, [100, 101, 102]);
    }

    #[test]
    fn what_a_wrong_clock_has_dated_ahead_is_forgotten_and_not_gone_on_from() {
        let mut history = history(9, 24);
        let (now, ahead) = (1_000 * HOUR, 9_000 * HOUR);
        add(&mut history, now, "before", Fate::Delivered);
        add(&mut history, ahead, "ahead", Fate::Delivered);
        assert!(history.prune(now), "the clock has been set right");
        assert_eq!(texts(&history), ["before"]);
        assert_eq!(add(&mut history, now, "next", Fate::Delivered), now + 1);
        // Here the next text comes before anything is pruned.
        add(&mut history, ahead, "ahead", Fate::Delivered);
        assert_eq!(add(&mut history, now + 5, "last", Fate::Delivered), now + 5);
        assert!(history.prune(now), "one is still on disk");
        assert!(!history.prune(now));
        assert_eq!(texts(&history), ["last", "next", "before"]);
        add(&mut history, ahead, "ahead", Fate::Delivered);
        history.clear();
        assert_eq!(add(&mut history, now, "anew", Fate::Delivered), now);
    }

    #[test]
    fn a_text_ahead_that_is_not_forgotten_yet_costs_no_later_one() {
        let now = 1_000 * HOUR;
        for ahead in [HOUR, 12 * HOUR - 1, 12 * HOUR, 24 * HOUR - 1, 24 * HOUR] {
            let mut history = history(9, 24);
            add(&mut history, now + ahead, "ahead", Fate::Delivered);
            let ids = [1, 2].map(|n| add(&mut history, now + n, "x", Fate::Undelivered));
            assert!(ids[0] < ids[1]);
            history.prune(now);
            assert!(ids.iter().all(|id| history.get(*id).is_some()), "{ahead}");
        }
    }

    #[test]
    fn the_history_is_gone_with_the_last_who_has_it() {
        let ours = Shared::new(history(9, 0));
        let (theirs, gone) = (ours.clone(), ours.gone());
        drop(ours);
        assert!(!gone.is_closed());
        drop(theirs);
        assert!(gone.is_closed());
    }

    #[test]
    fn the_last_undelivered_text_is_the_one_to_deliver_again() {
        let mut history = history(9, 0);
        let first = add(&mut history, 1, "one", Fate::Undelivered);
        let second = add(&mut history, 2, "two", Fate::Undelivered);
        let third = add(&mut history, 3, "three", Fate::Delivered);
        assert_eq!(history.to_deliver(None).unwrap().id, second);
        assert_eq!(history.to_deliver(Some(first)).unwrap().text, "one");
        assert!(history.to_deliver(Some(77)).is_none());
        assert_eq!(history.undone(third).unwrap().text, "three");
        assert!(history.undone(third).is_none() && history.undone(first).is_none());
    }
}
