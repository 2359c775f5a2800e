//! The clipboard of an X server: text is offered, pasted by the window's own shortcut, and what
//! was there before is offered again once the window has fetched the text.

mod copy;
mod owner;
mod saved;

use std::time::Duration;

use xkeysym::Keysym;

use super::super::x11::keyboard::Keyboard;
use super::super::{Abilities, Backend, Proof, Target};
use crate::Error;
pub use copy::{connect as copy, connect_to as copy_to};
use owner::Owner;

const NAME: &str = "clipboard";
/// How long a window may take from the shortcut until it fetches the text.
const FETCH: Duration = Duration::from_secs(1);
/// Words in the class of programs whose Ctrl+V is something else. They paste with Shift+Insert,
/// and most of them the primary selection.
const TERMINALS: [&str; 13] = [
    "term",
    "rxvt",
    "konsole",
    "kitty",
    "alacritty",
    "st-256color",
    "tilix",
    "foot",
    "ghostty",
    "ptyxis",
    "kgx",
    "yakuake",
    "guake",
];

/// The X server that `DISPLAY` names.
///
/// # Errors
///
/// [`Error::Unavailable`]: there is none, or it takes no keys from programs.
pub fn connect() -> Result<Box<dyn Backend>, Error> {
    open(None)
}

/// The X server `display`, such as `:0`.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_to(display: &str) -> Result<Box<dyn Backend>, Error> {
    open(Some(display))
}

fn open(display: Option<&str>) -> Result<Box<dyn Backend>, Error> {
    let keyboard = Keyboard::connect(display, NAME)?;
    Ok(Box::new(Clipboard { keyboard, owner: Owner::new(display, NAME)?, in_terminal: false }))
}

struct Clipboard {
    keyboard: Keyboard,
    owner: Owner,
    in_terminal: bool,
}

impl Clipboard {
    /// Pastes what is offered, and waits until the window has it.
    fn paste(&mut self) -> Result<(), Error> {
        let window = self.keyboard.expected()?;
        let [modifier, key] = match self.in_terminal {
            true => [Keysym::Shift_L, Keysym::Insert],
            false => [Keysym::Control_L, Keysym::v],
        };
        self.keyboard.chord(modifier.raw(), key.raw())?;
        match self.owner.wait_until_fetched(window, FETCH) {
            true => Ok(()),
            false => Err(Error::NotTaken { backend: NAME }),
        }
    }
}

impl Backend for Clipboard {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { focus: true, ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        let target = self.keyboard.target()?;
        let class = target.app_id.as_deref().unwrap_or_default().to_lowercase();
        self.in_terminal = class == "st" || TERMINALS.iter().any(|word| class.contains(word));
        Ok(target)
    }

    fn preedit(&mut self, _text: &str) -> Result<(), Error> {
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let atoms = self.keyboard.server().atoms;
        let selections = match self.in_terminal {
            true => vec![atoms.CLIPBOARD, x11rb::protocol::xproto::AtomEnum::PRIMARY.into()],
            false => vec![atoms.CLIPBOARD],
        };
        let mut before = Vec::new();
        for &selection in &selections {
            before.push((selection, saved::save(self.keyboard.server(), &self.owner, selection)?));
        }
        self.owner.offer_text(&selections, text)?;
        let pasted = self.paste();
        for (selection, contents) in before {
            self.owner.restore(selection, contents);
        }
        pasted.map(|()| Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        self.keyboard.type_symbols(&vec![Keysym::BackSpace.raw(); characters])
    }
}
