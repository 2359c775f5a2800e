//! A headless sway with windows in it, each test's own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Generous: two cores, and other tests on them.
const LIMIT: Duration = Duration::from_secs(30);
/// sway does not run as root: there it gets the user that owns nothing.
const NOBODY: u32 = 65534;

/// Polls until `ready` gives something.
pub(crate) fn wait_for<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    wait_or_tell(|| what.to_owned(), ready)
}

/// The same; `tell` says what there is instead.
pub(crate) fn wait_or_tell<T>(
    tell: impl Fn() -> String,
    mut ready: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {}", tell());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the long version of a test is wanted, and how often it then repeats.
pub(crate) fn rounds() -> usize {
    if std::env::var_os("SLOW").is_some() { 20 } else { 3 }
}

/// Says that this test has not run; past the test program, which shows nothing of a test that passes.
pub(crate) fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    writeln!(std::io::stderr(), "SKIPPED: {test}: {why}").unwrap();
}

/// `None`, and a line that says so, when `program` is not installed.
pub(crate) fn installed(program: &str) -> Option<()> {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        skipped(&format!("{program} is not installed"));
    }
    found.status.success().then_some(())
}

/// A compositor without a screen.
pub(crate) struct Sway {
    process: Child,
    /// What stands for the user's keyboard: without one a seat gives no window the focus of keys.
    keyboard: Option<Child>,
    pub(crate) folder: tempfile::TempDir,
    socket: PathBuf,
}

impl Sway {
    /// Starts one with this keyboard layout and these lines of configuration besides.
    pub(crate) fn start(layout: &str, configuration: &str) -> Option<Self> {
        let mut sway = Self::without_keyboard(layout, configuration)?;
        let keyboard = sway.command("wtype").args(["-s", "86400000", "x"]).spawn().unwrap();
        sway.keyboard = Some(keyboard);
        wait_for("a keyboard", || {
            let seats = sway.run("swaymsg", &["-r", "-t", "get_seats"]).stdout;
            let seats: serde_json::Value = serde_json::from_slice(&seats).unwrap();
            let devices = seats[0]["devices"].as_array()?;
            devices.iter().any(|device| device["type"] == "keyboard").then_some(())
        });
        Some(sway)
    }

    /// The same on a seat that has no keyboard yet.
    pub(crate) fn without_keyboard(layout: &str, configuration: &str) -> Option<Self> {
        for program in ["sway", "foot", "setpriv", "wtype"] {
            installed(program)?;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let lines = format!(
            "xwayland disable\ninput * xkb_layout {layout}\noutput HEADLESS-1 mode 1280x720\n\
             output * bg #203040 solid_color\ndefault_border none\n{configuration}\n"
        );
        let file = folder.path().join("sway.conf");
        fs::write(&file, lines).unwrap();
        let is_root = fs::metadata(&file).map(|file| owner(&file) == 0).unwrap();
        let mut command = Command::new("sway");
        if is_root {
            for path in [folder.path(), &file] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sway"]);
        }
        let log = fs::File::create(folder.path().join("sway.log")).unwrap();
        let process = plain(&mut command, folder.path())
            .current_dir(folder.path())
            .arg("-c")
            .arg(&file)
            .env("SWAYSOCK", folder.path().join("ipc"))
            .env("WLR_BACKENDS", "headless")
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1")
            .env("LIBSEAT_BACKEND", "noop")
            .stderr(log)
            .spawn()
            .unwrap();
        let socket = wait_for("a compositor", || {
            let mut files = fs::read_dir(folder.path()).unwrap().flatten();
            let is_socket = |name: &str| name.starts_with("wayland-") && !name.ends_with(".lock");
            let is_ready = folder.path().join("ipc").exists();
            let found = files.find(|file| file.file_name().to_str().is_some_and(is_socket))?;
            is_ready.then(|| found.path())
        });
        let sway = Self { process, keyboard: None, folder, socket };
        wait_for("its first answer", || {
            let asked = sway.command("swaymsg").args(["-t", "get_version"]).status();
            asked.unwrap().success().then_some(())
        });
        Some(sway)
    }

    /// Where its clients connect.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// A program that runs inside of it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        plain(&mut command, self.folder.path())
            .env("WAYLAND_DISPLAY", &self.socket)
            .env("SWAYSOCK", self.folder.path().join("ipc"));
        command
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.command(program).args(arguments).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        output
    }

    /// The `app_id` of the window in focus.
    pub(crate) fn focus(&self) -> Option<String> {
        let tree = self.run("swaymsg", &["-r", "-t", "get_tree"]).stdout;
        let tree: serde_json::Value = serde_json::from_slice(&tree).ok()?;
        let mut nodes = vec![&tree];
        while let Some(node) = nodes.pop() {
            if node["focused"] == true {
                return node["app_id"].as_str().map(str::to_owned);
            }
            for kind in ["nodes", "floating_nodes"] {
                nodes.extend(node[kind].as_array().into_iter().flatten());
            }
        }
        None
    }

    /// Gives the focus to a window.
    pub(crate) fn focus_on(&self, app_id: &str) {
        let criteria = format!("[app_id=\"{app_id}\"] focus");
        wait_for("a window to focus", || {
            self.command("swaymsg").arg(&criteria).output().unwrap().status.success().then_some(())
        });
        wait_for("the focus", || (self.focus()? == app_id).then_some(()));
    }

    /// A picture of the screen, where `SCREENSHOTS` names a folder for it.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else { return };
        let file = PathBuf::from(folder).join(format!("{name}.png"));
        std::thread::sleep(Duration::from_millis(500));
        self.run("grim", &[file.to_str().unwrap()]);
    }

    /// Sends it a signal: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, signal: &str) {
        send(self.process.id(), signal);
    }
}

impl Drop for Sway {
    fn drop(&mut self) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.kill().ok();
            keyboard.wait().ok();
        }
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Sends a signal to a process.
pub(crate) fn send(process: u32, signal: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status();
    assert!(sent.unwrap().success());
}

fn owner(file: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(file)
}

/// Without the desktop that the test itself may run in.
fn plain<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "GTK_IM_MODULE", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("LC_ALL", "C.UTF-8")
        .env("GDK_BACKEND", "wayland")
        .env("NO_AT_BRIDGE", "1")
        .env("GTK_A11Y", "none")
        .env("GSETTINGS_BACKEND", "memory")
}

/// A terminal in which `cat` writes what is typed into a file, line by line.
pub(crate) struct Terminal {
    process: Child,
    file: PathBuf,
}

impl Terminal {
    /// Opens one and waits until it is in focus and `cat` listens.
    pub(crate) fn open(sway: &Sway, app_id: &str) -> Self {
        Self::run(sway, app_id, "")
    }

    /// The same, but each character is written as it is typed, and as it is.
    #[allow(dead_code, reason = "for the end-to-end tests")]
    pub(crate) fn unbuffered(sway: &Sway, app_id: &str) -> Self {
        Self::run(sway, app_id, "stty -icanon min 1 && ")
    }

    fn run(sway: &Sway, app_id: &str, before: &str) -> Self {
        let file = sway.folder.path().join(format!("{app_id}.txt"));
        let script = format!("{before}exec cat > '{}'", file.display());
        let process = sway
            .command("foot")
            .arg(format!("--app-id={app_id}"))
            .args(["sh", "-c", &script])
            .spawn()
            .unwrap();
        wait_for("a terminal", || file.exists().then_some(()));
        wait_for("the focus of a terminal", || (sway.focus()? == app_id).then_some(()));
        Self { process, file }
    }

    pub(crate) fn signal(&self, signal: &str) {
        send(self.process.id(), signal);
    }

    /// What has been typed so far; in whole lines, unless it is unbuffered.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// Waits until a line has been typed that ends in `end`.
    pub(crate) fn line(&self, end: &str) -> String {
        let what = format!("a line in a terminal: {end}");
        wait_for(&what, || Some(self.text()).filter(|text| text.ends_with(end)))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Writes a line to a program's standard input.
pub(crate) fn tell(process: &mut Child, line: &str) {
    writeln!(process.stdin.as_mut().unwrap(), "{line}").unwrap();
}
