//! An X server of its own for each test, and real windows in it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use x11rb::connection::Connection as _;
use x11rb::protocol::xkb::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, Keysym, MapState,
    Window as Id,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Printable ASCII, all of it.
pub(crate) const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`\
                                abcdefghijklmnopqrstuvwxyz{|}~";
/// What most layouts lack, some of it twice in a row.
pub(crate) const MIXED: &str = "é ß ü ñ œ € “q” — 日本語 😀 Ω я éÉßß日日 llAA";
/// How long anything may take on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often each text is typed.
pub(crate) fn times() -> usize {
    if std::env::var_os("SLOW").is_some() { 20 } else { 3 }
}

/// Says that a test cannot run. It goes past the capture of the test harness.
fn skipped(what: &str, why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: x11: {what} — {why}").unwrap();
}

/// Asks until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that ends with its owner.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An X server.
pub(crate) struct Screen {
    pub(crate) display: String,
    pub(crate) server: Program,
    folder: TempDir,
}

impl Screen {
    /// A server with the keyboard layout `layout`; none, and it is said why, where Xvfb is not
    /// installed.
    pub(crate) fn new(layout: &str) -> Option<Self> {
        let mut xvfb = Command::new("Xvfb");
        let spawned = xvfb
            .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = spawned else {
            skipped("Xvfb", "it is not installed (Debian package xvfb)");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let folder = tempfile::tempdir().unwrap();
        let screen = Self { display, server: Program(server), folder };
        screen.set_layout(layout);
        Some(screen)
    }

    /// The server again, after it was killed.
    pub(crate) fn restart(&mut self) {
        drop(self.server.0.kill());
        self.server.0.wait().unwrap();
        let mut xvfb = Command::new("Xvfb");
        xvfb.args([&self.display, "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]);
        let server = xvfb.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.server = Program(server);
        eventually("the server is up again", || x11rb::connect(Some(&self.display)).is_ok());
    }

    pub(crate) fn set_layout(&self, layout: &str) {
        let mut setxkbmap = Command::new("setxkbmap");
        let status = setxkbmap.args(["-display", &self.display, layout]).status();
        assert!(status.expect("setxkbmap is installed").success());
    }

    /// A client of the server.
    pub(crate) fn client(&self) -> Client {
        let (connection, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Client { connection, root }
    }

    /// A window manager, which is up when it says so.
    pub(crate) fn window_manager(&self) -> Option<Program> {
        let mut openbox = Command::new("openbox");
        openbox.env("DISPLAY", &self.display).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(openbox) = openbox.spawn() else {
            skipped("openbox", "it is not installed (Debian package openbox)");
            return None;
        };
        let client = self.client();
        eventually("the window manager is up", || client.has_manager().unwrap_or(false));
        Some(Program(openbox))
    }

    /// What each key gives.
    pub(crate) fn mapping(&self) -> Vec<Vec<Keysym>> {
        let client = self.client();
        let reply = client.connection.get_keyboard_mapping(8, 248).unwrap().reply().unwrap();
        let width = usize::from(reply.keysyms_per_keycode);
        let trimmed = |key: &[Keysym]| {
            let end = key.iter().rposition(|&symbol| symbol != 0).map_or(0, |last| last + 1);
            key[..end].to_vec()
        };
        reply.keysyms.chunks(width).map(trimmed).collect()
    }

    /// A terminal that writes what is typed to a file.
    pub(crate) fn xterm(&self, name: &str) -> Option<Window> {
        let path = self.folder.path().join(name);
        let shell = format!("stty -echo -icanon min 1 && : > '{0}' && cat > '{0}'", path.display());
        let mut xterm = Command::new("xterm");
        xterm.args(["-u8", "-fn", "fixed", "-T", name, "-e", "sh", "-c", &shell]);
        self.open(xterm, name, path)
    }

    /// An entry of GTK 3.
    pub(crate) fn gtk(&self, name: &str) -> Option<Window> {
        self.python("gtk.py", "import gi; gi.require_version('Gtk', '3.0')", name)
    }

    /// A line edit of Qt 5.
    pub(crate) fn qt(&self, name: &str) -> Option<Window> {
        self.python("qt.py", "import PyQt5.QtWidgets", name)
    }

    fn python(&self, script: &str, needs: &str, name: &str) -> Option<Window> {
        let mut check = python(&self.display);
        if !check.args(["-c", needs]).stderr(Stdio::null()).status().is_ok_and(|s| s.success()) {
            skipped(
                script,
                "its toolkit is not installed (python3-gi gir1.2-gtk-3.0 python3-pyqt5)",
            );
            return None;
        }
        let path = self.folder.path().join(name);
        let mut program = python(&self.display);
        program.arg(windows().join(script)).arg(name).arg(&path);
        self.open(program, name, path)
    }

    /// Starts a program, waits for its window, and puts it into focus.
    fn open(&self, mut program: Command, name: &str, path: PathBuf) -> Option<Window> {
        let started = program
            .env("DISPLAY", &self.display)
            .env("LC_ALL", "C.UTF-8")
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            skipped(name, "it does not start (Debian packages xterm python3)");
            return None;
        };
        let program = Program(child);
        let client = self.client();
        let mut found = None;
        eventually(&format!("{name} has a window"), || {
            found = client.find(name);
            found.is_some() && path.exists()
        });
        let window = Window { program, id: found?, path };
        client.focus(&window);
        Some(window)
    }
}

fn windows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/x11/windows")
}

/// Python of the system, which has the toolkits.
fn python(display: &str) -> Command {
    let mut python = Command::new("/usr/bin/python3");
    python
        .env("DISPLAY", display)
        .env("GTK_IM_MODULE", "gtk-im-context-simple")
        .env("QT_IM_MODULE", "simple")
        .env("GDK_BACKEND", "x11")
        .env("QT_QPA_PLATFORM", "xcb")
        .env("NO_AT_BRIDGE", "1")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    python
}

/// A program that owns both selections.
pub(crate) fn clipboard_owner(screen: &Screen) -> Option<Program> {
    let mut program = python(&screen.display);
    program
        .arg(windows().join("clipboard.py"))
        .arg("own")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut program = Program(program.spawn().ok()?);
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.trim() != "ready" {
        skipped("clipboard.py", "PyQt5 is not installed (python3-pyqt5)");
        return None;
    }
    Some(program)
}

/// All that both selections offer, as a program sees it.
pub(crate) fn clipboard_dump(screen: &Screen) -> String {
    let mut program = python(&screen.display);
    let output = program.arg(windows().join("clipboard.py")).arg("dump").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A window of another program.
pub(crate) struct Window {
    pub(crate) program: Program,
    pub(crate) id: Id,
    path: PathBuf,
}

impl Window {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.path).unwrap_or_default()).into_owned()
    }

    /// Shortcuts that the window has seen.
    pub(crate) fn shortcuts(&self) -> String {
        let mut path = self.path.clone().into_os_string();
        path.push(".keys");
        fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits until exactly `expected` is there.
    pub(crate) fn holds(&self, expected: &str) {
        let until = Instant::now() + PATIENCE;
        while self.text() != expected && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.text(), expected);
    }
}

/// Somebody else at the server: the user's keys, and what a window manager does.
pub(crate) struct Client {
    pub(crate) connection: RustConnection,
    root: Id,
}

impl Client {
    fn has_manager(&self) -> Option<bool> {
        let name = b"_NET_SUPPORTING_WM_CHECK";
        let atom = self.connection.intern_atom(false, name).ok()?.reply().ok()?.atom;
        let any = AtomEnum::ANY;
        let check = self.connection.get_property(false, self.root, atom, any, 0, 1);
        Some(check.ok()?.reply().ok()?.value_len == 1)
    }

    fn find(&self, name: &str) -> Option<Id> {
        self.find_below(self.root, name)
    }

    /// A window manager puts windows into frames of its own.
    fn find_below(&self, parent: Id, name: &str) -> Option<Id> {
        let tree = self.connection.query_tree(parent).ok()?.reply().ok()?;
        tree.children.into_iter().find_map(|window| {
            let shown = self.is_shown(window, name).unwrap_or(false);
            if shown { Some(window) } else { self.find_below(window, name) }
        })
    }

    fn is_shown(&self, window: Id, name: &str) -> Option<bool> {
        let any = AtomEnum::ANY;
        let title = self.connection.get_property(false, window, AtomEnum::WM_NAME, any, 0, 64);
        let title = title.ok()?.reply().ok()?.value;
        let state = self.connection.get_window_attributes(window).ok()?.reply().ok()?.map_state;
        Some(title == name.as_bytes() && state == MapState::VIEWABLE)
    }

    /// Puts `window` into focus.
    pub(crate) fn focus(&self, window: &Window) {
        let time = x11rb::CURRENT_TIME;
        self.connection.set_input_focus(InputFocus::PARENT, window.id, time).unwrap();
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }

    pub(crate) fn focus_nothing(&self) {
        let none = x11rb::NONE;
        self.connection.set_input_focus(InputFocus::NONE, none, x11rb::CURRENT_TIME).unwrap();
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }

    /// The user presses the key with this keycode, or lets it go.
    pub(crate) fn key(&self, code: u8, down: bool) {
        let kind = if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT };
        self.connection.xtest_fake_input(kind, code, 0, x11rb::NONE, 0, 0, 0).unwrap();
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }

    /// Switches to the layout with this number; tells which one was active.
    pub(crate) fn lock_group(&self, group: u8) -> u8 {
        let (keyboard, none) = (0x100, Default::default());
        self.connection.xkb_use_extension(1, 0).unwrap().reply().unwrap();
        let before = self.connection.xkb_get_state(keyboard).unwrap().reply().unwrap().group;
        self.connection
            .xkb_latch_lock_state(keyboard, none, none, true, group.into(), none, false, 0)
            .unwrap();
        self.connection.get_input_focus().unwrap().reply().unwrap();
        u8::from(before)
    }

    /// Modifiers that are on, as in a pointer's state.
    pub(crate) fn modifiers(&self) -> u16 {
        u16::from(self.connection.query_pointer(self.root).unwrap().reply().unwrap().mask)
    }
}
