//! Text into the window in focus: one file a way, and the ladder that chooses among them.

pub mod clipboard;
mod ei;
pub mod ibus;
pub mod input_method;
pub mod ladder;
pub mod portal;
#[cfg(test)]
pub(crate) mod scripted;
pub mod virtual_keyboard;
mod wayland;
pub mod x11;

use std::path::Path;

use crate::Error;

/// What a way can do besides typing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Shows tentative text at the cursor, which the window draws as its own (preedit).
    pub preedit: bool,
    /// Tells the text before the cursor.
    pub surrounding: bool,
    /// Tells whether the field takes passwords.
    pub purpose: bool,
    /// Types without key events, so that a key that is held stays held and no layout matters; but
    /// see [`Target::keyed`].
    pub keyless: bool,
    /// Sees that the focus has moved. Without it nothing is typed live, nor taken back: it could
    /// be in another window.
    pub focus: bool,
}

/// What is in focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Differs whenever the focus is another: a window, or a field of one where that is known.
    pub id: String,
    /// Program of the window, as the desktop names it: `org.gnome.TextEditor`, `firefox`.
    pub app_id: Option<String>,
    /// A field for passwords.
    pub secret: bool,
    /// The text before the cursor, where the window tells it; at most some hundred characters.
    pub before: Option<String>,
    /// Gets its text by key events, though the way needs none elsewhere.
    pub keyed: bool,
}

/// How sure it is that an inserted text is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The display server has taken it.
    Taken,
    /// The window has been seen to hold it.
    Seen,
}

/// One way to get text into the window in focus. Lives on the thread that delivers; every call
/// answers within seconds or gives an error.
pub trait Backend: Send {
    /// `input-method`, `virtual-keyboard`, `x11`, `ibus`, `ei-text`, `portal`, `clipboard`, `copy`.
    fn name(&self) -> &'static str;

    /// What this way can do, on this desktop.
    fn abilities(&self) -> Abilities;

    /// Whether texts can be inserted at all; else it only lends its keys to a way above it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    fn takes_text(&self) -> Result<(), Error> {
        Ok(())
    }

    /// What is in focus now.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`], [`Error::Gone`].
    fn target(&mut self) -> Result<Target, Error>;

    /// Shows `text` at the cursor in place of what was shown before; empty takes it away. Never
    /// called without [`Abilities::preedit`].
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    fn preedit(&mut self, text: &str) -> Result<(), Error>;

    /// Inserts `text` at the cursor, in place of what is shown there tentatively. Any Unicode;
    /// `\n` begins a line. Returns when all of it has been taken.
    ///
    /// # Errors
    ///
    /// What could not be inserted is not: an error means that nothing is known to be there.
    fn insert(&mut self, text: &str) -> Result<Proof, Error>;

    /// Takes `characters` (grapheme clusters) before the cursor away.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    fn delete_before(&mut self, characters: usize) -> Result<(), Error>;

    /// Nothing is wanted for a while: gives back what only one program at a time can have. The next
    /// call takes it again.
    fn rest(&mut self) {}

    /// The same, unless `still` objects right before the first is taken away.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and what `still` says.
    fn delete_while(
        &mut self,
        characters: usize,
        still: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        still()?;
        self.delete_before(characters)
    }
}

/// The ways, the best first. `portal` opens the only one that needs a permission: see [`portal`].
pub fn ways(portal: ladder::Connect) -> Vec<(&'static str, ladder::Connect)> {
    vec![
        on_wayland("input-method", input_method::connect_to),
        ("ibus", Box::new(ibus::connect)),
        on_wayland("virtual-keyboard", virtual_keyboard::connect_to),
        ("x11", Box::new(x11::connect)),
        (portal::NAME, portal),
        on_wayland("clipboard", clipboard::wayland::connect_to),
        ("clipboard", Box::new(clipboard::x11::connect)),
    ]
}

/// The ways to leave a text on the clipboard, for the user to paste, in place of what was there.
pub fn copies() -> Vec<(&'static str, ladder::Connect)> {
    vec![on_wayland("copy", clipboard::wayland::copy_to), ("copy", Box::new(clipboard::x11::copy))]
}

/// The way `name`, on the compositor that `WAYLAND_DISPLAY` names.
fn on_wayland(
    name: &'static str,
    connect_to: fn(&Path) -> Result<Box<dyn Backend>, Error>,
) -> (&'static str, ladder::Connect) {
    (name, Box::new(move || connect_to(&wayland::socket(name)?)))
}
