//! The keys of a virtual keyboard, pressed one after the other.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use wayland_client::protocol::wl_keyboard::KeymapFormat;
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};

use super::NAME;
use super::keymap::{self, Keymap};
use crate::Error;
use crate::insertion::wayland::{State, Wayland};

/// After so many keys the compositor is waited for and the focus looked at: so many may go to the
/// wrong window at most, and so few fit into every buffer.
const BATCH: usize = 64;
/// On a seat that had no keyboard, programs must first learn that there is one.
const FIRST_KEYBOARD: Duration = Duration::from_millis(200);

/// Bits of XKB's real modifiers.
const SHIFT: u32 = 1;
const CONTROL: u32 = 4;

/// A key that is no character.
#[derive(Clone, Copy)]
pub(in crate::insertion) enum Key {
    /// Takes away what is before the cursor.
    BackSpace,
}

/// What pastes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::insertion) enum Chord {
    /// Nearly everywhere.
    ControlV,
    /// In terminals.
    ControlShiftV,
}

/// A virtual keyboard. It is plugged in with the first key: the compositor takes the focus from the
/// window for a moment then, which is another field for an input method.
pub(in crate::insertion) struct Keys {
    manager: ZwpVirtualKeyboardManagerV1,
    keyboard: Option<ZwpVirtualKeyboardV1>,
    keymap: Keymap,
    since: Instant,
}

impl Keys {
    /// A keyboard that is not plugged in yet.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where the compositor has none to give.
    pub(in crate::insertion) fn new(wayland: &Wayland) -> Result<Self, Error> {
        let manager = wayland.bind::<ZwpVirtualKeyboardManagerV1>(1)?;
        Ok(Self { manager, keyboard: None, keymap: Keymap::new(), since: Instant::now() })
    }

    /// Whether the seat has the keyboard.
    pub(in crate::insertion) fn is_plugged_in(&self) -> bool {
        self.keyboard.is_some()
    }

    /// Plugs the keyboard in, if it is not, and gives it the keymap. That is always sent anew: the
    /// compositor may have put the user's layout onto all keyboards.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(in crate::insertion) fn plug_in(
        &mut self,
        wayland: &mut Wayland,
    ) -> Result<ZwpVirtualKeyboardV1, Error> {
        if let Some(keyboard) = &self.keyboard {
            self.send_keymap(keyboard)?;
            return Ok(keyboard.clone());
        }
        let is_first = !wayland.state().has_keyboard;
        let keyboard = self.manager.create_virtual_keyboard(&wayland.seat, &wayland.handle, ());
        self.send_keymap(&keyboard)?;
        self.keyboard = Some(keyboard.clone());
        wayland.round_trip()?;
        if is_first {
            thread::sleep(FIRST_KEYBOARD);
        }
        Ok(keyboard)
    }

    /// Types `text` while the focus `stays`. Control characters other than `\n` and `\t` have no
    /// key and are left out.
    ///
    /// # Errors
    ///
    /// [`Error::TargetMoved`], [`Error::Gone`]; as [`Error::Partly`] where some was typed before.
    pub(in crate::insertion) fn text(
        &mut self,
        wayland: &mut Wayland,
        text: &str,
        stays: impl Fn(&State) -> bool,
    ) -> Result<(), Error> {
        let has_key =
            |character: &char| matches!(character, '\n' | '\t') || !character.is_control();
        let text: String = text.chars().filter(has_key).collect();
        let (mut rest, mut typed) = (text.as_str(), 0);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.keymap.cover(rest));
            let keyboard = self.plug_in(wayland)?;
            let keys: Vec<u32> = now.chars().filter_map(|c| self.keymap.key(c)).collect();
            self.strike(&keyboard, wayland, &keys, &stays).map_err(|error| error.after(typed))?;
            (rest, typed) = (later, typed + keys.len());
        }
        Ok(())
    }

    /// Presses `key` so many `times`.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub(in crate::insertion) fn press(
        &mut self,
        wayland: &mut Wayland,
        key: Key,
        times: usize,
        stays: impl Fn(&State) -> bool,
    ) -> Result<(), Error> {
        let Key::BackSpace = key;
        let keyboard = self.plug_in(wayland)?;
        self.strike(&keyboard, wayland, &vec![keymap::BACKSPACE; times], stays)
    }

    /// Presses what pastes.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(in crate::insertion) fn chord(
        &mut self,
        wayland: &mut Wayland,
        chord: Chord,
    ) -> Result<(), Error> {
        let modifiers = match chord {
            Chord::ControlV => CONTROL,
            Chord::ControlShiftV => CONTROL | SHIFT,
        };
        let keyboard = self.plug_in(wayland)?;
        keyboard.modifiers(modifiers, 0, 0, 0);
        self.tap(&keyboard, keymap::V);
        keyboard.modifiers(0, 0, 0, 0);
        wayland.round_trip()
    }

    fn strike(
        &self,
        keyboard: &ZwpVirtualKeyboardV1,
        wayland: &mut Wayland,
        keys: &[u32],
        stays: impl Fn(&State) -> bool,
    ) -> Result<(), Error> {
        // No Shift, no Caps Lock: each character has a key of its own.
        keyboard.modifiers(0, 0, 0, 0);
        for (done, batch) in keys.chunks(BATCH).enumerate() {
            let typed = done * BATCH;
            if !stays(&wayland.state()) {
                return Err(Error::TargetMoved.after(typed));
            }
            batch.iter().for_each(|key| self.tap(keyboard, *key));
            wayland.round_trip().map_err(|error| error.after(typed))?;
        }
        Ok(())
    }

    fn tap(&self, keyboard: &ZwpVirtualKeyboardV1, key: u32) {
        let time = u32::try_from(self.since.elapsed().as_millis()).unwrap_or(u32::MAX);
        for pressed in [1, 0] {
            keyboard.key(time, key, pressed);
        }
    }

    fn send_keymap(&self, keyboard: &ZwpVirtualKeyboardV1) -> Result<(), Error> {
        let source = self.keymap.source();
        let failed = |error: io::Error| Error::Unavailable {
            backend: NAME,
            reason: format!("no memory for a keymap: {error}"),
        };
        let file = memfd_create("scriven-keymap", MemfdFlags::CLOEXEC)
            .map_err(|error| failed(error.into()))?;
        let mut file = std::fs::File::from(file);
        // Who reads it as a C string looks for the zero at its end.
        io::Write::write_all(&mut file, source.as_bytes()).map_err(failed)?;
        io::Write::write_all(&mut file, &[0]).map_err(failed)?;
        let size = u32::try_from(source.len() + 1).unwrap_or(u32::MAX);
        keyboard.keymap(KeymapFormat::XkbV1 as u32, file.as_fd(), size);
        Ok(())
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(keyboard) = &self.keyboard {
            keyboard.destroy();
        }
    }
}
