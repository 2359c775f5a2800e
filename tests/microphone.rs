//! The first words and the last: when the microphone opens, and what is heard around a key.

use std::time::Duration;

use crate::fixture::{Room, eventually, now, stdout};
use crate::hearing::{Heard, Options, Signal, call, call_on, finals, number, property, start};
use crate::speech::{assert_heard, sentence};

pub(crate) const PRE_ROLL: &str = "[capture]\npre_roll_s = 2.0\n";

pub(crate) fn is_open(bus: &zbus::Connection) -> bool {
    property(bus, "MicrophoneOpen").try_into().unwrap()
}

/// When the first sample of the session was taken.
fn first_sample(heard: &[Heard]) -> u64 {
    let infos = heard.iter().filter_map(|heard| match &heard.signal {
        Signal::Started { info } => Some(info),
        _ => None,
    });
    number({ infos }.next().expect("SessionStarted"), "monotonic")
}

fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

#[test]
fn a_sentence_that_was_begun_before_the_key_went_down_is_heard_whole() {
    let room = Room::new();
    room.configure(PRE_ROLL);
    let _daemon = room.ready_daemon();
    let (bus, ear) = (room.connect(), room.ear());
    eventually("the microphone is open", || is_open(&bus));
    let status = stdout(&room.scriven(&["status", "--json"]));
    assert!(status.contains(r#""class":"open""#), "{status}");

    let (sound, said) = sentence();
    let mut player = room.play(&sound, "virtmic_in");
    pause(1_500);
    let pressed = now();
    assert!(room.scriven(&["press"]).status.success());
    player.wait();
    assert!(room.scriven(&["release"]).status.success());
    let heard = ear.until_ended();
    assert_heard(said, &finals(&heard));
    let early = pressed.saturating_sub(first_sample(&heard));
    assert!((1_500_000..2_200_000).contains(&early), "{early} µs before the key");
    assert!(is_open(&bus), "the next one has its pre-roll too");
}

#[test]
fn without_a_pre_roll_the_microphone_is_closed_but_for_dictations() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let (bus, ear) = (room.connect(), room.ear());
    assert!(!is_open(&bus));
    for _ in 0..3 {
        let pressed = now();
        call(&bus, "Press", &("dictate", Options::new())).unwrap();
        let started = ear.until("the session", |signal| matches!(signal, Signal::Started { .. }));
        let wait = first_sample(&started).saturating_sub(pressed);
        // What it takes where nothing else runs is in docs/latency.md.
        assert!(wait < 1_000_000, "{wait} µs from the press to the first sample");
        assert!(is_open(&bus));
        call(&bus, "Release", &("dictate",)).unwrap();
        ear.until_ended();
        eventually("the microphone is closed", || !is_open(&bus));
    }
}

#[test]
fn who_still_speaks_when_the_key_comes_up_is_heard_on() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let (bus, ear) = (room.connect(), room.ear());
    let session = start(&bus, &Options::new()).unwrap();
    let mut player = room.play(&sentence().0, "virtmic_in");
    ear.wait("a word", |signal| matches!(signal, Signal::Partial { .. }));
    call_on(&bus, &session, "org.scriven.Dictation1.Session", "Stop", &()).unwrap();
    let released = now();
    let closed = ear.wait("the microphone is closed", |signal| {
        matches!(signal, Signal::Changed(new)
            if new.get("MicrophoneOpen").is_some_and(|open| open.downcast_ref() == Ok(false)))
    });
    let tail = closed.at.saturating_sub(released);
    assert!(tail >= 150_000, "{tail} µs");
    ear.until_ended();
    player.kill();
}
