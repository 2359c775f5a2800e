//! What is typed is what arrives.

use std::time::Duration;

use rustix::process::Signal;
use scriven_desktop::Error;
use scriven_desktop::insertion::{Backend, Proof, x11};

use crate::fixture::{ASCII, MIXED, Screen, Window, eventually, times};

/// Keycodes of Debian's keyboards (evdev).
const CONTROL: u8 = 37;
const SHIFT: u8 = 50;
const CAPS_LOCK: u8 = 66;
/// Bit of Caps Lock in a state.
const LOCKED: u16 = 2;

fn open(screen: &Screen) -> Box<dyn Backend> {
    x11::connect_to(&screen.display).unwrap()
}

fn type_often(screen: &Screen, window: &Window, text: &str) {
    let mut way = open(screen);
    let mut expected = window.text();
    for _ in 0..times() {
        way.target().unwrap();
        assert_eq!(way.insert(text).unwrap(), Proof::Taken);
        expected.push_str(text);
        window.holds(&expected);
    }
    assert_eq!(window.shortcuts(), "");
}

fn exact(layout: &str) {
    let Some(screen) = Screen::new(layout) else { return };
    let windows = [screen.xterm("terminal"), screen.gtk("gtk"), screen.qt("qt")];
    for window in windows.iter().flatten() {
        screen.client().focus(window);
        type_often(&screen, window, ASCII);
        type_often(&screen, window, MIXED);
    }
}

#[test]
fn every_text_is_exact_on_an_american_keyboard() {
    exact("us");
}

#[test]
fn every_text_is_exact_on_a_german_keyboard() {
    exact("de");
}

#[test]
fn every_text_is_exact_on_a_french_keyboard() {
    exact("fr");
}

#[test]
fn a_cyrillic_keyboard_beside_another_types_both() {
    let Some(screen) = Screen::new("ru,us") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    type_often(&screen, &window, "Съешь же ещё, and 100 % of it.");
}

#[test]
fn the_second_of_two_layouts_types_both() {
    let Some(screen) = Screen::new("us,ru") else { return };
    screen.client().lock_group(1);
    let windows = [screen.xterm("terminal"), screen.gtk("gtk"), screen.qt("qt")];
    for window in windows.iter().flatten() {
        screen.client().focus(window);
        type_often(&screen, window, "Съешь же ещё, and 100 % of it: é.");
    }
    assert_eq!(screen.client().lock_group(1), 1);
}

#[test]
fn lines_and_what_is_taken_back() {
    let Some(screen) = Screen::new("us") else { return };
    if let Some(window) = screen.xterm("terminal") {
        type_often(&screen, &window, "one\n\ntwo\n");
    }
    let Some(window) = screen.gtk("gtk") else { return };
    let mut way = open(&screen);
    way.target().unwrap();
    way.insert("one 日本 three").unwrap();
    way.delete_before(7).unwrap();
    window.holds("one 日");
}

#[test]
fn more_characters_than_keys() {
    let Some(screen) = Screen::new("us") else { return };
    let text: String = (0x4e00..0x4e00 + 300).filter_map(char::from_u32).collect();
    // A terminal of the old kind does not say how far it is; it is given half a second, which is
    // enough unless the machine is very busy.
    let slow = std::env::var_os("SLOW").is_some();
    let terminal = if slow { screen.xterm("terminal") } else { None };
    let windows = [screen.gtk("gtk"), screen.qt("qt"), terminal];
    for window in windows.iter().flatten() {
        screen.client().focus(window);
        let mut way = open(&screen);
        way.target().unwrap();
        way.insert(&text).unwrap();
        window.holds(&text);
    }
}

#[test]
fn the_keyboard_is_afterwards_as_before() {
    let Some(screen) = Screen::new("de") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let before = screen.mapping();
    let mut way = open(&screen);
    way.target().unwrap();
    way.insert(MIXED).unwrap();
    window.holds(MIXED);
    assert_ne!(screen.mapping(), before);
    if std::env::var_os("SLOW").is_some() {
        eventually("what was lent is given back by itself", || screen.mapping() == before);
        way.insert(MIXED).unwrap();
        window.holds(&MIXED.repeat(2));
        assert_ne!(screen.mapping(), before);
    }
    drop(way);
    assert_eq!(screen.mapping(), before);
    assert_eq!(screen.client().modifiers(), 0);
}

#[test]
fn another_layout_in_the_middle_changes_nothing() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let mut way = open(&screen);
    let mut expected = String::new();
    for layout in ["us", "fr", "de", "us"] {
        screen.set_layout(layout);
        way.target().unwrap();
        way.insert(MIXED).unwrap();
        expected.push_str(MIXED);
        window.holds(&expected);
    }
}

#[test]
fn keys_that_are_held_make_no_shortcuts() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(window) = screen.gtk("gtk") else { return };
    let user = screen.client();
    let mut way = open(&screen);
    way.target().unwrap();
    for key in [CONTROL, SHIFT] {
        user.key(key, true);
        let held = way.insert("quit").unwrap_err();
        assert!(matches!(held, Error::KeysHeld), "{held}");
        user.key(key, false);
    }
    window.holds("");

    user.key(CONTROL, true);
    let lets_go = std::thread::Builder::new();
    let lets_go = lets_go.spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        user.key(CONTROL, false);
    });
    way.insert("quit").unwrap();
    lets_go.unwrap().join().unwrap();
    window.holds("quit");
    assert_eq!(window.shortcuts(), "");
}

#[test]
fn caps_lock_stays_on_and_changes_no_letter() {
    let Some(screen) = Screen::new("de") else { return };
    let windows = [screen.xterm("terminal"), screen.gtk("gtk")];
    for window in windows.iter().flatten() {
        let user = screen.client();
        user.focus(window);
        user.key(CAPS_LOCK, true);
        user.key(CAPS_LOCK, false);
        assert_eq!(user.modifiers() & LOCKED, LOCKED);
        type_often(&screen, window, MIXED);
        assert_eq!(user.modifiers() & LOCKED, LOCKED);
        user.key(CAPS_LOCK, true);
        user.key(CAPS_LOCK, false);
    }
}

#[test]
fn what_is_in_focus_is_told() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(first) = screen.xterm("first") else { return };
    let mut way = open(&screen);
    let target = way.target().unwrap();
    assert_eq!(target.app_id.as_deref(), Some("XTerm"));
    assert!(!target.secret);
    let Some(_second) = screen.xterm("second") else { return };
    assert_ne!(way.target().unwrap().id, target.id);
    screen.client().focus(&first);
    assert_eq!(way.target().unwrap(), target);
    screen.client().focus_nothing();
    assert!(matches!(way.target(), Err(Error::NoTarget)));
}

#[test]
fn a_window_manager_that_keeps_the_focus_is_no_target() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(_manager) = screen.window_manager() else { return };
    let mut way = open(&screen);
    // Windows of its own come and go while it starts.
    eventually("nothing has the focus yet", || matches!(way.target(), Err(Error::NoTarget)));
    let Some(window) = screen.xterm("terminal") else { return };
    assert_eq!(way.target().unwrap().app_id.as_deref(), Some("XTerm"));
    way.insert(MIXED).unwrap();
    window.holds(MIXED);
    drop(window);
    eventually("nothing has the focus", || matches!(way.target(), Err(Error::NoTarget)));
}

#[test]
fn a_window_that_comes_to_the_front_gets_nothing() {
    let Some(screen) = Screen::new("us") else { return };
    let (Some(other), Some(window)) = (screen.xterm("other"), screen.xterm("terminal")) else {
        return;
    };
    let text: String = ASCII.repeat(200);
    let mut way = open(&screen);
    way.target().unwrap();
    let typing = std::thread::Builder::new();
    let typed = text.clone();
    let typing = typing.spawn(move || way.insert(&typed).map(|_| way));
    eventually("typing has begun", || !window.text().is_empty());
    let user = screen.client();
    user.focus(&other);
    let (typed, moved) = match typing.unwrap().join().unwrap() {
        Err(Error::Partly { characters, reason }) => (characters, *reason),
        Err(err) => panic!("{err}"),
        Ok(_) => panic!("all was typed before the focus moved"),
    };
    assert!(matches!(moved, Error::TargetMoved), "{moved}");
    window.holds(&text[..typed]);

    // Where the cursor is now it can be typed all the same.
    let mut way = open(&screen);
    way.target().unwrap();
    way.insert("here").unwrap();
    other.holds("here");
}

#[test]
fn a_window_that_does_not_read_has_it_when_it_does() {
    let Some(screen) = Screen::new("fr") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let mut way = open(&screen);
    window.program.signal(Signal::STOP);
    way.target().unwrap();
    assert_eq!(way.insert(MIXED).unwrap(), Proof::Taken);
    assert_eq!(way.insert(ASCII).unwrap(), Proof::Taken);
    std::thread::sleep(Duration::from_secs(1));
    window.program.signal(Signal::CONT);
    window.holds(&format!("{MIXED}{ASCII}"));
}

#[test]
fn a_server_that_hangs_is_an_error() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let mut way = open(&screen);
    way.target().unwrap();
    screen.server.signal(Signal::STOP);
    let gone = way.insert("lost").unwrap_err();
    assert!(matches!(gone, Error::Gone { .. }), "{gone}");
    let unavailable = x11::connect_to(&screen.display).err().unwrap();
    assert!(matches!(unavailable, Error::Unavailable { .. }), "{unavailable}");
    drop(way);
    screen.server.signal(Signal::CONT);
    let mut way = open(&screen);
    way.target().unwrap();
    way.insert("found").unwrap();
    eventually("the text is there", || window.text().ends_with("found"));
}
