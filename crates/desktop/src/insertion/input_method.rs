//! Text by `zwp_input_method_v2`: no keys at all. What is tentative stands in the window as its own
//! preedit, what is final is committed, and the window tells what stands before the cursor and
//! what its field is for.
//!
//! Offered by wlroots (sway, river, labwc), Hyprland, niri and others. It reaches windows whose
//! program speaks text-input-v3: GTK, Qt 6, foot and most other terminals. Elsewhere there is no
//! target, and another way has to do. A seat has one input method: while another one runs (fcitx5,
//! ibus), this way is not to be had, and while this way is connected, no other one is.

use std::path::Path;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;
use wayland_client::delegate_noop;
use wayland_protocols_misc::zwp_input_method_v2::client::{
    zwp_input_method_manager_v2::ZwpInputMethodManagerV2, zwp_input_method_v2::ZwpInputMethodV2,
};

use super::virtual_keyboard::keys::{Key, Keys};
use super::wayland::{State, Wayland, socket, windows::Focus};
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

pub(super) mod field;

use field::Field;

const NAME: &str = "input-method";

/// A message of Wayland has 4096 bytes, and the protocol allows 4000 for a text.
const LONGEST: usize = 3900;
/// How long the window in focus may take to say that it takes text, once we are there.
const ACTIVATION: Duration = Duration::from_millis(150);
/// How long a window that tells its text may take to show what was inserted.
const CONFIRMATION: Duration = Duration::from_millis(250);
/// Characters of what stands before the cursor that are handed on.
const BEFORE: usize = 200;

/// Writes into the field in focus.
struct InputMethod {
    method: ZwpInputMethodV2,
    focus: Focus,
    /// For windows that cannot delete what stands before the cursor; made when it is needed.
    keys: Option<Keys>,
    /// The field in which text is shown tentatively.
    shown_in: Option<u64>,
    wayland: Wayland,
}

/// The way by input method, on the compositor that `WAYLAND_DISPLAY` names.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is no such compositor, it has no input methods, or another
/// one is at work; [`Error::Gone`] where it hangs.
pub fn connect() -> Result<Box<dyn Backend>, Error> {
    connect_to(&socket(NAME)?)
}

/// The same on the compositor behind `socket`.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_to(socket: &Path) -> Result<Box<dyn Backend>, Error> {
    let mut wayland = Wayland::connect(NAME, socket)?;
    let focus = Focus::new(&wayland);
    let manager = wayland.bind::<ZwpInputMethodManagerV2>(1)?;
    let method = manager.get_input_method(&wayland.seat, &wayland.handle, ());
    wayland.round_trip()?;
    if wayland.state().fields.is_refused {
        let reason = "another input method is at work (fcitx5, ibus); end it, or let the text be typed as keys";
        return Err(Error::Unavailable { backend: NAME, reason: reason.to_owned() });
    }
    wayland.wait(ACTIVATION, |state| state.fields.current().map(drop))?;
    Ok(Box::new(InputMethod { method, focus, keys: None, shown_in: None, wayland }))
}

impl InputMethod {
    /// The field in focus now.
    fn field(&mut self) -> Result<Field, Error> {
        self.wayland.round_trip()?;
        let state = self.wayland.state();
        if state.fields.is_refused {
            let reason = "another input method has taken over".to_owned();
            return Err(Error::Gone { backend: NAME, reason });
        }
        state.fields.current().cloned().ok_or(Error::NoTarget)
    }

    /// Puts what was asked for into effect, all at once, in the field `id`.
    fn commit(&mut self, id: u64) -> Result<(), Error> {
        let serial = self.wayland.state().fields.serial;
        self.method.commit(serial);
        self.wayland.round_trip()?;
        match is_in(&self.wayland.state(), id) {
            true => Ok(()),
            false => Err(Error::TargetMoved),
        }
    }

    /// Waits until the window tells that `text` stands before the cursor, if it tells that at all.
    fn confirm(&mut self, field: &Field, text: &str) -> Result<Proof, Error> {
        if field.before().is_none() {
            return Ok(Proof::Taken);
        }
        let end = last(text, BEFORE);
        let is_there = |state: &mut State| {
            let before = state.fields.current()?.before()?;
            before.ends_with(end).then_some(())
        };
        let seen = self.wayland.wait(CONFIRMATION, is_there)?;
        Ok(seen.map_or(Proof::Taken, |()| Proof::Seen))
    }

    /// Takes away by keys what the window cannot take away itself.
    fn backspace(&mut self, id: u64, characters: usize) -> Result<(), Error> {
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => Keys::new(&mut self.wayland)?,
        };
        let stays = |state: &State| is_in(state, id);
        let done = keys.press(&mut self.wayland, Key::BackSpace, characters, stays);
        self.keys = Some(keys);
        done
    }
}

impl Backend for InputMethod {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { preedit: true, surrounding: true, purpose: true, keyless: true }
    }

    fn target(&mut self) -> Result<Target, Error> {
        let field = self.field()?;
        let window = self.focus.target(&self.wayland.state()).ok();
        Ok(Target {
            id: format!("field:{}", field.id),
            app_id: window.and_then(|window| window.app_id),
            secret: field.is_secret,
            before: field.before().map(|before| last(before, BEFORE).to_owned()),
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
        let text = end_within(text, LONGEST);
        let end = i32::try_from(text.len()).unwrap_or(0);
        self.method.set_preedit_string(text.to_owned(), end, end);
        self.shown_in = (!text.is_empty()).then_some(field.id);
        self.commit(field.id)
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let field = self.field()?;
        if field.is_secret {
            return Err(Error::SecretTarget);
        }
        self.shown_in = None;
        let mut rest = text;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.floor_char_boundary(LONGEST));
            self.method.commit_string(now.to_owned());
            self.commit(field.id)?;
            rest = later;
        }
        self.confirm(&field, text)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        let field = self.field()?;
        if field.is_secret {
            return Err(Error::SecretTarget);
        }
        let Some(before) = field.before() else { return self.backspace(field.id, characters) };
        let bytes: usize =
            before.graphemes(true).rev().take(characters).map(|cluster| cluster.len()).sum();
        let kept = last(&before[..before.len() - bytes], BEFORE).to_owned();
        self.method.delete_surrounding_text(u32::try_from(bytes).unwrap_or(u32::MAX), 0);
        self.shown_in = None;
        self.commit(field.id)?;
        // Before more is asked for: the next count is made in what the window then tells.
        let is_gone = |state: &mut State| {
            let now = state.fields.current()?.before()?;
            now.ends_with(&kept).then_some(())
        };
        self.wayland.wait(CONFIRMATION, is_gone).map(drop)
    }
}

impl Drop for InputMethod {
    fn drop(&mut self) {
        if self.shown_in.is_some() {
            self.method.set_preedit_string(String::new(), 0, 0);
            self.method.commit(self.wayland.state().fields.serial);
        }
        self.method.destroy();
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

delegate_noop!(State: ZwpInputMethodManagerV2);

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
