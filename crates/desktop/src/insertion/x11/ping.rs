//! Waiting until a window has dealt with the keys that it was sent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask, Window,
};

use super::focus;
use super::server::Server;
use crate::Error;

/// How long a window that can answer may take for it. Longer: it hangs. Toolkits read the whole
/// keyboard anew for each change.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a window that cannot answer is given. Terminals of the old kind (xterm) are quick.
const BLIND: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(2);

/// Returns when the window of `focus` has dealt with all that was sent to it so far. Events are
/// dealt with in order, so the answer to a ping (`_NET_WM_PING`) tells it; a window that knows no
/// ping is given a moment.
///
/// # Errors
///
/// [`Error::NotTaken`]: the window hangs. [`Error::Gone`].
pub(super) fn settle(server: &Server, focus: Window) -> Result<(), Error> {
    let Some(window) = answering(server, focus)? else {
        thread::sleep(BLIND);
        return Ok(());
    };
    // Qt sends its answer to the second.
    listen(server, EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY)?;
    let stamp = ping(server, window)?;
    let answered = wait(server, stamp);
    listen(server, EventMask::NO_EVENT)?;
    if answered? { Ok(()) } else { Err(Error::NotTaken { backend: server.backend() }) }
}

/// The window that answers for `focus`, if it does.
fn answering(server: &Server, focus: Window) -> Result<Option<Window>, Error> {
    let Some((window, _)) = focus::owner(server, focus)? else { return Ok(None) };
    let protocols = focus::property(server, window, server.atoms.WM_PROTOCOLS)?.unwrap_or_default();
    let ping = server.atoms._NET_WM_PING.to_ne_bytes();
    Ok(protocols.chunks_exact(4).any(|atom| atom == ping).then_some(window))
}

/// Answers come to the root window.
fn listen(server: &Server, mask: EventMask) -> Result<(), Error> {
    let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
    let sent = server.connection.change_window_attributes(server.root, &attributes);
    sent.map_err(|err| server.gone(err))?;
    Ok(())
}

fn ping(server: &Server, window: Window) -> Result<u32, Error> {
    static STAMP: AtomicU32 = AtomicU32::new(1);
    let stamp = STAMP.fetch_add(1, Ordering::Relaxed);
    let data = [server.atoms._NET_WM_PING, stamp, window, 0, 0];
    let message = ClientMessageEvent::new(32, window, server.atoms.WM_PROTOCOLS, data);
    let connection = &server.connection;
    connection
        .send_event(false, window, EventMask::NO_EVENT, message)
        .map_err(|err| server.gone(err))?;
    connection.flush().map_err(|err| server.gone(err))?;
    Ok(stamp)
}

fn wait(server: &Server, stamp: u32) -> Result<bool, Error> {
    let deadline = Instant::now() + ANSWER;
    while Instant::now() < deadline {
        match server.connection.poll_for_event().map_err(|err| server.gone(err))? {
            Some(Event::ClientMessage(event)) if event.window == server.root => {
                let data = event.data.as_data32();
                if data[0] == server.atoms._NET_WM_PING && data[1] == stamp {
                    return Ok(true);
                }
            }
            Some(_) => {}
            None => thread::sleep(TICK),
        }
    }
    Ok(false)
}
