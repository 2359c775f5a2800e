//! What is pasted arrives, and the clipboard is as before.

use rustix::process::Signal;
use scriven_desktop::Error;
use scriven_desktop::insertion::clipboard::x11;

use crate::fixture::{ASCII, MIXED, Screen, clipboard_dump, clipboard_owner, times};

#[test]
fn a_pasted_text_is_exact_and_the_clipboard_is_as_before() {
    for layout in ["us", "de", "fr"] {
        exact(layout);
    }
}

fn exact(layout: &str) {
    let Some(screen) = Screen::new(layout) else { return };
    let Some(_owner) = clipboard_owner(&screen) else { return };
    let before = clipboard_dump(&screen);
    assert!(before.contains("application/x-scriven-large"), "{before}");
    let windows = [screen.xterm("terminal"), screen.gtk("gtk"), screen.qt("qt")];
    for window in windows.iter().flatten() {
        screen.client().focus(window);
        let mut way = x11::connect_to(&screen.display).unwrap();
        let mut expected = String::new();
        for _ in 0..times() {
            for text in [ASCII, MIXED] {
                way.target().unwrap();
                way.insert(text).unwrap();
                expected.push_str(text);
                window.holds(&expected);
            }
        }
        assert!(clipboard_dump(&screen) == before, "the clipboard has changed");
        if window.id != windows[0].as_ref().map_or(0, |terminal| terminal.id) {
            way.delete_before(2).unwrap();
            window.holds(&expected[..expected.len() - 2]);
        }
        // What is put back lives as long as the way; the next window finds it with its owner gone.
        std::mem::forget(way);
    }
}

#[test]
fn an_empty_clipboard_is_empty_again() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(window) = screen.gtk("gtk") else { return };
    let mut way = x11::connect_to(&screen.display).unwrap();
    way.target().unwrap();
    way.insert(MIXED).unwrap();
    window.holds(MIXED);
    assert_eq!(clipboard_dump(&screen), "[{}, {}]");
}

#[test]
fn a_clipboard_that_cannot_be_kept_is_not_touched() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(owner) = clipboard_owner(&screen) else { return };
    let before = clipboard_dump(&screen);
    let Some(window) = screen.gtk("gtk") else { return };
    owner.signal(Signal::STOP);
    let mut way = x11::connect_to(&screen.display).unwrap();
    way.target().unwrap();
    let err = way.insert("lost").unwrap_err();
    assert!(matches!(err, Error::Unavailable { .. }), "{err}");
    owner.signal(Signal::CONT);
    assert!(clipboard_dump(&screen) == before, "the clipboard has changed");
    window.holds("");
}

#[test]
fn what_is_copied_can_be_pasted_by_others_until_they_copy() {
    let Some(screen) = Screen::new("us") else { return };
    let mut way = x11::copy_to(&screen.display).unwrap();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for text in [ASCII, MIXED, &MIXED.repeat(2_000)] {
        way.target().unwrap();
        way.insert(text).unwrap();
        for _ in 0..2 {
            let dump = clipboard_dump(&screen);
            let plain = format!("\"text/plain\": \"{}\"", hex(text));
            assert!(dump.contains(&plain), "{} characters are not there", text.len());
            // Not what is selected, and not for clipboard managers.
            assert!(dump.ends_with(", {}]") && dump.contains("passwordManagerHint"), "{dump}");
        }
    }
    way.delete_before(1).unwrap();
    assert_eq!(clipboard_dump(&screen), "[{}, {}]");
    way.insert(MIXED).unwrap();
    let Some(_owner) = clipboard_owner(&screen) else { return };
    let theirs = clipboard_dump(&screen);
    assert!(!theirs.contains(&hex(MIXED)), "{theirs}");
    // It is theirs: neither what is taken back nor the end of the way changes it.
    way.delete_before(1).unwrap();
    drop(way);
    assert_eq!(clipboard_dump(&screen), theirs);
}

#[test]
fn a_window_that_does_not_paste_is_an_error() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(owner) = clipboard_owner(&screen) else { return };
    let before = clipboard_dump(&screen);
    let Some(window) = screen.xterm("terminal") else { return };
    window.program.signal(Signal::STOP);
    let mut way = x11::connect_to(&screen.display).unwrap();
    way.target().unwrap();
    let err = way.insert("lost").unwrap_err();
    assert!(matches!(err, Error::NotTaken { .. }), "{err}");
    assert!(clipboard_dump(&screen) == before, "the clipboard has changed");
    drop(owner);
}
