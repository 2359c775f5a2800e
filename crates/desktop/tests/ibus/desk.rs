//! A desk of its own for each test: a session bus, an X server, an IBus daemon and a window.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use scriven_desktop::insertion::Backend as _;
use scriven_desktop::insertion::ibus::{Ibus, Place};
use tempfile::TempDir;

/// How long anything may take on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
const PICKER: &str = "org.freedesktop.IBus.Panel.Extension.Emoji";
/// A session bus that activates nothing of the machine it runs on.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/></policy></busconfig>"#;

/// A companion that ends with the desk.
struct Companion(Child);

impl Drop for Companion {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Everything ends when it is dropped, the window first.
pub(crate) struct Desk {
    window: Companion,
    orders: ChildStdin,
    fields: Arc<Mutex<Fields>>,
    daemon: Companion,
    _bus: Companion,
    _display: Companion,
    display: String,
    bus: String,
    home: TempDir,
}

/// What the window has said.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) focus: Option<usize>,
    pub(crate) text: [String; 5],
    pub(crate) preedit: [String; 5],
}

impl Desk {
    /// `None`, and words about it, where a part is missing.
    pub(crate) fn new(test: &str) -> Option<Self> {
        if let Some(part) = missing() {
            writeln!(std::io::stderr(), "SKIPPED: {test}: {part} is not installed").unwrap();
            return None;
        }
        let home = tempfile::Builder::new().prefix("scriven-ibus.").tempdir().unwrap();
        let (display, number) = first_line(Command::new("Xvfb").args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "640x480x24",
        ]));
        fs::write(home.path().join("bus.conf"), BUS).unwrap();
        let config = format!("--config-file={}", home.path().join("bus.conf").display());
        let mut bus = Command::new("dbus-daemon");
        let (bus, address) = first_line(bus.args([&config, "--nofork", "--print-address"]));
        let place = (format!(":{number}"), address);
        let daemon = start_daemon(home.path(), &place);
        let (window, orders, fields) = start_window(home.path(), &place);
        let (display_number, bus_address) = place;
        let desk = Self {
            window,
            orders,
            fields,
            daemon,
            _bus: bus,
            _display: display,
            display: display_number,
            bus: bus_address,
            home,
        };
        eventually("the picker has its seat", || desk.owner().is_some());
        eventually("the window has the focus", || desk.fields(|fields| fields.focus.is_some()));
        Some(desk)
    }

    pub(crate) fn place(&self) -> Place {
        let folder = self.home.path().join("config/ibus/bus");
        Place { folder, displays: vec![self.display[1..].into()], ..Place::default() }
    }

    /// The way to be tested, with the focus in `field` and known to IBus.
    pub(crate) fn way(&mut self, field: usize) -> Ibus {
        self.focus(field);
        let mut way = Ibus::at(self.place()).unwrap();
        eventually("IBus knows what is in focus", || way.target().is_ok());
        way
    }

    pub(crate) fn focus(&mut self, field: usize) {
        self.order("focus", field);
        eventually("the field has the focus", || self.fields(|fields| fields.focus == Some(field)));
    }

    pub(crate) fn clear(&mut self, field: usize) {
        self.order("clear", field);
        eventually("the field is empty", || self.fields(|fields| fields.text[field].is_empty()));
    }

    fn order(&mut self, what: &str, field: usize) {
        writeln!(self.orders, "{what} {field}").unwrap();
    }

    pub(crate) fn fields<T>(&self, read: impl FnOnce(&Fields) -> T) -> T {
        read(&self.fields.lock().unwrap())
    }

    /// Waits until `field` holds `text`; what it holds instead is told.
    pub(crate) fn holds(&self, field: usize, text: &str) {
        let is_so = || self.fields(|fields| fields.text[field] == text);
        let end = Instant::now() + PATIENCE;
        while !is_so() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.fields(|fields| fields.text[field].clone()), text);
    }

    /// What a program says at this desk.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let place = (self.display.clone(), self.bus.clone());
        let output = at(&mut command, self.home.path(), &place).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A program at this desk, to be started.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        at(&mut command, self.home.path(), &(self.display.clone(), self.bus.clone()));
        command
    }

    /// Sets the layout of the X server, and IBus's engine for it, which has another name on each
    /// system. Gives the state of the desk.
    pub(crate) fn use_layout(&self, layout: &str) -> [String; 3] {
        let engines = self.run("ibus", &["list-engine", "--name-only"]);
        let prefix = format!("xkb:{layout}::");
        let is_its = |name: &&str| name.starts_with(&prefix);
        let engine = engines.lines().map(str::trim).find(is_its).expect("an engine").to_owned();
        self.run("ibus", &["engine", &engine]);
        self.run("setxkbmap", &[layout]);
        eventually("the layout is used", || {
            let [keys, now, _] = self.state();
            now == engine && keys.lines().any(|line| line == format!("layout:     {layout}"))
        });
        self.state()
    }

    /// The layout of the X server and of IBus, and who has the picker's seat.
    pub(crate) fn state(&self) -> [String; 3] {
        let owner = self.owner().unwrap_or_default();
        [self.run("setxkbmap", &["-query"]), self.run("ibus", &["engine"]), owner]
    }

    /// Ends the picker, which no one starts again.
    pub(crate) fn kill_picker(&self) {
        let daemon = self.daemon.0.id().to_string();
        let kill = ["-KILL", "-P", &daemon, "ibus-extension"];
        assert!(Command::new("pkill").args(kill).status().unwrap().success());
        eventually("the picker is gone", || self.owner().is_none());
    }

    /// The picker's connection, if it has its seat.
    fn owner(&self) -> Option<String> {
        let address = fs::read_dir(self.place().folder).ok()?.flatten().find_map(|file| {
            let text = fs::read_to_string(file.path()).ok()?;
            Some(text.lines().find_map(|line| line.strip_prefix("IBUS_ADDRESS="))?.to_owned())
        })?;
        let ask = [
            "call",
            "--address",
            &address,
            "--dest",
            "org.freedesktop.DBus",
            "--object-path",
            "/org/freedesktop/DBus",
            "--method",
            "org.freedesktop.DBus.GetNameOwner",
            PICKER,
        ];
        Some(self.run("gdbus", &ask)).filter(|owner| !owner.is_empty())
    }

    /// Sends a signal to the IBus daemon: `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal_daemon(&self, signal: &str) {
        let id = self.daemon.0.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    pub(crate) fn start_daemon_again(&mut self) {
        self.daemon.0.wait().ok();
        let place = (self.display.clone(), self.bus.clone());
        self.daemon = start_daemon(self.home.path(), &place);
    }

    pub(crate) fn close_window(&mut self) {
        self.window.0.kill().ok();
        self.window.0.wait().ok();
    }
}

fn missing() -> Option<&'static str> {
    let programs = ["Xvfb", "ibus-daemon", "dbus-daemon", "setxkbmap", "gdbus", "xdotool"];
    let lacks = |name: &&&str| !Path::new("/usr/bin").join(name).exists();
    programs.iter().find(lacks).copied().or_else(|| {
        let gtk = "import gi; gi.require_version('Gtk', '3.0'); from gi.repository import Gtk";
        let python = Command::new("/usr/bin/python3").args(["-c", gtk]).output();
        let has_gtk = python.is_ok_and(|output| output.status.success());
        (!has_gtk).then_some("GTK 3 for Python")
    })
}

/// The environment of everything at a desk: nothing of the machine's own session.
fn at<'a>(command: &'a mut Command, home: &Path, place: &(String, String)) -> &'a mut Command {
    for (name, folder) in [("CONFIG", "config"), ("CACHE", "cache"), ("DATA", "data")] {
        command.env(format!("XDG_{name}_HOME"), home.join(folder));
    }
    for name in ["WAYLAND_DISPLAY", "IBUS_ADDRESS", "XDG_RUNTIME_DIR", "XMODIFIERS"] {
        command.env_remove(name);
    }
    command
        .envs([("HOME", home.as_os_str())])
        .envs([("DISPLAY", &place.0), ("DBUS_SESSION_BUS_ADDRESS", &place.1)])
        .envs([("GTK_IM_MODULE", "ibus"), ("GDK_BACKEND", "x11"), ("NO_AT_BRIDGE", "1")])
        .envs([("GSETTINGS_BACKEND", "memory"), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
}

fn start_daemon(home: &Path, place: &(String, String)) -> Companion {
    let mut command = Command::new("ibus-daemon");
    let child = at(&mut command, home, place).args(["--panel", "disable"]).spawn().unwrap();
    let folder = home.join("config/ibus/bus");
    let id = format!("IBUS_DAEMON_PID={}", child.id());
    eventually("the IBus daemon tells its address", || {
        let files = fs::read_dir(&folder).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_to_string(file.path()).ok())
            .any(|text| text.lines().any(|line| line == id))
    });
    Companion(child)
}

fn start_window(
    home: &Path,
    place: &(String, String),
) -> (Companion, ChildStdin, Arc<Mutex<Fields>>) {
    let mut command = Command::new("/usr/bin/python3");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ibus/window.py");
    let mut child = at(&mut command, home, place)
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let fields = Arc::new(Mutex::new(Fields::default()));
    let (said, heard) = (child.stdout.take().unwrap(), fields.clone());
    let listen = move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            hear(&mut heard.lock().unwrap(), &line);
        }
    };
    thread::Builder::new().name("window".into()).spawn(listen).unwrap();
    let orders = child.stdin.take().unwrap();
    (Companion(child), orders, fields)
}

fn hear(fields: &mut Fields, line: &str) {
    let said: serde_json::Value = serde_json::from_str(line).unwrap();
    let field = said[1].as_u64().unwrap() as usize;
    let text = || said[2].as_str().unwrap().to_owned();
    match said[0].as_str().unwrap() {
        "focus" => fields.focus = Some(field),
        "text" => fields.text[field] = text(),
        "preedit" => fields.preedit[field] = text(),
        other => panic!("the window says {other}"),
    }
}

/// Starts a companion that says where it is to be found.
fn first_line(command: &mut Command) -> (Companion, String) {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.trim().is_empty(), "{command:?} says nothing");
    (Companion(child), line.trim().to_owned())
}

/// Asks until it is so. For what no signal tells.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "still not so: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
