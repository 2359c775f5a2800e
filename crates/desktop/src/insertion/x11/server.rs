//! A connection to an X server on which no wait is without end.

use std::fmt::Display;
use std::io::{Error as IoError, ErrorKind, IoSlice, Result as IoResult};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::protocol::{xkb, xtest};
use x11rb::reexports::x11rb_protocol::{parse_display, xauth};
use x11rb::rust_connection::{DefaultStream, PollMode, RustConnection, Stream};
use x11rb::utils::RawFdContainer;

use crate::Error;

/// How long the server may take for an answer. A local one needs less than a millisecond.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

x11rb::atom_manager! {
    /// The atoms that are used here.
    pub(crate) Atoms: AtomsCookie {
        _NET_ACTIVE_WINDOW,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_PING,
        WM_PROTOCOLS,
        CLIPBOARD,
        INCR,
        MULTIPLE,
        SAVE_TARGETS,
        TARGETS,
        TEXT,
        TIMESTAMP,
        UTF8_STRING,
        TEXT_PLAIN: b"text/plain",
        TEXT_PLAIN_UTF8: b"text/plain;charset=utf-8",
        PASSWORD_HINT: b"x-kde-passwordManagerHint",
        SCRIVEN_OLD,
        SCRIVEN_STOP,
    }
}

/// A connection whose waits end.
pub(crate) type Connection = RustConnection<Bounded>;

/// A stream that gives up when the other side is silent for longer than [`PATIENCE`].
pub(crate) struct Bounded {
    stream: DefaultStream,
    /// Waits for events as long as it takes; what is written must still be taken in time.
    waits_for_events: bool,
}

impl Bounded {
    fn wait(&self, mode: PollMode) -> IoResult<usize> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, mode.readable());
        flags.set(PollFlags::OUT, mode.writable());
        let without_end = self.waits_for_events && !mode.writable();
        let limit = if without_end { None } else { Some(&PATIENCE) };
        let fd = self.stream.as_fd();
        Ok(rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(&fd, flags)], limit))?)
    }
}

impl Stream for Bounded {
    fn poll(&self, mode: PollMode) -> IoResult<()> {
        match self.wait(mode)? {
            0 => Err(IoError::new(ErrorKind::TimedOut, "the X server does not answer")),
            _ => Ok(()),
        }
    }

    fn read(&self, buffer: &mut [u8], fds: &mut Vec<RawFdContainer>) -> IoResult<usize> {
        self.stream.read(buffer, fds)
    }

    fn write(&self, buffer: &[u8], fds: &mut Vec<RawFdContainer>) -> IoResult<usize> {
        self.stream.write(buffer, fds)
    }

    fn write_vectored(
        &self,
        buffers: &[IoSlice<'_>],
        fds: &mut Vec<RawFdContainer>,
    ) -> IoResult<usize> {
        self.stream.write_vectored(buffers, fds)
    }
}

/// An X server, and the way that talks to it.
pub(crate) struct Server {
    pub(crate) connection: Connection,
    pub(crate) atoms: Atoms,
    /// The window behind all others.
    pub(crate) root: Window,
    /// Name of the way, for errors.
    backend: &'static str,
}

impl Server {
    /// Connects to `display`, or to what `DISPLAY` names, for the way `backend`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: there is no server, or it cannot be given keys.
    pub(crate) fn connect(display: Option<&str>, backend: &'static str) -> Result<Self, Error> {
        Self::open(display, backend, false)
    }

    /// As [`connect`](Self::connect), for a thread that does nothing but wait for events.
    pub(crate) fn listen(display: Option<&str>, backend: &'static str) -> Result<Self, Error> {
        Self::open(display, backend, true)
    }

    fn open(
        display: Option<&str>,
        backend: &'static str,
        waits_for_events: bool,
    ) -> Result<Self, Error> {
        let unavailable = |reason: String| Error::Unavailable { backend, reason };
        let (connection, screen) = dial(display, waits_for_events)
            .map_err(|err| unavailable(format!("there is no X server: {err}")))?;
        let root = connection.setup().roots[screen].root;
        let atoms = Atoms::new(&connection)
            .map_err(ReplyError::from)
            .and_then(AtomsCookie::reply)
            .map_err(|err| unavailable(format!("the X server does not answer: {err}")))?;
        extensions(&connection).map_err(|err| {
            unavailable(format!("the X server takes no keys from programs (XTEST, XKB): {err}"))
        })?;
        Ok(Self { connection, atoms, root, backend })
    }

    /// The error for a connection that failed with `err`.
    pub(crate) fn gone(&self, err: impl Display) -> Error {
        Error::Gone { backend: self.backend, reason: err.to_string() }
    }

    /// Name of the way, for errors.
    pub(crate) fn backend(&self) -> &'static str {
        self.backend
    }

    /// Returns when the server has done all that it was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.connection
            .get_input_focus()
            .map_err(|err| self.gone(err))?
            .reply()
            .map_err(|err| self.gone(err))?;
        Ok(())
    }

    /// An answer, or `None` where the server refused, as it does when a window has vanished.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(crate) fn answer<T>(&self, reply: Result<T, ReplyError>) -> Result<Option<T>, Error> {
        match reply {
            Ok(value) => Ok(Some(value)),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(ReplyError::ConnectionError(err)) => Err(self.gone(err)),
        }
    }
}

/// The first address of `display` that takes a connection.
fn dial(display: Option<&str>, waits_for_events: bool) -> Result<(Connection, usize), String> {
    let parsed = parse_display::parse_display(display).map_err(|err| err.to_string())?;
    let screen = usize::from(parsed.screen);
    let mut reason = "no address".to_owned();
    for address in parsed.connect_instruction() {
        let (stream, (family, host)) = match DefaultStream::connect(&address) {
            Ok(connected) => connected,
            Err(err) => {
                reason = err.to_string();
                continue;
            }
        };
        let (name, data) =
            xauth::get_auth(family, &host, parsed.display).ok().flatten().unwrap_or_default();
        let stream = Bounded { stream, waits_for_events };
        return RustConnection::connect_to_stream_with_auth_info(stream, screen, name, data)
            .map(|connection| (connection, screen))
            .map_err(|err| err.to_string());
    }
    Err(reason)
}

/// Greets the extensions, which must know that we know them.
fn extensions(connection: &Connection) -> Result<(), ReplyError> {
    for name in [xtest::X11_EXTENSION_NAME, xkb::X11_EXTENSION_NAME] {
        if connection.extension_information(name)?.is_none() {
            return Err(ConnectionError::UnsupportedExtension.into());
        }
    }
    xtest::get_version(connection, 2, 2)?.reply()?;
    xkb::use_extension(connection, 1, 0)?.reply()?;
    Ok(())
}
