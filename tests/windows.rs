//! Real speech into real windows: somebody presses a key and speaks, and the words stand in the window
//! of another program.

mod ibus;
mod screen;
mod wlroots;

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::fixture::{Room, Running, at_home, eventually, skipped, stderr, stdout};
use crate::hearing::{Ear, Heard, Signal, ending, finals};
use crate::speech::{JFK, assert_heard, jfk, sentence};
use crate::window::Window;

use self::screen::Screen;

/// Asserts that every final text is in a window by this way; gives what was heard.
fn assert_delivered(heard: &[Heard], way: &str) -> String {
    let told = deliveries(heard);
    let count = heard.iter().filter(|heard| matches!(heard.signal, Signal::Final { .. })).count();
    assert_eq!(told.len(), count, "{told:?}");
    assert!(told.iter().all(|(_, backend, ok, _)| *ok && backend == way), "{told:?}");
    finals(heard)
}

/// The texts that a field has held, or that were shown in it tentatively, one after the other.
fn stages(field: &Window, what: &str) -> Vec<String> {
    let told = field.told();
    let texts = told.iter().filter(|told| told[0] == what).map(|told| told[2].as_str().unwrap());
    texts.map(str::to_owned).collect()
}

fn deliveries(heard: &[Heard]) -> Vec<(u32, String, bool, String)> {
    let told = heard.iter().filter_map(|heard| match &heard.signal {
        Signal::Delivered { utterance, backend, ok, detail } => {
            Some((*utterance, backend.clone(), *ok, detail.clone()))
        }
        _ => None,
    });
    told.collect()
}

fn wait_for_listening(ear: &Ear) {
    ear.wait("the daemon listens", |signal| {
        matches!(signal, Signal::Changed(new)
            if new.get("State").is_some_and(|state| state.downcast_ref() == Ok("listening")))
    });
}

#[test]
fn what_is_said_while_a_key_is_held_stands_in_the_window() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    let terminal = screen.terminal(&room);
    room.show_on("DISPLAY", &screen.display);
    room.configure("[[action]]\nname = \"dictate\"\ntrigger = \"F9\"\n");
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    eventually("the key is watched", || stdout(&room.scriven(&["doctor"])).contains("F9: dictate"));
    assert!(screen.xdotool(&["keydown", "F9"]));
    wait_for_listening(&ear);
    let (sound, said) = sentence();
    room.play(&sound, "virtmic_in").wait();
    assert!(screen.xdotool(&["keyup", "F9"]));
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "stopped");
    let text = finals(&heard);
    assert_heard(said, &text);
    let told = deliveries(&heard);
    assert_eq!(told, [(1, "x11".into(), true, "taken".into())]);
    // Character by character what was heard, and nothing of the key.
    eventually("the text is in the file", || terminal.text() == text);
}

#[test]
fn escape_drops_what_is_being_said_and_is_the_windows_before_and_after() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    let terminal = screen.terminal(&room);
    room.show_on("DISPLAY", &screen.display);
    room.configure("[[action]]\nname = \"dictate\"\ntrigger = \"F9\"\nmode = \"toggle\"\n");
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    eventually("the key is watched", || stdout(&room.scriven(&["doctor"])).contains("F9: dictate"));
    let escape = "\u{1b}";
    assert!(screen.xdotool(&["key", "Escape"]));
    eventually("Escape is the window's", || terminal.text() == escape);
    assert!(screen.xdotool(&["key", "F9"]));
    wait_for_listening(&ear);
    room.play(&sentence().0, "virtmic_in").wait();
    assert!(screen.xdotool(&["key", "Escape"]));
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "cancelled");
    assert_eq!(deliveries(&heard), []);
    // What was typed while it was spoken is taken away again.
    eventually("nothing of it stands there", || left(&terminal.text()) == escape);
    assert!(screen.xdotool(&["key", "Escape"]));
    eventually("Escape is the window's again", || left(&terminal.text()) == [escape; 2].concat());
}

/// What remains where each BackSpace takes a character away.
fn left(typed: &str) -> String {
    let mut left = String::new();
    for sign in typed.chars() {
        match sign {
            '\u{8}' | '\u{7f}' => drop(left.pop()),
            sign => left.push(sign),
        }
    }
    left
}

#[test]
fn what_is_copied_is_pasted_by_others() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    let terminal = screen.terminal(&room);
    room.show_on("DISPLAY", &screen.display);
    let daemon = room.ready_daemon();
    let ear = room.ear();
    assert!(room.scriven(&["toggle", "--output", "copy"]).status.success());
    wait_for_listening(&ear);
    room.play(&sentence().0, "virtmic_in").wait();
    assert!(room.scriven(&["toggle"]).status.success());
    let heard = ear.until_ended();
    assert_eq!(deliveries(&heard), [(1, "copy".into(), true, "taken".into())]);
    let text = finals(&heard);
    assert_eq!(screen.clipboard(), text);
    assert_eq!(terminal.text(), "", "nothing is pressed");
    drop(daemon);
    assert_eq!(screen.clipboard(), "", "it is gone with the daemon");
}

#[test]
fn what_did_not_get_into_a_window_is_typed_later() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    let terminal = screen.terminal(&room);
    let daemon = room.ready_daemon();
    let ear = room.ear();
    // There is no display yet: the text goes nowhere.
    assert!(room.scriven(&["press"]).status.success());
    wait_for_listening(&ear);
    room.play(&sentence().0, "virtmic_in").wait();
    assert!(room.scriven(&["release"]).status.success());
    let heard = ear.until_ended();
    let text = finals(&heard);
    assert!(!text.is_empty());
    let told = deliveries(&heard);
    assert!(told.iter().all(|(_, _, ok, _)| !ok) && !told.is_empty(), "{told:?}");
    // The daemon dies, and the next one has a display.
    drop(daemon);
    room.show_on("DISPLAY", &screen.display);
    let _daemon = room.ready_daemon();
    let history = stdout(&room.scriven(&["history", "--json"]));
    let entry: Value = serde_json::from_str(history.lines().next().unwrap()).unwrap();
    assert_eq!((&entry["state"], &entry["text"]), (&"undelivered".into(), &text.as_str().into()));
    let again = room.scriven(&["redeliver"]);
    assert!(again.status.success(), "{}", stderr(&again));
    eventually("the text is in the file", || terminal.text() == text);
    let undone = room.scriven(&["undo"]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    // A terminal in raw mode shows what takes a character away.
    let erased = format!("{text}{}", "\u{8}".repeat(text.chars().count()));
    let erased_too = erased.replace('\u{8}', "\u{7f}");
    eventually("it is taken away", || [&erased, &erased_too].contains(&&terminal.text()));
    let inserted = room.scriven(&["insert", "é ß 日本語 😀"]);
    assert!(inserted.status.success(), "{}", stderr(&inserted));
    eventually("any script is typed", || terminal.text().ends_with("é ß 日本語 😀"));
}

#[test]
fn words_are_typed_while_they_are_spoken_and_stand_there_once() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    let Some(field) = screen.field(&room, "gtk-im-context-simple") else { return };
    room.show_on("DISPLAY", &screen.display);
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    let other_ear = room.ear();
    // No key is held, so that keys can be typed.
    assert!(room.scriven(&["toggle"]).status.success());
    wait_for_listening(&ear);
    let mut player = room.play(&jfk(), "virtmic_in");
    eventually("words stand there", || stages(&field, "text").len() > 1);
    screen.picture("x11-live");
    let is_final = |signal: &Signal| matches!(signal, Signal::Final { .. });
    assert!(other_ear.within(Duration::ZERO, is_final).is_none(), "only what was final was typed");
    player.wait();
    assert!(room.scriven(&["toggle"]).status.success());
    let text = assert_delivered(&ear.until_ended(), "x11");
    assert_heard(JFK, &text);
    eventually("all of it stands there", || field.now("text", 0) == text);
    screen.picture("x11-final");
    assert_eq!((field.count("shortcut"), field.count("preedit")), (0, 0));
}

#[test]
fn a_button_of_the_desktop_types_what_did_not_arrive() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&mut room) else { return };
    if Command::new("dunst").arg("-version").output().is_err() {
        return skipped("a message with a button", "dunst is not installed");
    }
    let terminal = screen.terminal(&room);
    room.show_on("DISPLAY", &screen.display);
    let desktop = |program: &str| {
        let mut command = at_home(&room.path("."), program.as_ref());
        command.env("DISPLAY", &screen.display).stderr(Stdio::null());
        command.env("DBUS_SESSION_BUS_ADDRESS", room.address());
        command
    };
    let _dunst = Running::start(&mut desktop("dunst"));
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    // With this key down, letters would be shortcuts: they are kept back.
    assert!(screen.xdotool(&["keydown", "ctrl"]));
    assert!(room.scriven(&["press"]).status.success());
    wait_for_listening(&ear);
    room.play(&sentence().0, "virtmic_in").wait();
    assert!(room.scriven(&["release"]).status.success());
    let heard = ear.until_ended();
    assert!(screen.xdotool(&["keyup", "ctrl"]));
    let told = deliveries(&heard);
    assert!(told.iter().all(|(_, _, ok, _)| !ok) && !told.is_empty(), "{told:?}");
    eventually("the message is shown", || {
        stdout(&desktop("dunstctl").args(["count", "displayed"]).output().unwrap()).trim() == "1"
    });
    assert_eq!(terminal.text(), "");
    assert!(desktop("dunstctl").args(["action", "0"]).status().unwrap().success());
    eventually("the text is in the file", || terminal.text() == finals(&heard));
}
