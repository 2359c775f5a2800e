//! The user's list of words changes what is recognized.

use std::fs;

use crate::fixture::{Room, stderr, stdout};
use crate::speech::librivox;

/// "He was not an ill disposed young man", which the smallest model alone hears otherwise.
const SENTENCE: &str = "0880";

fn transcribe(room: &Room) -> String {
    let _daemon = room.ready_daemon();
    let heard = room.scriven(&["transcribe", librivox(SENTENCE).to_str().unwrap()]);
    assert!(heard.status.success(), "{}", stderr(&heard));
    stdout(&heard)
}

#[test]
fn a_word_of_the_vocabulary_is_heard_where_it_was_misheard_before() {
    let room = Room::new();
    let alone = transcribe(&room);
    assert!(!alone.contains("ill-disposed"), "the model needs no help: {alone}");
    let list = room.path("words.csv");
    fs::write(&list, "# names and terms\nScriven\nGrace Hopper\nill-disposed\njay son,JSON\n")
        .unwrap();
    room.configure(&format!("[writing]\nvocabulary = [\"{}\"]\n", list.display()));
    let helped = transcribe(&room);
    assert_eq!(helped.trim(), "He was not an ill-disposed young man.");
}
