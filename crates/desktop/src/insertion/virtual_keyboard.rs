//! Typing by `zwp_virtual_keyboard_v1`: a keyboard of our own with a keymap of our own, on which
//! every character has a key. The user's layout makes no difference, nor do the keys that he
//! holds: the modifiers of a virtual keyboard are its own.
//!
//! Offered by wlroots (sway, river, labwc), Hyprland, niri and COSMIC; not by GNOME or KWin.

use std::path::Path;

use super::wayland::{State, Wayland, windows::Focus};
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

mod keymap;
pub(super) mod keys;

use keys::{Key, Keys};

const NAME: &str = "virtual-keyboard";

/// Types into the window in focus.
struct VirtualKeyboard {
    keys: Keys,
    focus: Focus,
    wayland: Wayland,
}

/// The way by virtual keyboard, on the compositor behind `socket`.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is no such compositor or it offers no virtual keyboard,
/// [`Error::Gone`] where it hangs.
pub fn connect_to(socket: &Path) -> Result<Box<dyn Backend>, Error> {
    let wayland = Wayland::connect(NAME, socket)?;
    let focus = Focus::new(&wayland);
    let keys = Keys::new(&wayland)?;
    Ok(Box::new(VirtualKeyboard { keys, focus, wayland }))
}

impl Backend for VirtualKeyboard {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { focus: self.focus.is_told(), ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        self.wayland.round_trip()?;
        self.focus.target(&self.wayland.state())
    }

    fn preedit(&mut self, _: &str) -> Result<(), Error> {
        let reason = "keys cannot show text tentatively".to_owned();
        Err(Error::Unavailable { backend: NAME, reason })
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let began = self.target()?.id;
        let stays = |state: &State| stays(&self.focus, state, &began);
        self.keys.text(&mut self.wayland, text, stays)?;
        Ok(Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        let began = self.target()?.id;
        let stays = |state: &State| stays(&self.focus, state, &began);
        self.keys.press(&mut self.wayland, Key::BackSpace, characters, stays)
    }
}

/// Whether the focus is still where it was: asked while a long text is typed.
fn stays(focus: &Focus, state: &State, began: &str) -> bool {
    focus.target(state).is_ok_and(|target| target.id == began)
}
