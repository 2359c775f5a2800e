//! A window with fields, by GTK, that tells what happens to it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::sway::{Sway, send, skipped, tell, wait_for, wait_or_tell};

/// The one that Debian's packages are for.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// The window of another program.
pub(crate) struct Window {
    process: Child,
    told: Arc<Mutex<Vec<Value>>>,
}

/// `None`, and a line that says so, when this version of GTK is not there for Python.
pub(crate) fn has_gtk(version: &str) -> Option<()> {
    let script = format!("import gi; gi.require_version('Gtk', '{version}.0')");
    let found = Command::new(PYTHON).args(["-c", &script]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        skipped(&format!("GTK {version} is not installed for Debian's Python"));
    }
    found.then_some(())
}

impl Window {
    /// Opens a window of `kind` and waits until it is in focus.
    pub(crate) fn open(sway: &Sway, gtk: &str, kind: &str, app_id: &str) -> Self {
        Self::open_with(sway, gtk, kind, app_id, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn open_with(
        sway: &Sway,
        gtk: &str,
        kind: &str,
        app_id: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut python = sway.command(PYTHON);
        python.envs(environment.iter().copied());
        let mut window = Self::start(&mut python, gtk, kind, app_id);
        wait_for("a window", || {
            assert!(window.process.try_wait().unwrap().is_none(), "window.py has ended");
            window.find(|told| *told == json!(["active", true]))
        });
        wait_for("its focus", || (sway.focus()? == app_id).then_some(()));
        window
    }

    /// Lets `python` open a window, wherever its environment says.
    pub(crate) fn start(python: &mut Command, gtk: &str, kind: &str, app_id: &str) -> Self {
        let mut process = python
            .args(["-c", include_str!("window.py"), gtk, kind, app_id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (lines, list) = (BufReader::new(process.stdout.take().unwrap()).lines(), told.clone());
        let read = move || {
            for line in lines.map_while(Result::ok) {
                list.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        };
        std::thread::Builder::new().name(app_id.to_owned()).spawn(read).unwrap();
        Self { process, told }
    }

    /// All that it told so far.
    #[allow(dead_code, reason = "for the end-to-end tests")]
    pub(crate) fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }

    /// The last of what it told that `fits`.
    pub(crate) fn find(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        self.told.lock().unwrap().iter().rev().find(|told| fits(told)).cloned()
    }

    /// How often it told of this.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|told| told[0] == what).count()
    }

    /// The text in field `number` now: of `what` text or preedit.
    pub(crate) fn now(&self, what: &str, number: usize) -> String {
        let last = self.find(|told| told[0] == what && told[1] == number);
        last.map_or_else(String::new, |told| told[2].as_str().unwrap().to_owned())
    }

    /// Waits until field `number` shows exactly this.
    pub(crate) fn shows(&self, what: &str, number: usize, text: &str) {
        let tell = || format!("{what} {text:?} in field {number}: {:?}", self.now(what, number));
        wait_or_tell(tell, || (self.now(what, number) == text).then_some(()));
    }

    /// Moves the focus to another field.
    pub(crate) fn focus(&mut self, number: usize) {
        tell(&mut self.process, &format!("focus {number}"));
    }

    pub(crate) fn signal(&self, signal: &str) {
        send(self.process.id(), signal);
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
