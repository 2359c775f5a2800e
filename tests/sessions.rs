//! How a dictation begins and ends: press and release, toggle, cancel, an owner that vanishes.

use std::time::Duration;

use crate::fixture::{Room, stderr, stdout};
use crate::hearing::{
    Ear, Options, Signal, call, call_on, ending, finals, property, refusal, start,
};
use crate::speech::{assert_heard, jfk, sentence};

fn is_listening(signal: &Signal) -> bool {
    matches!(signal, Signal::Changed(new)
        if new.get("State").is_some_and(|state| state.downcast_ref() == Ok("listening")))
}

fn wait_for_listening(ear: &Ear) {
    ear.wait("the daemon listens", is_listening);
}

#[test]
fn a_held_key_dictates_until_it_is_released() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    assert!(room.scriven(&["press"]).status.success());
    wait_for_listening(&ear);
    let again = room.scriven(&["press"]);
    assert!(again.status.success(), "a key that repeats is no error: {}", stderr(&again));
    let (sound, said) = sentence();
    room.play(&sound, "virtmic_in").wait();
    assert!(room.scriven(&["release"]).status.success());
    let heard = ear.until_ended();
    assert_heard(said, &finals(&heard));
    assert_eq!(ending(&heard).0, "stopped");
}

#[test]
fn toggling_twice_starts_and_stops() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    assert!(room.scriven(&["toggle"]).status.success());
    wait_for_listening(&ear);
    let (sound, said) = sentence();
    room.play(&sound, "virtmic_in").wait();
    assert!(room.scriven(&["toggle"]).status.success());
    assert_heard(said, &finals(&ear.until_ended()));
}

#[test]
fn the_sound_of_the_desktop_can_be_dictated() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    let started = room.scriven(&["start", "--source", "monitor:default"]);
    assert!(started.status.success(), "{}", stderr(&started));
    wait_for_listening(&ear);
    let (sound, said) = sentence();
    room.play(&sound, "speakers").wait();
    assert!(room.scriven(&["stop"]).status.success());
    assert_heard(said, &finals(&ear.until_ended()));
}

#[test]
fn sources_lists_the_microphone_and_the_monitor() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let sources: serde_json::Value =
        serde_json::from_str(&stdout(&room.scriven(&["sources", "--json"]))).unwrap();
    let has = |id: &str| sources.to_string().contains(id);
    assert!(has("virtmic") && has("speakers"), "{sources}");
}

#[test]
fn a_cancelled_dictation_leaves_no_text() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    assert!(room.scriven(&["start"]).status.success());
    wait_for_listening(&ear);
    let mut player = room.play(&sentence().0, "virtmic_in");
    ear.wait("a partial", |signal| matches!(signal, Signal::Partial { .. }));
    assert!(room.scriven(&["cancel"]).status.success());
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "cancelled");
    assert_eq!(finals(&heard), "");
    player.kill();
}

#[test]
fn what_was_said_outlives_the_client_that_asked_for_it() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    let owner = room.connect();
    let session = start(&owner, &Options::new()).unwrap();
    wait_for_listening(&ear);
    let mut player = room.play(&jfk(), "virtmic_in");
    ear.wait("a partial", |signal| matches!(signal, Signal::Partial { .. }));
    zbus::block_on(owner.close()).unwrap();
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "owner-vanished");
    assert!(!finals(&heard).is_empty(), "what was said before is delivered");
    assert_eq!(heard.last().unwrap().session, session);
    player.kill();
}

#[test]
fn an_owner_alone_hears_what_is_meant_for_it_alone() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let everyone = room.ear();
    let bus = room.connect();
    let owner = Ear::new(&bus);
    let session = start(&bus, &Options::from([("scope", "owner".into())])).unwrap();
    wait_for_listening(&owner);
    room.play(&sentence().0, "virtmic_in").wait();
    call_on(&bus, &session, "org.scriven.Dictation1.Session", "Stop", &()).unwrap();
    assert!(!finals(&owner.until_ended()).is_empty());
    let leaked = everyone.within(Duration::from_secs(1), |signal| {
        matches!(signal, Signal::Partial { .. } | Signal::Final { .. })
    });
    assert!(leaked.is_none(), "{leaked:?}");
}

#[test]
fn a_second_dictation_is_told_that_one_is_going_on() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let (first, second) = (room.connect(), room.connect());
    start(&first, &Options::new()).unwrap();
    let (name, text) = refusal(start(&second, &Options::new()));
    assert_eq!(name, "org.scriven.Dictation1.Error.Busy", "{text}");
}

#[test]
fn a_device_that_does_not_exist_is_a_named_error() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let bus = room.connect();
    let ear = room.ear();
    let options = || Options::from([("source", "no-such-device".into())]);
    // The daemon may find out while it answers or just after.
    let error = match start(&bus, &options()) {
        Err(error) => refusal::<()>(Err(error)).0,
        Ok(_) => {
            let heard = ear.until_ended();
            let (reason, stats) = ending(&heard);
            assert_eq!(reason, "error");
            <(String, String)>::try_from(stats["error"].try_clone().unwrap()).unwrap().0
        }
    };
    assert_eq!(error, "org.scriven.Dictation1.Error.DeviceUnavailable");
    start(&bus, &Options::new()).expect("the next dictation is not harmed");
}

#[test]
fn stopping_what_was_not_started_says_so() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let output = room.scriven(&["stop"]);
    assert!(output.status.success(), "it is stopped, which is what was asked for");
    assert!(stderr(&output).contains("no dictation"), "{}", stderr(&output));
}

#[test]
fn releasing_what_was_not_pressed_is_no_crash() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let bus = room.connect();
    call(&bus, "Release", &("dictate",)).ok();
    let state: String = property(&bus, "State").try_into().unwrap();
    assert_eq!(state, "idle");
}
