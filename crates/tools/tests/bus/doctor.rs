//! `doctor`, and what is said when something is missing.

use serde_json::Value;
use zbus::connection::Builder;

use crate::daemon::Daemon;
use crate::fixture::{Bus, Ran};

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == name).unwrap_or(&Value::Null)
}

fn report(bus: &Bus) -> (i32, Value) {
    let ran = bus.run(&["doctor", "--json"]);
    (ran.code, serde_json::from_str(&ran.stdout).unwrap())
}

#[test]
fn a_daemon_with_a_model_is_healthy() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let (code, report) = report(&bus);
    assert_eq!((code, &report["healthy"]), (0, &true.into()), "{report:#}");
    assert_eq!(check(&report, "model")["found"], "base, ready");
    assert_eq!(check(&report, "microphone")["found"], "A microphone, one of 2 sources");
    assert_eq!(check(&report, "typing")["found"], "into windows, by x11");
    let text = bus.run(&["doctor"]).stdout;
    let why = "input-method: not usable: no Wayland compositor; start one";
    assert!(text.contains(why) && text.contains("x11, chosen: types"), "{text}");
    assert!(text.contains("copy: leaves text on the clipboard"), "{text}");
    assert_eq!(check(&report, "focus")["found"], "foot, profile terminal");
    assert!(text.contains("portal: types, but does not see which window gets it\n"), "{text}");
    assert_eq!(check(&report, "shortcuts")["found"], "portal: no portal runs; x11: 2 keys");
    assert!(text.contains("F9: dictate, hold"), "{text}");
    assert!(text.contains("F10: note: another program has it\n"), "{text}");
    assert!(text.contains("→ take another key\n"), "{text}");
    assert_eq!(check(&report, "pipewire")["verdict"], "warning");
    assert_eq!(check(&report, "activation")["verdict"], "warning");
}

#[test]
fn a_program_that_shows_messages_is_found() {
    let bus = Bus::start();
    let name = "org.freedesktop.Notifications";
    let _server =
        zbus::block_on(Builder::address(bus.address.as_str()).name(name).build()).unwrap();
    let (_, report) = report(&bus);
    assert_eq!(check(&report, "messages")["found"], "the desktop shows errors");
}

#[test]
fn a_gpu_that_is_not_used_is_a_warning_with_the_reason() {
    let bus = Bus::start();
    let name = "org.scriven.Dictation1.Error.GpuUnavailable";
    let _daemon = Daemon::start_with(&bus, "ready", (name, "no Vulkan driver"));
    let (_, report) = report(&bus);
    let compute = check(&report, "compute");
    assert_eq!(compute["found"], "cpu; the GPU is not used: no Vulkan driver");
}

#[test]
fn without_a_daemon_the_fix_is_to_start_it() {
    let bus = Bus::start();
    let (code, report) = report(&bus);
    assert_eq!(code, 1);
    let fix = check(&report, "daemon")["fix"].as_str().unwrap();
    assert!(fix.contains("systemctl --user start scriven"), "{fix}");
    let ran = bus.run(&["start"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (1, 1));
    assert!(ran.stderr.contains("systemctl --user start scriven"), "{}", ran.stderr);
}

#[test]
fn a_daemon_that_does_not_start_points_to_its_log() {
    let home = tempfile::tempdir().unwrap();
    let services = home.path().join("data/dbus-1/services");
    std::fs::create_dir_all(&services).unwrap();
    let service = "[D-BUS Service]\nName=org.scriven.Dictation1\nExec=/bin/false\n";
    std::fs::write(services.join("org.scriven.Dictation1.service"), service).unwrap();
    let bus = Bus::start_in(home);
    let (code, report) = report(&bus);
    assert_eq!(code, 1);
    assert_eq!(check(&report, "activation")["verdict"], "ok", "{report:#}");
    let fix = check(&report, "daemon")["fix"].as_str().unwrap();
    assert!(fix.contains("journalctl --user -u scriven"), "{report:#}");
}

#[test]
fn without_a_bus_the_address_is_what_to_mend() {
    let bus = Bus::start();
    let mut command = bus.scriven(&["start"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!((ran.code, ran.stderr.lines().count()), (1, 1));
    assert!(ran.stderr.starts_with("scriven: no session bus: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("DBUS_SESSION_BUS_ADDRESS"), "{}", ran.stderr);
}

#[test]
fn a_session_without_a_model_says_how_to_get_one() {
    let bus = Bus::start();
    let _daemon = Daemon::start_with(&bus, "failed", ("", ""));
    let ran = bus.run(&["start"]);
    let expected = "scriven: no model is installed; fetch one with: scriven model pull base\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, expected));
}

#[test]
fn manual_pages_and_completions_are_made_from_the_same_definitions() {
    let bus = Bus::start();
    let dir = bus.home().join("man");
    assert_eq!(bus.run(&["man", dir.to_str().unwrap()]).code, 0);
    let page = std::fs::read_to_string(dir.join("scriven.1")).unwrap();
    assert!(page.contains(".SH EXIT STATUS"), "{page}");
    assert!(dir.join("scriven-model-pull.1").exists());
    for shell in ["bash", "fish", "zsh"] {
        assert!(bus.run(&["completions", shell]).stdout.contains("transcribe"), "{shell}");
    }
}
