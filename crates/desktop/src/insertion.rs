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
    /// Types without key events, so that a key that is held stays held and no layout matters.
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
    /// `input-method`, `virtual-keyboard`, `x11`, `ibus`, `ei-text`, `portal`, `clipboard`.
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
        ("input-method", Box::new(input_method::connect)),
        ("ibus", Box::new(ibus::connect)),
        ("virtual-keyboard", Box::new(virtual_keyboard::connect)),
        ("x11", Box::new(x11::connect)),
        (portal::NAME, portal),
        ("clipboard", Box::new(clipboard::wayland::connect)),
        ("clipboard", Box::new(clipboard::x11::connect)),
    ]
}
