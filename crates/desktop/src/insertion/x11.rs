//! Text into the window in focus of an X server, as key events (XTEST).
//!
//! What the user's layout has is typed by its keys. The rest is lent to keys that the keyboard
//! does not use ([`spare`]). No dead key, no input method and no layout is changed. X11 tells
//! neither what stands before the cursor nor which fields take passwords.

mod focus;
pub(super) mod keyboard;
mod keymap;
mod ping;
pub(super) mod server;
mod spare;

use keyboard::Keyboard;
use xkeysym::Keysym;

use super::{Abilities, Backend, Proof, Target};
use crate::Error;

const NAME: &str = "x11";

/// The X server that `DISPLAY` names.
///
/// # Errors
///
/// [`Error::Unavailable`]: there is none, or it takes no keys from programs.
pub fn connect() -> Result<Box<dyn Backend>, Error> {
    Ok(Box::new(X11(Keyboard::connect(None, NAME)?)))
}

/// The X server `display`, such as `:0`.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_to(display: &str) -> Result<Box<dyn Backend>, Error> {
    Ok(Box::new(X11(Keyboard::connect(Some(display), NAME)?)))
}

struct X11(Keyboard);

impl Backend for X11 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { focus: true, ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        self.0.target()
    }

    fn preedit(&mut self, _text: &str) -> Result<(), Error> {
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        self.0.type_text(text)?;
        Ok(Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        self.0.type_symbols(&vec![Keysym::BackSpace.raw(); characters])
    }
}
