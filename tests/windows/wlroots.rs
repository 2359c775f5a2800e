//! A key is held on sway, whose configuration lets it press and release.

use std::process::{Child, Stdio};

use crate::fixture::{Room, eventually, program};
use crate::speech::{JFK, assert_heard, jfk};
use crate::sway::{Sway, Terminal};
use crate::window::{Window, has_gtk};

use super::{assert_delivered, stages, wait_for_listening};

/// A sway on which F9 dictates, as in the lines of docs/shortcuts.md, and a daemon that shows itself there.
fn sway(room: &mut Room) -> Option<Sway> {
    let scriven = |order: &str| {
        let scriven = program("scriven");
        format!(
            "\"DBUS_SESSION_BUS_ADDRESS='{}' '{}' {order} dictate\"",
            room.address,
            scriven.display()
        )
    };
    let lines = format!(
        "bindsym --no-repeat F9 exec {}\nbindsym --release F9 exec {}",
        scriven("press"),
        scriven("release")
    );
    let sway = Sway::start("de", &lines)?;
    room.show_on("WAYLAND_DISPLAY", sway.socket().to_str().unwrap());
    Some(sway)
}

/// The user's keyboard, with a finger over F9.
struct Keyboard(Child);

impl Keyboard {
    /// Plugs it in, and presses the key. Windows are given a moment to find it.
    fn press(sway: &Sway) -> Self {
        let mut wtype = sway.command("wtype");
        // Between the press and the release it types what it reads, which is nothing, to the end.
        wtype.args(["-s", "500", "-P", "F9", "-", "-p", "F9", "-s", "86400000"]);
        Self(wtype.stdin(Stdio::piped()).spawn().unwrap())
    }

    /// Lets the key go.
    fn release(&mut self) {
        drop(self.0.stdin.take());
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn tentative_words_stand_in_a_field_on_sway_until_they_are_final() {
    let mut room = Room::new();
    let Some(sway) = sway(&mut room) else { return };
    let Some(()) = has_gtk("4") else { return };
    let field = Window::open(&sway, "4", "entry", "paper");
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    let mut keyboard = Keyboard::press(&sway);
    wait_for_listening(&ear);
    let mut player = room.play(&jfk(), "virtmic_in");
    eventually("tentative words are shown", || stages(&field, "preedit").len() > 1);
    sway.picture("sway-tentative");
    player.wait();
    keyboard.release();
    let text = assert_delivered(&ear.until_ended(), "input-method");
    assert_heard(JFK, &text);
    eventually("all of it stands there", || field.now("text", 0) == text);
    eventually("nothing is tentative any more", || field.now("preedit", 0).is_empty());
    sway.picture("sway-final");
    assert_eq!(field.count("key"), 0, "text came as keys");
}

#[test]
fn a_terminal_on_sway_gets_its_words_when_the_key_is_let_go() {
    let mut room = Room::new();
    let Some(sway) = sway(&mut room) else { return };
    let terminal = Terminal::unbuffered(&sway, "foot");
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    let mut keyboard = Keyboard::press(&sway);
    wait_for_listening(&ear);
    room.play(&jfk(), "virtmic_in").wait();
    // What was said before the first pause is final by now.
    sway.picture("sway-terminal-held");
    assert_eq!(terminal.text(), "", "a key was typed while one was held");
    keyboard.release();
    let text = assert_delivered(&ear.until_ended(), "input-method");
    assert_heard(JFK, &text);
    eventually("all of it stands there", || terminal.text() == text);
    sway.picture("sway-terminal-final");
}
