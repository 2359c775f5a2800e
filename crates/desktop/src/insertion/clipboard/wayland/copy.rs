//! Text that is left on the clipboard, for the user to paste.

use std::path::Path;
use std::sync::Arc;

use super::board::Board;
use super::contents::Contents;
use crate::Error;
use crate::insertion::clipboard::{COPY, copied_to};
use crate::insertion::{Abilities, Backend, Proof, Target};

/// The clipboard of the compositor behind `socket`, as a place for texts.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is no such compositor or it gives no access to its clipboard,
/// [`Error::Gone`] where it hangs.
pub fn connect_to(socket: &Path) -> Result<Box<dyn Backend>, Error> {
    Ok(Box::new(Copy { board: Board::connect(COPY, socket)?, copied: None }))
}

struct Copy {
    board: Board,
    copied: Option<Arc<Contents>>,
}

impl Backend for Copy {
    fn name(&self) -> &'static str {
        COPY
    }

    fn abilities(&self) -> Abilities {
        Abilities { keyless: true, focus: true, ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        self.board.wayland.round_trip()?;
        Ok(copied_to())
    }

    fn preedit(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let contents = Arc::new(Contents::text(text));
        self.board.offer(Some(&contents))?;
        self.copied = Some(contents);
        Ok(Proof::Taken)
    }

    fn delete_before(&mut self, _: usize) -> Result<(), Error> {
        match self.copied.take_if(|copied| !copied.is_replaced()) {
            Some(_) => self.board.offer(None),
            None => Ok(()),
        }
    }
}
