//! One utterance after another into the window in which it began.

mod rewrite;

use std::fmt;

use crate::Error;
use crate::insertion::ladder::{Ladder, Rung};
use crate::insertion::{Proof, Target};
use crate::writing::Edit;

/// Utterances that can be taken back, one after the other.
const MOST_UNDOS: usize = 16;

/// What is shown of an utterance before it is final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Live {
    /// The best that the window allows.
    #[default]
    Auto,
    /// All of it, as the window shows what is being composed; nothing where that is impossible.
    Preedit,
    /// What is committed is typed at once, unless a key is held that this would let go.
    Committed,
    /// Nothing.
    Final,
}

/// What became of a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Name of the way; empty if there was none.
    pub backend: String,
    /// Is the text there?
    pub ok: bool,
    /// `taken`, `seen`, or why not. Holds nothing of the text.
    pub detail: String,
    /// What stands in the window.
    pub inserted: String,
    /// How many earlier texts were taken back, whatever became of this one.
    pub taken_back: usize,
}

impl fmt::Debug for Delivered {
    /// Without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, ok, detail, inserted, taken_back } = self;
        let characters = inserted.chars().count();
        write!(f, "{backend}: {ok}, {detail}, {characters} characters, {taken_back} taken back")
    }
}

/// How an utterance is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Preedit,
    Committed,
    Final,
}

/// An utterance that has a target.
struct Utterance {
    target: String,
    mode: Mode,
    /// Its text needs no key events.
    keyless: bool,
    /// What was typed of it and stands before the cursor.
    typed: String,
    /// Is something shown tentatively?
    shown: bool,
    /// Earlier texts that it has taken back.
    taken_back: usize,
}

/// A text that was inserted, and where.
struct Inserted {
    text: String,
    target: String,
    way: &'static str,
}

/// Puts utterances into windows.
pub struct Delivery {
    ladder: Ladder,
    live: Live,
    /// Or why it has no target.
    utterance: Option<Result<Utterance, Error>>,
    done: Vec<Inserted>,
}

impl Delivery {
    /// Opens all ways that there are: takes up to a second for each.
    pub fn new(mut ladder: Ladder, live: Live) -> Self {
        ladder.probe();
        Self { ladder, live, utterance: None, done: Vec::new() }
    }

    /// Begins an utterance. Its target is what is in focus now; none if nothing is or there is no
    /// way, which [`finish`](Self::finish) tells. `held`: the user holds a key, so no key may be
    /// sent before `finish`. A field for passwords is a target, but nothing goes there.
    pub fn begin(&mut self, held: bool) -> Option<Target> {
        self.begin_where(held, |_| true)
    }

    /// As [`begin`](Self::begin), for an utterance that began while another had the window: its
    /// target is the one that was in focus then, with this `id`.
    pub fn begin_in(&mut self, id: &str, held: bool) -> Option<Target> {
        self.begin_where(held, |target| target.id == id)
    }

    /// What is in focus now. Changes nothing for an utterance that has begun.
    pub fn focus(&mut self) -> Option<Target> {
        let place = self.ladder.place();
        let found = self.ladder.target();
        self.ladder.return_to(place);
        found.ok()
    }

    fn begin_where(&mut self, held: bool, is_it: impl Fn(&Target) -> bool) -> Option<Target> {
        self.clear();
        let found = self.ladder.target();
        if let Err(err) = &found {
            self.ladder.note(err);
        }
        let (target, utterance) = match found {
            Ok(target) if !is_it(&target) => (None, Err(Error::TargetMoved)),
            Ok(target) if target.secret => (Some(target), Err(Error::SecretTarget)),
            Ok(target) => {
                let utterance = self.utterance_for(&target, held);
                (Some(target), Ok(utterance))
            }
            Err(err) => (None, Err(err)),
        };
        self.utterance = Some(utterance);
        target
    }

    /// Shows the text so far, written as it shall stand. What is `tentative` is never typed.
    pub fn show(&mut self, committed: &str, tentative: &str) {
        let mut utterance = match self.utterance.take() {
            Some(Ok(utterance)) => utterance,
            other => return self.utterance = other,
        };
        let shown = match utterance.mode {
            Mode::Preedit => self.preedit(&mut utterance, &format!("{committed}{tentative}")),
            Mode::Committed => self.rewrite(&mut utterance, committed).map(drop),
            Mode::Final => Ok(()),
        };
        if let Err(err) = shown {
            tracing::debug!("delivery: live text: {err}");
            self.ladder.note(&err);
        }
        self.utterance = Some(Ok(utterance));
    }

    /// Inserts the final text in place of all that was shown. Each [`Edit::Insert`] can be taken
    /// back by itself.
    pub fn finish(&mut self, edits: &[Edit]) -> Delivered {
        let mut utterance = match self.utterance.take() {
            Some(Ok(utterance)) => utterance,
            Some(Err(err)) => return self.failed(&err, ""),
            None => return self.failed(&Error::NoTarget, ""),
        };
        let outcome = self.carry_out(&mut utterance, edits);
        if outcome.is_err() {
            self.hide(&mut utterance);
        }
        let Utterance { typed, target, taken_back, .. } = utterance;
        self.remember(&typed, &rewrite::sum(edits).1, &target);
        Delivered { taken_back, ..self.outcome(outcome, typed) }
    }

    /// Takes away what is shown tentatively, and what was typed of the utterance.
    pub fn discard(&mut self) {
        let Some(Ok(mut utterance)) = self.utterance.take() else { return };
        self.hide(&mut utterance);
        if let Err(err) = self.rewrite(&mut utterance, "") {
            tracing::debug!("delivery: discarded text stays: {err}");
            self.ladder.note(&err);
        }
    }

    /// Takes away what the last utterance inserted, if the focus is where it was inserted.
    pub fn undo(&mut self) -> Delivered {
        let outcome = match self.utterance.take() {
            Some(Ok(mut utterance)) => {
                let undone = self.undo_before(&mut utterance);
                self.utterance = Some(Ok(utterance));
                undone
            }
            other => {
                self.utterance = other;
                self.ladder.target().and_then(|target| self.take_back(&target))
            }
        };
        let taken_back = usize::from(outcome.is_ok());
        let outcome = outcome.map(|()| Proof::Taken);
        Delivered { taken_back, ..self.outcome(outcome, String::new()) }
    }

    /// Others have typed since: nothing that was inserted before can be taken back.
    pub fn forget(&mut self) {
        self.done.clear();
    }

    /// Inserts `text` at the cursor, wherever that is now.
    pub fn insert(&mut self, text: &str) -> Delivered {
        let place = self.ladder.place();
        let delivered = match self.ladder.target() {
            Ok(target) if target.secret => self.failed(&Error::SecretTarget, ""),
            Ok(target) => {
                let mut utterance = self.utterance_for(&target, false);
                let outcome = self.rewrite(&mut utterance, text);
                self.remember(&utterance.typed, &[], &utterance.target);
                self.outcome(outcome, utterance.typed)
            }
            Err(err) => self.failed(&err, ""),
        };
        if matches!(self.utterance, Some(Ok(_))) {
            self.ladder.return_to(place);
        }
        delivered
    }

    /// Whether the text of this utterance can be finished while a key is held: no key is sent, or
    /// there is no target, which is all that there is to tell.
    pub fn is_keyless(&self) -> bool {
        !matches!(&self.utterance, Some(Ok(utterance)) if !utterance.keyless)
    }

    /// Nothing is dictated for a while: gives back what other programs may need.
    pub fn rest(&mut self) {
        self.ladder.rest();
    }

    /// Name of the way that is taken.
    pub fn way(&self) -> Option<&'static str> {
        self.ladder.way()
    }

    /// What is known about each way.
    pub fn rungs(&self) -> &[Rung] {
        self.ladder.rungs()
    }

    /// Finds out again which ways there are.
    pub fn look_again(&mut self) {
        self.ladder.look_again();
    }

    /// An utterance into `target`, which the ladder has just chosen.
    fn utterance_for(&self, target: &Target, held: bool) -> Utterance {
        let abilities = self.ladder.abilities();
        let keyless = abilities.keyless && !target.keyed;
        // What is typed live may have to be taken back.
        let may_type = abilities.focus && (keyless || !held);
        let mode = match self.live {
            Live::Auto | Live::Preedit if abilities.preedit => Mode::Preedit,
            Live::Auto | Live::Committed if may_type => Mode::Committed,
            _ => Mode::Final,
        };
        let target = target.id.clone();
        Utterance { target, mode, keyless, typed: String::new(), shown: false, taken_back: 0 }
    }

    /// Takes the preedit of an utterance away that was neither finished nor discarded.
    fn clear(&mut self) {
        if let Some(Ok(mut utterance)) = self.utterance.take() {
            self.hide(&mut utterance);
        }
    }

    /// Keeps what was `typed` so that it can be taken back: text by text if it is the beginning of
    /// these `texts`, else as one.
    fn remember(&mut self, typed: &str, texts: &[&str], target: &str) {
        let Some(way) = self.ladder.way() else { return };
        let texts = if texts.concat().starts_with(typed) { texts } else { &[] };
        let (mut rest, mut pieces) = (typed, Vec::new());
        for text in texts {
            let Some(more) = rest.strip_prefix(text) else { break };
            pieces.push(*text);
            rest = more;
        }
        pieces.push(rest);
        for text in pieces.into_iter().filter(|text| !text.is_empty()) {
            let (text, target) = (text.to_owned(), target.to_owned());
            self.done.push(Inserted { text, target, way });
        }
        self.done.drain(..self.done.len().saturating_sub(MOST_UNDOS));
    }

    fn outcome(&mut self, outcome: Result<Proof, Error>, inserted: String) -> Delivered {
        let detail = match outcome {
            Err(err) => return self.failed(&err, &inserted),
            Ok(Proof::Taken) => "taken",
            Ok(Proof::Seen) => "seen",
        };
        let backend = self.ladder.way().unwrap_or_default().to_owned();
        Delivered { backend, ok: true, detail: detail.into(), inserted, taken_back: 0 }
    }

    fn failed(&mut self, err: &Error, typed: &str) -> Delivered {
        self.ladder.note(err);
        let detail = match err {
            Error::Partly { .. } => err.to_string(),
            _ if typed.is_empty() => err.to_string(),
            _ => format!("{err}; what was typed before stays"),
        };
        let backend = self.ladder.way().unwrap_or_default().to_owned();
        Delivered { backend, ok: false, detail, inserted: typed.to_owned(), taken_back: 0 }
    }
}

#[cfg(test)]
mod tests;
