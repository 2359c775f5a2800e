//! Final texts: into the window of their utterance, or onto the clipboard.

use scriven_desktop::insertion::Target;
use scriven_desktop::writing::Edit;
use tracing::debug;

use super::mailbox::ROOM;
use super::writer::{Arrival, Sheet};
use super::{Beginning, Delivery, Of, Queued, Text};
use crate::config::Mode;
use crate::history::Access;
use crate::parts::Delivered;
use crate::pipeline::Id;

/// A text of which only the beginning is in its window.
pub(super) struct Partly {
    id: u64,
    target: String,
    there: String,
    pub rest: String,
}

impl Partly {
    /// `there` is what is there of the text as it was written, `own`; `None` if it is something else.
    pub(super) fn new(id: u64, target: &str, own: &str, there: &str) -> Option<Self> {
        let rest = own.strip_prefix(there).filter(|_| !there.is_empty())?.into();
        Some(Self { id, target: target.into(), there: there.into(), rest })
    }

    /// Whether the cursor may still stand behind what is there of the text `id`.
    pub(super) fn stands_in(&self, id: u64, target: &Target) -> bool {
        let fits = |before: &str| before.ends_with(&self.there) || self.there.ends_with(before);
        (id, &target.id) == (self.id, &self.target) && target.before.as_deref().is_none_or(fits)
    }
}

/// What a session has put onto the clipboard: all its texts together.
#[derive(Clone, Default)]
pub(super) struct Copied {
    session: Id,
    texts: Vec<String>,
}

impl Copied {
    /// Whether another session has the clipboard from now on, which begins with nothing.
    pub(super) fn turn_to(&mut self, session: Id) -> bool {
        let is_another = session != self.session;
        if is_another {
            *self = Self { session, texts: Vec::new() };
        }
        is_another
    }

    pub(super) fn text(&self) -> String {
        self.texts.concat()
    }

    /// How many texts the edits take back.
    fn apply(&mut self, edits: &[Edit]) -> usize {
        let before = self.texts.len();
        let mut added = 0;
        for edit in edits {
            match edit {
                Edit::Insert(text) => {
                    self.texts.push(text.clone());
                    added += 1;
                }
                Edit::Undo => drop(self.texts.pop()),
            }
        }
        before + added - self.texts.len()
    }
}

impl Delivery {
    pub(super) fn finish(&mut self, text: Text) {
        let is_held = self.held == Some(text.of.session);
        let joins = !self.waiting.is_empty() && is_held;
        if !joins {
            self.turn_of(&text, is_held);
        }
        if self.is_secret(text.of) {
            self.history.with(|h| h.get_mut(text.id).map(|entry| entry.access = Access::Nobody));
        }
        self.keep(text.id);
        if !is_held || self.ways.of(text.mode).is_keyless() {
            return self.deliver(&[text]);
        }
        // Keys that are typed while another is held would disturb it, and be taken for shortcuts.
        match self.waiting.len() < ROOM {
            true => {
                let language = text.language.clone().unwrap_or_default();
                self.waiting.push(text);
                self.display("", "", &language);
            }
            false => self.settle(&text, &too_much(), false),
        }
    }

    /// Whether the utterance, or the one that it joins, is meant for a field for passwords.
    fn is_secret(&self, of: Of) -> bool {
        let mut next = self.next.iter().filter(|next| next.beginning.of == of);
        self.turn.as_ref().is_some_and(|turn| turn.secret) || next.any(|next| next.origin.secret)
    }

    /// Sees to it that the utterance has the window.
    fn turn_of(&mut self, text: &Text, held: bool) {
        let profile = text.profile.clone();
        let beginning = Beginning { of: text.of, mode: text.mode, held, late: false, profile };
        match &self.turn {
            Some(turn) if turn.beginning.of == text.of => {}
            Some(turn) => {
                // Its own end is late, as that of a session that still finishes may be.
                let other = Queued { beginning: turn.beginning.clone(), origin: turn.origin() };
                self.ways.of(other.beginning.mode).discard();
                self.next.push_front(other);
                self.take_turn(beginning);
            }
            None => self.take_turn(beginning),
        }
    }

    /// Puts texts into the window of the turn, and ends it.
    pub(super) fn deliver(&mut self, texts: &[Text]) {
        let Some(turn) = &self.turn else { return };
        let mode = turn.beginning.mode;
        let mut before = turn.target.as_ref().and_then(|target| target.before.as_deref());
        let mut sheet = Sheet::default();
        for text in texts {
            let language = text.language.as_deref().unwrap_or_default();
            // The writer knows what it has just written itself.
            sheet.add(self.writer.write(&text.text, language, before.take()));
        }
        let delivered = self.put(mode, &sheet.edits());
        debug!(backend = delivered.backend, ok = delivered.ok, texts = texts.len(), "delivered");
        self.settle_all(texts, &sheet, &delivered);
        self.end_turn();
    }

    /// Carries out edits where the utterance of the turn began.
    pub(super) fn put(&mut self, mode: Mode, edits: &[Edit]) -> Delivered {
        let delivered = match mode {
            Mode::Copy => self.copy(edits),
            mode => self.ways.of(mode).finish(edits),
        };
        let is_changed = delivered.ok || !delivered.inserted.is_empty();
        if is_changed && mode != Mode::Copy {
            self.has_inserted(mode);
        }
        if !delivered.ok {
            // Nobody knows what stands there now.
            self.writer.forget();
        }
        self.note_undone(mode, delivered.taken_back);
        delivered
    }

    /// Something stands in a window that did not before.
    pub(super) fn has_inserted(&mut self, mode: Mode) {
        self.partly = None;
        if self.ways.has_inserted(mode) {
            self.trails.forget(mode);
        }
    }

    /// Leaves the texts of the session, together, on the clipboard.
    fn copy(&mut self, edits: &[Edit]) -> Delivered {
        let mut copied = self.copied.clone();
        let taken_back = copied.apply(edits);
        let output = self.ways.of(Mode::Copy);
        let delivered = match (edits, copied.text().as_str()) {
            ([], _) => output.insert(""),
            (_, "") => output.undo(),
            (_, text) => output.insert(text),
        };
        if delivered.ok {
            self.copied = copied;
        }
        let taken_back = if delivered.ok { taken_back } else { 0 };
        Delivered { taken_back, ..delivered }
    }

    /// Notes of each text what has become of it. Of several, the first may be there though the last
    /// are not.
    fn settle_all(&mut self, texts: &[Text], sheet: &Sheet, delivered: &Delivered) {
        let turn = self.turn.as_ref();
        let mode = turn.map_or(Mode::None, |turn| turn.beginning.mode);
        let target = turn.and_then(|turn| turn.target.as_ref()).map(|target| target.id.clone());
        let all = sheet.text();
        let there = if delivered.ok { &all } else { &delivered.inserted };
        let detail = if delivered.ok { &delivered.detail } else { "taken" };
        let taken = Delivered { ok: true, detail: detail.into(), ..delivered.clone() };
        for (text, (own, arrival)) in texts.iter().zip(sheet.arrivals(there)) {
            self.next.retain(|next| next.beginning.of != text.of);
            if let (Arrival::Part(there), Some(target)) = (arrival, &target) {
                self.partly = Partly::new(text.id, target, own, there);
            }
            if arrival != Arrival::Nothing {
                self.trails.add(mode, Some(text.id));
            }
            let is_whole = arrival == Arrival::Whole;
            self.settle(text, if is_whole { &taken } else { delivered }, is_whole);
        }
    }
}

pub(super) fn too_much() -> Delivered {
    let detail = "too much is waiting; \"scriven redeliver\" types it later".into();
    let (backend, inserted) = Default::default();
    Delivered { backend, ok: false, detail, inserted, taken_back: 0 }
}
