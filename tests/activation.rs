//! The daemon comes when it is called, and only then.

use crate::fixture::{Room, stderr, stdout};
use crate::hearing::Signal;

#[test]
fn the_first_call_starts_the_daemon() {
    let room = Room::without_model();
    room.activate_on_demand();
    let ear = room.ear();
    let status = room.scriven(&["status"]);
    assert_eq!(status.status.code(), Some(1), "to ask for the status starts nothing");
    let list = room.scriven(&["model", "list"]);
    assert!(list.status.success(), "{}", stderr(&list));
    assert!(stdout(&list).contains("tiny.en"), "{}", stdout(&list));
    ear.wait("the name was taken", |signal| matches!(signal, Signal::Owner(Some(_))));
    assert!(room.scriven(&["status"]).status.success());
}

#[test]
fn words_spoken_while_the_model_loads_are_not_lost() {
    let room = Room::new();
    room.activate_on_demand();
    let ear = room.ear();
    let started = room.scriven(&["start"]);
    assert!(started.status.success(), "{}", stderr(&started));
    let (sound, said) = crate::speech::sentence();
    room.play(&sound, "virtmic_in").wait();
    assert!(room.scriven(&["stop"]).status.success());
    crate::speech::assert_heard(said, &crate::hearing::finals(&ear.until_ended()));
}
