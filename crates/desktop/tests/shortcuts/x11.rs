//! Grabs on a real X server, with keys that a second client presses through XTest.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use scriven_desktop::shortcut::{Surroundings, now};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ConnectionExt as _, GrabMode, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, ModMask,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::fixture::{Ear, Running, binding, eventually, is_installed, ran, skipped};

/// Keycodes of evdev keyboards: the code of the kernel and 8.
const ESCAPE: u8 = 9;
const CTRL_L: u8 = 37;
const CTRL_R: u8 = 105;
const ALT_L: u8 = 64;
const SHIFT_L: u8 = 50;
const SPACE: u8 = 65;
const CAPS_LOCK: u8 = 66;
const NUM_LOCK: u8 = 77;
const F8: u8 = 74;
const F9: u8 = 75;
/// Gives y in the layout us and z in de.
const Y_OR_Z: u8 = 29;
/// Gives z in the layout us and y in de.
const Z_OR_Y: u8 = 52;

/// An X server of its own.
struct Server {
    display: String,
    server: Running,
}

impl Server {
    /// None where there is no Xvfb.
    fn start(test: &str) -> Option<Self> {
        if !is_installed("Xvfb") {
            skipped(test, "Xvfb is not installed");
            return None;
        }
        let mut server = Running::start(
            Command::new("Xvfb")
                .args([
                    "-displayfd",
                    "1",
                    "-screen",
                    "0",
                    "640x480x24",
                    "-nolisten",
                    "tcp",
                    "-noreset",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { display: format!(":{}", number.trim()), server })
    }

    /// The same display once more, after [`Running::kill`].
    fn restart(&mut self) {
        let mut command = Command::new("Xvfb");
        command.args([&self.display, "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
        // The lock of a server that was killed is taken over by the next.
        self.server = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
        eventually("the X server is back", || x11rb::connect(Some(&self.display)).is_ok());
    }

    fn surroundings(&self) -> Surroundings {
        let display = Some(self.display.clone());
        Surroundings { display, wayland: Some(false), ..Default::default() }
    }

    fn ear(&self, bindings: &[(&str, &str)]) -> Ear {
        let bindings: Vec<_> =
            bindings.iter().map(|(action, trigger)| binding(action, trigger)).collect();
        Ear::open(&self.surroundings(), "x11", &bindings)
    }

    fn layout(&self, layout: &str) {
        ran("setxkbmap", &["-display", &self.display, "-layout", layout]);
    }
}

/// A client that presses keys.
struct Hands {
    connection: RustConnection,
    root: u32,
    /// What is added to the kinds of events, and the keyboard that they come from.
    keyboard: (u8, u8),
}

impl Hands {
    fn at(server: &Server) -> Self {
        let (connection, screen) = x11rb::connect(Some(&server.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { connection, root, keyboard: (0, 0) }
    }

    /// Hands at the server's own keyboard, where made-up keys are as good as real ones.
    fn at_keyboard(server: &Server) -> Self {
        let mut hands = Self::at(server);
        let extension = hands.connection.query_extension(b"XInputExtension").unwrap();
        // DeviceKeyPress and DeviceKeyRelease are the second and third event of the extension.
        let added = extension.reply().unwrap().first_event + 1 - KEY_PRESS_EVENT;
        hands.connection.xinput_xi_query_version(2, 2).unwrap().reply().unwrap();
        let devices = hands.connection.xinput_xi_query_device(xinput::Device::ALL).unwrap();
        let devices = devices.reply().unwrap().infos;
        let is_one = |device: &&xinput::XIDeviceInfo| {
            device.type_ == xinput::DeviceType::SLAVE_KEYBOARD
                && !device.name.ends_with(b"XTEST keyboard")
        };
        let keyboard = devices.iter().find(is_one).expect("the server has a keyboard");
        hands.keyboard = (added, u8::try_from(keyboard.deviceid).unwrap());
        hands
    }

    fn key(&self, kind: u8, code: u8) {
        let (added, device) = self.keyboard;
        let made = self.connection.xtest_fake_input(kind + added, code, 0, self.root, 0, 0, device);
        made.unwrap().check().unwrap();
        self.connection.sync().unwrap();
    }

    fn press(&self, codes: &[u8]) {
        codes.iter().for_each(|code| self.key(KEY_PRESS_EVENT, *code));
    }

    fn release(&self, codes: &[u8]) {
        codes.iter().for_each(|code| self.key(KEY_RELEASE_EVENT, *code));
    }

    fn tap(&self, code: u8) {
        self.press(&[code]);
        self.release(&[code]);
    }

    /// Is the key ours to grab?
    fn can_grab(&self, code: u8, mask: ModMask) -> bool {
        let mode = GrabMode::ASYNC;
        let asked = self.connection.grab_key(false, self.root, mask, code, mode, mode).unwrap();
        let could = asked.check().is_ok();
        if could {
            self.ungrab(code, mask);
        }
        could
    }

    fn grab(&self, code: u8, mask: ModMask) {
        let mode = GrabMode::ASYNC;
        let asked = self.connection.grab_key(false, self.root, mask, code, mode, mode).unwrap();
        asked.check().unwrap();
    }

    fn ungrab(&self, code: u8, mask: ModMask) {
        self.connection.ungrab_key(code, self.root, mask).unwrap().check().unwrap();
    }
}

#[test]
fn a_held_key_is_one_press_however_often_the_server_repeats_it() {
    let Some(server) = Server::start("a held key on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+ALT+space")]);
    let (hands, witness) = (Hands::at(&server), Hands::at(&server));
    // How long a key must be held here until it has been repeated some times, another client tells.
    witness.grab(F8, ModMask::default());
    let held = Instant::now();
    hands.press(&[F8]);
    let mut seen = 0;
    eventually("the server repeats a key", || {
        while let Some(event) = witness.connection.poll_for_event().unwrap() {
            seen += u32::from(matches!(event, Event::KeyPress(_)));
        }
        seen >= 4
    });
    hands.release(&[F8]);
    let held = held.elapsed();

    let before = now();
    hands.press(&[CTRL_L, ALT_L, SPACE]);
    ear.hears(&["+dictate"]);
    std::thread::sleep(held * 2);
    assert_eq!(ear.rest(), [""; 0], "it was held for {held:?}");
    hands.release(&[SPACE, ALT_L, CTRL_L]);
    ear.hears(&["-dictate"]);
    assert!(now() > before + held);
    hands.press(&[CTRL_L, ALT_L, SPACE]);
    // The modifiers may go first.
    hands.release(&[CTRL_L, ALT_L, SPACE]);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn locks_make_no_difference_and_other_modifiers_do() {
    let Some(server) = Server::start("locks on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+F9"), ("note", "F9")]);
    let hands = Hands::at(&server);
    for locks in [&[][..], &[NUM_LOCK], &[CAPS_LOCK], &[NUM_LOCK, CAPS_LOCK]] {
        locks.iter().for_each(|lock| hands.tap(*lock));
        hands.press(&[CTRL_L, F9]);
        hands.release(&[F9, CTRL_L]);
        ear.hears(&["+dictate", "-dictate"]);
        hands.press(&[SHIFT_L]);
        hands.tap(F9);
        hands.release(&[SHIFT_L]);
        hands.tap(F9);
        ear.hears(&["+note", "-note"]);
        locks.iter().for_each(|lock| hands.tap(*lock));
    }
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn num_lock_can_be_asked_for() {
    let Some(server) = Server::start("Num Lock on X11") else { return };
    let ear = server.ear(&[("dictate", "NUM+F9")]);
    let hands = Hands::at(&server);
    hands.tap(F9);
    hands.tap(NUM_LOCK);
    hands.tap(F9);
    hands.tap(NUM_LOCK);
    hands.tap(F9);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn a_modifier_alone_is_watched_and_not_taken() {
    let Some(server) = Server::start("a modifier alone on X11") else { return };
    let ear = server.ear(&[("dictate", "Control_R"), ("note", "F9")]);
    let hands = Hands::at_keyboard(&server);
    hands.press(&[CTRL_R]);
    ear.hears(&["+dictate"]);
    // Who types text lets go what is held meanwhile; that is no release.
    let typist = Hands::at(&server);
    typist.release(&[CTRL_R]);
    typist.press(&[CTRL_R]);
    // Another client gets the keys that are typed meanwhile.
    let other = Hands::at(&server);
    other.grab(F8, ModMask::CONTROL);
    hands.tap(F8);
    let mut seen = Vec::new();
    eventually("the other client gets its key", || {
        while let Some(event) = other.connection.poll_for_event().unwrap() {
            if let Event::KeyPress(event) = event {
                seen.push(event.detail);
            }
        }
        !seen.is_empty()
    });
    assert_eq!(seen, [F8]);
    hands.release(&[CTRL_R]);
    ear.hears(&["-dictate"]);
    hands.press(&[SHIFT_L, CTRL_R]);
    hands.release(&[CTRL_R, SHIFT_L]);
    hands.tap(CTRL_L);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
}

#[test]
fn two_keys_at_once_are_both_released() {
    let Some(server) = Server::start("two keys at once on X11") else { return };
    let ear = server.ear(&[("dictate", "F8"), ("note", "F9")]);
    let hands = Hands::at(&server);
    hands.press(&[F8, F9]);
    ear.hears(&["+dictate", "+note"]);
    hands.release(&[F8]);
    ear.hears(&["-dictate"]);
    hands.release(&[F9]);
    ear.hears(&["-note"]);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
}

#[test]
fn keys_stay_where_their_letters_are_when_the_layout_changes() {
    let Some(server) = Server::start("keyboard layouts on X11") else { return };
    if !is_installed("setxkbmap") {
        return skipped("keyboard layouts on X11", "setxkbmap is not installed");
    }
    server.layout("us");
    let ear = server.ear(&[("dictate", "CTRL+y"), ("note", "F9")]);
    let hands = Hands::at(&server);
    hands.press(&[CTRL_L, Y_OR_Z]);
    hands.release(&[Y_OR_Z, CTRL_L]);
    ear.hears(&["+dictate", "-dictate"]);
    server.layout("de");
    eventually("the old key is free", || hands.can_grab(Y_OR_Z, ModMask::CONTROL));
    eventually("y is where de has it", || {
        hands.press(&[CTRL_L]);
        hands.tap(Z_OR_Y);
        hands.release(&[CTRL_L]);
        ear.rest().contains(&"+dictate".to_owned())
    });
    // It may have been struck more than once.
    hands.tap(F9);
    eventually("what was struck is heard", || ear.next() == "+note");
    ear.hears(&["-note"]);
    hands.press(&[CTRL_L, Y_OR_Z]);
    hands.release(&[Y_OR_Z, CTRL_L]);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
    // A layout without the letter says so, and the other shortcut still works.
    server.layout("ru");
    let lost = ear.hears_of("lost ");
    assert!(lost.contains("CTRL+y") && lost.contains("keyboard layout"), "{lost}");
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
    server.layout("de");
    assert!(ear.hears_of("restored ").contains("CTRL+y for dictate"));
}

#[test]
fn escape_is_taken_only_while_it_is_armed() {
    let Some(server) = Server::start("Escape on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+F9")]);
    let hands = Hands::at(&server);
    assert!(hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    ear.listening.arm_cancel(true);
    eventually("Escape is taken", || !hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    ear.hears(&["!"]);
    // While the shortcut is held, and with its modifier still down after it.
    hands.press(&[CTRL_L, F9]);
    hands.tap(ESCAPE);
    hands.release(&[F9]);
    ear.hears(&["+dictate", "!", "-dictate"]);
    hands.tap(ESCAPE);
    hands.release(&[CTRL_L]);
    ear.hears(&["!"]);
    ear.listening.arm_cancel(false);
    eventually("Escape is free", || hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    hands.press(&[CTRL_L, F9]);
    ear.hears(&["+dictate"]);
}

#[test]
fn a_key_that_another_program_has_is_named_and_taken_when_it_is_free() {
    let Some(server) = Server::start("a taken key on X11") else { return };
    let other = Hands::at(&server);
    other.grab(F9, ModMask::CONTROL | ModMask::M2);
    let ear = server.ear(&[("dictate", "CTRL+F9"), ("note", "F8")]);
    let lost = ear.hears_of("lost ");
    assert!(lost.contains("CTRL+F9 (dictate) belongs to another program"), "{lost}");
    let statuses = ear.listening.bindings();
    assert_eq!(statuses[0].problem.as_deref(), Some(lost.as_str()));
    assert_eq!(statuses[1].problem, None);
    let hands = Hands::at(&server);
    hands.tap(F8);
    ear.hears(&["+note", "-note"]);
    assert!(hands.can_grab(F9, ModMask::CONTROL), "nothing of it is kept");
    other.ungrab(F9, ModMask::CONTROL | ModMask::M2);
    assert!(ear.hears_of("restored ").contains("CTRL+F9 for dictate"));
    hands.press(&[CTRL_L, F9]);
    hands.release(&[F9, CTRL_L]);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.listening.bindings()[0].problem, None);
}

#[test]
fn what_is_held_when_the_server_dies_is_released_and_a_new_server_is_found() {
    let Some(mut server) = Server::start("an X server that dies") else { return };
    let ear = server.ear(&[("dictate", "F9")]);
    Hands::at(&server).press(&[F9]);
    ear.hears(&["+dictate"]);
    ear.listening.arm_cancel(true);
    server.server.kill();
    ear.hears(&["-dictate"]);
    assert!(ear.hears_of("lost ").contains("the X server is gone"));
    server.restart();
    assert!(ear.hears_of("restored ").contains("F9 for dictate"));
    let hands = Hands::at(&server);
    hands.tap(F9);
    ear.hears(&["+dictate", "-dictate"]);
    eventually("Escape is taken again", || !hands.can_grab(ESCAPE, ModMask::default()));
}

#[test]
fn a_listener_that_is_dropped_gives_its_keys_back() {
    let Some(server) = Server::start("the end of a listener on X11") else { return };
    let ear = server.ear(&[("dictate", "F9")]);
    let hands = Hands::at(&server);
    assert!(!hands.can_grab(F9, ModMask::default()));
    drop(ear);
    eventually("the key is free", || hands.can_grab(F9, ModMask::default()));
}
