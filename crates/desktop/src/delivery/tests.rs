mod several_ways;

use super::*;
use crate::insertion::Abilities;
use crate::insertion::scripted::Desktop;

const KEYS: Abilities =
    Abilities { preedit: false, surrounding: false, purpose: false, keyless: false, focus: true };
const INPUT_METHOD: Abilities =
    Abilities { preedit: true, surrounding: true, purpose: true, keyless: true, focus: true };

fn delivery(desktop: &Desktop, abilities: Abilities, live: Live) -> Delivery {
    Delivery::new(Ladder::new(vec![desktop.way("x11", abilities)]), live)
}

fn insert(text: &str) -> [Edit; 1] {
    [Edit::Insert(text.into())]
}

#[test]
fn committed_text_is_typed_as_it_grows_and_its_end_is_put_right() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    assert_eq!(delivery.begin(false).unwrap().id, "editor");
    delivery.show("Hello", " wor");
    delivery.show("Hello world", " and");
    delivery.show("Hello world", " and more");
    assert_eq!(desktop.text("editor"), "Hello world");
    let delivered = delivery.finish(&insert("Hello, world."));
    assert!(delivered.ok);
    assert_eq!((delivered.backend.as_str(), delivered.detail.as_str()), ("x11", "taken"));
    assert_eq!(delivered.inserted, "Hello, world.");
    assert_eq!(desktop.text("editor"), "Hello, world.");
    assert_eq!(desktop.state().calls, ["insert 5", "insert 6", "delete 6", "insert 8"]);
}

#[test]
fn clusters_are_never_split() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Committed);
    delivery.begin(false);
    delivery.show("cafe 👩", "");
    delivery.finish(&insert("cafe\u{301} 👩\u{200d}👧"));
    assert_eq!(desktop.text("editor"), "cafe\u{301} 👩\u{200d}👧");
    assert_eq!(desktop.state().calls[1..], ["delete 3".to_owned(), "insert 6".into()]);
}

#[test]
fn no_key_is_sent_while_one_is_held() {
    let desktop = Desktop::new();
    for live in [Live::Auto, Live::Committed, Live::Preedit, Live::Final] {
        let mut delivery = delivery(&desktop, KEYS, live);
        delivery.begin(true);
        delivery.show("one", " two");
        assert!(desktop.state().calls.is_empty());
        assert!(delivery.finish(&insert("one two")).ok);
        assert_eq!(std::mem::take(&mut desktop.state().calls), ["insert 7"]);
    }
    let keyless = Abilities { keyless: true, ..KEYS };
    let mut delivery = self::delivery(&desktop, keyless, Live::Auto);
    delivery.begin(true);
    delivery.show("one", "");
    assert_eq!(desktop.state().calls, ["insert 3"]);
}

#[test]
fn a_window_that_gets_keys_waits_for_the_key_though_the_way_needs_none() {
    let keyless = Abilities { keyless: true, ..KEYS };
    for (abilities, shown) in [(INPUT_METHOD, "one two"), (keyless, "")] {
        let desktop = Desktop::new();
        let mut delivery = delivery(&desktop, abilities, Live::Auto);
        delivery.begin(true);
        assert!(delivery.is_keyless());
        desktop.state().keyed = true;
        delivery.begin(true);
        delivery.show("one", " two");
        assert!(!delivery.is_keyless());
        assert_eq!((desktop.text("editor"), desktop.state().preedit.as_str()), ("".into(), shown));
    }
    // What cannot be delivered needs no key.
    let mut delivery = delivery(&Desktop::default(), KEYS, Live::Auto);
    assert!(delivery.begin(true).is_none());
    assert!(delivery.is_keyless());
}

#[test]
fn tentative_text_is_preedit_where_there_is_one_and_always_gone_in_the_end() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, INPUT_METHOD, Live::Auto);
    delivery.begin(true);
    delivery.show("one", " two");
    assert_eq!(desktop.state().preedit, "one two");
    assert!(delivery.finish(&insert("One two.")).ok);
    assert_eq!(
        (desktop.text("editor").as_str(), desktop.state().preedit.as_str()),
        ("One two.", "")
    );

    delivery.begin(true);
    delivery.show("", "three");
    delivery.discard();
    assert_eq!(
        (desktop.text("editor").as_str(), desktop.state().preedit.as_str()),
        ("One two.", "")
    );

    delivery.begin(true);
    delivery.show("", "four");
    assert!(delivery.finish(&[]).ok);
    assert_eq!(desktop.state().preedit, "");

    delivery.begin(true);
    delivery.show("", "five");
    delivery.begin(true);
    assert_eq!(desktop.state().preedit, "");
    delivery.show("", "six");
    desktop.state().focus = Some("mail");
    delivery.show("", "six seven");
    assert_eq!(desktop.state().preedit, "");
}

#[test]
fn text_goes_only_where_the_utterance_began() {
    let desktop = Desktop::new();
    for (live, abilities) in
        [(Live::Auto, KEYS), (Live::Auto, INPUT_METHOD), (Live::Final, INPUT_METHOD)]
    {
        desktop.state().focus = Some("editor");
        let mut delivery = delivery(&desktop, abilities, live);
        delivery.begin(false);
        delivery.show("one", " two");
        let before = desktop.text("editor");
        desktop.state().focus = Some("mail");
        delivery.show("one two", " three");
        let delivered = delivery.finish(&insert("one two three"));
        assert!(!delivered.ok && delivered.detail.contains("focus has moved"), "{delivered:?}");
        assert_eq!(desktop.text("mail"), "");
        assert_eq!(desktop.text("editor"), before);
        assert_eq!(desktop.state().preedit, "");

        // What is not there can be put elsewhere.
        assert!(delivery.insert("one two three").ok);
        assert_eq!(desktop.text("mail"), "one two three");
        desktop.state().texts.clear();
    }
}

#[test]
fn an_utterance_that_had_to_wait_goes_where_it_began() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    delivery.begin(false);
    delivery.show("one", "");
    desktop.state().focus = Some("mail");
    let began = delivery.focus().unwrap().id;
    // To look changes nothing for the one that has the window.
    desktop.state().focus = Some("editor");
    assert!(delivery.finish(&insert("one two")).ok);
    assert_eq!(desktop.text("editor"), "one two");
    assert_eq!(delivery.begin_in(&began, false), None);
    delivery.show("three", "");
    let delivered = delivery.finish(&insert("three"));
    assert!(!delivered.ok && delivered.detail.contains("focus has moved"), "{delivered:?}");
    desktop.state().focus = Some("mail");
    assert_eq!(delivery.begin_in(&began, false).unwrap().id, began);
    assert!(delivery.finish(&insert("three")).ok);
    assert_eq!((desktop.text("editor"), desktop.text("mail")), ("one two".into(), "three".into()));
}

#[test]
fn a_focus_that_comes_back_gets_the_rest() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    delivery.begin(false);
    delivery.show("one", "");
    desktop.state().focus = Some("mail");
    delivery.show("one two", "");
    desktop.state().focus = Some("editor");
    assert!(delivery.finish(&insert("one two three")).ok);
    assert_eq!(desktop.text("editor"), "one two three");
    assert_eq!(desktop.text("mail"), "");
}

#[test]
fn a_field_for_passwords_gets_nothing() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, INPUT_METHOD, Live::Auto);
    desktop.state().secret = true;
    assert!(delivery.begin(false).unwrap().secret);
    delivery.show("one", " two");
    let delivered = delivery.finish(&insert("one two"));
    assert!(!delivered.ok && delivered.detail.contains("passwords"), "{delivered:?}");
    assert!(!delivery.insert("one two").ok);
    assert!(desktop.state().calls.is_empty());

    // A field that turns out to be one in the middle.
    desktop.state().secret = false;
    delivery.begin(false);
    delivery.show("one", "");
    desktop.state().secret = true;
    assert!(!delivery.finish(&insert("one")).ok);
    assert_eq!((desktop.text("editor").as_str(), desktop.state().preedit.as_str()), ("", ""));
}

#[test]
fn a_discarded_utterance_leaves_nothing() {
    let desktop = Desktop::new();
    desktop.state().texts.insert("editor", "mine ".into());
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    delivery.begin(false);
    delivery.show("one two", " three");
    delivery.discard();
    assert_eq!(desktop.text("editor"), "mine ");
    assert!(!delivery.undo().ok, "there is nothing to take back");
}

#[test]
fn an_undo_takes_one_utterance_after_the_other() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    for text in ["One. ", "Two. ", "Three 👩\u{200d}👧. "] {
        delivery.begin(false);
        assert!(delivery.finish(&insert(text)).ok);
    }
    assert!(delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "One. Two. ");
    delivery.begin(false);
    delivery.show("Scratch", " that");
    let delivered = delivery.finish(&[Edit::Undo, Edit::Insert("2. ".into())]);
    assert!(delivered.ok);
    assert_eq!(delivered.inserted, "2. ");
    assert_eq!(desktop.text("editor"), "One. 2. ");
    delivery.undo();
    desktop.state().focus = Some("mail");
    let delivered = delivery.undo();
    assert!(!delivered.ok && delivered.detail.contains("focus has moved"), "{delivered:?}");
    assert_eq!(desktop.text("editor"), "One. ");
}

#[test]
fn texts_that_were_inserted_together_are_taken_back_one_by_one() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Final);
    let edits = |texts: [&str; 2]| texts.map(|text| Edit::Insert(text.into()));
    delivery.begin(true);
    assert!(delivery.finish(&edits(["One.", " Two."])).ok);
    assert_eq!(delivery.undo().taken_back, 1);
    assert_eq!(desktop.text("editor"), "One.");
    assert_eq!(delivery.undo().taken_back, 1);
    assert_eq!(desktop.text("editor"), "");
    // Of what is there only in part, first the part.
    let reason = Box::new(Error::KeysHeld);
    desktop.state().fails = Some(Error::Partly { characters: 6, reason });
    desktop.state().texts.insert("editor", "One. T".into());
    delivery.begin(true);
    assert_eq!(delivery.finish(&edits(["One.", " Two."])).inserted, "One. T");
    assert!(delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "One.");
    assert!(delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "");
}

#[test]
fn what_was_taken_back_is_told_whatever_becomes_of_the_text() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Final);
    let instead = [Edit::Undo, Edit::Insert("2.".into())];
    delivery.begin(false);
    let delivered = delivery.finish(&instead);
    assert!(delivered.ok && delivered.taken_back == 0, "there was nothing: {delivered:?}");
    delivery.begin(false);
    let delivered = delivery.finish(&instead);
    assert!(delivered.ok && delivered.taken_back == 1, "{delivered:?}");
    // What others have typed since is not taken for ours.
    delivery.forget();
    assert_eq!(delivery.undo().taken_back, 0);
    assert_eq!(desktop.text("editor"), "2.");
}

#[test]
fn what_others_typed_is_never_deleted() {
    let desktop = Desktop::new();
    desktop.state().tells_before = true;
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    delivery.begin(false);
    delivery.show("one too", "");
    desktop.state().texts.insert("editor", "one too mine".into());
    let delivered = delivery.finish(&insert("one two"));
    assert!(!delivered.ok && delivered.detail.contains("has been changed"), "{delivered:?}");
    assert_eq!(desktop.text("editor"), "one too mine");
    assert_eq!(delivered.inserted, "one too");
    assert!(!delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "one too mine");
}

#[test]
fn a_failure_says_what_stands() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    delivery.begin(false);
    delivery.show("one", "");
    let reason = Box::new(Error::KeysHeld);
    desktop.state().fails = Some(Error::Partly { characters: 2, reason });
    let delivered = delivery.finish(&insert("one two"));
    assert!(!delivered.ok && delivered.detail.contains("Ctrl"), "{delivered:?}");
    assert_eq!(delivered.inserted, "one t");
    assert!(!format!("{delivered:?}").contains("one"), "text in a log: {delivered:?}");

    delivery.begin(false);
    desktop.state().gone = true;
    let delivered = delivery.finish(&insert("more"));
    assert!(!delivered.ok && delivered.inserted.is_empty(), "{delivered:?}");
    assert!(delivery.begin(false).is_none());
    assert!(!delivery.finish(&insert("more")).ok);
    desktop.state().gone = false;
    assert!(delivery.begin(false).is_some());
    assert!(delivery.finish(&insert("more")).ok);
}

#[test]
fn what_was_taken_away_only_in_part_is_counted() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    let breaks_after = |characters| {
        let reason = Box::new(Error::TargetMoved);
        desktop.state().fails = Some(Error::Partly { characters, reason });
        // The way has done so much before it fails.
        let text = desktop.text("editor");
        let kept = text.chars().count() - characters;
        desktop.state().texts.insert("editor", text.chars().take(kept).collect());
    };
    delivery.begin(false);
    delivery.show("one two", "");
    breaks_after(2);
    let delivered = delivery.finish(&insert("one"));
    assert!(!delivered.ok && delivered.detail.contains("focus has moved"), "{delivered:?}");
    assert_eq!((delivered.inserted.as_str(), desktop.text("editor")), ("one t", "one t".into()));
    breaks_after(3);
    assert!(!delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "on");
    assert!(delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "");
}

#[test]
fn what_cannot_be_typed_is_not_counted() {
    let desktop = Desktop::new();
    desktop.state().texts.insert("editor", "mine ".into());
    let mut delivery = delivery(&desktop, KEYS, Live::Final);
    assert_eq!(delivery.insert("a\u{7}\r\n\tb\u{1b}").inserted, "a\n\tb");
    assert_eq!(desktop.text("editor"), "mine a\n\tb");
    assert!(delivery.undo().ok);
    assert_eq!(desktop.text("editor"), "mine ");
}

#[test]
fn nothing_in_focus_is_told() {
    let desktop = Desktop::default();
    let mut delivery = delivery(&desktop, KEYS, Live::Auto);
    assert_eq!(delivery.begin(true), None);
    delivery.show("one", "");
    let delivered = delivery.finish(&insert("one"));
    assert!(!delivered.ok && delivered.detail.contains("no window"), "{delivered:?}");
    assert!(!delivery.insert("one").ok && !delivery.undo().ok);
}

#[test]
fn a_way_that_sees_nothing_types_at_the_end_and_takes_nothing_back() {
    let desktop = Desktop::new();
    let mut delivery = delivery(&desktop, Abilities::default(), Live::Auto);
    delivery.begin(false);
    delivery.show("one", "");
    assert_eq!(desktop.text("editor"), "");
    assert!(delivery.finish(&insert("one two")).ok);
    let undone = delivery.undo();
    assert!(!undone.ok && undone.detail.contains("by hand"), "{undone:?}");
    assert_eq!(desktop.state().calls, ["insert 7"]);
}
