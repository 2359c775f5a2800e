//! Text by `zwp_input_method_v2`: no keys at all. What is tentative stands in the window as its own
//! preedit, what is final is committed, and the window tells what stands before the cursor and
//! what its field is for.
//!
//! Offered by wlroots (sway, river, labwc), Hyprland, niri and others. It reaches windows whose
//! program speaks text-input-v3: GTK, Qt 6, foot and most other terminals. Elsewhere there is no
//! target, and another way has to do. A seat has one input method: while another one runs (fcitx5,
//! ibus), this way is not to be had, and until this way rests, no other one is ([`seat`]).
//!
//! A window drops what we commit while it tells something itself (older GTK, foot): its serial is
//! then another. So nothing is committed before the window is quiet, and a window that does not
//! tell its text, where nobody would notice, gets its final text as keys. What is shown
//! tentatively can be sent twice.

use std::path::Path;
use std::time::{Duration, Instant};

use unicode_segmentation::UnicodeSegmentation;

use super::virtual_keyboard::keys::{Key, Keys};
use super::wayland::{State, Wayland, windows::Focus};
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

pub(super) mod field;
mod seat;

use field::Field;
use seat::Seat;

const NAME: &str = "input-method";

/// A message of Wayland has 4096 bytes, and the protocol allows 4000 for a text.
const LONGEST: usize = 3900;
/// How long a window that tells its text may take to show what was inserted.
const CONFIRMATION: Duration = Duration::from_millis(250);
/// A window that has told nothing for so long has no message on its way to us.
const QUIET: Duration = Duration::from_millis(25);
/// A window that tells something all the time is not waited for any longer.
const UNREST: Duration = Duration::from_millis(150);
/// A window that loses the focus because of a new keyboard has it back after so long.
const REFOCUS: Duration = Duration::from_millis(200);
/// How long it may take to delete: what is counted next must not be counted too early.
const DELETION: Duration = Duration::from_millis(750);
/// Characters of what stands before the cursor that are handed on.
const BEFORE: usize = 200;

/// Writes into the field in focus.
struct InputMethod {
    seat: Seat,
    focus: Focus,
    /// For windows that do not tell their text; `None` where the compositor has no virtual keyboard.
    keys: Option<Keys>,
    /// When something was put into effect last.
    committed: Option<Instant>,
    /// The field in which text is shown tentatively.
    shown_in: Option<u64>,
    wayland: Wayland,
}

/// The way by input method, on the compositor behind `socket`.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is no such compositor, it has no input methods, or another
/// one is at work; [`Error::Gone`] where it hangs.
pub fn connect_to(socket: &Path) -> Result<Box<dyn Backend>, Error> {
    let mut wayland = Wayland::connect(NAME, socket)?;
    let focus = Focus::new(&wayland);
    let seat = Seat::take(&mut wayland, &focus)?;
    let keys = Keys::new(&wayland).ok();
    Ok(Box::new(InputMethod { seat, focus, keys, committed: None, shown_in: None, wayland }))
}

impl InputMethod {
    /// The field in focus now.
    fn field(&mut self) -> Result<Field, Error> {
        self.seat.keep(&mut self.wayland, &self.focus)?;
        self.wayland.state().fields.current().cloned().ok_or(Error::NoTarget)
    }

    /// Puts what was asked for into effect, all at once, in the field `id`.
    fn commit(&mut self, id: u64) -> Result<(), Error> {
        let serial = self.wayland.state().fields.serial;
        self.seat.method()?.commit(serial);
        self.committed = Some(Instant::now());
        self.wayland.round_trip()?;
        match is_in(&self.wayland.state(), id) {
            true => Ok(()),
            false => Err(Error::TargetMoved),
        }
    }

    /// Waits until the window has told all that it has to tell.
    fn settle(&self) -> Result<(), Error> {
        let end = Instant::now() + UNREST;
        while Instant::now() < end {
            let last = self.wayland.state().fields.told.max(self.committed);
            let quiet = last.map_or(QUIET, |last| last.elapsed());
            if quiet >= QUIET {
                break;
            }
            self.wayland.wait(QUIET - quiet, |_| None::<()>)?;
        }
        Ok(())
    }

    /// Shows `text` tentatively.
    fn show(&mut self, id: u64, text: &str) -> Result<(), Error> {
        let end = i32::try_from(text.len()).unwrap_or(0);
        self.seat.method()?.set_preedit_string(text.to_owned(), end, end);
        self.shown_in = (!text.is_empty()).then_some(id);
        self.commit(id)
    }

    /// Types `text` by keys, and takes away what is shown tentatively.
    fn insert_by_keys(&mut self, keys: &mut Keys, id: u64, text: &str) -> Result<Proof, Error> {
        let was_shown = self.shown_in == Some(id);
        if was_shown {
            self.show(id, "")?;
        }
        keys.text(&mut self.wayland, text, |state| is_in(state, id))?;
        if was_shown {
            self.settle()?;
            self.show(id, "")?;
        }
        Ok(Proof::Taken)
    }

    fn insert_by_commit(&mut self, field: &Field, text: &str) -> Result<Proof, Error> {
        self.shown_in = None;
        let mut rest = text;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.floor_char_boundary(LONGEST));
            self.settle()?;
            self.seat.method()?.commit_string(now.to_owned());
            self.commit(field.id)?;
            rest = later;
        }
        if field.before().is_none() {
            return Ok(Proof::Taken);
        }
        let end = last(text, BEFORE);
        let seen = self.wait_for_text(CONFIRMATION, |before| before.ends_with(end))?;
        Ok(if seen { Proof::Seen } else { Proof::Taken })
    }

    /// Waits until the text before the cursor `fits`; `false` when it does not come to that.
    fn wait_for_text(&self, limit: Duration, fits: impl Fn(&str) -> bool) -> Result<bool, Error> {
        let ready = |state: &mut State| fits(state.fields.current()?.before()?).then_some(());
        Ok(self.wayland.wait(limit, ready)?.is_some())
    }

    /// Plugs the keyboard in before the first key. Some windows lose the focus over it for a moment:
    /// the field that they come back with is taken for this one, if the same text stands there.
    fn plug_in(&mut self, keys: &mut Keys, field: &Field) -> Result<(), Error> {
        if keys.is_plugged_in() {
            return Ok(());
        }
        keys.plug_in(&mut self.wayland)?;
        let other =
            |state: &mut State| state.fields.current().filter(|now| now.id != field.id).map(drop);
        if self.wayland.wait(REFOCUS, other)?.is_some() {
            self.wayland.state().fields.come_back_to(field);
        }
        Ok(())
    }

    /// Presses BackSpace until the text before the cursor has no more than `kept` bytes.
    fn backspace_to(&mut self, keys: &mut Keys, id: u64, kept: usize) -> Result<(), Error> {
        loop {
            let Some(length) = self.field()?.before().map(str::len) else { return Ok(()) };
            if length <= kept {
                return Ok(());
            }
            keys.press(&mut self.wayland, Key::BackSpace, 1, |state| is_in(state, id))?;
            if !self.wait_for_text(DELETION, |before| before.len() < length)? {
                return Err(Error::NotTaken { backend: NAME });
            }
        }
    }

    /// Takes `characters` away; by message where bytes are characters: older GTK counts the one,
    /// newer the other. Else by keys, one after the other, as the window tells what is left.
    fn delete(
        &mut self,
        keys: Option<&mut Keys>,
        field: &Field,
        characters: usize,
    ) -> Result<(), Error> {
        let Some(before) = field.before() else {
            let keys = keys.ok_or_else(no_keys)?;
            let stays = |state: &State| is_in(state, field.id);
            return keys.press(&mut self.wayland, Key::BackSpace, characters, stays);
        };
        let clusters = before.graphemes(true).rev().take(characters);
        let bytes: usize = clusters.map(str::len).sum();
        let (kept, taken) = before.split_at(before.len() - bytes);
        if !taken.is_ascii() {
            let keys = keys.ok_or_else(no_keys)?;
            self.plug_in(keys, field)?;
            return self.backspace_to(keys, field.id, kept.len());
        }
        self.settle()?;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.seat.method()?.delete_surrounding_text(bytes, 0);
        self.shown_in = None;
        self.commit(field.id)?;
        match self.wait_for_text(DELETION, |before| before.len() <= kept.len())? {
            true => Ok(()),
            false => Err(Error::NotTaken { backend: NAME }),
        }
    }
}

fn no_keys() -> Error {
    let reason = "the window does not delete, and the compositor has no virtual keyboard";
    Error::Unavailable { backend: NAME, reason: reason.to_owned() }
}

impl Backend for InputMethod {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { preedit: true, surrounding: true, purpose: true, keyless: true, focus: true }
    }

    fn target(&mut self) -> Result<Target, Error> {
        let field = self.field()?;
        let window = self.focus.target(&self.wayland.state()).ok();
        Ok(Target {
            id: format!("field:{}", field.id),
            app_id: window.and_then(|window| window.app_id),
            secret: field.is_secret,
            before: field.before().map(|before| last(before, BEFORE).to_owned()),
            keyed: field.before().is_none(),
        })
    }

    fn preedit(&mut self, text: &str) -> Result<(), Error> {
        let field = self.field()?;
        if field.is_secret {
            return Err(Error::SecretTarget);
        }
        if text.is_empty() && self.shown_in != Some(field.id) {
            return Ok(());
        }
        // Of a very long text the end is what the speaker looks at.
        self.settle()?;
        self.show(field.id, end_within(text, LONGEST))
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let field = self.field()?;
        if field.is_secret {
            return Err(Error::SecretTarget);
        }
        let keys = self.keys.take_if(|_| field.before().is_none());
        let Some(mut keys) = keys else { return self.insert_by_commit(&field, text) };
        let done = self.insert_by_keys(&mut keys, field.id, text);
        self.keys = Some(keys);
        done
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        let field = self.field()?;
        if field.is_secret {
            return Err(Error::SecretTarget);
        }
        let mut keys = self.keys.take();
        let done = self.delete(keys.as_mut(), &field, characters);
        self.keys = keys;
        done
    }

    fn rest(&mut self) {
        // With the input method goes what it shows.
        self.shown_in = None;
        self.seat.give_back(&self.wayland, &self.focus);
    }
}

impl Drop for InputMethod {
    fn drop(&mut self) {
        self.rest();
    }
}

/// Whether the field `id` is still in focus.
fn is_in(state: &State, id: u64) -> bool {
    state.fields.current().is_some_and(|field| field.id == id)
}

/// The last `characters` of `text`.
fn last(text: &str, characters: usize) -> &str {
    let begin = text.char_indices().rev().nth(characters - 1).map_or(0, |(at, _)| at);
    &text[begin..]
}

/// The end of `text` that has at most so many bytes.
fn end_within(text: &str, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(bytes))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(last("für 語", 1), "語");
        assert_eq!(last("für 語", 99), "für 語");
        assert_eq!(end_within("für", 2), "r");
        assert_eq!(end_within("für", 3), "ür");
        assert_eq!(end_within("für", 99), "für");
    }
}
