//! An X server of the test's own, with a terminal or a field in focus.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fixture::{Room, Running, at_home, eventually, skipped, stdout};
use crate::window::{PYTHON, Window, has_gtk};

/// An X server.
pub(crate) struct Screen {
    pub(crate) display: String,
    _server: Running,
}

/// A window on it, and what was typed there.
pub(crate) struct Terminal {
    typed: PathBuf,
    _window: Running,
}

impl Screen {
    /// `None` where a part is missing; its name has been told.
    pub(crate) fn new(room: &mut Room) -> Option<Self> {
        for part in ["Xvfb", "xterm", "xdotool", "xclip"] {
            if Command::new(part).arg("-version").output().is_err() {
                skipped("speech into a window", &format!("{part} is not installed"));
                return None;
            }
        }
        let mut server = Running::start(
            at_home(&room.path("."), "Xvfb".as_ref())
                .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { display: format!(":{}", number.trim()), _server: server })
    }

    /// A terminal in focus.
    pub(crate) fn terminal(&self, room: &Room) -> Terminal {
        let typed = room.path("typed");
        let keep = format!("stty raw -echo; cat >'{}'", typed.display());
        let window = Running::start(
            at_home(&room.path("."), "xterm".as_ref())
                .env("DISPLAY", &self.display)
                .args(["-u8", "-fn", "fixed", "-T", "paper", "-e", "sh", "-c", &keep]),
        );
        eventually("the terminal runs", || typed.exists());
        self.focus_on("paper");
        Terminal { typed, _window: window }
    }

    /// A field of GTK 3 in focus, which speaks to the input method `module`; `None` where there is
    /// no GTK.
    pub(crate) fn field(&self, room: &Room, module: &str) -> Option<Window> {
        has_gtk("3")?;
        let mut python = room.neighbour(Path::new(PYTHON));
        python.envs([("DISPLAY", self.display.as_str()), ("GDK_BACKEND", "x11")]).envs([
            ("GTK_IM_MODULE", module),
            ("NO_AT_BRIDGE", "1"),
            ("LC_ALL", "C.UTF-8"),
        ]);
        let window = Window::start(&mut python, "3", "entry", "paper");
        self.focus_on("paper");
        Some(window)
    }

    fn focus_on(&self, name: &str) {
        eventually("the window has the focus", || {
            self.xdotool(&["search", "--onlyvisible", "--name", name, "windowfocus", "--sync"])
        });
    }

    pub(crate) fn xdotool(&self, arguments: &[&str]) -> bool {
        let mut xdotool = Command::new("xdotool");
        let status = xdotool.env("DISPLAY", &self.display).args(arguments).stderr(Stdio::null());
        status.stdout(Stdio::null()).status().unwrap().success()
    }

    /// The clipboard, as another program gets it.
    pub(crate) fn clipboard(&self) -> String {
        let mut xclip = Command::new("xclip");
        let xclip = xclip.env("DISPLAY", &self.display).args(["-selection", "clipboard", "-o"]);
        stdout(&xclip.output().unwrap())
    }

    /// A picture of the screen, where `SCREENSHOTS` names a folder for it.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else { return };
        let file = PathBuf::from(folder).join(format!("{name}.png"));
        let import = Command::new("import")
            .args(["-window", "root"])
            .arg(file)
            .env("DISPLAY", &self.display)
            .status();
        assert!(import.unwrap().success());
    }
}

impl Terminal {
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.typed).unwrap()
    }
}
