//! Utterances into real windows.

use scriven_desktop::delivery::{Delivery, Live};
use scriven_desktop::insertion::ladder::Ladder;
use scriven_desktop::insertion::x11;
use scriven_desktop::writing::Edit;

use crate::fixture::{MIXED, Screen};

fn delivery(screen: &Screen) -> Delivery {
    let display = screen.display.clone();
    let way = Box::new(move || x11::connect_to(&display));
    Delivery::new(Ladder::new(vec![("x11", way)]), Live::Auto)
}

fn insert(text: &str) -> [Edit; 1] {
    [Edit::Insert(text.into())]
}

#[test]
fn words_appear_while_they_are_spoken_and_the_end_is_put_right() {
    let Some(screen) = Screen::new("de") else { return };
    let windows = [screen.gtk("gtk"), screen.qt("qt")];
    for window in windows.iter().flatten() {
        screen.client().focus(window);
        let mut delivery = delivery(&screen);
        assert!(delivery.begin(false).is_some());
        delivery.show("Grüße an", " alle");
        window.holds("Grüße an");
        delivery.show("Grüße an Alle", " in");
        window.holds("Grüße an Alle");
        let text = format!("Grüße an alle 日本. {MIXED}");
        let delivered = delivery.finish(&insert(&text));
        assert!(delivered.ok, "{delivered:?}");
        window.holds(&text);

        delivery.begin(false);
        delivery.show(" Scratch", " that");
        assert!(delivery.finish(&[Edit::Undo]).ok);
        window.holds("");
        delivery.begin(false);
        delivery.show("gone", "");
        delivery.discard();
        window.holds("");
        assert_eq!(window.shortcuts(), "");
    }
}

#[test]
fn a_window_in_front_gets_nothing_of_an_utterance() {
    let Some(screen) = Screen::new("us") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let mut delivery = delivery(&screen);
    delivery.begin(false);
    delivery.show("one", "");
    window.holds("one");
    let Some(popup) = screen.xterm("popup") else { return };
    delivery.show("one two", "");
    let delivered = delivery.finish(&insert("one two three"));
    assert!(!delivered.ok && delivered.detail.contains("focus has moved"), "{delivered:?}");
    assert_eq!(delivered.inserted, "one");
    assert!(delivery.insert("three").ok);
    popup.holds("three");
    window.holds("one");
}

#[test]
fn a_server_that_dies_is_an_error_and_the_next_one_is_found() {
    let Some(mut screen) = Screen::new("us") else { return };
    let Some(window) = screen.xterm("terminal") else { return };
    let mut delivery = delivery(&screen);
    delivery.begin(false);
    delivery.show("one", "");
    window.holds("one");
    drop(screen.server.0.kill());
    drop(screen.server.0.wait());
    let delivered = delivery.finish(&insert("one two"));
    assert!(!delivered.ok && delivered.detail.contains("gone"), "{delivered:?}");
    assert!(delivery.begin(false).is_none());
    assert!(!delivery.finish(&insert("three")).ok);

    screen.restart();
    let Some(window) = screen.xterm("again") else { return };
    assert!(delivery.begin(true).is_some());
    delivery.show("four", "");
    let delivered = delivery.finish(&insert("four 語"));
    assert!(delivered.ok, "{delivered:?}");
    assert_eq!(delivered.backend, "x11");
    window.holds("four 語");
}

#[test]
fn the_ladder_says_why_there_is_no_way() {
    let nowhere = Box::new(|| x11::connect_to(":4711"));
    let mut delivery = Delivery::new(Ladder::new(vec![("x11", nowhere)]), Live::Auto);
    let verdict = delivery.rungs()[0].verdict.clone().unwrap_err();
    assert!(verdict.contains("there is no X server"), "{verdict}");
    assert!(delivery.begin(false).is_none());
    assert!(!delivery.finish(&insert("one")).ok);
}
