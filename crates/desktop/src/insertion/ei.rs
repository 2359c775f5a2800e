//! Keys by libei: emulated input that the compositor takes from a socket.
//!
//! The compositor tells its keymap, and only what the layout in use has a key for can be typed. A
//! text with anything else is refused as a whole, for another way to take.

mod layout;

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use enumflags2::BitFlags;
use reis::PendingRequestResult;
use reis::ei::handshake::ContextType;
use reis::ei::keyboard::KeyState;
use reis::event::{Device, DeviceCapability, EiEvent, EiEventConverter};
use reis::handshake::EiHandshaker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Error;
use layout::{Held, Layout, Stroke};

/// How long keys that are held are waited for. Whoever has pressed a shortcut lets go sooner.
const HELD: Duration = Duration::from_secs(2);
/// A keymap has some ten thousand bytes; what claims to be larger is none.
const KEYMAP_LIMIT: u32 = 4 << 20;
/// Strokes between two answers of the compositor, so that no queue of its overflows.
const BATCH: usize = 32;

/// What is to be typed.
pub(super) enum Keys<'a> {
    Text(&'a str),
    BackSpaces(usize),
}

/// A connection to a compositor that emulates a keyboard for us.
pub(super) struct Emulator {
    backend: &'static str,
    context: reis::ei::Context,
    converter: EiEventConverter,
    keyboard: Option<Device>,
    resumed: bool,
    held: Held,
    depressed: u32,
    end: Instant,
}

impl Emulator {
    /// Shakes hands and waits for the keyboard, until `end` at the latest.
    pub(super) fn new(
        backend: &'static str,
        socket: UnixStream,
        end: Instant,
    ) -> Result<Self, Error> {
        let gone =
            |error: &dyn std::fmt::Display| Error::Gone { backend, reason: error.to_string() };
        let context = reis::ei::Context::new(socket).map_err(|error| gone(&error))?;
        let mut handshaker = EiHandshaker::new("scriven", ContextType::Sender);
        let converter = loop {
            let Some(event) = context.pending_event() else {
                wait(&context, end).map_err(|error| gone(&error))?;
                continue;
            };
            let Some(event) = understood(event).map_err(|error| gone(&error))? else { continue };
            // What comes after the last of the handshake is the converter's.
            if let Some(done) = handshaker.handle_event(event).map_err(|error| gone(&error))? {
                break EiEventConverter::new(&context, done);
            }
        };
        let held = Held::default();
        let (keyboard, resumed, depressed) = (None, false, 0);
        let mut emulator =
            Self { backend, context, converter, keyboard, resumed, held, depressed, end };
        while emulator.keyboard.is_none() || !emulator.resumed {
            emulator.listen()?;
        }
        // What is held is told after the keyboard.
        emulator.round_trip()?;
        Ok(emulator)
    }

    /// Types, and returns when the compositor has taken all of it.
    pub(super) fn type_keys(&mut self, keys: &Keys<'_>) -> Result<(), Error> {
        let backend = self.backend;
        let unavailable = |reason: &str| Error::Unavailable { backend, reason: reason.into() };
        let device = self.keyboard.clone().ok_or_else(|| unavailable("there is no keyboard"))?;
        let layout =
            read_layout(&device).ok_or_else(|| unavailable("the keymap is not readable"))?;
        self.wait_until_let_go()?;
        let strokes = match keys {
            Keys::Text(text) => layout.strokes(text, self.held),
            Keys::BackSpaces(count) => {
                layout.back_space(self.held).map(|stroke| vec![stroke; *count])
            }
        };
        let strokes =
            strokes.ok_or_else(|| unavailable("the layout has no key for some of this"))?;
        let serial = self.converter.connection().serial();
        device.device().start_emulating(serial, 1);
        let after = |error: Error, strokes| match keys {
            Keys::Text(_) => error.after(strokes),
            Keys::BackSpaces(_) => error,
        };
        for (index, batch) in strokes.chunks(BATCH).enumerate() {
            batch.iter().for_each(|stroke| self.press(&device, stroke));
            self.round_trip().map_err(|error| after(error, index * BATCH))?;
        }
        device.device().stop_emulating(self.converter.connection().serial());
        self.round_trip().map_err(|error| after(error, strokes.len()))
    }

    /// Waits until no modifier is down: Shift would change each letter, others make shortcuts of it.
    fn wait_until_let_go(&mut self) -> Result<(), Error> {
        let end = self.end;
        self.end = end.min(Instant::now() + HELD);
        while self.depressed != 0 {
            if let Err(error) = self.listen() {
                let is_late = Instant::now() >= self.end;
                return Err(if is_late { Error::KeysHeld } else { error });
            }
        }
        self.end = end;
        Ok(())
    }

    fn press(&self, device: &Device, stroke: &Stroke) {
        let Some(keyboard) = device.interface::<reis::ei::Keyboard>() else { return };
        let tap = [(stroke.key, KeyState::Press), (stroke.key, KeyState::Released)];
        let down = stroke.holders.iter().map(|&key| (key, KeyState::Press));
        let up = stroke.holders.iter().rev().map(|&key| (key, KeyState::Released));
        for (key, state) in down.chain(tap).chain(up) {
            keyboard.key(key, state);
            let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
            let micros = time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000;
            device.device().frame(self.converter.connection().serial(), micros);
        }
    }

    /// Returns when the compositor has done all that was said before.
    fn round_trip(&mut self) -> Result<(), Error> {
        let callback = self.converter.connection().connection().sync(1);
        let done = std::rc::Rc::new(std::cell::Cell::new(false));
        let is_done = done.clone();
        self.converter.add_callback_handler(callback, move |_| is_done.set(true));
        while !done.get() {
            self.listen()?;
        }
        Ok(())
    }

    /// Takes what has been read already, or else waits for more.
    fn listen(&mut self) -> Result<(), Error> {
        let backend = self.backend;
        let gone = |error: String| Error::Gone { backend, reason: error };
        self.context.flush().map_err(|error| gone(error.to_string()))?;
        let mut next = self.context.pending_event();
        if next.is_none() {
            wait(&self.context, self.end).map_err(|error| gone(error.to_string()))?;
            next = self.context.pending_event();
        }
        while let Some(event) = next {
            if let Some(event) = understood(event).map_err(|error| gone(error.to_string()))? {
                self.converter.handle_event(event).map_err(|error| gone(error.to_string()))?;
            }
            next = self.context.pending_event();
        }
        while let Some(event) = self.converter.next_event() {
            match event {
                EiEvent::SeatAdded(added) => {
                    added.seat.bind_capabilities(BitFlags::from(DeviceCapability::Keyboard));
                }
                EiEvent::DeviceAdded(added)
                    if added.device.has_capability(DeviceCapability::Keyboard) =>
                {
                    self.keyboard = Some(added.device);
                }
                EiEvent::DeviceResumed(resumed)
                    if Some(&resumed.device) == self.keyboard.as_ref() =>
                {
                    self.resumed = true;
                }
                EiEvent::KeyboardModifiers(now) => {
                    self.held = Held { group: now.group, locked: now.locked };
                    self.depressed = now.depressed;
                }
                EiEvent::Disconnected(_) => return Err(gone("the compositor has hung up".into())),
                _ => {}
            }
        }
        self.context.flush().map_err(|error| gone(error.to_string()))
    }
}

fn read_layout(device: &Device) -> Option<Layout> {
    let keymap = device.keymap()?;
    if keymap.size > KEYMAP_LIMIT {
        return None;
    }
    let mut text = vec![0; keymap.size as usize];
    File::from(keymap.fd.try_clone().ok()?).read_exact_at(&mut text, 0).ok()?;
    Layout::parse(&text)
}

/// What is not the protocol stays where it is for ever, so it is an error; what is about an object
/// that is gone already is nothing.
fn understood<T>(event: PendingRequestResult<T>) -> std::io::Result<Option<T>> {
    match event {
        PendingRequestResult::Request(event) => Ok(Some(event)),
        PendingRequestResult::InvalidObject(_) => Ok(None),
        PendingRequestResult::ParseError(error) => Err(std::io::Error::other(error)),
    }
}

/// Waits until there is something to read, and reads it.
fn wait(context: &reis::ei::Context, end: Instant) -> std::io::Result<()> {
    let left = end.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left.max(Duration::from_millis(1))).ok();
    let mut descriptors = [PollFd::new(context, PollFlags::IN)];
    if poll(&mut descriptors, timeout.as_ref())? == 0 || left.is_zero() {
        return Err(std::io::ErrorKind::TimedOut.into());
    }
    context.read().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(socket: UnixStream, limit: Duration) -> Option<Error> {
        Emulator::new("test", socket, Instant::now() + limit).err()
    }

    #[test]
    fn a_compositor_that_says_nothing_is_an_error_in_time() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let start = Instant::now();
        assert!(matches!(error(ours, Duration::from_millis(200)), Some(Error::Gone { .. })));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_compositor_that_hangs_up_is_an_error_at_once() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert!(matches!(error(ours, Duration::from_secs(3600)), Some(Error::Gone { .. })));
    }

    #[test]
    fn what_is_not_the_protocol_is_an_error() {
        use std::io::Write as _;
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(&[0xff; 64]).unwrap();
        assert!(matches!(error(ours, Duration::from_millis(500)), Some(Error::Gone { .. })));
    }
}
