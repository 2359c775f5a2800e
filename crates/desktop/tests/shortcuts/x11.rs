//! Grabs on a real X server, with keys that a second client presses through XTest.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use scriven_desktop::shortcut::{listen_in, now};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::ModMask;

use crate::fixture::{binding, eventually, is_installed, skipped};
use crate::xserver::{Hands, Server};

/// Keycodes of evdev keyboards: the code of the kernel and 8.
const ESCAPE: u8 = 9;
const CTRL_L: u8 = 37;
const CTRL_R: u8 = 105;
const ALT_L: u8 = 64;
const SHIFT_L: u8 = 50;
const SPACE: u8 = 65;
const CAPS_LOCK: u8 = 66;
const NUM_LOCK: u8 = 77;
const F8: u8 = 74;
const F9: u8 = 75;
/// Gives y in the layout us and z in de.
const Y_OR_Z: u8 = 29;
/// Gives z in the layout us and y in de.
const Z_OR_Y: u8 = 52;

#[test]
fn a_held_key_is_one_press_however_often_the_server_repeats_it() {
    let Some(server) = Server::start("a held key on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+ALT+space")]);
    let (hands, witness) = (Hands::at(&server), Hands::at(&server));
    // How long a key must be held here until it has been repeated some times, another client tells.
    witness.grab(F8, ModMask::default());
    let held = Instant::now();
    hands.press(&[F8]);
    let mut seen = 0;
    eventually("the server repeats a key", || {
        while let Some(event) = witness.connection.poll_for_event().unwrap() {
            seen += u32::from(matches!(event, Event::KeyPress(_)));
        }
        seen >= 4
    });
    hands.release(&[F8]);
    let held = held.elapsed();

    let before = now();
    hands.press(&[CTRL_L, ALT_L, SPACE]);
    ear.hears(&["+dictate"]);
    std::thread::sleep(held * 2);
    assert_eq!(ear.rest(), [""; 0], "it was held for {held:?}");
    hands.release(&[SPACE, ALT_L, CTRL_L]);
    ear.hears(&["-dictate"]);
    assert!(now() > before + held);
    hands.press(&[CTRL_L, ALT_L, SPACE]);
    // The modifiers may go first.
    hands.release(&[CTRL_L, ALT_L, SPACE]);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn locks_make_no_difference_and_other_modifiers_do() {
    let Some(server) = Server::start("locks on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+F9"), ("note", "F9")]);
    let hands = Hands::at(&server);
    for locks in [&[][..], &[NUM_LOCK], &[CAPS_LOCK], &[NUM_LOCK, CAPS_LOCK]] {
        locks.iter().for_each(|lock| hands.tap(*lock));
        hands.press(&[CTRL_L, F9]);
        hands.release(&[F9, CTRL_L]);
        ear.hears(&["+dictate", "-dictate"]);
        hands.press(&[SHIFT_L]);
        hands.tap(F9);
        hands.release(&[SHIFT_L]);
        hands.tap(F9);
        ear.hears(&["+note", "-note"]);
        locks.iter().for_each(|lock| hands.tap(*lock));
    }
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn num_lock_can_be_asked_for() {
    let Some(server) = Server::start("Num Lock on X11") else { return };
    let ear = server.ear(&[("dictate", "NUM+F9")]);
    let hands = Hands::at(&server);
    hands.tap(F9);
    hands.tap(NUM_LOCK);
    hands.tap(F9);
    hands.tap(NUM_LOCK);
    hands.tap(F9);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.rest(), [""; 0]);
}

#[test]
fn a_modifier_alone_is_watched_and_not_taken() {
    let Some(server) = Server::start("a modifier alone on X11") else { return };
    let ear = server.ear(&[("dictate", "Control_R"), ("note", "F9")]);
    let hands = Hands::at_keyboard(&server);
    hands.press(&[CTRL_R]);
    ear.hears(&["+dictate"]);
    // Who types text lets go what is held meanwhile; that is no release.
    let typist = Hands::at(&server);
    typist.release(&[CTRL_R]);
    typist.press(&[CTRL_R]);
    // Another client gets the keys that are typed meanwhile.
    let other = Hands::at(&server);
    other.grab(F8, ModMask::CONTROL);
    hands.tap(F8);
    let mut seen = Vec::new();
    eventually("the other client gets its key", || {
        while let Some(event) = other.connection.poll_for_event().unwrap() {
            if let Event::KeyPress(event) = event {
                seen.push(event.detail);
            }
        }
        !seen.is_empty()
    });
    assert_eq!(seen, [F8]);
    hands.release(&[CTRL_R]);
    ear.hears(&["-dictate"]);
    hands.press(&[SHIFT_L, CTRL_R]);
    hands.release(&[CTRL_R, SHIFT_L]);
    hands.tap(CTRL_L);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
}

#[test]
fn two_keys_at_once_are_both_released() {
    let Some(server) = Server::start("two keys at once on X11") else { return };
    let ear = server.ear(&[("dictate", "F8"), ("note", "F9")]);
    let hands = Hands::at(&server);
    hands.press(&[F8, F9]);
    ear.hears(&["+dictate", "+note"]);
    hands.release(&[F8]);
    ear.hears(&["-dictate"]);
    hands.release(&[F9]);
    ear.hears(&["-note"]);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
}

#[test]
fn keys_stay_where_their_letters_are_when_the_layout_changes() {
    let Some(server) = Server::start("keyboard layouts on X11") else { return };
    if !is_installed("setxkbmap") {
        return skipped("keyboard layouts on X11", "setxkbmap is not installed");
    }
    server.layout("us");
    let ear = server.ear(&[("dictate", "CTRL+y"), ("note", "F9")]);
    let hands = Hands::at(&server);
    hands.press(&[CTRL_L, Y_OR_Z]);
    hands.release(&[Y_OR_Z, CTRL_L]);
    ear.hears(&["+dictate", "-dictate"]);
    server.layout("de");
    eventually("the old key is free", || hands.can_grab(Y_OR_Z, ModMask::CONTROL));
    eventually("y is where de has it", || {
        hands.press(&[CTRL_L]);
        hands.tap(Z_OR_Y);
        hands.release(&[CTRL_L]);
        ear.rest().contains(&"+dictate".to_owned())
    });
    // It may have been struck more than once.
    hands.tap(F9);
    eventually("what was struck is heard", || ear.next() == "+note");
    ear.hears(&["-note"]);
    hands.press(&[CTRL_L, Y_OR_Z]);
    hands.release(&[Y_OR_Z, CTRL_L]);
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
    // A layout without the letter says so, and the other shortcut still works.
    server.layout("ru");
    let lost = ear.hears_of("lost ");
    assert!(lost.contains("CTRL+y") && lost.contains("keyboard layout"), "{lost}");
    hands.tap(F9);
    ear.hears(&["+note", "-note"]);
    server.layout("de");
    assert!(ear.hears_of("restored ").contains("CTRL+y for dictate"));
}

#[test]
fn escape_is_taken_only_while_it_is_armed() {
    let Some(server) = Server::start("Escape on X11") else { return };
    let ear = server.ear(&[("dictate", "CTRL+F9")]);
    let hands = Hands::at(&server);
    assert!(hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    ear.listening.arm_cancel(true);
    eventually("Escape is taken", || !hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    ear.hears(&["!"]);
    // While the shortcut is held, and with its modifier still down after it.
    hands.press(&[CTRL_L, F9]);
    hands.tap(ESCAPE);
    hands.release(&[F9]);
    ear.hears(&["+dictate", "!", "-dictate"]);
    hands.tap(ESCAPE);
    hands.release(&[CTRL_L]);
    ear.hears(&["!"]);
    ear.listening.arm_cancel(false);
    eventually("Escape is free", || hands.can_grab(ESCAPE, ModMask::default()));
    hands.tap(ESCAPE);
    hands.press(&[CTRL_L, F9]);
    ear.hears(&["+dictate"]);
}

#[test]
fn a_key_that_another_program_has_is_named_and_taken_when_it_is_free() {
    let Some(server) = Server::start("a taken key on X11") else { return };
    let other = Hands::at(&server);
    other.grab(F9, ModMask::CONTROL | ModMask::M2);
    let ear = server.ear(&[("dictate", "CTRL+F9"), ("note", "F8")]);
    let lost = ear.hears_of("lost ");
    assert!(lost.contains("CTRL+F9 (dictate) belongs to another program"), "{lost}");
    let statuses = ear.listening.bindings();
    assert_eq!(statuses[0].problem.as_deref(), Some(lost.as_str()));
    assert_eq!(statuses[1].problem, None);
    let hands = Hands::at(&server);
    hands.tap(F8);
    ear.hears(&["+note", "-note"]);
    assert!(hands.can_grab(F9, ModMask::CONTROL), "nothing of it is kept");
    other.ungrab(F9, ModMask::CONTROL | ModMask::M2);
    assert!(ear.hears_of("restored ").contains("CTRL+F9 for dictate"));
    hands.press(&[CTRL_L, F9]);
    hands.release(&[F9, CTRL_L]);
    ear.hears(&["+dictate", "-dictate"]);
    assert_eq!(ear.listening.bindings()[0].problem, None);
}

#[test]
fn what_is_held_when_the_server_dies_is_released_and_a_new_server_is_found() {
    let Some(mut server) = Server::start_apart("an X server that dies") else { return };
    let ear = server.ear(&[("dictate", "F9")]);
    Hands::at(&server).press(&[F9]);
    ear.hears(&["+dictate"]);
    ear.listening.arm_cancel(true);
    server.server.kill();
    ear.hears(&["-dictate"]);
    assert!(ear.hears_of("lost ").contains("the X server is gone"));
    server.restart();
    assert!(ear.hears_of("restored ").contains("F9 for dictate"));
    let hands = Hands::at(&server);
    hands.tap(F9);
    ear.hears(&["+dictate", "-dictate"]);
    eventually("Escape is taken again", || !hands.can_grab(ESCAPE, ModMask::default()));
}

#[test]
fn a_listener_that_is_dropped_gives_its_keys_back() {
    let Some(server) = Server::start("the end of a listener on X11") else { return };
    let ear = server.ear(&[("dictate", "F9")]);
    let hands = Hands::at(&server);
    assert!(!hands.can_grab(F9, ModMask::default()));
    drop(ear);
    eventually("the key is free", || hands.can_grab(F9, ModMask::default()));
}

#[test]
fn a_server_that_hangs_does_not_hang_its_clients() {
    /// A way has 5 s to say whether it works and 1 s to end; the rest is for a busy machine.
    const LIMIT: Duration = Duration::from_secs(30);
    let Some(server) = Server::start("an X server that hangs") else { return };
    let ear = server.ear(&[("dictate", "F9")]);
    let id = Pid::from_raw(server.server.0.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::STOP).unwrap();
    let begun = Instant::now();
    ear.listening.arm_cancel(true);
    let bindings = [binding("note", "F8")];
    let listening = listen_in(&server.surroundings(), &bindings, Some("x11"), |_| {});
    assert_eq!(listening.way(), None);
    assert!(listening.verdicts()[0].reason.contains("does not answer"), "{listening:?}");
    drop((ear, listening));
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}
