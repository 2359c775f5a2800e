//! The input method of a seat, of which there is one: taken for an utterance, given back after it.

use std::time::Duration;

use wayland_client::delegate_noop;
use wayland_protocols_misc::zwp_input_method_v2::client::{
    zwp_input_method_manager_v2::ZwpInputMethodManagerV2, zwp_input_method_v2::ZwpInputMethodV2,
};

use super::NAME;
use super::field::{Field, Fields};
use crate::Error;
use crate::insertion::wayland::{State, Wayland, windows::Focus};

/// How long the window in focus may take to say that it takes text, once we are there.
const ACTIVATION: Duration = Duration::from_millis(150);

/// The place of the input method.
pub(super) struct Seat {
    manager: ZwpInputMethodManagerV2,
    /// `None` while another program may have it.
    method: Option<ZwpInputMethodV2>,
    /// The window and the field that were in focus when it was given back.
    left: Option<(String, Field)>,
}

impl Seat {
    /// Takes the place.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where another input method has it, or there are none; [`Error::Gone`].
    pub(super) fn take(wayland: &mut Wayland, focus: &Focus) -> Result<Self, Error> {
        let manager = wayland.bind::<ZwpInputMethodManagerV2>(1)?;
        let mut seat = Self { manager, method: None, left: None };
        match seat.sit_down(wayland, focus)? {
            true => Ok(seat),
            false => {
                let reason = "another input method is at work (fcitx5, ibus); end it, or let the text be typed as keys";
                Err(Error::Unavailable { backend: NAME, reason: reason.to_owned() })
            }
        }
    }

    /// Takes the place again if it was given back. What the compositor has told is then known.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`], also where another input method has it now.
    pub(super) fn keep(&mut self, wayland: &mut Wayland, focus: &Focus) -> Result<(), Error> {
        let is_ours = match self.method {
            Some(_) => {
                wayland.round_trip()?;
                !wayland.state().fields.is_refused
            }
            None => self.sit_down(wayland, focus)?,
        };
        self.find_again(wayland, focus);
        match is_ours {
            true => Ok(()),
            false => Err(taken_over()),
        }
    }

    /// The input method, which was taken.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(super) fn method(&self) -> Result<&ZwpInputMethodV2, Error> {
        self.method.as_ref().ok_or_else(taken_over)
    }

    /// Lets other programs have the place.
    pub(super) fn give_back(&mut self, wayland: &Wayland, focus: &Focus) {
        let Some(method) = self.method.take() else { return };
        method.destroy();
        let mut state = wayland.state();
        let window = focus.target(&state).ok().map(|window| window.id);
        self.left = window.zip(state.fields.current().cloned());
        state.fields = Fields::default();
        drop(state);
        // A compositor that is gone has taken it back by itself.
        drop(wayland.flush());
    }

    /// False: another input method has the place.
    fn sit_down(&mut self, wayland: &mut Wayland, focus: &Focus) -> Result<bool, Error> {
        let mut state = wayland.state();
        let method = self.manager.get_input_method(&wayland.seat, &wayland.handle, ());
        state.fields = Fields::of(&method);
        drop(state);
        wayland.round_trip()?;
        if wayland.state().fields.is_refused {
            method.destroy();
            return Ok(false);
        }
        self.method = Some(method);
        // Some tell first that they are there and then what stands in them.
        let before = self.left.as_ref().map(|(_, field)| field.before());
        let is_told = |state: &mut State| {
            let now = state.fields.current()?;
            before.is_none_or(|before| before == now.before()).then_some(())
        };
        wayland.wait(ACTIVATION, is_told)?;
        self.find_again(wayland, focus);
        Ok(true)
    }

    /// Takes the field in focus for the one that was left. Each activation makes another of it, and
    /// what was inserted there could not be taken back.
    fn find_again(&mut self, wayland: &Wayland, focus: &Focus) {
        let mut state = wayland.state();
        if state.fields.current().is_none() {
            return;
        }
        if let Some((window, field)) = self.left.take()
            && focus.target(&state).is_ok_and(|now| now.id == window)
        {
            state.fields.come_back_to(&field);
        }
    }
}

fn taken_over() -> Error {
    Error::Gone { backend: NAME, reason: "another input method has taken over".to_owned() }
}

delegate_noop!(State: ZwpInputMethodManagerV2);
