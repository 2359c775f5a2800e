//! Final texts on their way into a window, and what is told about it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use zbus::{OwnedObjectPath, Variant};

use crate::client::{Client, Dict, Signal, error_name, soon};
use crate::fixture::{Fixture, NAME, PATH};

/// `(utterance, backend, ok, detail)` of a `Delivered`.
pub fn delivered(signal: &Signal) -> (u32, String, bool, String) {
    assert_eq!(signal.member, "Delivered");
    let (_, utterance, backend, ok, detail): (OwnedObjectPath, _, _, _, _) = signal.body();
    (utterance, backend, ok, detail)
}

fn members(signals: &[Signal]) -> Vec<&str> {
    let partial = |member: &&str| *member != "Partial";
    signals.iter().map(|signal| signal.member.as_str()).filter(partial).collect()
}

/// Starts a dictation into the window.
pub async fn dictate(client: &Client) -> String {
    client.start(Dict::from([("output", "type".into())])).await.unwrap()
}

pub async fn stop(client: &Client, session: &str) {
    client.call::<_, ()>(session, "Stop", &()).await.unwrap();
}

pub async fn press(client: &Client) {
    let press = (String::from("dictate"), Dict::new());
    client.call::<_, ()>(PATH, "Press", &press).await.unwrap();
}

pub async fn release(client: &Client) {
    client.call::<_, ()>(PATH, "Release", &"dictate").await.unwrap();
}

/// Waits for something that no signal tells.
pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    soon(async {
        while !is_so() {
            zbus_sleep().await;
        }
    })
    .await;
    assert!(is_so(), "{what}");
}

async fn zbus_sleep() {
    zruntime::SharedRuntime::current().unwrap().sleep(Duration::from_millis(5)).await;
}

#[test]
fn each_final_text_is_followed_by_what_has_become_of_it() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        let session = dictate(&client).await;
        let mut signals = client.signals_until("Delivered").await;
        fixture.speak(1.0, 1.5);
        signals.extend(client.signals_until("Delivered").await);
        stop(&client, &session).await;
        signals.extend(client.signals_until("SessionEnded").await);
        let order = ["SessionStarted", "Final", "Delivered", "Final", "Delivered", "SessionEnded"];
        assert_eq!(members(&signals), order);
        assert!(signals.iter().all(|signal| signal.session == session));
        let told: Vec<_> = signals.iter().filter(|s| s.member == "Delivered").collect();
        let taken = |n| (n, "script".to_owned(), true, "taken".to_owned());
        assert_eq!((delivered(told[0]), delivered(told[1])), (taken(1), taken(2)));
        let finals: Vec<_> = signals.iter().filter(|s| s.member == "Final").collect();
        let said = format!("{} {}", finals[0].text().1, finals[1].text().1);
        assert_eq!(fixture.script.window.text(), said);
        client.until("OutputBackend", "script").await;
    });
}

#[test]
fn what_is_said_is_shown_before_it_is_final() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        dictate(&client).await;
        client.signals_until("Partial").await;
        let shown = || fixture.script.window.shown.lock().unwrap().clone();
        eventually("three words are shown", || shown().starts_with("one two three")).await;
        assert_eq!(fixture.script.window.text(), "");
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(members(&signals), ["Discarded", "SessionEnded"]);
        eventually("it is taken away", || shown().is_empty()).await;
        assert_eq!(fixture.script.window.text(), "");
    });
}

#[test]
fn a_program_that_only_listens_gets_its_text_and_no_window_does() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        let session = client.start(Dict::new()).await.unwrap();
        let mut signals = client.signals_until("Final").await;
        stop(&client, &session).await;
        signals.extend(client.signals_until("SessionEnded").await);
        assert_eq!(members(&signals), ["SessionStarted", "Final", "SessionEnded"]);
        assert_eq!(fixture.script.window.text(), "");
        // No way into windows has been looked for.
        assert_eq!(client.property::<String>(PATH, NAME, "OutputBackend").await, "");
    });
}

#[test]
fn text_waits_until_the_key_is_let_go() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        press(&client).await;
        let mut signals = client.signals_until("Final").await;
        fixture.speak(1.0, 1.5);
        signals.extend(client.signals_until("Final").await);
        // Typed keys would be taken for the key's. What waits is shown, if the way can do that.
        assert_eq!(fixture.script.window.text(), "");
        let shown = || fixture.script.window.shown.lock().unwrap().clone();
        eventually("both are shown", || shown() == signals_text(&signals)).await;
        release(&client).await;
        signals.extend(client.signals_until("SessionEnded").await);
        let told: Vec<_> =
            signals.iter().filter(|s| s.member == "Delivered").map(delivered).collect();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|(_, _, ok, _)| *ok), "{told:?}");
        assert_eq!(members(&signals).last(), Some(&"SessionEnded"));
        assert!(fixture.script.window.text().ends_with(&signals_text(&signals)));
    });
}

fn signals_text(signals: &[Signal]) -> String {
    let finals = signals.iter().filter(|signal| signal.member == "Final");
    finals.map(|signal| signal.text().1).collect::<Vec<_>>().join(" ")
}

#[test]
fn text_that_needs_no_keys_does_not_wait_for_the_key() {
    let fixture = Fixture::new();
    fixture.script.window.keyless.store(true, Ordering::Relaxed);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        press(&client).await;
        let signals = client.signals_until("Delivered").await;
        assert!(delivered(signals.last().unwrap()).2);
        assert_eq!(fixture.script.window.text(), signals_text(&signals));
        release(&client).await;
    });
}

#[test]
fn the_ways_rest_when_nobody_dictates_and_not_before() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let rests = || fixture.script.window.rests.load(Ordering::Relaxed);
        let mut client = fixture.connect().await;
        fixture.speak(6.0, 1.5);
        let session = dictate(&client).await;
        client.signals_until("Delivered").await;
        assert_eq!(rests(), 0, "somebody has spoken for longer than the ways wait");
        stop(&client, &session).await;
        eventually("they rest", || rests() == 1).await;
        fixture.speak(1.0, 1.5);
        dictate(&client).await;
        assert!(delivered(client.signals_until("Delivered").await.last().unwrap()).2);
        eventually("they rest again", || rests() == 2).await;
    });
}

#[test]
fn text_goes_where_its_utterance_began_or_nowhere() {
    let fixture = Fixture::new();
    fixture.script.window.focus("editor");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        dictate(&client).await;
        client.signals_until("Partial").await;
        fixture.script.window.focus("chat");
        client.call::<_, OwnedObjectPath>(PATH, "Toggle", &(Dict::new(),)).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        let told = signals.iter().find(|signal| signal.member == "Delivered").unwrap();
        let (_, backend, ok, detail) = delivered(told);
        assert!(!ok && backend.is_empty() && detail.contains("focus has moved"), "{detail}");
        assert_eq!(fixture.script.window.text(), "");
        let error: (String, String) = client.property(PATH, NAME, "LastError").await;
        assert_eq!(error.0, format!("{NAME}.Error.NotDelivered"));
    });
}

#[test]
fn what_was_said_is_delivered_when_its_caller_has_left() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut watcher = fixture.connect().await;
        let owner = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        dictate(&owner).await;
        watcher.signals_until("Partial").await;
        owner.connection.close().await.unwrap();
        let signals = watcher.signals_until("SessionEnded").await;
        let order = ["Final", "Delivered", "SessionEnded"];
        assert_eq!(members(&signals), order);
        assert_eq!(fixture.script.window.text(), signals_text(&signals));
    });
}

#[test]
fn the_clipboard_is_taken_where_it_is_asked_for() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        client.start(Dict::from([("output", "clipboard".into())])).await.unwrap();
        let signals = client.signals_until("Delivered").await;
        assert_eq!(delivered(signals.last().unwrap()).1, "clipboard");
    });
}

#[test]
fn what_is_copied_is_all_that_a_session_has_said_and_goes_into_no_window() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    let copied = || window.copied.lock().unwrap().clone();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for _ in 0..2 {
            fixture.speak(1.0, 1.5);
            let session = client.start(Dict::from([("output", "copy".into())])).await.unwrap();
            let mut signals = client.signals_until("Delivered").await;
            assert_eq!(copied(), capital(&signals_text(&signals)));
            fixture.speak(1.0, 1.5);
            signals.extend(client.signals_until("Delivered").await);
            let (_, backend, ok, _) = delivered(signals.last().unwrap());
            assert!(ok && backend == "copy", "{backend}");
            // The next session begins anew.
            assert_eq!(copied(), capital(&signals_text(&signals)));
            stop(&client, &session).await;
            client.signals_until("SessionEnded").await;
        }
        assert_eq!(window.text(), "");
    });
}

fn capital(text: &str) -> String {
    text.replacen("one", "One", 1)
}

#[test]
fn what_one_mode_has_inserted_is_not_taken_back_by_another() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for mode in ["type", "clipboard"] {
            fixture.speak(1.0, 1.5);
            let session = client.start(Dict::from([("output", mode.into())])).await.unwrap();
            let signals = client.signals_until("Delivered").await;
            assert!(delivered(signals.last().unwrap()).2);
            stop(&client, &session).await;
            client.signals_until("SessionEnded").await;
        }
        let both = window.text();
        client.call::<_, ()>(PATH, "UndoLast", &()).await.unwrap();
        let typed = window.text();
        assert!(!typed.is_empty() && both.starts_with(&typed) && typed.len() < both.len());
        // The one before was typed by who knows nothing of the paste.
        let refused = client.call::<_, ()>(PATH, "UndoLast", &()).await;
        assert_eq!(error_name(refused), "NotDelivered");
        assert_eq!(window.text(), typed);
    });
}

#[test]
fn a_window_that_hangs_holds_nobody_up_but_those_behind_it() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    window.hangs.store(true, Ordering::Relaxed);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let body = (String::from("a text, "), Dict::new());
        // One is at the window, 64 wait for it, and there is no room for more.
        for n in 0..100 {
            if n == 1 {
                let has_hung = || window.has_hung.load(Ordering::Relaxed);
                eventually("one is at the window", has_hung).await;
            }
            let call = zbus::Message::method_call(PATH, "InsertText");
            let call = call.destination(NAME).interface(NAME);
            client.connection.send(&call.build(&body).unwrap()).await.unwrap();
        }
        let refused = client.call::<_, String>(PATH, "InsertText", &body).await;
        assert_eq!(error_name(refused), "Overloaded");
        // The daemon itself goes on, and what is said meanwhile is kept.
        fixture.speak(1.0, 1.5);
        let session = dictate(&client).await;
        let signals = client.signals_until("Delivered").await;
        let (_, _, ok, detail) = delivered(signals.last().unwrap());
        assert!(!ok && detail.contains("too much is waiting"), "{detail}");
        stop(&client, &session).await;
        client.signals_until("SessionEnded").await;
        window.hangs.store(false, Ordering::Relaxed);
        eventually("those that waited are inserted", || window.text().len() == 65 * 8).await;
        let backend: String = client.call(PATH, "Redeliver", &(Dict::new(),)).await.unwrap();
        assert_eq!(backend, "script");
        assert!(window.text().ends_with(&signals_text(&signals)), "{}", window.text());
    });
}

#[test]
fn text_is_inserted_and_taken_back_when_it_is_asked_for() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let client = fixture.connect().await;
        let insert = |text: &str| (text.to_owned(), Dict::new());
        let backend: String = client.call(PATH, "InsertText", &insert("a € 日")).await.unwrap();
        assert_eq!((backend.as_str(), window.text().as_str()), ("script", "a € 日"));
        client.call::<_, ()>(PATH, "UndoLast", &()).await.unwrap();
        assert_eq!(window.text(), "");
        window.secret.store(true, Ordering::Relaxed);
        let refused = client.call::<_, String>(PATH, "InsertText", &insert("x")).await;
        assert_eq!(error_name(refused), "NotDelivered");
        let long = insert(&"x".repeat(70_000));
        let refused = client.call::<_, String>(PATH, "InsertText", &long).await;
        assert_eq!(error_name(refused), "InvalidArgument");
        let options = ("x".to_owned(), Dict::from([("fast", Variant::from(true))]));
        let refused = client.call::<_, String>(PATH, "InsertText", &options).await;
        assert_eq!(error_name(refused), "UnsupportedOption");
        assert_eq!(window.text(), "");
    });
}

#[test]
fn while_somebody_dictates_nobody_else_types() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        dictate(&client).await;
        client.signals_until("Partial").await;
        let body = ("x".to_owned(), Dict::new());
        assert_eq!(error_name(client.call::<_, String>(PATH, "InsertText", &body).await), "Busy");
        assert_eq!(error_name(client.call::<_, ()>(PATH, "UndoLast", &()).await), "Busy");
    });
}

#[test]
fn the_ways_into_windows_are_listed_with_their_reasons() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let body = ("x".to_owned(), Dict::new());
        client.call::<_, String>(PATH, "InsertText", &body).await.unwrap();
        client.until("OutputBackend", "script").await;
        type List = Vec<std::collections::HashMap<String, zbus::OwnedVariant>>;
        let ways: List = client.call(PATH, "ListOutputs", &()).await.unwrap();
        let flag = |n: usize, key: &str| ways[n][key].downcast_ref::<bool>().unwrap();
        let word = |n: usize, key: &str| ways[n][key].downcast_ref::<&str>().unwrap().to_owned();
        assert_eq!((word(0, "name"), flag(0, "usable")), ("none".into(), false));
        assert_eq!(word(0, "reason"), "there is none on this desktop");
        assert!(flag(1, "usable") && flag(1, "chosen") && !flag(1, "keyless"));
    });
}
