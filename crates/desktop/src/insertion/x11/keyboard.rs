//! Text as key events of the XTEST extension.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xkb::{self, GetStateReply};
use x11rb::protocol::xproto::{
    ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, Keycode, Keysym, ModMask, Window,
};
use x11rb::protocol::xtest;

use super::keymap::{self, CORE_KEYBOARD, Key, Keymap};
use super::server::Server;
use super::spare::{Held, LEVELS, Spare};
use super::{focus, ping};
use crate::Error;
use crate::insertion::Target;

/// How long the user may take to let go of Ctrl, Alt, Super or Shift.
const LET_GO: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(10);
/// Keys between two looks at the focus. The server does nothing else meanwhile, for about a
/// millisecond.
const PIECE: usize = 64;

/// The keyboard of an X server, as a program types on it.
pub(crate) struct Keyboard {
    server: Arc<Server>,
    spare: Spare,
    /// The window that was in focus when the delivery last asked.
    expected: Option<Window>,
}

impl Keyboard {
    /// Connects to `display`, or to what `DISPLAY` names, for the way `backend`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub(crate) fn connect(display: Option<&str>, backend: &'static str) -> Result<Self, Error> {
        let server = Arc::new(Server::connect(display, backend)?);
        Ok(Self { spare: Spare::new(server.clone())?, server, expected: None })
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// What is in focus; what is typed next goes there or nowhere.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`], [`Error::Gone`].
    pub(crate) fn target(&mut self) -> Result<Target, Error> {
        let connection = &self.server.connection;
        // Changes of the mapping are told to everybody; it is read anew each time.
        while connection.poll_for_event().map_err(|err| self.server.gone(err))?.is_some() {}
        self.expected = None;
        let (window, target) = focus::target(&self.server)?;
        self.expected = Some(window);
        Ok(target)
    }

    /// The window that keys go to.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`], [`Error::Gone`].
    pub(crate) fn expected(&self) -> Result<Window, Error> {
        self.expected.map_or_else(|| focus::window(&self.server), Ok)
    }

    /// Types `text`; control characters other than a new line and a tab are left out.
    ///
    /// # Errors
    ///
    /// [`Error::TargetMoved`], [`Error::KeysHeld`], [`Error::NotTaken`], [`Error::Unavailable`],
    /// [`Error::Gone`]; as [`Error::Partly`] where some of it was typed before.
    pub(crate) fn type_text(&mut self, text: &str) -> Result<(), Error> {
        let symbols: Vec<Keysym> = text.chars().filter_map(keymap::symbol).collect();
        self.type_symbols(&symbols)
    }

    /// Types keys, one after the other.
    ///
    /// # Errors
    ///
    /// As [`type_text`](Self::type_text).
    pub(crate) fn type_symbols(&mut self, symbols: &[Keysym]) -> Result<(), Error> {
        let window = self.expected()?;
        let mut spare = self.spare.hold();
        let mut typed = 0;
        while typed < symbols.len() {
            let (keymap, keys) = lay_out(&self.server, &mut spare, window, &symbols[typed..])
                .map_err(|err| err.after(typed))?;
            for piece in keys.chunks(PIECE) {
                press(&self.server, &keymap, piece, window).map_err(|err| err.after(typed))?;
                typed += piece.len();
            }
        }
        Ok(())
    }

    /// Presses `symbol` with `modifier` down: a shortcut of the window.
    ///
    /// # Errors
    ///
    /// As [`type_text`](Self::type_text).
    pub(crate) fn chord(&mut self, modifier: Keysym, symbol: Keysym) -> Result<(), Error> {
        let window = self.expected()?;
        let mut spare = self.spare.hold();
        let (keymap, keys) = lay_out(&self.server, &mut spare, window, &[modifier, symbol])?;
        let [modifier, key] = keys[..] else {
            let reason = "the keyboard has no such key".to_owned();
            return Err(Error::Unavailable { backend: self.server.backend(), reason });
        };
        when_free(&self.server, window, |state| {
            let locks = unlock(&self.server, &keymap, state)?;
            for (kind, code) in [
                (KEY_PRESS_EVENT, modifier.code),
                (KEY_PRESS_EVENT, key.code),
                (KEY_RELEASE_EVENT, key.code),
                (KEY_RELEASE_EVENT, modifier.code),
            ] {
                fake(&self.server, kind, code)?;
            }
            lock(&self.server, locks)
        })
    }
}

/// The keys for the beginning of `symbols`, at least for one, and what they mean. Characters that
/// no key gives are given to spare keys, all that will go at once.
fn lay_out(
    server: &Server,
    spare: &mut Held<'_>,
    window: Window,
    symbols: &[Keysym],
) -> Result<(Keymap, Vec<Key>), Error> {
    let mut keymap = Keymap::read(server, &HashSet::new())?;
    let mut missing = missing(&keymap, symbols);
    if missing.len() > LEVELS * keymap.spare.len() && !spare.codes().is_empty() {
        ping::settle(server, window)?;
        keymap = Keymap::read(server, &spare.codes())?;
        missing = self::missing(&keymap, symbols);
    }
    if !missing.is_empty() {
        spare.lend(&keymap.spare, &missing)?;
        keymap = Keymap::read(server, &HashSet::new())?;
    }
    let keys: Vec<Key> = symbols.iter().map_while(|&symbol| keymap.key(symbol)).collect();
    if keys.is_empty() {
        let reason = "the keyboard lacks a character, and has no free key to lend it".to_owned();
        return Err(Error::Unavailable { backend: server.backend(), reason });
    }
    Ok((keymap, keys))
}

/// Those of `symbols` that no key gives, each once, in order.
fn missing(keymap: &Keymap, symbols: &[Keysym]) -> Vec<Keysym> {
    let mut seen = HashSet::new();
    let lacking = symbols.iter().filter(|&&symbol| keymap.key(symbol).is_none());
    lacking.copied().filter(|&symbol| seen.insert(symbol)).collect()
}

fn press(server: &Server, keymap: &Keymap, keys: &[Key], window: Window) -> Result<(), Error> {
    when_free(server, window, |state| {
        let locks = unlock(server, keymap, state)?;
        let mut down = 0;
        for key in keys {
            hold(server, keymap, down, key.modifiers)?;
            down = key.modifiers;
            fake(server, KEY_PRESS_EVENT, key.code)?;
            fake(server, KEY_RELEASE_EVENT, key.code)?;
        }
        hold(server, keymap, down, 0)?;
        lock(server, locks)
    })
}

/// Does `keys` once the user holds no modifier. The server serves nobody else meanwhile, so that
/// no other window can come to the front between the look at the focus and the keys.
fn when_free(
    server: &Server,
    window: Window,
    keys: impl FnOnce(&GetStateReply) -> Result<(), Error>,
) -> Result<(), Error> {
    let deadline = Instant::now() + LET_GO;
    loop {
        let grab = Grab::new(server)?;
        match focus::window(server) {
            Ok(now) if now == window => {}
            Ok(_) | Err(Error::NoTarget) => return Err(Error::TargetMoved),
            Err(err) => return Err(err),
        }
        let state = xkb::get_state(&server.connection, CORE_KEYBOARD);
        let state =
            state.map_err(|err| server.gone(err))?.reply().map_err(|err| server.gone(err))?;
        if u16::from(state.base_mods) == 0 {
            keys(&state)?;
            drop(grab);
            return server.sync();
        }
        drop(grab);
        if Instant::now() > deadline {
            return Err(Error::KeysHeld);
        }
        thread::sleep(TICK);
    }
}

/// Lets go of Caps Lock and its like, and of what waits for the next key. Gives what was locked.
fn unlock(server: &Server, keymap: &Keymap, state: &GetStateReply) -> Result<ModMask, Error> {
    let locks = state.locked_mods.remove(u16::from(keymap.num_lock));
    if u16::from(locks) != 0 || u16::from(state.latched_mods) != 0 {
        set_locks(server, locks, ModMask::default(), state.latched_mods)?;
    }
    Ok(locks)
}

fn lock(server: &Server, locks: ModMask) -> Result<(), Error> {
    if u16::from(locks) == 0 {
        return Ok(());
    }
    set_locks(server, locks, locks, ModMask::default())
}

fn set_locks(server: &Server, of: ModMask, on: ModMask, latches_off: ModMask) -> Result<(), Error> {
    let group = xkb::Group::M1;
    let connection = &server.connection;
    xkb::latch_lock_state(connection, CORE_KEYBOARD, of, on, false, group, latches_off, false, 0)
        .map_err(|err| server.gone(err))?;
    Ok(())
}

/// Changes the modifiers that are down from `from` to `to`.
fn hold(server: &Server, keymap: &Keymap, from: u8, to: u8) -> Result<(), Error> {
    for code in keymap.holders(from & !to) {
        fake(server, KEY_RELEASE_EVENT, code)?;
    }
    for code in keymap.holders(to & !from) {
        fake(server, KEY_PRESS_EVENT, code)?;
    }
    Ok(())
}

fn fake(server: &Server, kind: u8, code: Keycode) -> Result<(), Error> {
    xtest::fake_input(&server.connection, kind, code, x11rb::CURRENT_TIME, x11rb::NONE, 0, 0, 0)
        .map_err(|err| server.gone(err))?;
    Ok(())
}

/// While it lives the server serves only us.
struct Grab<'a>(&'a Server);

impl<'a> Grab<'a> {
    fn new(server: &'a Server) -> Result<Self, Error> {
        server.connection.grab_server().map_err(|err| server.gone(err))?;
        Ok(Self(server))
    }
}

impl Drop for Grab<'_> {
    fn drop(&mut self) {
        let connection = &self.0.connection;
        // A server that is gone holds no grab.
        let sent = connection.ungrab_server().map(drop);
        if let Err(err) = sent.and_then(|()| connection.flush()) {
            tracing::debug!("x11: {err}");
        }
    }
}
