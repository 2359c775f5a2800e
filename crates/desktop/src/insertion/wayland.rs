//! A connection to a Wayland compositor, read by a thread of its own.
//!
//! The thread keeps [`State`] as the compositor tells it and wakes who waits for a change. It
//! reads while nothing is dictated, too: a compositor cuts off who lets its events lie. Every wait
//! has an end, so that a compositor that hangs or vanishes gives an error.

use std::env;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use wayland_client::backend::WaylandError;
use wayland_client::protocol::{wl_callback, wl_registry, wl_seat};
use wayland_client::{
    Connection, Dispatch, DispatchError, EventQueue, Proxy, QueueHandle, WEnum, delegate_noop,
};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1, zwp_virtual_keyboard_v1,
};

use super::clipboard::wayland::selection::Selections;
use super::input_method::field::Fields;
use crate::Error;

pub(super) mod windows;

/// How long an answer may take. A longer wait would be taken for a daemon that hangs.
const LIMIT: Duration = Duration::from_millis(800);

/// What the compositor has told so far.
#[derive(Default)]
pub(super) struct State {
    globals: Vec<Global>,
    /// The newest round trip that has come back.
    answered: u32,
    /// Why no more will be told.
    end: Option<String>,
    /// The connection ends once nothing of the clipboard is offered any more.
    leaving: bool,
    /// The seat has a keyboard.
    pub(super) has_keyboard: bool,
    pub(super) windows: windows::Windows,
    pub(super) fields: Fields,
    pub(super) selections: Selections,
}

struct Global {
    name: u32,
    interface: String,
    version: u32,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection to a compositor, with its first seat.
pub(super) struct Wayland {
    /// The way that uses it, for errors.
    backend: &'static str,
    connection: Connection,
    registry: wl_registry::WlRegistry,
    pub(super) seat: wl_seat::WlSeat,
    pub(super) handle: QueueHandle<State>,
    shared: Arc<Shared>,
    /// The same socket once more, to end the thread with.
    socket: UnixStream,
    trips: u32,
}

impl Wayland {
    /// Connects to the compositor behind `socket` for the way `backend`, and learns what it offers.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where there is no compositor, [`Error::Gone`] where it hangs.
    pub(super) fn connect(backend: &'static str, socket: &Path) -> Result<Self, Error> {
        let unavailable = |reason: String| Error::Unavailable { backend, reason };
        let stream = UnixStream::connect(socket)
            .map_err(|error| unavailable(format!("no compositor answers there: {error}")))?;
        let twin = stream.try_clone().map_err(|error| unavailable(error.to_string()))?;
        let connection = Connection::from_socket(stream)
            .map_err(|error| unavailable(format!("no connection: {error}")))?;
        let queue = connection.new_event_queue::<State>();
        let handle = queue.handle();
        let registry = connection.display().get_registry(&handle, ());
        let shared =
            Arc::new(Shared { state: Mutex::new(State::default()), changed: Condvar::new() });
        let reader = (connection.clone(), shared.clone());
        thread::Builder::new()
            .name("wayland".to_owned())
            .spawn(move || read(queue, &reader.0, &reader.1))
            .map_err(|error| unavailable(format!("no thread: {error}")))?;
        // Until the seat is known, the display stands in for nothing: ask, then bind.
        let trips = Trips { backend, connection: &connection, handle: &handle, shared: &shared };
        trips.make(1)?;
        let seat = bind::<wl_seat::WlSeat>(backend, &shared, &registry, &handle, 5)?;
        trips.make(2)?;
        Ok(Self { backend, connection, registry, seat, handle, shared, socket: twin, trips: 2 })
    }

    /// One of the compositor's objects, in no version newer than `newest`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where the compositor has none.
    pub(super) fn bind<I>(&self, newest: u32) -> Result<I, Error>
    where
        I: Proxy + 'static,
        State: Dispatch<I, ()>,
    {
        bind(self.backend, &self.shared, &self.registry, &self.handle, newest)
    }

    /// Returns when the compositor has done all that it was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when it does not answer in time or has vanished.
    pub(super) fn round_trip(&mut self) -> Result<(), Error> {
        self.trips = self.trips.wrapping_add(1);
        let (connection, handle) = (&self.connection, &self.handle);
        let trips = Trips { backend: self.backend, connection, handle, shared: &self.shared };
        trips.make(self.trips)
    }

    /// Sends what was asked for.
    pub(super) fn flush(&self) -> Result<(), Error> {
        match self.connection.flush() {
            Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                Ok(())
            }
            Err(error) => Err(gone(self.backend, error.to_string())),
            Ok(()) => Ok(()),
        }
    }

    /// What is known now.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Waits up to `limit` for what `ready` is after; `None` when it did not come.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when the compositor has vanished.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        ready: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        wait(self.backend, &self.shared, limit, ready)
    }
}

impl Drop for Wayland {
    fn drop(&mut self) {
        // What has been asked for last is still sent, if the compositor takes it.
        drop(self.flush());
        let mut state = self.shared.lock();
        state.leaving = true;
        // What was on the clipboard before a paste is offered from here until another copies.
        if !state.selections.is_offering() {
            drop(self.socket.shutdown(std::net::Shutdown::Both));
        }
    }
}

/// The socket that `WAYLAND_DISPLAY` names.
///
/// # Errors
///
/// [`Error::Unavailable`] where this is no Wayland session.
pub(super) fn socket(backend: &'static str) -> Result<PathBuf, Error> {
    let missing = |name: &str| Error::Unavailable {
        backend,
        reason: format!(
            "{name} is not set: this is no Wayland session, or the daemon does not know of it"
        ),
    };
    let display = env::var_os("WAYLAND_DISPLAY").filter(|display| !display.is_empty());
    let display = PathBuf::from(display.ok_or_else(|| missing("WAYLAND_DISPLAY"))?);
    if display.is_absolute() {
        return Ok(display);
    }
    let folder = env::var_os("XDG_RUNTIME_DIR").ok_or_else(|| missing("XDG_RUNTIME_DIR"))?;
    Ok(PathBuf::from(folder).join(display))
}

/// What round trips need.
struct Trips<'a> {
    backend: &'static str,
    connection: &'a Connection,
    handle: &'a QueueHandle<State>,
    shared: &'a Shared,
}

impl Trips<'_> {
    fn make(&self, number: u32) -> Result<(), Error> {
        self.connection.display().sync(self.handle, number);
        match self.connection.flush() {
            Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(gone(self.backend, error.to_string())),
            Ok(()) => {}
        }
        let is_back = |state: &mut State| (state.answered == number).then_some(());
        wait(self.backend, self.shared, LIMIT, is_back)?
            .ok_or_else(|| gone(self.backend, "the compositor does not answer".to_owned()))
    }
}

fn bind<I>(
    backend: &'static str,
    shared: &Shared,
    registry: &wl_registry::WlRegistry,
    handle: &QueueHandle<State>,
    newest: u32,
) -> Result<I, Error>
where
    I: Proxy + 'static,
    State: Dispatch<I, ()>,
{
    let wanted = I::interface().name;
    let state = shared.lock();
    let Some(global) = state.globals.iter().find(|global| global.interface == wanted) else {
        return Err(Error::Unavailable {
            backend,
            reason: format!("the compositor does not offer {wanted}"),
        });
    };
    Ok(registry.bind(global.name, global.version.min(newest), handle, ()))
}

fn wait<T>(
    backend: &'static str,
    shared: &Shared,
    limit: Duration,
    mut ready: impl FnMut(&mut State) -> Option<T>,
) -> Result<Option<T>, Error> {
    let end = Instant::now() + limit;
    let mut state = shared.lock();
    loop {
        if let Some(found) = ready(&mut state) {
            return Ok(Some(found));
        }
        if let Some(reason) = &state.end {
            return Err(gone(backend, reason.clone()));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let waited = shared.changed.wait_timeout(state, left);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn gone(backend: &'static str, reason: String) -> Error {
    Error::Gone { backend, reason }
}

/// The thread: takes in what the compositor tells until the connection ends.
fn read(mut queue: EventQueue<State>, connection: &Connection, shared: &Shared) {
    let reason = loop {
        let outcome = {
            let mut state = shared.lock();
            let outcome = queue.dispatch_pending(&mut state);
            if state.leaving && !state.selections.is_offering() {
                break "it was given up".to_owned();
            }
            outcome
        };
        shared.changed.notify_all();
        let more = outcome.and_then(|_| receive(&queue, connection));
        if let Err(error) = more {
            break error.to_string();
        }
    };
    shared.lock().end = Some(reason);
    shared.changed.notify_all();
}

/// Waits for the next events and takes them from the socket.
fn receive(queue: &EventQueue<State>, connection: &Connection) -> Result<(), DispatchError> {
    match connection.flush() {
        Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
        other => other?,
    }
    let Some(guard) = queue.prepare_read() else { return Ok(()) };
    let fd = guard.connection_fd();
    match poll(&mut [PollFd::new(&fd.as_fd(), PollFlags::IN)], None) {
        Err(rustix::io::Errno::INTR) => return Ok(()),
        Err(error) => return Err(WaylandError::Io(error.into()).into()),
        Ok(_) => {}
    }
    match guard.read() {
        Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

impl Dispatch<wl_registry::WlRegistry, ()> for State {
    fn event(
        state: &mut Self,
        _: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global { name, interface, version } => {
                state.globals.push(Global { name, interface, version });
            }
            wl_registry::Event::GlobalRemove { name } => {
                state.globals.retain(|global| global.name != name);
            }
            _ => {}
        }
    }
}

impl Dispatch<wl_callback::WlCallback, u32> for State {
    fn event(
        state: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        number: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        state.answered = *number;
    }
}

impl Dispatch<wl_seat::WlSeat, ()> for State {
    fn event(
        state: &mut Self,
        _: &wl_seat::WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event {
            state.has_keyboard = has.contains(wl_seat::Capability::Keyboard);
        }
    }
}

delegate_noop!(State: zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1);
delegate_noop!(State: zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1);
