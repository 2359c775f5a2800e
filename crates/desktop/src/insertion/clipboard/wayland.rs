//! Pasting on wlroots: the clipboard by `zwlr_data_control_v1`, the key by a virtual keyboard.
//!
//! All that was on the clipboard, in each of its types, is read before and offered again after the
//! window has fetched the text. From then on it is this program that offers it: it stays there as
//! long as the program runs, or until something else is copied.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::insertion::virtual_keyboard::keys::{Chord, Key, Keys};
use crate::insertion::wayland::{State, windows::Focus};
use crate::insertion::{Abilities, Backend, Proof, Target};

mod board;
mod contents;
mod copy;
pub(in crate::insertion) mod selection;

use board::Board;
use contents::Contents;
pub use copy::connect_to as copy_to;

const NAME: &str = "clipboard";

/// Clipboard managers fetch what is new at once; the fetches of this time are taken for theirs.
const MANAGERS: Duration = Duration::from_millis(60);
/// How long the window may take to fetch after the key.
const FETCH: Duration = Duration::from_millis(500);
/// Some programs fetch twice: the old contents come back after a pause of this length.
const QUIET: Duration = Duration::from_millis(80);

/// Windows in which Ctrl+V means something else: parts of their `app_id`, in small letters.
const TERMINALS: [&str; 16] = [
    "foot",
    "alacritty",
    "kitty",
    "wezterm",
    "ghostty",
    "terminal",
    "console",
    "ptyxis",
    "konsole",
    "terminator",
    "tilix",
    "guake",
    "yakuake",
    "cosmicterm",
    "blackbox",
    "rio",
];

/// Pastes into the window in focus.
struct Clipboard {
    keys: Keys,
    focus: Focus,
    board: Board,
}

/// The way by clipboard, on the compositor behind `socket`.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is no such compositor or it gives no access to its clipboard
/// or no virtual keyboard, [`Error::Gone`] where it hangs.
pub fn connect_to(socket: &Path) -> Result<Box<dyn Backend>, Error> {
    let board = Board::connect(NAME, socket)?;
    let focus = Focus::new(&board.wayland);
    let keys = Keys::new(&board.wayland)?;
    Ok(Box::new(Clipboard { keys, focus, board }))
}

impl Clipboard {
    /// Presses what pastes in the window `target`, and waits until it has fetched `contents`.
    fn paste(&mut self, target: &Target, contents: &Contents) -> Result<(), Error> {
        contents.wait_for_quiet(MANAGERS);
        let by_managers = contents.fetches();
        if self.target()?.id != target.id {
            return Err(Error::TargetMoved);
        }
        self.keys.chord(&mut self.board.wayland, chord(target.app_id.as_deref()))?;
        if !contents.wait_for_more(by_managers, FETCH) {
            return Err(Error::NotTaken { backend: NAME });
        }
        contents.wait_for_quiet(QUIET);
        Ok(())
    }
}

impl Backend for Clipboard {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { focus: self.focus.is_told(), ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        self.board.wayland.round_trip()?;
        self.focus.target(&self.board.wayland.state())
    }

    fn preedit(&mut self, _: &str) -> Result<(), Error> {
        let reason = "the clipboard cannot show text tentatively".to_owned();
        Err(Error::Unavailable { backend: NAME, reason })
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let target = self.target()?;
        if text.is_empty() {
            return Ok(Proof::Taken);
        }
        // Before all else: a window must have got over a new keyboard when the key is pressed.
        self.keys.plug_in(&mut self.board.wayland)?;
        let kept = self.board.keep()?;
        let contents = Arc::new(Contents::text(text));
        self.board.offer(Some(&contents))?;
        let pasted = self.paste(&target, &contents);
        // What somebody has copied in the meantime is newer than what was there before.
        if !contents.is_replaced() {
            let kept = kept.map(|kinds| Arc::new(Contents::new(kinds)));
            self.board.offer(kept.as_ref())?;
        }
        pasted.map(|()| Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        let began = self.target()?.id;
        let stays = |state: &State| self.focus.target(state).is_ok_and(|target| target.id == began);
        self.keys.press(&mut self.board.wayland, Key::BackSpace, characters, stays)
    }
}

/// What pastes in the window of this program.
fn chord(app_id: Option<&str>) -> Chord {
    let app_id = app_id.unwrap_or_default().to_lowercase();
    match TERMINALS.iter().any(|terminal| app_id.contains(terminal)) {
        true => Chord::ControlShiftV,
        false => Chord::ControlV,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_told_by_their_name() {
        for terminal in ["foot", "org.kde.konsole", "Alacritty", "org.gnome.Console"] {
            assert_eq!(chord(Some(terminal)), Chord::ControlShiftV, "{terminal}");
        }
        for other in ["firefox", "org.gnome.TextEditor", ""] {
            assert_eq!(chord(Some(other)), Chord::ControlV, "{other}");
        }
        assert_eq!(chord(None), Chord::ControlV);
    }
}
