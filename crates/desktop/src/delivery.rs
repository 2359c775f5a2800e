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
}

impl fmt::Debug for Delivered {
    /// Without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, ok, detail, inserted } = self;
        write!(f, "{backend}: {ok}, {detail}, {} characters", inserted.chars().count())
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
    /// What was typed of it and stands before the cursor.
    typed: String,
    /// Is something shown tentatively?
    shown: bool,
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
        self.clear();
        let found = self.ladder.target();
        if let Err(err) = &found {
            self.ladder.note(err);
        }
        let (target, utterance) = match found {
            Ok(target) if target.secret => (Some(target), Err(Error::SecretTarget)),
            Ok(target) => {
                let id = target.id.clone();
                let mode = self.mode(held);
                let typed = String::new();
                (Some(target), Ok(Utterance { target: id, mode, typed, shown: false }))
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

    /// Inserts the final text in place of all that was shown.
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
        let Utterance { typed, target, .. } = utterance;
        self.remember(&typed, target);
        self.outcome(outcome, typed)
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
        self.outcome(outcome.map(|()| Proof::Taken), String::new())
    }

    /// Inserts `text` at the cursor, wherever that is now.
    pub fn insert(&mut self, text: &str) -> Delivered {
        let place = self.ladder.place();
        let delivered = match self.ladder.target() {
            Ok(target) if target.secret => self.failed(&Error::SecretTarget, ""),
            Ok(Target { id: target, .. }) => {
                let mode = Mode::Final;
                let mut utterance = Utterance { target, mode, typed: String::new(), shown: false };
                let outcome = self.rewrite(&mut utterance, text);
                self.remember(&utterance.typed, utterance.target);
                self.outcome(outcome, utterance.typed)
            }
            Err(err) => self.failed(&err, ""),
        };
        if matches!(self.utterance, Some(Ok(_))) {
            self.ladder.return_to(place);
        }
        delivered
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

    fn mode(&self, held: bool) -> Mode {
        let abilities = self.ladder.abilities();
        // What is typed live may have to be taken back.
        let may_type = abilities.focus && (!held || abilities.keyless);
        match self.live {
            Live::Auto | Live::Preedit if abilities.preedit => Mode::Preedit,
            Live::Auto | Live::Committed if may_type => Mode::Committed,
            _ => Mode::Final,
        }
    }

    /// Takes the preedit of an utterance away that was neither finished nor discarded.
    fn clear(&mut self) {
        if let Some(Ok(mut utterance)) = self.utterance.take() {
            self.hide(&mut utterance);
        }
    }

    /// Keeps `text` so that it can be taken back.
    fn remember(&mut self, text: &str, target: String) {
        if let (false, Some(way)) = (text.is_empty(), self.ladder.way()) {
            if self.done.len() == MOST_UNDOS {
                self.done.remove(0);
            }
            self.done.push(Inserted { text: text.to_owned(), target, way });
        }
    }

    fn outcome(&mut self, outcome: Result<Proof, Error>, inserted: String) -> Delivered {
        let detail = match outcome {
            Err(err) => return self.failed(&err, &inserted),
            Ok(Proof::Taken) => "taken",
            Ok(Proof::Seen) => "seen",
        };
        let backend = self.ladder.way().unwrap_or_default().to_owned();
        Delivered { backend, ok: true, detail: detail.into(), inserted }
    }

    fn failed(&mut self, err: &Error, typed: &str) -> Delivered {
        self.ladder.note(err);
        let detail = match err {
            Error::Partly { .. } => err.to_string(),
            _ if typed.is_empty() => err.to_string(),
            _ => format!("{err}; what was typed before stays"),
        };
        let backend = self.ladder.way().unwrap_or_default().to_owned();
        Delivered { backend, ok: false, detail, inserted: typed.to_owned() }
    }
}

#[cfg(test)]
#[path = "delivery/tests.rs"]
mod tests;
