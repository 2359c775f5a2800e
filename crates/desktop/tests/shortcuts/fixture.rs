//! What every test stands on: programs that end with the test, and what a listener said.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use scriven_desktop::shortcut::{Binding, Event, Listening, Stroke, Surroundings, listen_in};

/// How long anything may take on a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Says by name that a test could not run. It goes past the capture of the test harness, so that
/// it is seen and counted.
pub(crate) fn skipped(what: &str, why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {what}: {why}").unwrap();
}

pub(crate) fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).exists())
}

/// Asks until it is so. For what no event tells.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that ends with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a program to its end.
pub(crate) fn ran(program: &str, arguments: &[impl AsRef<OsStr>]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn binding(action: &str, trigger: &str) -> Binding {
    let description = format!("To {action}");
    Binding { action: action.to_owned(), trigger: trigger.to_owned(), description }
}

/// A listener, and what it says.
pub(crate) struct Ear {
    pub(crate) listening: Listening,
    events: Receiver<Event>,
}

impl Ear {
    pub(crate) fn open(surroundings: &Surroundings, way: &str, bindings: &[Binding]) -> Self {
        let (sender, events) = mpsc::channel();
        // When the test is over nobody listens any more.
        let sink = move |event| drop(sender.send(event));
        let listening = listen_in(surroundings, bindings, Some(way), sink);
        assert_eq!(listening.way(), Some(way), "{:?}", listening.verdicts());
        Self { listening, events }
    }

    /// The next thing said, short: `+action`, `-action`, `!`, `lost …`, `restored …`.
    pub(crate) fn next(&self) -> String {
        let event = self.events.recv_timeout(PATIENCE).expect("something is said");
        short(event)
    }

    pub(crate) fn hears(&self, expected: &[&str]) {
        let heard: Vec<String> = expected.iter().map(|_| self.next()).collect();
        assert_eq!(heard, expected);
    }

    /// The next thing said begins with `beginning`; gives the rest.
    pub(crate) fn hears_of(&self, beginning: &str) -> String {
        let heard = self.next();
        let rest = heard.strip_prefix(beginning);
        rest.unwrap_or_else(|| panic!("{heard:?} does not begin with {beginning:?}")).to_owned()
    }

    /// What was said and not yet heard.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.events.try_iter().map(short).collect()
    }
}

fn short(event: Event) -> String {
    match event {
        Event::Stroke { stroke: Stroke::Pressed { action }, .. } => format!("+{action}"),
        Event::Stroke { stroke: Stroke::Released { action }, .. } => format!("-{action}"),
        Event::Stroke { stroke: Stroke::Cancelled, .. } => "!".to_owned(),
        Event::Lost { reason, .. } => format!("lost {reason}"),
        Event::Restored { reason, .. } => format!("restored {reason}"),
    }
}
