//! What the bus asks of the thread `delivery` besides dictation.

use scriven_desktop::writing::Edit;

use super::{Beginning, Delivery, Of};
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
        self.take_turn(Beginning { of, mode, held: false, profile });
        let target = self.turn.take().and_then(|turn| turn.target);
        let before = target.as_ref().and_then(|target| target.before.as_deref());
        let language = entry.language.as_deref().unwrap_or_default();
        let mut edits = self.writer.write(&entry.text, language, before);
        // What it once took back is not what stands here now.
        edits.retain(|edit| *edit != Edit::Undo);
        let delivered = self.output(Mode::Type).finish(&edits);
        if delivered.ok {
            self.note(entry.id, Fate::Delivered, &delivered);
        } else {
            self.writer.forget();
        }
        taken(delivered)
    }

    /// Takes back what was inserted last.
    pub(super) fn undo(&mut self, reply: &Reply<()>) {
        let result = self.nobody_dictates().and_then(|()| {
            let delivered = self.output(Mode::Type).undo();
            self.writer.forget();
            taken(delivered)
        });
        if result.is_ok() {
            self.note_undone();
        }
        answer(reply, result.map(drop));
    }

    /// Inserts `text` as it is where the cursor is now.
    pub(super) fn insert(&mut self, text: &str, reply: &Reply<String>) {
        let result = self.nobody_dictates().and_then(|()| {
            let delivered = self.output(Mode::Type).insert(text);
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

    pub(super) fn list_rungs(&mut self, reply: &Reply<Vec<Rung>>) {
        let output = self.output(Mode::Type);
        output.look_again();
        answer(reply, Ok(output.rungs().to_vec()));
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
