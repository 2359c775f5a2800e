//! Pasting, with the old contents back afterwards.

use std::io::Write;
use std::process::Stdio;

use scriven_desktop::Error;
use scriven_desktop::insertion::clipboard::wayland;

use crate::sway::{Sway, Terminal, installed, rounds, wait_for};
use crate::ways::{connect, target};
use crate::window::{Window, has_gtk};
use crate::{ASCII, WORLD};

/// Copies as a program of the user does.
fn copy(sway: &Sway, kind: &str, bytes: &[u8]) {
    let mut process =
        sway.command("wl-copy").args(["--type", kind]).stdin(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(bytes).unwrap();
    // It forks once it has read all.
    assert!(process.wait().unwrap().success());
    wait_for("the copy", || (types(sway)?.contains(&kind.to_owned())).then_some(()));
}

/// In which types something is on the clipboard, if there is anything.
fn types(sway: &Sway) -> Option<Vec<String>> {
    let output = sway.command("wl-paste").arg("-l").stdout(Stdio::piped()).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| listed.lines().map(str::to_owned).collect())
}

/// All that is on the clipboard.
fn contents(sway: &Sway) -> Vec<(String, Vec<u8>)> {
    let content = |kind: String| {
        let bytes = sway.run("wl-paste", &["-n", "-t", &kind]).stdout;
        (kind, bytes)
    };
    types(sway).unwrap_or_default().into_iter().map(content).collect()
}

#[test]
fn pasted_text_is_exact_and_the_clipboard_is_as_before() {
    let Some(sway) = Sway::start("fr", "") else { return };
    let Some(()) = installed("wl-copy") else { return };
    let mut way = connect(&sway, wayland::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    // Larger than a pipe, and no text.
    let picture: Vec<u8> = (0..300_000u32).map(|at| (at % 251) as u8).collect();
    let mut wanted = String::new();
    for round in 0..rounds() {
        for (kind, bytes) in [("text/plain", "für später".as_bytes()), ("image/png", &picture)] {
            copy(&sway, kind, bytes);
            let before = contents(&sway);
            assert!(!before.is_empty());
            let line = format!("{round}{ASCII}{WORLD}\n");
            way.insert(&line).unwrap();
            wanted.push_str(&line);
            assert_eq!(terminal.line(&line), wanted);
            assert!(contents(&sway) == before, "{kind} is another, round {round}");
        }
    }
    // What was copied stays also when the way is given up.
    let before = contents(&sway);
    drop(way);
    assert!(contents(&sway) == before);
}

#[test]
fn nothing_is_pressed_in_a_window_but_what_pastes() {
    let Some(sway) = Sway::start("de", "") else { return };
    let Some(()) = installed("wl-copy") else { return };
    let mut way = connect(&sway, wayland::connect_to);
    for gtk in ["3", "4"] {
        let Some(()) = has_gtk(gtk) else { continue };
        let app_id = format!("gtk{gtk}");
        let window = Window::open(&sway, gtk, "entry", &app_id);
        wait_for("a target", || (way.target().ok()?.app_id? == app_id).then_some(()));
        way.insert(WORLD).unwrap();
        window.shows("text", 0, WORLD);
        assert_eq!((window.count("shortcut"), window.count("key")), (1, 1));
        assert!(window.find(|told| told[0] == "shortcut" && told[1] == "v").is_some());
        assert_eq!(types(&sway), None, "the clipboard was empty before");
    }
}

#[test]
fn what_is_copied_can_be_pasted_by_others_until_they_copy() {
    let Some(sway) = Sway::start("us", "") else { return };
    let Some(()) = installed("wl-copy") else { return };
    let mut way = connect(&sway, wayland::copy_to);
    for text in [ASCII, WORLD, &WORLD.repeat(5_000)] {
        way.target().unwrap();
        way.insert(text).unwrap();
        for kind in ["text/plain;charset=utf-8", "text/plain", "UTF8_STRING"] {
            let pasted = sway.run("wl-paste", &["-n", "-t", kind]).stdout;
            assert!(pasted == text.as_bytes(), "{} characters are not there", text.len());
        }
        // A hint that clipboard managers are not to keep it.
        assert!(types(&sway).unwrap().iter().any(|kind| kind == "x-kde-passwordManagerHint"));
    }
    way.delete_before(1).unwrap();
    assert_eq!(types(&sway), None);
    way.insert(ASCII).unwrap();
    copy(&sway, "text/plain", b"theirs");
    let theirs = contents(&sway);
    assert!(theirs.iter().all(|(_, bytes)| bytes == b"theirs"));
    // It is theirs: neither what is taken back nor the end of the way changes it.
    way.delete_before(1).unwrap();
    drop(way);
    assert!(contents(&sway) == theirs);
}

#[test]
fn a_window_that_never_reads_is_told_and_the_clipboard_is_as_before() {
    let Some(sway) = Sway::start("us", "") else { return };
    let Some(()) = installed("wl-copy") else { return };
    let mut way = connect(&sway, wayland::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    copy(&sway, "text/plain", b"precious");
    let before = contents(&sway);
    terminal.signal("STOP");
    assert!(matches!(way.insert("lost\n"), Err(Error::NotTaken { .. })));
    assert!(contents(&sway) == before);
    terminal.signal("CONT");
}
