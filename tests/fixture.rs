//! What every test stands on: a desk with sound; a bus, a home and `scrivend` of its own.
//!
//! The desk (PipeWire with a virtual microphone, `scripts/desk.sh`) is one for all tests; the bus
//! and the XDG folders are new for each. One room is open at a time: recognition wants the machine
//! for itself, and two players at one microphone would be heard as one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zbus::Connection;

use crate::hearing::{Ear, Signal};

pub(crate) const NAME: &str = "org.scriven.Dictation1";
/// The model of every test: the smallest that understands speech.
pub(crate) const MODEL: &str = "tiny.en";
/// What the daemon logs: those who compile for a GPU have much to say that is not ours.
const LOG: &str = "debug,naga=warn,wgpu_core=warn,wgpu_hal=warn";
/// How long anything may take on a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The root of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file that `scripts/setup.sh` has fetched.
pub(crate) fn data(name: &str) -> PathBuf {
    let path = project().join("tests/data/cache").join(name);
    assert!(path.exists(), "{name} is not there: run tests/scripts/setup.sh first");
    path
}

/// One of our two programs: of the folder `SCRIVEN_BIN`, or else as the same profile has built it.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = || test.ancestors().nth(2).unwrap().to_owned();
    let path = std::env::var_os("SCRIVEN_BIN").map_or_else(built, PathBuf::from).join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace`", path.display());
    path
}

/// Says by name that a test, or a part of one, could not run. It goes past the capture of the test
/// harness, so that it is seen and counted.
pub(crate) fn skipped(what: &str, why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {what} — {why}").unwrap();
}

/// Microseconds of `CLOCK_MONOTONIC`, the clock of the bus's signals.
pub(crate) fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

/// Asks until it is so. For what no signal tells.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The sound of all rooms: the desk this process runs at, or else one started for it.
struct Desk {
    folder: PathBuf,
    runtime: PathBuf,
    /// The desk is cleared when this end of its pipe closes, however we end.
    _leash: Option<ChildStdin>,
}

#[expect(clippy::zombie_processes, reason = "the desk clears itself when its leash is let go")]
static DESK: LazyLock<Desk> = LazyLock::new(|| {
    if let Some(folder) = std::env::var_os("SCRIVEN_DESK") {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").unwrap();
        return Desk { folder: folder.into(), runtime: runtime.into(), _leash: None };
    }
    let mut desk = Command::new(project().join("tests/scripts/desk.sh"))
        .args(["sh", "-c", "echo $SCRIVEN_DESK; echo $XDG_RUNTIME_DIR; cat >/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/scripts/desk.sh starts");
    let mut lines = BufReader::new(desk.stdout.take().unwrap()).lines();
    let mut line = || lines.next().expect("the desk is set").unwrap().into();
    Desk { folder: line(), runtime: line(), _leash: desk.stdin.take() }
});

/// The converted model that the rooms share, imported once from the fetched weights.
static CONVERTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let room = Room::open(None);
    let daemon = room.daemon();
    let import = room.scriven(&["model", "import", MODEL, data(MODEL).to_str().unwrap()]);
    assert!(import.status.success(), "{}", stderr(&import));
    drop(daemon);
    let shared = DESK.folder.join("model");
    fs::rename(room.models().join(MODEL), &shared).expect("the import is where models are kept");
    shared
});

static ONE_ROOM: Mutex<()> = Mutex::new(());

/// A bus and a home. Dropped, it takes everything with it.
pub(crate) struct Room {
    home: TempDir,
    pub(crate) address: String,
    /// What the programs find in their environment besides.
    environment: Vec<(&'static str, String)>,
    _bus: Running,
    _only: Option<MutexGuard<'static, ()>>,
}

impl Room {
    /// A room with the model installed.
    pub(crate) fn new() -> Self {
        let room = Self::without_model();
        symlink(&*CONVERTED, room.models().join(MODEL)).unwrap();
        room
    }

    pub(crate) fn without_model() -> Self {
        Self::open(Some(ONE_ROOM.lock().unwrap_or_else(|poison| poison.into_inner())))
    }

    fn open(only: Option<MutexGuard<'static, ()>>) -> Self {
        let home = TempDir::with_prefix("scriven-room.").unwrap();
        for folder in ["config/scriven", "data/scriven/models", "state", "cache", "services"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let (bus, address) = start_bus(home.path());
        Self { home, address, environment: Vec::new(), _bus: bus, _only: only }
    }

    /// Starts a bus of its own, which is the system's for the programs that are started from now on.
    /// Tells its address.
    pub(crate) fn system_bus(&mut self) -> (Running, String) {
        let (bus, address) = start_bus(self.home.path());
        self.environment.push(("DBUS_SYSTEM_BUS_ADDRESS", address.clone()));
        (bus, address)
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.home.path().join(inside)
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.path("data/scriven/models")
    }

    /// Lets the programs that are started from now on show themselves on this display, which
    /// `variable` names.
    pub(crate) fn show_on(&mut self, variable: &'static str, display: &str) {
        self.environment.push((variable, display.to_owned()));
    }

    pub(crate) fn configure(&self, toml: &str) {
        fs::write(self.path("config/scriven/config.toml"), toml).unwrap();
    }

    /// Lets the bus start the daemon when it is first called, as an installed one does.
    pub(crate) fn activate_on_demand(&self) {
        let path = program("scrivend");
        self.activate_with(&format!("[D-BUS Service]\nName={NAME}\nExec={}\n", path.display()));
    }

    /// Gives the bus this activation file.
    pub(crate) fn activate_with(&self, service: &str) {
        fs::write(self.path("services").join(format!("{NAME}.service")), service).unwrap();
        let reload = |connection: Connection| async move {
            let bus = "org.freedesktop.DBus";
            connection.call_method(Some(bus), "/", Some(bus), "ReloadConfig", &()).await
        };
        zbus::block_on(reload(self.connect())).unwrap();
    }

    /// A program of ours, with this room's bus and folders.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.neighbour(&program(name))
    }

    /// Another program, with the same.
    pub(crate) fn neighbour(&self, program: &Path) -> Command {
        let mut command = at_home(self.home.path(), program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `scriven` to its end.
    pub(crate) fn scriven(&self, arguments: &[&str]) -> Output {
        self.command("scriven").args(arguments).output().unwrap()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn connect(&self) -> Connection {
        connect_to(&self.address)
    }

    pub(crate) fn ear(&self) -> Ear {
        Ear::new(&self.connect())
    }

    /// Starts the daemon and waits until it has its name.
    pub(crate) fn daemon(&self) -> Daemon {
        let ear = self.ear();
        let log = self.path("scrivend.log");
        let running = Running::start(
            self.command("scrivend").env("RUST_LOG", LOG).stderr(File::create(&log).unwrap()),
        );
        let mut daemon = Daemon { running, log };
        let appeared = |signal: &Signal| matches!(signal, Signal::Owner(Some(_)));
        if ear.within(PATIENCE, appeared).is_none() {
            panic!("scrivend did not appear; exit: {:?}", daemon.running.0.try_wait());
        }
        daemon
    }

    /// Starts the daemon and waits until its model is loaded.
    pub(crate) fn ready_daemon(&self) -> Daemon {
        let daemon = self.daemon();
        let bus = self.connect();
        eventually("the model is ready", || {
            let state: String = crate::hearing::property(&bus, "ModelState").try_into().unwrap();
            assert_ne!(state, "failed");
            state == "ready"
        });
        daemon
    }

    /// Waits until a `scriven listen` hears the signals.
    pub(crate) fn wait_for_listener(&self) {
        let bus = self.connect();
        let (name, stats) = ("org.freedesktop.DBus", "org.freedesktop.DBus.Debug.Stats");
        let path = "/org/freedesktop/DBus";
        eventually("scriven listens", || {
            let reply = bus.call_method(Some(name), path, Some(stats), "GetAllMatchRules", &());
            let reply = zbus::block_on(reply).unwrap();
            let rules: HashMap<String, Vec<String>> = reply.body().deserialize().unwrap();
            rules.values().flatten().any(|rule| rule.contains(&format!("interface='{NAME}'")))
        });
    }

    /// Plays a recording to a sink at the speed of life.
    pub(crate) fn play(&self, sound: &Path, sink: &str) -> Running {
        let mut player = at_home(self.home.path(), Path::new("pw-play"));
        Running::start(player.args(["--target", sink]).arg(sound))
    }
}

/// Starts a bus of its own, and tells its address.
fn start_bus(home: &Path) -> (Running, String) {
    let config = home.join("bus.conf");
    fs::write(&config, include_str!("scripts/bus.conf")).unwrap();
    let mut bus = Running::start(
        at_home(home, Path::new("dbus-daemon"))
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(File::create(home.join("bus.log")).unwrap()),
    );
    let mut address = String::new();
    BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (bus, address.trim().to_owned())
}

pub(crate) fn connect_to(address: &str) -> Connection {
    zbus::block_on(zbus::connection::Builder::address(address).build()).unwrap()
}

/// A command whose process ends with this one, and that keeps to the folders of `home`.
pub(crate) fn at_home(home: &Path, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program).env("XDG_RUNTIME_DIR", &DESK.runtime);
    for (name, folder) in
        [("CONFIG", "config"), ("DATA", "data"), ("STATE", "state"), ("CACHE", "cache")]
    {
        command.env(format!("XDG_{name}_HOME"), home.join(folder));
    }
    command.stdin(Stdio::null());
    command
}

/// A process that is killed when dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `scrivend`. When a test fails, its log is shown.
pub(crate) struct Daemon {
    pub(crate) running: Running,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print!("--- scrivend ---\n{}", self.log());
        }
    }
}
