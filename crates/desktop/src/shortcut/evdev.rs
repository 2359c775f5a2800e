//! Keys of the kernel's input devices, on any desktop and on none; only when it is asked for.
//!
//! Nothing is taken from anybody: windows see the keys as well. Whoever may read the devices can
//! read every key of every program, passwords too; therefore they belong to the group `input`, and
//! keys that stand for no action are forgotten as they are read.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{OFlags, inotify};

use super::keys::Keys;
use super::worker::{Ready, Wishes, Worker};
use super::{Board, Bound};
use crate::Error;

mod codes;
mod keyboard;

pub use keyboard::{Decoder, InputEvent};

use keyboard::{Keyboards, Meaning};

/// The name of this way.
pub const WAY: &str = "evdev";
/// Where the kernel's input devices are.
pub const DEVICES: &str = "/dev/input";
/// Where the kernel says which keys a device has.
const CAPABILITIES: &str = "/sys/class/input";

/// How soon devices are looked for again after one failed without being removed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How much is read at once: 64 events on a machine of 64 bits.
const BLOCK: usize = 1536;

pub(super) fn listen(
    folder: Option<PathBuf>,
    bindings: Vec<Bound>,
    keys: Keys,
) -> Result<(Worker, String), Error> {
    let folder = folder.unwrap_or_else(|| DEVICES.into());
    let keyboards = Keyboards::new(&understood(bindings, keys.board()));
    if keyboards.is_empty() {
        return Err(unavailable("none of the shortcuts can be seen on the devices"));
    }
    Worker::start(WAY, move |wishes, ready| run(folder, keyboards, wishes, ready, keys))
}

fn unavailable(reason: impl Into<String>) -> Error {
    Error::Unavailable { backend: WAY, reason: reason.into() }
}

/// Leaves out what a device cannot tell, and notes it.
fn understood(mut bindings: Vec<Bound>, board: &Board) -> Vec<Bound> {
    bindings.retain(|bound| {
        let problem = keyboard::problem(&bound.trigger).map(|reason| {
            let trigger = bound.trigger.to_string();
            Error::BadTrigger { trigger, reason: reason.to_owned() }.to_string()
        });
        board.set(&bound.action, None, problem.clone());
        problem.is_none()
    });
    bindings
}

/// The thread.
fn run(folder: PathBuf, keyboards: Keyboards, wishes: &Wishes, ready: &Ready, keys: Keys) {
    let mut listener = match Listener::open(folder, keyboards, keys) {
        Ok(listener) => listener,
        Err(error) => {
            ready.send(Err(error)).ok();
            return;
        }
    };
    let count = listener.devices.len();
    ready.send(Ok(format!("reads {count} input devices, as does every program of this user"))).ok();
    while !wishes.stop() {
        listener.turn(wishes);
    }
}

/// A device that is open.
struct Device {
    path: PathBuf,
    file: File,
    decoder: Decoder,
    /// Tells the device apart from another that has the same path later.
    id: u64,
}

/// What became of looking for devices.
#[derive(Default)]
struct Looked {
    found: usize,
    forbidden: usize,
}

struct Listener {
    folder: PathBuf,
    /// Tells when a device comes, and when it may be read.
    changes: OwnedFd,
    devices: Vec<Device>,
    keyboards: Keyboards,
    keys: Keys,
    next_id: u64,
    /// A device failed and may still be there.
    failed: bool,
}

impl Listener {
    fn open(folder: PathBuf, keyboards: Keyboards, keys: Keys) -> Result<Self, Error> {
        let missing = |error: rustix::io::Errno| {
            unavailable(format!("{} cannot be watched: {error}", folder.display()))
        };
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let changes = inotify::init(flags).map_err(missing)?;
        // udev lets the group read a device only after it is there.
        let news = inotify::WatchFlags::CREATE | inotify::WatchFlags::ATTRIB;
        inotify::add_watch(&changes, &folder, news).map_err(missing)?;
        let devices = Vec::new();
        let mut listener =
            Self { folder, changes, devices, keyboards, keys, next_id: 0, failed: false };
        let looked = listener.look();
        if listener.devices.is_empty() {
            return Err(unavailable(nothing_readable(&listener.folder, &looked)));
        }
        Ok(listener)
    }

    /// Waits for something, and takes it.
    fn turn(&mut self, wishes: &Wishes) {
        let mut fds: Vec<&dyn AsFd> = vec![&self.changes];
        fds.extend(self.devices.iter().map(|device| &device.file as &dyn AsFd));
        let ready = wishes.wait(&fds, self.failed.then_some(LOOK_AGAIN));
        let readable: Vec<u64> = self
            .devices
            .iter()
            .zip(&ready[1..])
            .filter(|(_, ready)| **ready)
            .map(|(device, _)| device.id)
            .collect();
        for id in readable {
            self.read(id, wishes);
        }
        let waited_in_vain = !ready.contains(&true);
        if ready[0] || (self.failed && waited_in_vain) {
            self.drain();
            self.failed = false;
            self.look();
        }
    }

    /// Reads all that a device has; closes it when it is gone.
    fn read(&mut self, id: u64, wishes: &Wishes) {
        let Some(at) = self.devices.iter().position(|device| device.id == id) else { return };
        let device = &mut self.devices[at];
        let mut block = [0; BLOCK];
        loop {
            match (&device.file).read(&mut block) {
                Ok(0) => break,
                Ok(length) => {
                    // Asked behind the read: what was armed before a key went down counts for it.
                    let armed = wishes.armed();
                    for event in device.decoder.push(&block[..length]) {
                        tell(self.keyboards.take(id, event, armed), &mut self.keys);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::debug!(path = ?device.path, %error, "an input device is gone");
                    break;
                }
            }
        }
        self.close(at);
    }

    fn close(&mut self, at: usize) {
        let device = self.devices.remove(at);
        self.failed = true;
        tell(self.keyboards.forget(device.id), &mut self.keys);
        if self.devices.is_empty() {
            self.keys.lost("all input devices are gone; they are read again when they come back");
        }
    }

    /// Opens the keyboards that are not open yet.
    fn look(&mut self) -> Looked {
        let mut looked = Looked::default();
        for path in paths(&self.folder) {
            if self.devices.iter().any(|device| device.path == path) || !self.is_wanted(&path) {
                continue;
            }
            looked.found += 1;
            match opened(&path) {
                Ok(file) => {
                    self.next_id += 1;
                    let decoder = Decoder::default();
                    self.devices.push(Device { path, file, decoder, id: self.next_id });
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => looked.forbidden += 1,
                Err(error) => tracing::debug!(?path, %error, "an input device cannot be read"),
            }
        }
        if !self.devices.is_empty() {
            self.keys.restored("input devices are back");
        }
        looked
    }

    /// Has the device a key that matters? One that says nothing about its keys may have.
    fn is_wanted(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        if self.folder != Path::new(DEVICES) {
            return true;
        }
        let file = Path::new(CAPABILITIES).join(name).join("device/capabilities/key");
        fs::read_to_string(file).map_or(true, |listed| self.keyboards.are_on(&listed))
    }

    /// What has changed is found by looking; that it has is enough to know.
    fn drain(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut news = inotify::Reader::new(&self.changes, &mut buffer);
        while news.next().is_ok() {}
    }
}

fn tell(meanings: Vec<Meaning>, keys: &mut Keys) {
    for meaning in meanings {
        match meaning {
            Meaning::Pressed(action) => keys.pressed(&action),
            Meaning::Released(action) => keys.released(&action),
            Meaning::Cancelled => keys.cancelled(),
        }
    }
}

/// The devices in a folder: `event0`, `event1`, …
fn paths(folder: &Path) -> Vec<PathBuf> {
    let is_device = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with("event")
            && entry.file_type().is_ok_and(|kind| kind.is_char_device() || kind.is_fifo())
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.filter(is_device).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn opened(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn nothing_readable(folder: &Path, looked: &Looked) -> String {
    let folder = folder.display();
    match looked {
        Looked { found: 0, .. } => format!("{folder} has no keyboard"),
        Looked { forbidden: 0, .. } => format!("no keyboard in {folder} can be read"),
        _ => format!(
            "the keyboards in {folder} may not be read; \"sudo usermod -aG input $USER\" and logging \
             in again allow it. Every program of this user can then read every key, passwords too"
        ),
    }
}
