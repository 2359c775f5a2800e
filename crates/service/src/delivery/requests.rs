//! What the bus asks of the thread `delivery` besides dictation.

use scriven_desktop::writing::Edit;

use super::finals::Partly;
use super::{Beginning, Delivery, Focus, Of};
use crate::calls::answer;
use crate::config::Mode;
use crate::daemon::Reply;
use crate::error::Error;
use crate::history::Fate;
use crate::parts::{Delivered, Rung};

/// No session has this number.
const NOBODY: Of = Of { session: 0, utterance: 0 };

impl Delivery {
    /// Puts a text of the history where the cursor is now.
    pub(super) fn redeliver(&mut self, id: Option<u64>, reply: &Reply<String>) {
        let result = self.try_redeliver(id);
        answer(reply, result);
    }

    fn try_redeliver(&mut self, id: Option<u64>) -> Result<String, Error> {
        self.nobody_dictates()?;
        let found = self.history.with(|history| history.to_deliver(id).cloned());
        let entry = found.ok_or_else(|| {
            Error::NotFound(match id {
                Some(_) => "the history has no such text; see: scriven history".into(),
                None => "every text has been delivered; name one: scriven history".into(),
            })
        })?;
        let (of, mode, profile) = (NOBODY, Mode::Type, None);
        self.take_turn(Beginning { of, mode, held: false, late: false, profile });
        let target = self.turn.take().and_then(|turn| turn.target).unwrap_or_default();
        // Who names a text wants all of it.
        let part = self.partly.as_ref().filter(|_| id.is_none());
        let part = part.filter(|part| part.stands_in(entry.id, &target));
        let text = match part {
            Some(part) => {
                self.writer.go_on_behind(&part.rest);
                Some(part.rest.clone())
            }
            None => {
                let language = entry.language.as_deref().unwrap_or_default();
                self.writer.write_anew(&entry.text, language, target.before.as_deref())
            }
        };
        let edits: Vec<Edit> = text.clone().map(Edit::Insert).into_iter().collect();
        let delivered = self.put(Mode::Type, &edits);
        let is_there = delivered.ok || !delivered.inserted.is_empty();
        if is_there && !edits.is_empty() {
            self.trails.add(Mode::Type, Some(entry.id));
        }
        match delivered.ok {
            true if edits.is_empty() => self.note(entry.id, Fate::Undone, &delivered),
            true => self.note(entry.id, Fate::Delivered, &delivered),
            false if is_there => {
                let own = text.unwrap_or_default();
                self.partly = Partly::new(entry.id, &target.id, &own, &delivered.inserted);
            }
            false => {}
        }
        taken(delivered)
    }

    /// Takes back what was inserted last.
    pub(super) fn undo(&mut self, reply: &Reply<()>) {
        let result = self.nobody_dictates().and_then(|()| {
            let delivered = self.ways.last().undo();
            self.writer.forget();
            self.partly = None;
            self.note_undone(Mode::Type, delivered.taken_back);
            taken(delivered)
        });
        answer(reply, result.map(drop));
    }

    /// Inserts `text` as it is where the cursor is now.
    pub(super) fn insert(&mut self, text: &str, reply: &Reply<String>) {
        let result = self.nobody_dictates().and_then(|()| {
            let delivered = self.ways.of(Mode::Type).insert(text);
            if delivered.ok || !delivered.inserted.is_empty() {
                self.has_inserted(Mode::Type);
                self.trails.add(Mode::Type, None);
            }
            self.writer.forget();
            taken(delivered)
        });
        answer(reply, result);
    }

    pub(super) fn clear(&mut self, reply: &Reply<()>) {
        let journal = &mut self.journal;
        self.history.with(|history| {
            history.clear();
            journal.rewrite(history);
        });
        answer(reply, Ok(()));
    }

    /// Every way into windows, and behind them that to the clipboard.
    pub(super) fn list_rungs(&mut self, reply: &Reply<Vec<Rung>>) {
        self.ways.of(Mode::Type).look_again();
        let mut rungs = self.ways.of(Mode::Type).rungs().to_vec();
        rungs.extend_from_slice(self.ways.of(Mode::Copy).rungs());
        answer(reply, Ok(rungs));
    }

    /// Which program is in focus. Nothing else of its window is told.
    pub(super) fn tell_focus(&mut self, reply: &Reply<Focus>) {
        let of_turn = self.turn.as_ref().filter(|turn| turn.beginning.mode != Mode::Copy);
        let target = match of_turn {
            Some(turn) => turn.target.clone(),
            None => self.ways.of(Mode::Type).focus(),
        };
        let focus = target.map(|target| {
            let profile = self.writer.profile_for(target.app_id.as_deref()).to_owned();
            Focus { app: target.app_id.unwrap_or_default(), profile }
        });
        let error = "nothing is in focus that takes text, or there is no way to it; click into a \
                     window, or see the ways: scriven doctor";
        answer(reply, focus.ok_or_else(|| Error::NotFound(error.into())));
    }

    fn nobody_dictates(&self) -> Result<(), Error> {
        match &self.turn {
            None => Ok(()),
            Some(_) => {
                Err(Error::Busy("somebody is dictating into a window; stop that first".into()))
            }
        }
    }
}

/// The way that was taken.
fn taken(delivered: Delivered) -> Result<String, Error> {
    match delivered.ok {
        true => Ok(delivered.backend),
        false => Err(Error::NotDelivered(delivered.detail)),
    }
}
