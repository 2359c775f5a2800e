//! Text by IBus into a real GTK 3 window, on an X server and with an IBus daemon of their own.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]

mod desk;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use desk::{Desk, eventually};
use scriven_desktop::Error;
use scriven_desktop::insertion::Backend as _;
use scriven_desktop::insertion::ibus::{Ibus, Place};

/// ASCII with all punctuation, and what no single layout has.
const TEXTS: [&str; 2] = [
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    "é ß ü ñ œ € “q” — 日本語 😀 Ω я",
];
const LAYOUTS: [&str; 3] = ["us", "de", "fr"];
/// Tells this program that it is to be the one that is killed, and where the IBus daemon is.
const VICTIM: &str = "SCRIVEN_TEST_IBUS_FOLDER";
/// A call answers within a second, or two where the connection has to be made anew; the rest is
/// for a machine that is busy.
const IN_TIME: Duration = Duration::from_secs(10);

#[test]
fn texts_arrive_exactly_whatever_the_layout() {
    let Some(mut desk) = Desk::new("texts_arrive_exactly_whatever_the_layout") else { return };
    let rounds = if std::env::var_os("SLOW").is_some() { 20 } else { 3 };
    for layout in LAYOUTS {
        let before = desk.use_layout(layout);
        let mut way = desk.way(0);
        for _ in 0..rounds {
            for text in TEXTS {
                desk.clear(0);
                way.insert(text).unwrap();
                desk.holds(0, text);
            }
        }
        drop(way);
        eventually("everything is as before", || desk.state() == before);
    }
}

#[test]
fn lines_and_long_texts_arrive() {
    let Some(mut desk) = Desk::new("lines_and_long_texts_arrive") else { return };
    let mut way = desk.way(4);
    way.insert("one\ntwo\n").unwrap();
    desk.holds(4, "one\ntwo\n");
    desk.clear(4);
    let long = TEXTS.concat().repeat(500);
    way.insert(&long).unwrap();
    desk.holds(4, &long);
}

#[test]
fn a_preedit_is_seen_and_goes_with_the_text() {
    let Some(mut desk) = Desk::new("a_preedit_is_seen_and_goes_with_the_text") else { return };
    let before = desk.state();
    let mut way = desk.way(0);
    way.insert("Said: ").unwrap();
    for tentative in ["wörd", "words that 日本 may change", "words"] {
        way.preedit(tentative).unwrap();
        eventually("it is shown", || desk.fields(|fields| fields.preedit[0] == tentative));
        desk.holds(0, "Said: ");
    }
    way.insert("Words.").unwrap();
    desk.holds(0, "Said: Words.");
    eventually("it is gone", || desk.fields(|fields| fields.preedit[0].is_empty()));
    way.preedit("taken back").unwrap();
    way.preedit("").unwrap();
    eventually("it is gone", || desk.fields(|fields| fields.preedit[0].is_empty()));
    desk.holds(0, "Said: Words.");
    drop(way);
    eventually("everything is as before", || desk.state() == before);
}

#[test]
fn keys_reach_the_window_while_something_is_shown_and_dead_keys_live() {
    let name = "keys_reach_the_window_while_something_is_shown_and_dead_keys_live";
    let Some(mut desk) = Desk::new(name) else { return };
    desk.use_layout("de");
    let mut way = desk.way(0);
    way.preedit("shown").unwrap();
    desk.run("xdotool", &["key", "x"]);
    desk.holds(0, "x");
    way.insert("text").unwrap();
    eventually("the text is there", || desk.fields(|fields| fields.text[0].contains("text")));
    desk.clear(0);
    desk.run("xdotool", &["key", "dead_acute", "key", "e"]);
    desk.holds(0, "é");
}

#[test]
fn passwords_are_refused() {
    let Some(mut desk) = Desk::new("passwords_are_refused") else { return };
    let mut way = desk.way(0);
    desk.focus(2);
    eventually("it is known to be secret", || way.target().is_ok_and(|target| target.secret));
    assert!(matches!(way.insert("words"), Err(Error::SecretTarget)));
    assert!(matches!(way.preedit("words"), Err(Error::SecretTarget)));
    // GTK 3 shows hidden text to no input method at all.
    desk.focus(3);
    eventually("nothing is in focus", || matches!(way.target(), Err(Error::NoTarget)));
    assert!(matches!(way.insert("words"), Err(Error::NoTarget)));
    desk.focus(1);
    eventually("it is known not to be", || way.target().is_ok_and(|target| !target.secret));
    way.insert("seen").unwrap();
    desk.holds(1, "seen");
    let secrets = desk.fields(|fields| [2, 3].map(|field| fields.text[field].clone()));
    assert_eq!(secrets, ["", ""]);
}

#[test]
fn the_target_differs_when_the_focus_has_moved_even_if_it_came_back() {
    let name = "the_target_differs_when_the_focus_has_moved_even_if_it_came_back";
    let Some(mut desk) = Desk::new(name) else { return };
    let mut way = desk.way(0);
    let first = way.target().unwrap();
    way.preedit("shown in the first").unwrap();
    eventually("it is shown", || desk.fields(|fields| !fields.preedit[0].is_empty()));
    assert_eq!(way.target().unwrap(), first);
    desk.focus(1);
    eventually("another target", || way.target().is_ok_and(|target| target != first));
    eventually("it is gone", || desk.fields(|fields| fields.preedit == <[String; 5]>::default()));
    // Long enough for the name to be given back: then programs tell of the focus, not the daemon.
    std::thread::sleep(Duration::from_secs(3));
    let second = way.target().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(way.target().unwrap(), second, "the focus has not moved");
    std::thread::sleep(Duration::from_secs(3));
    desk.focus(0);
    desk.focus(1);
    eventually("another target", || way.target().is_ok_and(|target| target != second));
    way.insert("second").unwrap();
    desk.holds(1, "second");
    assert_eq!(desk.fields(|fields| fields.text[0].clone()), "");
    desk.close_window();
    eventually("no target", || matches!(way.target(), Err(Error::NoTarget)));
    assert!(matches!(way.insert("lost"), Err(Error::NoTarget)));
}

#[test]
fn without_a_picker_taking_its_seat_again_is_no_move_of_the_focus() {
    let name = "without_a_picker_taking_its_seat_again_is_no_move_of_the_focus";
    let Some(mut desk) = Desk::new(name) else { return };
    desk.kill_picker();
    let mut way = desk.way(0);
    let first = way.target().unwrap();
    for _ in 0..3 {
        // Long enough for the name to be given back.
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(way.target().unwrap(), first);
    }
    desk.focus(1);
    eventually("another target", || way.target().is_ok_and(|target| target != first));
}

#[test]
fn a_program_that_is_killed_leaves_nothing_changed() {
    let Some(mut desk) = Desk::new("a_program_that_is_killed_leaves_nothing_changed") else {
        return;
    };
    let before = desk.use_layout("fr");
    desk.focus(0);
    let mut victim = desk
        .command(&std::env::current_exe().unwrap())
        .env(VICTIM, desk.place().folder)
        .args(["shows_something_until_it_is_killed", "--exact"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is shown", || desk.fields(|fields| fields.preedit[0] == "unfinished"));
    assert_ne!(desk.state()[2], before[2]);
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("everything is as before", || desk.state() == before);
    desk.run("xdotool", &["key", "k"]);
    eventually("keys still type", || desk.fields(|fields| fields.text[0].contains('k')));
    // The next one takes away what was left.
    let mut way = Ibus::at(desk.place()).unwrap();
    eventually("it is gone", || desk.fields(|fields| fields.preedit[0].is_empty()));
    desk.clear(0);
    way.insert("finished").unwrap();
    desk.holds(0, "finished");
}

/// The victim of the test above, which runs this program once more; nothing by itself.
#[test]
fn shows_something_until_it_is_killed() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let place = Place { folder: Path::new(&folder).into(), ..Place::default() };
    let mut way = Ibus::at(place).unwrap();
    way.preedit("unfinished").unwrap();
    std::thread::sleep(Duration::from_secs(300));
    panic!("nobody has killed it");
}

#[test]
fn a_daemon_that_is_killed_is_an_error_in_time_and_works_again_later() {
    let name = "a_daemon_that_is_killed_is_an_error_in_time_and_works_again_later";
    let Some(mut desk) = Desk::new(name) else { return };
    let mut way = desk.way(0);
    desk.signal_daemon("KILL");
    let start = Instant::now();
    eventually("an error", || way.insert("lost").is_err());
    assert!(matches!(way.target(), Err(Error::Unavailable { .. } | Error::Gone { .. })));
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    desk.start_daemon_again();
    // The window finds the new daemon by itself, and tells it of its focus once that moves.
    eventually("the window is back", || {
        desk.focus(1);
        desk.focus(0);
        way.target().is_ok()
    });
    desk.clear(0);
    way.insert("found").unwrap();
    desk.holds(0, "found");
}

#[test]
fn a_daemon_that_hangs_is_an_error_in_time() {
    let Some(mut desk) = Desk::new("a_daemon_that_hangs_is_an_error_in_time") else { return };
    let mut way = desk.way(0);
    desk.signal_daemon("STOP");
    for _ in 0..3 {
        let start = Instant::now();
        let error = way.target().unwrap_err();
        assert!(matches!(error, Error::Gone { .. } | Error::Unavailable { .. }), "{error}");
        assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    }
    desk.signal_daemon("CONT");
    eventually("it answers again", || way.target().is_ok());
    way.insert("again").unwrap();
    desk.holds(0, "again");
}

#[test]
fn no_daemon_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder: folder.path().into(), ..Place::default() };
    let error = Ibus::at(place).err().unwrap();
    assert!(error.to_string().contains("no IBus daemon runs"), "{error}");
    let address = Some("unix:path=/nowhere/at/all".into());
    let error = Ibus::at(Place { address, ..Place::default() }).err().unwrap();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}
