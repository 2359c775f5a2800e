//! Somebody speaks at an X server where IBus is at work.

use std::path::Path;
use std::process::Stdio;

use crate::fixture::{Room, Running, eventually, stdout};
use crate::speech::{JFK, assert_heard, jfk};
use crate::sway::installed;

use super::screen::Screen;
use super::{assert_delivered, stages, wait_for_listening};

/// What a program says at the display of `room`.
fn ask(room: &Room, program: &str, arguments: &[&str]) -> String {
    let mut command = room.neighbour(Path::new(program));
    stdout(&command.args(arguments).stderr(Stdio::null()).output().unwrap()).trim().to_owned()
}

/// The layout of the X server, and IBus's engine.
fn state(room: &Room) -> [String; 2] {
    [ask(room, "setxkbmap", &["-query"]), ask(room, "ibus", &["engine"])]
}

/// Starts an IBus daemon, with a German layout and an engine for it.
fn ibus(room: &Room) -> Option<Running> {
    for program in ["ibus-daemon", "setxkbmap"] {
        installed(program)?;
    }
    let mut command = room.neighbour(Path::new("ibus-daemon"));
    let daemon = Running::start(command.args(["--panel", "disable"]).stderr(Stdio::null()));
    let mut engine = String::new();
    eventually("IBus has engines", || {
        let engines = ask(room, "ibus", &["list-engine", "--name-only"]);
        let german = engines.lines().map(str::trim).find(|name| name.starts_with("xkb:de::"));
        engine = german.unwrap_or_default().to_owned();
        !engine.is_empty()
    });
    ask(room, "ibus", &["engine", &engine]);
    ask(room, "setxkbmap", &["de"]);
    eventually("the engine is German", || state(room)[1] == engine);
    Some(daemon)
}

#[test]
fn tentative_words_stand_in_a_field_of_ibus_and_nothing_else_is_changed() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    room.show_on("DISPLAY", &screen.display);
    let Some(_ibus) = ibus(&room) else { return };
    let Some(field) = screen.field(&room, "ibus") else { return };
    let before = state(&room);
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    // A key that is grabbed would take the focus from the field while it is held.
    assert!(room.scriven(&["press"]).status.success());
    wait_for_listening(&ear);
    let mut player = room.play(&jfk(), "virtmic_in");
    eventually("tentative words are shown", || stages(&field, "preedit").len() > 1);
    screen.picture("ibus-tentative");
    player.wait();
    assert!(room.scriven(&["release"]).status.success());
    let text = assert_delivered(&ear.until_ended(), "ibus");
    assert_heard(JFK, &text);
    eventually("all of it stands there", || field.now("text", 0) == text);
    eventually("nothing is tentative any more", || field.now("preedit", 0).is_empty());
    screen.picture("ibus-final");
    assert_eq!(field.count("key"), 0, "text came as keys");
    assert_eq!(state(&room), before);
}
