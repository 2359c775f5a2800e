//! Real speech into a real window: a key is held, somebody speaks, and the words stand in a terminal
//! on an X server of the test's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fixture::{Room, Running, at_home, eventually, skipped, stderr, stdout};
use crate::hearing::{Ear, Heard, Signal, ending, finals};
use crate::speech::{assert_heard, sentence};

/// An X server with a terminal in focus, and what was typed there.
struct Screen {
    display: String,
    typed: PathBuf,
    _terminal: Running,
    _server: Running,
}

impl Screen {
    /// `None` where a part is missing; its name has been told.
    fn new(room: &Room) -> Option<Self> {
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
        let display = format!(":{}", number.trim());
        let typed = room.path("typed");
        let keep = format!("stty raw -echo; cat >'{}'", typed.display());
        let terminal = Running::start(
            at_home(&room.path("."), "xterm".as_ref())
                .env("DISPLAY", &display)
                .args(["-u8", "-fn", "fixed", "-T", "paper", "-e", "sh", "-c", &keep]),
        );
        eventually("the terminal runs", || typed.exists());
        let screen = Self { display, typed, _terminal: terminal, _server: server };
        eventually("the terminal has the focus", || {
            screen.xdotool(&["search", "--name", "paper", "windowfocus", "--sync"])
        });
        Some(screen)
    }

    fn xdotool(&self, arguments: &[&str]) -> bool {
        let mut xdotool = Command::new("xdotool");
        let status = xdotool.env("DISPLAY", &self.display).args(arguments).stderr(Stdio::null());
        status.stdout(Stdio::null()).status().unwrap().success()
    }

    /// The clipboard, as another program gets it.
    fn clipboard(&self) -> String {
        let mut xclip = Command::new("xclip");
        let xclip = xclip.env("DISPLAY", &self.display).args(["-selection", "clipboard", "-o"]);
        stdout(&xclip.output().unwrap())
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.typed).unwrap()
    }
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
    let Some(screen) = Screen::new(&room) else { return };
    room.show_on(&screen.display);
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
    eventually("the text is in the file", || screen.text() == text);
}

#[test]
fn escape_drops_what_is_being_said_and_is_the_windows_before_and_after() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&room) else { return };
    room.show_on(&screen.display);
    room.configure("[[action]]\nname = \"dictate\"\ntrigger = \"F9\"\nmode = \"toggle\"\n");
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    eventually("the key is watched", || stdout(&room.scriven(&["doctor"])).contains("F9: dictate"));
    let escape = "\u{1b}";
    assert!(screen.xdotool(&["key", "Escape"]));
    eventually("Escape is the window's", || screen.text() == escape);
    assert!(screen.xdotool(&["key", "F9"]));
    wait_for_listening(&ear);
    room.play(&sentence().0, "virtmic_in").wait();
    assert!(screen.xdotool(&["key", "Escape"]));
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "cancelled");
    assert_eq!(deliveries(&heard), []);
    // What was typed while it was spoken is taken away again.
    eventually("nothing of it stands there", || left(&screen.text()) == escape);
    assert!(screen.xdotool(&["key", "Escape"]));
    eventually("Escape is the window's again", || left(&screen.text()) == [escape; 2].concat());
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
    let Some(screen) = Screen::new(&room) else { return };
    room.show_on(&screen.display);
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
    assert_eq!(screen.text(), "", "nothing is pressed");
    drop(daemon);
    assert_eq!(screen.clipboard(), "", "it is gone with the daemon");
}

#[test]
fn what_did_not_get_into_a_window_is_typed_later() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&room) else { return };
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
    room.show_on(&screen.display);
    let _daemon = room.ready_daemon();
    let history = stdout(&room.scriven(&["history", "--json"]));
    let entry: Value = serde_json::from_str(history.lines().next().unwrap()).unwrap();
    assert_eq!((&entry["state"], &entry["text"]), (&"undelivered".into(), &text.as_str().into()));
    let again = room.scriven(&["redeliver"]);
    assert!(again.status.success(), "{}", stderr(&again));
    eventually("the text is in the file", || screen.text() == text);
    let undone = room.scriven(&["undo"]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    // A terminal in raw mode shows what takes a character away.
    let erased = format!("{text}{}", "\u{8}".repeat(text.chars().count()));
    let erased_too = erased.replace('\u{8}', "\u{7f}");
    eventually("it is taken away", || [&erased, &erased_too].contains(&&screen.text()));
    let inserted = room.scriven(&["insert", "é ß 日本語 😀"]);
    assert!(inserted.status.success(), "{}", stderr(&inserted));
    eventually("any script is typed", || screen.text().ends_with("é ß 日本語 😀"));
}

#[test]
fn a_button_of_the_desktop_types_what_did_not_arrive() {
    let mut room = Room::new();
    let Some(screen) = Screen::new(&room) else { return };
    if Command::new("dunst").arg("-version").output().is_err() {
        return skipped("a message with a button", "dunst is not installed");
    }
    room.show_on(&screen.display);
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
    assert_eq!(screen.text(), "");
    assert!(desktop("dunstctl").args(["action", "0"]).status().unwrap().success());
    eventually("the text is in the file", || screen.text() == finals(&heard));
}
