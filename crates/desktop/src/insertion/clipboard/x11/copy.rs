//! Text that is left on the clipboard, for the user to paste.

use std::thread;
use std::time::{Duration, Instant};

use x11rb::protocol::xproto::ConnectionExt as _;

use super::owner::Owner;
use crate::Error;
use crate::insertion::clipboard::{COPY, copied_to};
use crate::insertion::x11::server::Server;
use crate::insertion::{Abilities, Backend, Proof, Target};

/// How long the server may take to make us the owner: it hears of that by another connection.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(1);

/// The clipboard of the X server that `DISPLAY` names, as a place for texts.
///
/// # Errors
///
/// [`Error::Unavailable`]: there is no X server.
pub fn connect() -> Result<Box<dyn Backend>, Error> {
    open(None)
}

/// The same on the X server `display`, such as `:0`.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_to(display: &str) -> Result<Box<dyn Backend>, Error> {
    open(Some(display))
}

fn open(display: Option<&str>) -> Result<Box<dyn Backend>, Error> {
    let server = Server::connect(display, COPY)?;
    Ok(Box::new(Copy { server, owner: Owner::new(display, COPY)? }))
}

struct Copy {
    /// Answers in time; that of the owner waits as long as it takes.
    server: Server,
    owner: Owner,
}

impl Copy {
    fn is_owner(&self) -> Result<bool, Error> {
        let asked = self.server.connection.get_selection_owner(self.server.atoms.CLIPBOARD);
        let owner = asked.map_err(|err| self.server.gone(err))?.reply();
        Ok(owner.map_err(|err| self.server.gone(err))?.owner == self.owner.window())
    }
}

impl Backend for Copy {
    fn name(&self) -> &'static str {
        COPY
    }

    fn abilities(&self) -> Abilities {
        Abilities { keyless: true, focus: true, ..Abilities::default() }
    }

    fn target(&mut self) -> Result<Target, Error> {
        // The server may have ended.
        self.server.sync()?;
        Ok(copied_to())
    }

    fn preedit(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        self.owner.offer_text(&[self.server.atoms.CLIPBOARD], text)?;
        let end = Instant::now() + PATIENCE;
        while !self.is_owner()? {
            if Instant::now() > end {
                return Err(Error::NotTaken { backend: COPY });
            }
            thread::sleep(TICK);
        }
        Ok(Proof::Taken)
    }

    fn delete_before(&mut self, _: usize) -> Result<(), Error> {
        if self.is_owner()? {
            self.owner.restore(self.server.atoms.CLIPBOARD, Vec::new());
        }
        Ok(())
    }
}
