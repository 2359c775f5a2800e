//! Keys of an X server: grabbed, so that no window sees them, or only watched where the key is a
//! modifier, so that it stays one.
//!
//! While a grabbed key is held, the server sends all keys to us, those that are made up included:
//! nothing can be typed into a window until it is up. A modifier as the key has no such effect.

use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask, Window};
use x11rb::rust_connection::RustConnection;

use super::backoff::Backoff;
use super::keys::Keys;
use super::worker::{Ready, Wishes, Worker};
use super::{Bound, Surroundings};
use crate::Error;

mod grabs;
mod keymap;

use grabs::{Grabs, Outcome};
use keymap::Keymap;

/// The name of this way.
pub const WAY: &str = "x11";

/// What Escape is called among the keys that are down; no action has this name.
const ESCAPE: &str = "\u{1b}";
/// How soon it is tried again to get what another program has.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// How often it is looked whether a key is still down: when two are held and the first goes up, the
/// server tells the release of the second to the window and not to us.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) fn listen(
    surroundings: &Surroundings,
    bindings: Vec<Bound>,
    keys: Keys,
) -> Result<(Worker, String), Error> {
    let wayland = surroundings.wayland.unwrap_or_else(|| {
        std::env::var_os("WAYLAND_DISPLAY").is_some_and(|display| !display.is_empty())
    });
    if wayland {
        return Err(unavailable("in a Wayland session X11 sees no key of other windows"));
    }
    let display = surroundings.display.clone();
    Worker::start(WAY, move |wishes, ready| run(display.as_deref(), &bindings, wishes, ready, keys))
}

fn unavailable(reason: impl Into<String>) -> Error {
    Error::Unavailable { backend: WAY, reason: reason.into() }
}

/// The thread: one session after the other, until the owner has enough.
fn run(display: Option<&str>, bindings: &[Bound], wishes: &Wishes, ready: &Ready, mut keys: Keys) {
    let mut session = match Session::open(display, bindings) {
        Ok(session) => session,
        Err(error) => {
            ready.send(Err(error)).ok();
            return;
        }
    };
    ready.send(Ok(session.words(&keys))).ok();
    while let Err(error) = session.serve(wishes, &mut keys) {
        keys.lost(&format!("the X server is gone ({error}); it is looked for"));
        let mut backoff = Backoff::default();
        session = loop {
            wishes.pause(backoff.pause());
            if wishes.stop() {
                return;
            }
            if let Ok(session) = Session::open(display, bindings) {
                break session;
            }
        };
        let words = session.words(&keys);
        keys.restored(&words);
    }
}

/// One connection to the server.
struct Session {
    connection: RustConnection,
    root: Window,
    grabs: Grabs,
    armed: bool,
    /// Escape is ours, if it is armed.
    has_escape: bool,
    /// Keys that are down, with their action.
    down: Vec<(u8, String)>,
    /// Modifiers that are down, where raw events tell.
    modifiers: Vec<u8>,
    /// Keyboards of keys that programs make up. Whoever types text lets go a modifier that is held,
    /// for as long as that takes: its user has not let it go.
    made_up: Vec<u16>,
}

impl Session {
    fn open(display: Option<&str>, bindings: &[Bound]) -> Result<Self, Error> {
        let (connection, screen) =
            x11rb::connect(display).map_err(|error| unavailable(no_connection(display, &error)))?;
        let root = connection.setup().roots[screen].root;
        let said = |error: ReplyError| unavailable(error.to_string());
        if is_xwayland(&connection).map_err(said)? {
            return Err(unavailable("this is Xwayland, which sees no key of Wayland windows"));
        }
        true_releases(&connection).map_err(said)?;
        let mut made_up = Vec::new();
        if bindings.iter().any(|bound| bound.trigger.is_modifier()) {
            watch_raw_keys(&connection, root).map_err(said)?;
            made_up = keyboards_of_programs(&connection).map_err(said)?;
        }
        let keymap = Keymap::read(&connection).map_err(said)?;
        let grabs = Grabs::take(&connection, root, keymap, bindings).map_err(said)?;
        let (down, modifiers) = (Vec::new(), Vec::new());
        Ok(Self {
            connection,
            root,
            grabs,
            armed: false,
            has_escape: false,
            down,
            modifiers,
            made_up,
        })
    }

    /// What works, for people; what does not is told and noted.
    fn words(&self, keys: &Keys) -> String {
        let works = self.grabs.note(keys.board());
        format!("keys of the X server: {}", if works.is_empty() { "none" } else { &works })
    }

    /// Until the owner has enough, or the server is gone.
    fn serve(&mut self, wishes: &Wishes, keys: &mut Keys) -> Result<(), ReplyError> {
        self.tell_problems(keys);
        while !wishes.stop() {
            self.arm(wishes.armed())?;
            while let Some(event) = self.connection.poll_for_event()? {
                self.take(event, keys)?;
            }
            self.connection.flush()?;
            let limit = if !self.down.is_empty() || self.armed && !self.has_escape {
                Some(LOOK_AGAIN)
            } else {
                self.grabs.has_problems().then_some(ASK_AGAIN)
            };
            let ready = wishes.wait(&[self.connection.stream()], limit);
            if !ready[0] && limit == Some(ASK_AGAIN) {
                self.ask_again(keys)?;
            } else if !ready[0] {
                self.look_again(keys)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event, keys: &mut Keys) -> Result<(), ReplyError> {
        match event {
            Event::KeyPress(event) => self.pressed(event.detail, event.state, keys),
            Event::KeyRelease(event) => self.released(event.detail, keys),
            Event::XinputRawKeyPress(event) if !self.made_up.contains(&event.sourceid) => {
                self.raw_pressed(event.detail, keys);
            }
            Event::XinputRawKeyRelease(event) if !self.made_up.contains(&event.sourceid) => {
                self.raw_released(event.detail, keys);
            }
            Event::MappingNotify(_) | Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_) => {
                self.regrab(keys)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn pressed(&mut self, code: u8, state: KeyButMask, keys: &mut Keys) {
        if self.armed && self.grabs.is_cancel(code) {
            if !self.is_down(code) {
                self.down.push((code, ESCAPE.to_owned()));
                keys.cancelled();
            }
        } else if let Some(action) = self.grabs.action(code, state) {
            self.went_down(code, &action, keys);
        }
    }

    fn went_down(&mut self, code: u8, action: &str, keys: &mut Keys) {
        if !self.is_down(code) {
            self.down.push((code, action.to_owned()));
            keys.pressed(action);
        }
    }

    fn is_down(&self, code: u8) -> bool {
        self.down.iter().any(|(down, _)| *down == code)
    }

    fn released(&mut self, code: u8, keys: &mut Keys) {
        if let Some(at) = self.down.iter().position(|(down, _)| *down == code) {
            let (_, action) = self.down.remove(at);
            keys.released(&action);
        }
    }

    /// Raw events carry no state: what is held is what has gone down before.
    fn raw_pressed(&mut self, code: u32, keys: &mut Keys) {
        let code = u8::try_from(code).unwrap_or_default();
        let others = self.modifiers.iter().copied().filter(|other| *other != code);
        if let Some(action) = self.grabs.watched_action(code, others) {
            self.went_down(code, &action, keys);
        }
        if self.grabs.is_modifier(code) && !self.modifiers.contains(&code) {
            self.modifiers.push(code);
        }
    }

    fn raw_released(&mut self, code: u32, keys: &mut Keys) {
        let code = u8::try_from(code).unwrap_or_default();
        self.modifiers.retain(|held| *held != code);
        if self.grabs.is_watched(code) {
            self.released(code, keys);
        }
    }

    fn arm(&mut self, armed: bool) -> Result<(), ReplyError> {
        if self.armed != armed || armed && !self.has_escape {
            self.down.retain(|(_, action)| action != ESCAPE);
            let has = self.grabs.arm_cancel(&self.connection, self.root, armed)?;
            if armed && !self.armed && !has {
                tracing::warn!("Escape belongs to another program and drops no dictation");
            }
            (self.armed, self.has_escape) = (armed, has && armed);
        }
        Ok(())
    }

    /// Releases what is no longer down.
    fn look_again(&mut self, keys: &mut Keys) -> Result<(), ReplyError> {
        let pressed = self.connection.query_keymap()?.reply()?.keys;
        let is_up = |code: u8| pressed[usize::from(code / 8)] & 1 << (code % 8) == 0;
        let up: Vec<u8> =
            self.down.iter().map(|(code, _)| *code).filter(|code| is_up(*code)).collect();
        for code in up {
            self.released(code, keys);
        }
        Ok(())
    }

    /// The keyboard layout has changed: the keys are where they are now.
    fn regrab(&mut self, keys: &mut Keys) -> Result<(), ReplyError> {
        let keymap = Keymap::read(&self.connection)?;
        // Servers tell a new layout whenever another keyboard is used. Letting keys go for nothing
        // would lose what is pressed meanwhile.
        if self.grabs.is_for(&keymap) {
            return Ok(());
        }
        // With the others Escape is let go; it is taken again in the next turn.
        self.has_escape = false;
        if self.grabs.regrab(&self.connection, self.root, keymap)? == Outcome::Changed {
            self.tell(keys);
        }
        Ok(())
    }

    /// Some key belonged to another program: perhaps it no longer does.
    fn ask_again(&mut self, keys: &mut Keys) -> Result<(), ReplyError> {
        if self.grabs.retry(&self.connection, self.root)? == Outcome::Changed {
            self.tell(keys);
        }
        Ok(())
    }

    fn tell(&self, keys: &mut Keys) {
        let words = self.words(keys);
        if self.grabs.has_problems() {
            self.tell_problems(keys);
        } else {
            keys.restored(&words);
        }
    }

    fn tell_problems(&self, keys: &mut Keys) {
        let problems = self.grabs.problems();
        if !problems.is_empty() {
            keys.trouble(&problems);
        }
    }
}

fn no_connection(display: Option<&str>, error: &ConnectError) -> String {
    match display.map(str::to_owned).or_else(|| std::env::var("DISPLAY").ok()) {
        Some(display) => format!("no X server at display {display:?}: {error}"),
        None => "no X server: DISPLAY is not set".to_owned(),
    }
}

fn is_xwayland(connection: &RustConnection) -> Result<bool, ReplyError> {
    Ok(connection.query_extension(b"XWAYLAND")?.reply()?.present)
}

/// Asks for repeats without releases, and to be told when the layout changes.
///
/// Source: X Keyboard Extension, "DetectableAutorepeat". A server without the extension cannot do
/// either; there each repeat is a release and a press.
fn true_releases(connection: &RustConnection) -> Result<(), ReplyError> {
    if !connection.xkb_use_extension(1, 0)?.reply()?.supported {
        return Ok(());
    }
    let keyboard = u16::from(xkb::ID::USE_CORE_KBD);
    let (flag, none) = (xkb::PerClientFlag::DETECTABLE_AUTO_REPEAT, xkb::BoolCtrl::default());
    connection.xkb_per_client_flags(keyboard, flag, flag, none, none, none)?.reply()?;
    let changes = xkb::EventType::MAP_NOTIFY | xkb::EventType::NEW_KEYBOARD_NOTIFY;
    let (all, nothing) = (xkb::MapPart::from(0xff_u16), xkb::EventType::default());
    let details = xkb::SelectEventsAux::new();
    connection.xkb_select_events(keyboard, nothing, changes, all, all, &details)?.check()
}

/// Asks for all keys as they go down and up, whoever has the keyboard.
///
/// Source: X Input Extension 2.1, "Raw events".
fn watch_raw_keys(connection: &RustConnection, root: Window) -> Result<(), ReplyError> {
    connection.xinput_xi_query_version(2, 2)?.reply()?;
    let mask = xinput::XIEventMask::RAW_KEY_PRESS | xinput::XIEventMask::RAW_KEY_RELEASE;
    let keyboards = xinput::Device::ALL_MASTER.into();
    let masks = [xinput::EventMask { deviceid: keyboards, mask: vec![mask] }];
    connection.xinput_xi_select_events(root, &masks)?.check()
}

/// The keyboards behind XTest, one for each master keyboard.
fn keyboards_of_programs(connection: &RustConnection) -> Result<Vec<u16>, ReplyError> {
    let devices = connection.xinput_xi_query_device(xinput::Device::ALL)?.reply()?.infos;
    let is_one = |name: &[u8]| name.ends_with(b"XTEST keyboard");
    Ok(devices.iter().filter(|it| is_one(&it.name)).map(|it| it.deviceid).collect())
}

/// Waits for what was asked, and tells a refusal from a lost connection.
fn refused(result: Result<(), ReplyError>) -> Result<bool, ConnectionError> {
    match result {
        Ok(()) => Ok(false),
        Err(ReplyError::X11Error(_)) => Ok(true),
        Err(ReplyError::ConnectionError(error)) => Err(error),
    }
}
