//! Input devices that are named pipes of `struct input_event`. No kernel device has been read:
//! there is no uinput where these tests run.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use scriven_desktop::shortcut::evdev::{Decoder, InputEvent};
use scriven_desktop::shortcut::{Surroundings, listen_in};
use tempfile::TempDir;

use crate::fixture::{Ear, binding};

const CTRL_L: u16 = 29;
const ESCAPE: u16 = 1;
const F9: u16 = 67;
const D: u16 = 32;

/// The bytes of an event, as the kernel writes them: time, kind, code, value.
fn bytes(kind: u16, code: u16, value: i32) -> Vec<u8> {
    let mut bytes = vec![0x5a; InputEvent::LENGTH - 8];
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(code.to_ne_bytes());
    bytes.extend(value.to_ne_bytes());
    bytes
}

/// A keyboard that is a named pipe.
struct Keyboard(File);

impl Keyboard {
    fn send(&mut self, keys: &[(u16, i32)]) {
        for (code, value) in keys {
            // What a keyboard sends: a scan code, the key, and that this was all.
            let sent = [bytes(4, 4, 7), bytes(1, *code, *value), bytes(0, 0, 0)].concat();
            self.0.write_all(&sent).unwrap();
        }
    }
}

/// A folder of devices.
struct Devices(TempDir);

impl Devices {
    fn new() -> Self {
        Self(TempDir::with_prefix("scriven-input.").unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Plugs a keyboard in: as udev does it, under its name at once.
    fn plug(&self, name: &str) -> Keyboard {
        mknodat(CWD, self.path(name), FileType::Fifo, Mode::from(0o600), 0).unwrap();
        // Both ends, so that neither side waits for the other.
        Keyboard(OpenOptions::new().read(true).write(true).open(self.path(name)).unwrap())
    }

    fn unplug(&self, name: &str, keyboard: Keyboard) {
        fs::remove_file(self.path(name)).unwrap();
        drop(keyboard);
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { devices: Some(self.0.path().to_owned()), ..Default::default() }
    }

    fn ear(&self) -> Ear {
        let bindings = [binding("dictate", "CTRL+d"), binding("note", "F9")];
        Ear::open(&self.surroundings(), "evdev", &bindings)
    }
}

#[test]
fn keys_of_a_device_are_shortcuts_and_repeats_are_none() {
    let devices = Devices::new();
    let mut keyboard = devices.plug("event0");
    let ear = devices.ear();
    assert!(ear.listening.verdicts()[0].reason.contains("every program of this user"));
    keyboard.send(&[(D, 1), (D, 0), (CTRL_L, 1), (D, 1), (D, 2), (D, 2), (D, 0), (CTRL_L, 0)]);
    ear.hears(&["+dictate", "-dictate"]);
    keyboard.send(&[(ESCAPE, 1), (ESCAPE, 0), (F9, 1), (F9, 0)]);
    ear.hears(&["+note", "-note"]);
    ear.listening.arm_cancel(true);
    keyboard.send(&[(F9, 1), (ESCAPE, 1), (ESCAPE, 0), (F9, 0)]);
    ear.hears(&["+note", "!", "-note"]);
    ear.listening.arm_cancel(false);
    keyboard.send(&[(ESCAPE, 1), (ESCAPE, 0), (F9, 1)]);
    ear.hears(&["+note"]);
}

#[test]
fn keyboards_come_and_go_as_they_do_when_a_machine_sleeps() {
    let devices = Devices::new();
    let mut first = devices.plug("event0");
    let ear = devices.ear();
    let mut second = devices.plug("event7");
    second.send(&[(F9, 1), (F9, 0)]);
    ear.hears(&["+note", "-note"]);
    second.send(&[(F9, 1)]);
    ear.hears(&["+note"]);
    devices.unplug("event7", second);
    ear.hears(&["-note"]);
    first.send(&[(F9, 1), (F9, 0)]);
    ear.hears(&["+note", "-note"]);
    devices.unplug("event0", first);
    assert!(ear.hears_of("lost ").contains("all input devices are gone"));
    let mut again = devices.plug("event0");
    ear.hears(&["restored input devices are back"]);
    again.send(&[(CTRL_L, 1), (D, 1)]);
    ear.hears(&["+dictate"]);
}

#[test]
fn a_device_that_may_not_be_read_says_how_to_allow_it_and_what_that_means() {
    let devices = Devices::new();
    let _keyboard = devices.plug("event0");
    fs::set_permissions(devices.path("event0"), std::os::unix::fs::PermissionsExt::from_mode(0o0))
        .unwrap();
    if File::open(devices.path("event0")).is_ok() {
        // The administrator may read everything, so ask as somebody who may not.
        return as_nobody();
    }
    let bindings = [binding("note", "F9")];
    let listening = listen_in(&devices.surroundings(), &bindings, Some("evdev"), |_| {});
    assert_eq!(listening.way(), None);
    let reason = &listening.verdicts()[0].reason;
    assert!(reason.contains("usermod -aG input"), "{reason}");
    assert!(reason.contains("passwords"), "{reason}");
}

/// Runs the test above once more, as the user who may least.
fn as_nobody() {
    let test = "evdev::a_device_that_may_not_be_read_says_how_to_allow_it_and_what_that_means";
    // A copy that others may read: the folder of the build may belong to the administrator alone.
    let folder = TempDir::with_prefix("scriven-nobody.").unwrap();
    let open = || std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(folder.path(), open()).unwrap();
    let copy = folder.path().join("shortcuts");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, open()).unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["--exact", test])
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_folder_without_devices_says_so() {
    let devices = Devices::new();
    let bindings = [binding("note", "F9")];
    fs::write(devices.path("event0"), "no device").unwrap();
    fs::write(devices.path("mice"), "no keyboard").unwrap();
    let listening = listen_in(&devices.surroundings(), &bindings, Some("evdev"), |_| {});
    assert_eq!(listening.way(), None);
    assert!(
        listening.verdicts()[0].reason.contains("has no keyboard"),
        "{:?}",
        listening.verdicts()
    );
}

#[test]
fn a_pipe_of_events_is_read_however_it_is_cut() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let sent: Vec<u8> = (0..100).flat_map(|code| bytes(1, code, i32::from(code) - 50)).collect();
    let writing = move || {
        for piece in sent.chunks(7) {
            writer.write_all(piece).unwrap();
        }
    };
    let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(writing).unwrap();
    let mut decoder = Decoder::default();
    let mut read = Vec::new();
    let mut reader = reader;
    let mut block = [0; 50];
    loop {
        let length = std::io::Read::read(&mut reader, &mut block).unwrap();
        if length == 0 {
            break;
        }
        read.extend(decoder.push(&block[..length]));
    }
    thread.join().unwrap();
    let expected: Vec<InputEvent> =
        (0..100).map(|code| InputEvent { kind: 1, code, value: i32::from(code) - 50 }).collect();
    assert_eq!(read, expected);
}
