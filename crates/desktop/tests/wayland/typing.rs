//! The virtual keyboard.

use scriven_desktop::Error;
use scriven_desktop::insertion::{Proof, virtual_keyboard};
use serde_json::{Value, json};

use crate::sway::{Sway, Terminal, rounds, wait_for};
use crate::ways::{connect, target};
use crate::window::{Window, has_gtk};
use crate::{ASCII, WORLD};

fn exact_in_a_terminal(layout: &str) {
    let Some(sway) = Sway::start(layout, "") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    assert_eq!(target(&mut *way).app_id.as_deref(), Some("foot"));
    let mut wanted = String::new();
    for round in 0..rounds() {
        for text in [ASCII, WORLD] {
            let line = format!("{round}{text}\n");
            assert_eq!(way.insert(&line).unwrap(), Proof::Taken);
            wanted.push_str(&line);
            assert_eq!(terminal.line(&line), wanted, "{layout}, round {round}");
        }
    }
    sway.picture(&format!("typing-{layout}"));
}

#[test]
fn text_is_exact_where_the_layout_is_us() {
    exact_in_a_terminal("us");
}

#[test]
fn text_is_exact_where_the_layout_is_german() {
    exact_in_a_terminal("de");
}

#[test]
fn text_is_exact_where_the_layout_is_french() {
    exact_in_a_terminal("fr");
}

#[test]
fn text_is_exact_in_a_gtk_entry() {
    let Some(sway) = Sway::start("de", "") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    for gtk in ["3", "4"] {
        if has_gtk(gtk).is_none() {
            continue;
        }
        let app_id = format!("gtk{gtk}");
        let window = Window::open(&sway, gtk, "entry", &app_id);
        assert_eq!(target(&mut *way).app_id, Some(app_id));
        let mut wanted = String::new();
        for _ in 0..rounds() {
            for text in [ASCII, WORLD] {
                way.insert(text).unwrap();
                wanted.push_str(text);
                window.shows("text", 0, &wanted);
            }
        }
        way.delete_before(WORLD.chars().count()).unwrap();
        window.shows("text", 0, wanted.strip_suffix(WORLD).unwrap());
        assert_eq!(window.count("shortcut"), 0);
    }
}

#[test]
fn a_text_with_more_characters_than_keys_is_exact() {
    let Some(sway) = Sway::without_keyboard("us", "") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    // A terminal's line ends at 4096 bytes; three keymaps are needed.
    let text: String = ('\u{4e00}'..'\u{4f90}').chain(['\n']).collect();
    way.insert(&text).unwrap();
    assert_eq!(terminal.line("\n"), text);
}

#[test]
fn keys_that_are_held_make_no_shortcuts_of_the_text() {
    let Some(sway) = Sway::start("us", "") else { return };
    let Some(()) = has_gtk("3") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    let window = Window::open(&sway, "3", "entry", "gtk3");
    target(&mut *way);
    let mut wanted = String::new();
    for (held, bit) in [("shift", 1), ("capslock", 2), ("ctrl", 4), ("alt", 8), ("logo", 64)] {
        // Another keyboard, on which a key is held while we type on ours.
        let mut user = sway.command("wtype");
        let mut user = user.args(["-M", held, "-k", "F2", "-s", "60000"]).spawn().unwrap();
        let has_held = |told: &Value| {
            *told == json!(["key", "F2", told[2]]) && told[2].as_u64().unwrap() & bit != 0
        };
        wait_for(held, || window.find(has_held));
        let shortcuts = window.count("shortcut");
        let text = format!("{held} acvx QW ");
        way.insert(&text).unwrap();
        wanted.push_str(&text);
        window.shows("text", 0, &wanted);
        assert_eq!(window.count("shortcut"), shortcuts, "{held}");
        user.kill().unwrap();
        user.wait().unwrap();
    }
}

#[test]
fn a_key_that_is_held_for_a_binding_stays_held() {
    let bindings = "bindsym F9 exec touch pressed\nbindsym --release F9 exec touch released";
    let Some(sway) = Sway::start("us", bindings) else { return };
    let file = |name: &str| sway.folder.path().join(name).exists();
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    let mut user = sway.command("wtype");
    let mut user =
        user.args(["-P", "F9", "-s", "4000", "-p", "F9", "-s", "60000"]).spawn().unwrap();
    wait_for("the press", || file("pressed").then_some(()));
    way.insert("typed while a key is held\n").unwrap();
    assert_eq!(terminal.line("\n"), "typed while a key is held\n");
    assert!(!file("released"), "typing has released the key");
    wait_for("the release", || file("released").then_some(()));
    user.kill().unwrap();
    user.wait().unwrap();
}

#[test]
fn the_focus_is_told_and_text_stays_where_it_was_meant_for() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    assert!(matches!(way.target(), Err(Error::NoTarget)));
    let first = Terminal::open(&sway, "first");
    let began = target(&mut *way);
    let _second = Terminal::open(&sway, "second");
    let other = wait_for("the new focus", || way.target().ok().filter(|now| now.id != began.id));
    assert_eq!(other.app_id.as_deref(), Some("second"));
    sway.focus_on("first");
    wait_for("the old focus", || (way.target().ok()? == began).then_some(()));
    way.insert("here\n").unwrap();
    assert_eq!(first.line("\n"), "here\n");
    drop(first);
    wait_for("the last window", || (way.target().ok()? == other).then_some(()));
}

/// No more is there than what is said to be there; keys on their way when the focus moved are not.
#[test]
fn a_window_that_comes_to_the_front_stops_the_typing_and_how_much_was_typed_is_told() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, virtual_keyboard::connect_to);
    let _second = Terminal::open(&sway, "second");
    let first = Terminal::open(&sway, "first");
    wait_for("the first", || (way.target().ok()?.app_id? == "first").then_some(()));
    let text: String = (0..20_000).map(|line| format!("{line:04}\n")).collect();
    let typed = text.clone();
    let typing = std::thread::Builder::new().spawn(move || way.insert(&typed)).unwrap();
    first.line("\n");
    sway.focus_on("second");
    let (characters, reason) = match typing.join().unwrap() {
        Err(Error::Partly { characters, reason }) => (characters, *reason),
        other => panic!("the focus moved in the middle: {other:?}"),
    };
    assert!(matches!(reason, Error::TargetMoved), "{reason}");
    // How many keys went to the other window hangs on when the compositor tells that the focus has
    // moved.
    let there = first.text();
    assert!(!there.is_empty() && characters < text.len(), "{characters}: {}", there.len());
    assert!(text[..characters].starts_with(&there), "{characters}: {}", there.len());
}
