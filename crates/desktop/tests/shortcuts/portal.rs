//! The real xdg-desktop-portal on a bus of its own, in front of a desktop that the test plays; and
//! a portal that the test plays, for what only newer ones do.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use scriven_desktop::shortcut::gesture::DEBOUNCE;
use scriven_desktop::shortcut::{Surroundings, listen_in};
use tempfile::TempDir;
use zbus::block_on;

use crate::fixture::{Ear, Running, binding, eventually, skipped};

mod desktop;
mod served;

use desktop::{Desk, Desktop};
use served::Served;

/// Where Debian has it.
const PORTAL: &str = "/usr/libexec/xdg-desktop-portal";

/// A session bus of its own, which starts the portal when it is called.
struct Bus {
    address: String,
    _bus: Running,
    _home: TempDir,
}

impl Bus {
    /// A bus that starts the portal, or one that starts nothing.
    fn with(portal: bool) -> Self {
        let home = TempDir::with_prefix("scriven-portal.").unwrap();
        let path = |name: &str| home.path().join(name);
        for folder in ["services", "portals", "data/applications"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        fs::write(path("bus.conf"), include_str!("../../../../tests/scripts/bus.conf")).unwrap();
        fs::write(path("portals/test.portal"), desktop::DESCRIPTION).unwrap();
        fs::write(path("portals/portals.conf"), "[preferred]\ndefault=test\n").unwrap();
        let installed = include_str!("../../../../systemd/org.scriven.Scriven.desktop");
        let installed = installed.replace("@BINDIR@/scriven", "/bin/true");
        fs::write(path("data/applications/org.scriven.Scriven.desktop"), installed).unwrap();
        if portal {
            let service =
                format!("[D-BUS Service]\nName=org.freedesktop.portal.Desktop\nExec={PORTAL}\n");
            fs::write(path("services/portal.service"), service).unwrap();
        }
        let mut bus = Running::start(
            Command::new("dbus-daemon")
                .arg(format!("--config-file={}", path("bus.conf").display()))
                .args(["--nofork", "--print-address"])
                .env("HOME", home.path())
                .env("XDG_RUNTIME_DIR", home.path())
                .env("XDG_DATA_HOME", path("data"))
                .env("XDG_DESKTOP_PORTAL_DIR", path("portals"))
                .env("XDG_CURRENT_DESKTOP", "ScrivenTest")
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), _bus: bus, _home: home }
    }

    /// A bus with the real portal and a desktop that the test plays; none where there is no portal.
    fn with_desktop(test: &str) -> Option<(Self, Desktop)> {
        if !Path::new(PORTAL).exists() {
            skipped(test, "xdg-desktop-portal is not installed");
            return None;
        }
        let bus = Self::with(true);
        let desktop = block_on(Desktop::start(&bus.address));
        Some((bus, desktop))
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { bus: Some(self.address.clone()), ..Default::default() }
    }

    fn ear(&self) -> Ear {
        let bindings = [binding("dictate", "CTRL+ALT+space"), binding("note", "LOGO+n")];
        Ear::open(&self.surroundings(), "portal", &bindings)
    }
}

fn locked(desk: &Arc<Mutex<Desk>>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap()
}

#[test]
fn a_shortcut_of_the_desktop_is_pressed_once_and_released_once() {
    let Some((bus, desktop)) = Bus::with_desktop("a shortcut of the desktop") else { return };
    let ear = bus.ear();
    assert_eq!(ear.listening.debounce(), DEBOUNCE);
    let works = ear.hears_of("restored ");
    assert!(works.contains("Shown CTRL+ALT+space for dictate"), "{works}");
    {
        let desk = locked(&desktop.desk);
        let asked: Vec<_> = desk.asked.iter().map(|(id, about)| (id.as_str(), about)).collect();
        assert_eq!(asked[0].0, "dictate");
        assert_eq!(asked[0].1["description"], "To dictate");
        assert_eq!(asked[1].1["preferred_trigger"], "LOGO+n");
    }
    // A desktop may repeat a key that is held, and say things about shortcuts that nobody has.
    for _ in 0..35 {
        desktop.activate("dictate");
    }
    desktop.activate("note");
    desktop.deactivate("unknown");
    desktop.deactivate("dictate");
    desktop.deactivate("dictate");
    desktop.deactivate("note");
    ear.hears(&["+dictate", "+note", "-dictate", "-note"]);
    assert_eq!(ear.rest(), [""; 0]);
    let statuses = ear.listening.bindings();
    assert_eq!(statuses[1].trigger, "Shown LOGO+n");
    assert!(statuses.iter().all(|status| status.problem.is_none()));
}

#[test]
fn what_the_desktop_lists_is_the_truth_and_not_what_it_answers() {
    let Some((bus, desktop)) = Bus::with_desktop("the truth about shortcuts") else { return };
    locked(&desktop.desk).answer = 2;
    let ear = bus.ear();
    assert!(ear.hears_of("restored ").contains("for dictate"));
    desktop.activate("dictate");
    ear.hears(&["+dictate"]);
}

#[test]
fn a_shortcut_that_is_not_granted_is_named_until_it_is() {
    let Some((bus, desktop)) = Bus::with_desktop("a shortcut that is not granted") else { return };
    locked(&desktop.desk).withheld = vec!["note".to_owned()];
    let ear = bus.ear();
    let lost = ear.hears_of("lost ");
    assert!(lost.contains("note (LOGO+n)") && !lost.contains("dictate ("), "{lost}");
    let problem = ear.listening.bindings()[1].problem.clone().unwrap_or_default();
    assert!(problem.contains("has not granted"), "{problem}");
    desktop.activate("dictate");
    ear.hears(&["+dictate"]);
    // The user allows it in the settings.
    locked(&desktop.desk).withheld.clear();
    desktop.tell_changes();
    assert!(ear.hears_of("restored ").contains("for note"));
    assert_eq!(ear.listening.bindings()[1].problem, None);
    assert_eq!(locked(&desktop.desk).sessions, 1, "nobody is asked twice");
}

#[test]
fn a_session_that_the_desktop_closes_is_bound_again() {
    let Some((bus, desktop)) = Bus::with_desktop("a closed session") else { return };
    let ear = bus.ear();
    ear.hears_of("restored ");
    desktop.activate("dictate");
    ear.hears(&["+dictate"]);
    desktop.close_session();
    ear.hears(&["-dictate"]);
    assert!(ear.hears_of("lost ").contains("ended the shortcuts"));
    ear.hears_of("restored ");
    desktop.activate("dictate");
    ear.hears(&["+dictate"]);
    assert_eq!(locked(&desktop.desk).sessions, 2);
}

#[test]
fn a_portal_that_dies_is_started_again() {
    let Some((bus, desktop)) = Bus::with_desktop("a portal that dies") else { return };
    let ear = bus.ear();
    ear.hears_of("restored ");
    desktop.activate("note");
    ear.hears(&["+note"]);
    desktop.kill_portal();
    ear.hears(&["-note"]);
    assert!(ear.hears_of("lost ").contains("portal is gone"));
    ear.hears_of("restored ");
    desktop.activate("note");
    desktop.deactivate("note");
    ear.hears(&["+note", "-note"]);
}

#[test]
fn a_listener_that_is_dropped_ends_its_session() {
    let Some((bus, desktop)) = Bus::with_desktop("the end of a portal's listener") else { return };
    let ear = bus.ear();
    ear.hears_of("restored ");
    drop(ear);
    eventually("the session is closed", || locked(&desktop.desk).closed == 1);
}

#[test]
fn a_newer_portal_is_told_the_name_of_the_application_first() {
    let bus = Bus::with(false);
    let served = block_on(Served::start(&bus.address));
    let ear = bus.ear();
    assert!(ear.listening.verdicts()[0].reason.contains("version 2"));
    assert!(ear.hears_of("restored ").contains("CTRL+ALT+space for dictate"));
    let calls = served.calls.lock().unwrap().clone();
    let expected =
        ["Register org.scriven.Scriven", "CreateSession", "BindShortcuts", "ListShortcuts"];
    assert_eq!(calls, expected);
}

#[test]
fn a_portal_that_is_not_there_or_has_no_shortcuts_or_hangs_is_told_apart() {
    let bus = Bus::with(false);
    let reason = || {
        let bindings = [binding("dictate", "F9")];
        let listening = listen_in(&bus.surroundings(), &bindings, Some("portal"), |_| {});
        assert_eq!(listening.way(), None);
        listening.verdicts()[0].reason.clone()
    };
    assert!(reason().contains("no xdg-desktop-portal"), "{}", reason());
    let empty = block_on(served::empty(&bus.address));
    assert!(reason().contains("keeps no shortcuts"), "{}", reason());
    block_on(empty.graceful_shutdown());
    // One that hangs does not hang us.
    let _mute = block_on(served::mute(&bus.address));
    assert!(reason().contains("does not answer"), "{}", reason());
}
