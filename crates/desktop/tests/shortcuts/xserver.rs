//! X servers of their own, and clients that press their keys.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use scriven_desktop::shortcut::Surroundings;
use x11rb::connection::Connection;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ConnectionExt as _, GrabMode, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, ModMask,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::fixture::{Ear, PATIENCE, Running, binding, eventually, is_installed, ran, skipped};

/// One small screen, on sockets of this machine, that stays when its last client goes.
const PLAIN: [&str; 6] = ["-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"];

/// An X server of its own.
pub(crate) struct Server {
    pub(crate) display: String,
    pub(crate) server: Running,
}

impl Server {
    /// None where there is no Xvfb.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Self::on(test, &[])
    }

    /// On a display that no other server takes when this one is gone for a moment: servers that look
    /// for a free one begin with the lowest.
    pub(crate) fn start_apart(test: &str) -> Option<Self> {
        const FAR: u32 = 1000;
        const COUNT: u32 = 50_000;
        Self::on(test, &[&format!(":{}", FAR + std::process::id() % COUNT)])
    }

    fn on(test: &str, display: &[&str]) -> Option<Self> {
        if !is_installed("Xvfb") {
            skipped(test, "Xvfb is not installed");
            return None;
        }
        let mut command = Command::new("Xvfb");
        command.args(display).args(["-displayfd", "1"]).args(PLAIN);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::start(&mut command);
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { display: format!(":{}", number.trim()), server })
    }

    /// The same display once more, after [`Running::kill`].
    pub(crate) fn restart(&mut self) {
        let mut command = Command::new("Xvfb");
        command.arg(&self.display).args(PLAIN);
        // The lock of a server that was killed is taken over by the next.
        self.server = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
        eventually("the X server is back", || x11rb::connect(Some(&self.display)).is_ok());
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let display = Some(self.display.clone());
        Surroundings { display, wayland: Some(false), ..Default::default() }
    }

    pub(crate) fn ear(&self, bindings: &[(&str, &str)]) -> Ear {
        let bindings: Vec<_> =
            bindings.iter().map(|(action, trigger)| binding(action, trigger)).collect();
        Ear::open(&self.surroundings(), "x11", &bindings)
    }

    pub(crate) fn layout(&self, layout: &str) {
        ran("setxkbmap", &["-display", &self.display, "-layout", layout]);
    }
}

/// Asked to end, a server takes its lock and its socket with it.
impl Drop for Server {
    fn drop(&mut self) {
        let id = self.server.0.id().try_into().ok().and_then(Pid::from_raw);
        for signal in [Signal::CONT, Signal::TERM] {
            id.and_then(|id| kill_process(id, signal).ok());
        }
        let until = Instant::now() + PATIENCE;
        while matches!(self.server.0.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A client that presses keys.
pub(crate) struct Hands {
    pub(crate) connection: RustConnection,
    pub(crate) root: u32,
    /// What is added to the kinds of events, and the keyboard that they come from.
    keyboard: (u8, u8),
}

impl Hands {
    pub(crate) fn at(server: &Server) -> Self {
        let (connection, screen) = x11rb::connect(Some(&server.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { connection, root, keyboard: (0, 0) }
    }

    /// Hands at the server's own keyboard, where made-up keys are as good as real ones.
    pub(crate) fn at_keyboard(server: &Server) -> Self {
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

    pub(crate) fn key(&self, kind: u8, code: u8) {
        let (added, device) = self.keyboard;
        let made = self.connection.xtest_fake_input(kind + added, code, 0, self.root, 0, 0, device);
        made.unwrap().check().unwrap();
        self.connection.sync().unwrap();
    }

    pub(crate) fn press(&self, codes: &[u8]) {
        codes.iter().for_each(|code| self.key(KEY_PRESS_EVENT, *code));
    }

    pub(crate) fn release(&self, codes: &[u8]) {
        codes.iter().for_each(|code| self.key(KEY_RELEASE_EVENT, *code));
    }

    pub(crate) fn tap(&self, code: u8) {
        self.press(&[code]);
        self.release(&[code]);
    }

    /// Is the key ours to grab?
    pub(crate) fn can_grab(&self, code: u8, mask: ModMask) -> bool {
        let mode = GrabMode::ASYNC;
        let asked = self.connection.grab_key(false, self.root, mask, code, mode, mode).unwrap();
        let could = asked.check().is_ok();
        if could {
            self.ungrab(code, mask);
        }
        could
    }

    pub(crate) fn grab(&self, code: u8, mask: ModMask) {
        let mode = GrabMode::ASYNC;
        let asked = self.connection.grab_key(false, self.root, mask, code, mode, mode).unwrap();
        asked.check().unwrap();
    }

    pub(crate) fn ungrab(&self, code: u8, mask: ModMask) {
        self.connection.ungrab_key(code, self.root, mask).unwrap().check().unwrap();
    }
}
