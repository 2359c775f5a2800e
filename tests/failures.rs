//! What can be wrong around the daemon: each case is told in words, and nothing hangs.

use std::fs;
use std::process::Stdio;

use crate::fixture::{PATIENCE, Room, Running, eventually, stderr};
use crate::hearing::{Options, PATH, Signal, call, call_on, property, refusal, start};

/// Runs `scrivend` where it is to fail, and tells its exit status and its last words.
fn fails(room: &Room) -> (Option<i32>, String) {
    let output = room.command("scrivend").output().unwrap();
    (output.status.code(), stderr(&output))
}

#[test]
fn a_second_daemon_says_that_one_is_running() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let (status, said) = fails(&room);
    assert!(status.is_some_and(|code| code != 0), "{status:?}");
    assert!(said.contains("another scrivend"), "{said}");
}

#[test]
fn a_mistake_in_the_configuration_is_shown_with_line_and_column() {
    let room = Room::without_model();
    room.configure("# my settings\nmodle = \"base\"\n");
    let (status, said) = fails(&room);
    assert!(status.is_some_and(|code| code != 0), "{status:?}");
    assert!(said.contains("config.toml") && said.contains("modle"), "{said}");
    assert!(said.contains("line 2, column 1"), "{said}");
}

#[test]
fn no_bus_is_told() {
    let room = Room::without_model();
    let output = room
        .command("scrivend")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(stderr(&output).contains("bus"), "{}", stderr(&output));
}

#[test]
fn without_a_model_the_command_that_brings_one_is_told() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let bus = room.connect();
    let (name, text) = refusal(start(&bus, &Options::new()));
    assert_eq!(name, "org.scriven.Dictation1.Error.NoModel");
    assert!(text.contains("scriven model pull"), "{text}");
    let output = room.scriven(&["start"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("scriven model pull"), "{}", stderr(&output));
}

#[test]
fn wrong_arguments_are_named_errors() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let bus = room.connect();
    let refused = |key, value| refusal(start(&bus, &Options::from([(key, value)])));
    let cases = [
        ("sorce", "default".into(), "UnsupportedOption"),
        ("linger", 1u32.into(), "InvalidArgument"),
        ("task", "sing".into(), "InvalidArgument"),
        ("handle_token", "../..".into(), "InvalidArgument"),
        ("languages", vec!["klingon"].into(), "UnsupportedLanguage"),
    ];
    for (key, value, error) in cases {
        let (name, text) = refused(key, value);
        assert_eq!(name, format!("org.scriven.Dictation1.Error.{error}"), "{key}: {text}");
        assert!(!text.is_empty(), "{key}");
    }
    let (name, _) = refusal(call(&bus, "Press", &("sing", Options::new())));
    assert_eq!(name, "org.scriven.Dictation1.Error.NotFound");
    let (name, _) = refusal(call(&bus, "StartSession", &("not a dictionary",)));
    assert!(name.starts_with("org.freedesktop.DBus.Error."), "{name}");
    let (name, _) = refusal(call_on(
        &bus,
        &format!("{PATH}/session/none/none"),
        "org.scriven.Dictation1.Session",
        "Stop",
        &(),
    ));
    assert!(name.starts_with("org.freedesktop.DBus.Error.Unknown"), "{name}");
    start(&bus, &Options::new()).expect("after all that a dictation starts");
}

#[test]
fn a_listener_is_told_when_the_daemon_is_killed() {
    let room = Room::new();
    let mut daemon = room.ready_daemon();
    let log = room.path("listen.err");
    let mut listener = Running::start(
        room.command("scriven")
            .args(["listen", "--dictate"])
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap()),
    );
    let bus = room.connect();
    eventually("it dictates", || {
        let state: String = property(&bus, "State").try_into().unwrap();
        state == "listening"
    });
    daemon.running.kill();
    assert!(!listener.wait().success());
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("daemon"), "{said:?}");
}

#[test]
fn a_killed_daemon_leaves_nothing_that_hinders_the_next() {
    let room = Room::new();
    let mut daemon = room.ready_daemon();
    assert!(room.scriven(&["start"]).status.success());
    daemon.running.kill();
    let _next = room.ready_daemon();
    assert!(room.scriven(&["start"]).status.success());
}

#[test]
fn a_daemon_that_is_asked_to_leave_says_so_and_leaves() {
    let room = Room::new();
    let mut daemon = room.ready_daemon();
    assert!(room.scriven(&["start"]).status.success());
    let ear = room.ear();
    let pid = rustix::process::Pid::from_child(&daemon.running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let left = ear.within(PATIENCE, |signal| matches!(signal, Signal::Owner(None)));
    assert!(left.is_some(), "the name is given back");
    assert!(daemon.running.wait().success(), "SIGTERM is no failure");
}
