//! A session's life, from the first press to the last signal.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use zbus::OwnedVariant;

use crate::client::{Client, Dict, Signal, error_name};
use crate::fixture::{Fixture, PATH};

fn number(info: &HashMap<String, OwnedVariant>, key: &str) -> u64 {
    info[key].downcast_ref::<u64>().unwrap_or_else(|_| panic!("{key} is {:?}", info[key]))
}

/// Checks the promises about the text of one session, and returns its final texts.
fn check_texts(signals: &[Signal]) -> Vec<String> {
    let (mut texts, mut committed, mut revision, mut closed) = (vec![], String::new(), 0, 0);
    for signal in signals {
        match signal.member.as_str() {
            "Partial" => {
                type Body = (zbus::OwnedObjectPath, u32, u32, String, String, Info);
                type Info = HashMap<String, OwnedVariant>;
                let (_, utterance, r, now, _, _): Body = signal.body();
                assert_eq!(utterance, closed + 1, "a partial of another utterance");
                assert_eq!(r, revision + 1, "revisions count up");
                assert!(now.starts_with(&committed), "committed text only grows");
                (committed, revision) = (now, r);
            }
            "Final" => {
                let (utterance, text, _) = signal.text();
                assert_eq!(utterance, closed + 1);
                assert!(text.starts_with(&committed), "the final text starts with the committed");
                (committed, revision, closed) = (String::new(), 0, utterance);
                texts.push(text);
            }
            "Discarded" => (committed, revision, closed) = (String::new(), 0, closed + 1),
            _ => {}
        }
    }
    texts
}

fn members(signals: &[Signal]) -> Vec<&str> {
    signals.iter().map(|signal| signal.member.as_str()).collect()
}

async fn stop(client: &Client, session: &str) {
    client.call::<_, ()>(session, "Stop", &()).await.unwrap();
}

#[test]
fn a_session_starts_shows_partials_and_ends_with_the_final_text() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        assert_eq!(client.state().await, "idle");
        fixture.speak(2.0, 1.0);
        let session = client.start(Dict::from([("handle_token", "mine".into())])).await.unwrap();
        let me = client.connection.unique_name().unwrap().as_str().replace('.', "_");
        assert_eq!(session, format!("{PATH}/session/{}/mine", me.trim_start_matches(':')));
        let mut signals = client.signals_until("Final").await;
        assert_eq!(client.state().await, "listening");
        stop(&client, &session).await;
        signals.extend(client.signals_until("SessionEnded").await);

        assert_eq!(signals[0].member, "SessionStarted");
        assert!(signals.iter().all(|signal| signal.session == session));
        assert!(members(&signals).iter().filter(|m| **m == "Partial").count() >= 2);
        let texts = check_texts(&signals);
        assert!(texts[0].starts_with("one two three four five"), "{texts:?}");
        let (reason, stats) = signals.last().unwrap().ended();
        assert_eq!(reason, "stopped");
        assert_eq!(number(&stats, "overruns"), 0);
        assert!(number(&stats, "audio") > 2_000_000);
        assert!(number(&stats, "rss") > 1_000_000);
        client.until("State", "idle").await;
        assert_eq!(fixture.script.open.load(Ordering::Relaxed), 0, "the microphone is closed");
    });
}

#[test]
fn a_final_text_tells_when_and_how_it_was_said() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.0);
        let options = Dict::from([("partials", false.into()), ("source", "test-mic".into())]);
        client.start(options).await.unwrap();
        let signals = client.signals_until("Final").await;
        assert_eq!(members(&signals), ["SessionStarted", "Final"], "no partials were wanted");
        let (_, info): (zbus::OwnedObjectPath, HashMap<String, OwnedVariant>) = signals[0].body();
        let started = number(&info, "monotonic");
        assert_eq!(info["mode"].downcast_ref::<&str>().unwrap(), "dictation");

        let (_, _, info) = signals[1].text();
        assert_eq!(info["language"].downcast_ref::<&str>().unwrap(), "en");
        assert_eq!(info["source"].downcast_ref::<&str>().unwrap(), "test-mic");
        assert_eq!(info["model"].downcast_ref::<&str>().unwrap(), "base");
        let (start, end) = (number(&info, "start"), number(&info, "end"));
        assert!(start < end && end == number(&info, "audio-end"));
        // What was heard cannot have been heard before it was said.
        assert!(number(&info, "monotonic") >= started + end);
    });
}

#[test]
fn what_is_said_while_the_model_loads_is_not_lost() {
    let fixture = Fixture::loading();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        assert_eq!(
            client.property::<String>(PATH, crate::fixture::NAME, "ModelState").await,
            "loading"
        );
        fixture.speak(1.5, 0.1);
        let session = client.start(Dict::new()).await.unwrap();
        std::thread::sleep(Duration::from_millis(1600));
        stop(&client, &session).await;
        client.until("State", "finalizing").await;
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(fixture.script.open.load(Ordering::Relaxed), 0, "the microphone is closed");
        fixture.script.loaded.store(true, Ordering::Relaxed);
        let texts = check_texts(&client.signals_until("SessionEnded").await);
        assert!(texts[0].starts_with("one two three four"), "{texts:?}");
    });
}

#[test]
fn cancel_throws_away_what_was_said() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        client.start(Dict::new()).await.unwrap();
        client.signals_until("Partial").await;
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert!(signals.iter().all(|signal| signal.member != "Final"));
        assert_eq!(signals.iter().filter(|signal| signal.member == "Discarded").count(), 1);
        assert_eq!(signals.last().unwrap().ended().0, "cancelled");
        client.until("State", "idle").await;
        // And it may be said again.
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
    });
}

#[test]
fn a_second_dictation_is_refused_while_one_is_on() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let session = client.start(Dict::new()).await.unwrap();
        let other = fixture.connect().await;
        assert_eq!(error_name(other.start(Dict::new()).await), "Busy");
        let press = (String::from("dictate"), Dict::new());
        assert_eq!(error_name(other.call::<_, ()>(PATH, "Press", &press).await), "Busy");
        stop(&client, &session).await;
        // While the first one still finishes, the next may begin.
        other.start(Dict::new()).await.unwrap();
    });
}

#[test]
fn toggle_starts_and_stops_and_outlives_its_caller() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut watcher = fixture.connect().await;
        let caller = fixture.connect().await;
        let on: zbus::OwnedObjectPath = caller.call(PATH, "Toggle", &(Dict::new(),)).await.unwrap();
        caller.connection.close().await.unwrap();
        watcher.until("State", "listening").await;
        std::thread::sleep(Duration::from_millis(100));
        let off: zbus::OwnedObjectPath =
            watcher.call(PATH, "Toggle", &(Dict::new(),)).await.unwrap();
        assert_eq!(on, off);
        let signals = watcher.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "stopped");
    });
}

#[test]
fn a_held_key_dictates_until_it_is_released() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut watcher = fixture.connect().await;
        fixture.speak(1.0, 0.2);
        // A keyboard repeats, and each repetition is a process of its own.
        for _ in 0..3 {
            let caller = fixture.connect().await;
            let press = (String::from("dictate"), Dict::new());
            caller.call::<_, ()>(PATH, "Press", &press).await.unwrap();
            caller.connection.close().await.unwrap();
        }
        std::thread::sleep(Duration::from_millis(1100));
        watcher.call::<_, ()>(PATH, "Release", &"dictate").await.unwrap();
        let signals = watcher.signals_until("SessionEnded").await;
        assert_eq!(members(&signals)[0], "SessionStarted");
        assert!(check_texts(&signals)[0].starts_with("one two"));
        watcher.call::<_, ()>(PATH, "Release", &"dictate").await.unwrap();
    });
}

#[test]
fn a_key_that_repeats_after_cancel_begins_nothing() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let press = (String::from("dictate"), Dict::new());
        client.call::<_, ()>(PATH, "Press", &press).await.unwrap();
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        client.signals_until("SessionEnded").await;
        client.call::<_, ()>(PATH, "Press", &press).await.unwrap();
        assert_eq!(client.state().await, "idle");
        client.call::<_, ()>(PATH, "Release", &"dictate").await.unwrap();
        client.call::<_, ()>(PATH, "Press", &press).await.unwrap();
        client.until("State", "listening").await;
    });
}

#[test]
fn silence_ends_a_session_that_says_so() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        fixture.speak(1.5, 0.0);
        client.start(Dict::from([("auto_stop", 1.0.into())])).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "stopped");
        assert!(check_texts(&signals)[0].starts_with("one two three"), "not before the words");
        // Where nobody says a word, it ends as well.
        client.start(Dict::from([("auto_stop", 0.5.into())])).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(members(&signals), ["SessionStarted", "SessionEnded"]);
    });
}

#[test]
fn a_release_right_behind_a_press_ends_it() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let press = (String::from("dictate"), Dict::new());
        let interface = Some(crate::fixture::NAME);
        // Neither waits for the answer of the other.
        let connection = client.connection.clone();
        let pressed = connection.call_method(interface, PATH, interface, "Press", &press);
        let released = connection.call_method(interface, PATH, interface, "Release", &"dictate");
        let (a, b) = futures_lite::future::zip(pressed, released).await;
        a.unwrap();
        b.unwrap();
        assert_eq!(client.signals_until("SessionEnded").await.last().unwrap().ended().0, "stopped");
    });
}

#[test]
fn a_session_ends_with_its_caller_but_not_its_words() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut watcher = fixture.connect().await;
        let owner = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        owner.start(Dict::new()).await.unwrap();
        watcher.signals_until("Partial").await;
        owner.connection.close().await.unwrap();
        let signals = watcher.signals_until("SessionEnded").await;
        assert!(signals.iter().any(|signal| signal.member == "Final"));
        assert_eq!(signals.last().unwrap().ended().0, "owner-vanished");
    });
}

#[test]
fn a_session_that_lingers_outlives_its_caller() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let watcher = fixture.connect().await;
        let owner = fixture.connect().await;
        owner.start(Dict::from([("linger", true.into())])).await.unwrap();
        owner.connection.close().await.unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(watcher.state().await, "listening");
    });
}

#[test]
fn with_scope_owner_nobody_else_hears() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut stranger = fixture.connect().await;
        let mut owner = fixture.connect().await;
        fixture.speak(1.0, 1.0);
        let session = owner.start(Dict::from([("scope", "owner".into())])).await.unwrap();
        let mut signals = owner.signals_until("Final").await;
        stop(&owner, &session).await;
        signals.extend(owner.signals_until("SessionEnded").await);
        assert_eq!(members(&signals)[0], "SessionStarted");
        // The next session, for all: its start is the first thing the stranger hears.
        let next = owner.start(Dict::new()).await.unwrap();
        let heard = stranger.signal().await;
        assert_eq!((heard.member.as_str(), heard.session), ("SessionStarted", next));
    });
}

#[test]
fn committed_text_stays_even_if_the_recognizer_changes_its_mind() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(2.5, 1.0);
        client.start(Dict::new()).await.unwrap();
        let mut signals = client.signals_until("Partial").await;
        fixture.script.fickle.store(true, Ordering::Relaxed);
        signals.extend(client.signals_until("Final").await);
        check_texts(&signals);
    });
}

#[test]
fn the_system_ends_the_daemon_only_after_the_last_words() {
    let mut fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        client.start(Dict::new()).await.unwrap();
        client.signals_until("Partial").await;
        fixture.terminate();
        let signals = client.signals_until("SessionEnded").await;
        assert!(signals.iter().any(|signal| signal.member == "Final"));
    });
    fixture.wait().unwrap();
}
