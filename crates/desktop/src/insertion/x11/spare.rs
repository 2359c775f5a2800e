//! Keys that the user's keyboard does not use, lent to characters that it does not have.
//!
//! A window learns from an event that the mapping has changed, and asks for it when it comes to
//! that event, perhaps much later. What it then gets must still hold for every key that it was
//! sent. So a key keeps its characters until nobody can be behind any more: others are lent
//! before any is used again, and all are given back after half a minute without typing.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use x11rb::protocol::xproto::{ConnectionExt as _, Keycode, Keysym};

use super::server::Server;
use crate::Error;

/// Characters that a key takes: alone and with Shift.
pub(super) const LEVELS: usize = 2;
/// No window that works is behind its keys for longer. A spare key that gives a letter hurts nobody.
const IDLE: Duration = Duration::from_secs(30);
/// When the program ends it does not wait for long.
const PARTING: Duration = Duration::from_millis(300);

/// What is lent now: keycode and what it gives.
type Lent = HashMap<Keycode, [Keysym; LEVELS]>;

/// The spare keys of a server, and the thread that gives them back.
pub(super) struct Spare {
    server: Arc<Server>,
    lent: Arc<Mutex<Lent>>,
    /// Tells the thread that they were used; closed when the program ends.
    used: Option<SyncSender<()>>,
    restorer: Option<JoinHandle<()>>,
}

impl Spare {
    /// # Errors
    ///
    /// [`Error::Unavailable`]: there are no threads to be had.
    pub(super) fn new(server: Arc<Server>) -> Result<Self, Error> {
        let lent = Arc::new(Mutex::new(Lent::new()));
        let (used, uses) = sync_channel(1);
        let (of_thread, lent_to) = (server.clone(), lent.clone());
        let backend = server.backend();
        let restorer = thread::Builder::new()
            .name("x11-keys".into())
            .spawn(move || restore_when_idle(&of_thread, &lent_to, &uses))
            .map_err(|err| Error::Unavailable { backend, reason: err.to_string() })?;
        Ok(Self { server, lent, used: Some(used), restorer: Some(restorer) })
    }

    /// Nothing is given back while the guard lives.
    pub(super) fn hold(&self) -> Held<'_> {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        Held { server: &self.server, lent, used: self.used.as_ref() }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.used = None;
        if let Some(restorer) = self.restorer.take() {
            // A panic of the thread has been told already.
            drop(restorer.join());
        }
    }
}

/// The spare keys while text is typed.
pub(super) struct Held<'a> {
    server: &'a Server,
    lent: MutexGuard<'a, Lent>,
    used: Option<&'a SyncSender<()>>,
}

impl Held<'_> {
    /// The keys that are lent.
    pub(super) fn codes(&self) -> HashSet<Keycode> {
        self.lent.keys().copied().collect()
    }

    /// Lends `codes` to `symbols`, as far as they go.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(super) fn lend(&mut self, codes: &[Keycode], symbols: &[Keysym]) -> Result<(), Error> {
        // A single one gives the same with Shift, so that no level is empty.
        let pair = |symbols: &[Keysym]| [symbols[0], *symbols.last().unwrap_or(&symbols[0])];
        let pairs = symbols.chunks(LEVELS).map(pair);
        let lent: Vec<_> = codes.iter().copied().zip(pairs).collect();
        map(self.server, &lent)?;
        self.lent.extend(lent);
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.lent.is_empty() {
            return;
        }
        if let Some(Err(TrySendError::Disconnected(()))) = self.used.map(|used| used.try_send(())) {
            tracing::debug!("x11: the thread that gives keys back has ended");
        }
    }
}

/// Changes what keys give. Each change makes every window read its keyboard anew, so keys that
/// are neighbours are changed together.
fn map(server: &Server, keys: &[(Keycode, [Keysym; LEVELS])]) -> Result<(), Error> {
    for run in keys.chunk_by(|(code, _), (next, _)| code + 1 == *next) {
        let symbols: Vec<Keysym> = run.iter().flat_map(|(_, pair)| *pair).collect();
        let (count, first, width) = (run.len() as u8, run[0].0, LEVELS as u8);
        let sent = server.connection.change_keyboard_mapping(count, first, width, &symbols);
        sent.map_err(|err| server.gone(err))?;
    }
    Ok(())
}

/// Gives back what is lent when nothing was typed for [`IDLE`], and at the end.
fn restore_when_idle(server: &Server, lent: &Mutex<Lent>, uses: &Receiver<()>) {
    while uses.recv().is_ok() {
        let ends = loop {
            match uses.recv_timeout(IDLE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(PARTING);
                    break true;
                }
            }
        };
        let mut lent = lent.lock().unwrap_or_else(PoisonError::into_inner);
        let restored = restore(server, &mut lent);
        if ends || restored.is_err() {
            return;
        }
    }
}

/// Empties the keys that still give what was lent. After a change of layout they do not.
fn restore(server: &Server, lent: &mut Lent) -> Result<(), Error> {
    let mut codes = Vec::new();
    for (code, pair) in lent.drain() {
        let asked = server.connection.get_keyboard_mapping(code, 1);
        let now = asked.map_err(|err| server.gone(err))?.reply();
        if server.answer(now)?.is_some_and(|now| now.keysyms.starts_with(&pair[..1])) {
            codes.push(code);
        }
    }
    codes.sort_unstable();
    let empty: Vec<_> = codes.into_iter().map(|code| (code, [x11rb::NO_SYMBOL; LEVELS])).collect();
    map(server, &empty)?;
    server.sync()
}
