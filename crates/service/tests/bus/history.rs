//! What is kept of what was said, for how long, and who may read it.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::Ordering;

use scriven_service::config::{Config, History};
use zbus::OwnedVariant;

use crate::client::{Client, Dict, error_name};
use crate::delivery::{dictate, eventually, press, release, stop};
use crate::fixture::{Fixture, PATH};

type Entry = HashMap<String, OwnedVariant>;

async fn history(client: &Client, limit: u32) -> Vec<Entry> {
    client.call(PATH, "GetHistory", &(limit, Dict::new())).await.unwrap()
}

fn word(entry: &Entry, key: &str) -> String {
    entry.get(key).map_or(String::new(), |value| value.downcast_ref::<&str>().unwrap().to_owned())
}

fn id(entry: &Entry) -> u64 {
    entry["id"].downcast_ref().unwrap()
}

async fn redeliver(client: &Client, options: Dict<'_>) -> zbus::Result<String> {
    client.call(PATH, "Redeliver", &(options,)).await
}

fn on_disk(fixture: &Fixture) -> String {
    fs::read_to_string(fixture.folder.path().join("state/history.jsonl")).unwrap_or_default()
}

/// Says something into the window, and tells what it was.
async fn say(fixture: &Fixture, client: &mut Client) -> String {
    fixture.speak(1.0, 1.5);
    let session = dictate(client).await;
    let signals = client.signals_until("Delivered").await;
    stop(client, &session).await;
    client.signals_until("SessionEnded").await;
    signals.iter().find(|signal| signal.member == "Final").unwrap().text().1
}

#[test]
fn what_no_window_takes_is_kept_and_can_be_delivered_again() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotFound");
        window.refuses.store(true, Ordering::Relaxed);
        let text = say(&fixture, &mut client).await;
        assert_eq!(window.text(), "");
        let entry = &history(&client, 0).await[0];
        assert_eq!(
            (word(entry, "text"), word(entry, "state")),
            (text.clone(), "undelivered".into())
        );
        assert!(word(entry, "detail").contains("takes no text"));
        assert_eq!(word(entry, "language"), "en");
        // It fails again, and is still there.
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotDelivered");
        window.refuses.store(false, Ordering::Relaxed);
        assert_eq!(redeliver(&client, Dict::new()).await.unwrap(), "script");
        assert_eq!(window.text(), text);
        let entry = &history(&client, 1).await[0];
        assert_eq!(
            (word(entry, "state"), word(entry, "backend")),
            ("delivered".into(), "script".into())
        );
        // By its number it can be had again, without one there is nothing left to deliver.
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotFound");
        redeliver(&client, Dict::from([("id", id(entry).into())])).await.unwrap();
        assert_eq!(window.text(), format!("{text} {text}"));
        let nobody = Dict::from([("id", 7u64.into())]);
        assert_eq!(error_name(redeliver(&client, nobody).await), "NotFound");
        let wrong = Dict::from([("id", "seven".into())]);
        assert_eq!(error_name(redeliver(&client, wrong).await), "InvalidArgument");
    });
}

#[test]
fn of_what_is_there_in_part_only_the_rest_is_delivered_again() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    let breaks_after = |characters| *window.room.lock().unwrap() = Some(characters);
    window.focus("editor");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        breaks_after(5);
        let text = say(&fixture, &mut client).await;
        assert_eq!(window.text(), text[..5]);
        let entry = &history(&client, 0).await[0];
        assert_eq!(word(entry, "state"), "undelivered");
        assert!(word(entry, "detail").contains("a part of it"));
        // Of the rest again only a part; then nothing; then what is left.
        breaks_after(2);
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotDelivered");
        window.refuses.store(true, Ordering::Relaxed);
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotDelivered");
        window.refuses.store(false, Ordering::Relaxed);
        redeliver(&client, Dict::new()).await.unwrap();
        assert_eq!(window.text(), text);
        assert_eq!(word(&history(&client, 0).await[0], "state"), "delivered");
        // In another window all of it is typed, and where it is asked for by its number.
        for elsewhere in [true, false] {
            window.text.lock().unwrap().clear();
            breaks_after(5);
            let text = say(&fixture, &mut client).await;
            let id = id(&history(&client, 1).await[0]);
            if elsewhere {
                window.focus("mail");
            }
            window.text.lock().unwrap().clear();
            let by_number = Dict::from([("id", id.into())]);
            redeliver(&client, if elsewhere { Dict::new() } else { by_number }).await.unwrap();
            assert_eq!(window.text(), text);
        }
    });
}

#[test]
fn of_two_texts_that_come_together_the_one_that_is_there_is_delivered() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        press(&client).await;
        for _ in 0..2 {
            fixture.speak(1.0, 1.5);
            client.signals_until("Final").await;
        }
        let first = word(&history(&client, 0).await[1], "text");
        *window.room.lock().unwrap() = Some(first.chars().count() + 3);
        release(&client).await;
        client.signals_until("SessionEnded").await;
        let entries = history(&client, 0).await;
        let states: Vec<_> = entries.iter().map(|entry| word(entry, "state")).collect();
        assert_eq!(states, ["undelivered", "delivered"]);
        redeliver(&client, Dict::new()).await.unwrap();
        assert_eq!(window.text(), format!("{first} {}", word(&entries[0], "text")));
    });
}

#[test]
fn what_did_not_arrive_is_not_what_the_next_text_goes_on_from() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        window.refuses.store(true, Ordering::Relaxed);
        say(&fixture, &mut client).await;
        window.refuses.store(false, Ordering::Relaxed);
        let text = say(&fixture, &mut client).await;
        assert_eq!(window.text(), text, "no space stands before it");
    });
}

#[test]
fn a_daemon_that_dies_between_a_text_and_its_window_leaves_it_undelivered() {
    let mut fixture = Fixture::new();
    let window = &fixture.script.window;
    window.hangs.store(true, Ordering::Relaxed);
    let (text, left) = zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        dictate(&client).await;
        let signals = client.signals_until("Final").await;
        eventually("the text is on disk", || on_disk(&fixture).contains("text")).await;
        (signals.last().unwrap().text().1, on_disk(&fixture))
    });
    // This is what the daemon would leave if it died now.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("state")).unwrap();
    fs::write(folder.path().join("state/history.jsonl"), left).unwrap();
    window.hangs.store(false, Ordering::Relaxed);
    fixture.terminate();
    fixture.wait().unwrap();

    let next = Fixture::in_folder(folder, Config::default());
    zbus::block_on(async {
        let client = next.connect().await;
        let entry = &history(&client, 0).await[0];
        assert_eq!(
            (word(entry, "text"), word(entry, "state")),
            (text.clone(), "undelivered".into())
        );
        redeliver(&client, Dict::new()).await.unwrap();
        assert_eq!(next.script.window.text(), text);
        eventually("so it says on disk", || on_disk(&next).contains("\"delivered\"")).await;
    });
}

#[test]
fn what_is_being_said_when_the_bus_ends_is_delivered_and_on_disk() {
    let mut fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        dictate(&client).await;
        client.signals_until("Partial").await;
    });
    fixture.end_bus();
    fixture.wait().unwrap();
    let typed = fixture.script.window.text();
    assert!(typed.starts_with("one"), "{typed}");
    let on_disk = on_disk(&fixture);
    assert!(on_disk.contains(&typed) && on_disk.contains("\"delivered\""), "{on_disk}");
}

#[test]
fn a_field_for_passwords_gets_nothing_and_nothing_of_it_is_kept_on_disk() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        window.secret.store(true, Ordering::Relaxed);
        // The first dictation of all also looks for a way; its partials may come before that.
        client.call::<_, String>(PATH, "InsertText", &("x", Dict::new())).await.unwrap_err();
        fixture.speak(1.0, 1.5);
        let session = dictate(&client).await;
        let signals = client.signals_until("Discarded").await;
        let members: Vec<_> = signals.iter().map(|signal| signal.member.as_str()).collect();
        assert_eq!(members, ["SessionStarted", "Discarded"], "nobody hears a word");
        let (_, _, reason): (zbus::OwnedObjectPath, u32, String) = signals[1].body();
        assert_eq!(reason, "secret");
        stop(&client, &session).await;
        client.signals_until("SessionEnded").await;
        let entry = &history(&client, 0).await[0];
        assert_eq!((word(entry, "text"), word(entry, "state")), ("".into(), "undelivered".into()));
        window.secret.store(false, Ordering::Relaxed);
        let text = say(&fixture, &mut client).await;
        assert_eq!(on_disk(&fixture).matches("\"text\"").count(), 1, "{}", on_disk(&fixture));
        // It was meant for a field nearby: there it can still go.
        let secret = Dict::from([("id", id(entry).into())]);
        redeliver(&client, secret).await.unwrap();
        assert!(window.text().starts_with(&format!("{text} one two")), "{}", window.text());
    });
}

#[test]
fn what_is_meant_for_its_owner_is_told_to_nobody_else_and_not_on_disk() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut owner = fixture.connect().await;
        let stranger = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        owner.start(Dict::from([("scope", "owner".into())])).await.unwrap();
        let signals = owner.signals_until("Final").await;
        let text = signals.last().unwrap().text().1;
        assert_eq!(word(&history(&owner, 0).await[0], "text"), text);
        assert!(!history(&stranger, 0).await[0].contains_key("text"));
        owner.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        owner.signals_until("SessionEnded").await;
        assert_eq!(on_disk(&fixture), "");
    });
}

#[test]
fn what_only_goes_over_the_bus_is_in_the_history_too() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        client.start(Dict::new()).await.unwrap();
        let signals = client.signals_until("Final").await;
        let entry = &history(&client, 0).await[0];
        assert_eq!(word(entry, "text"), signals.last().unwrap().text().1);
        assert_eq!(word(entry, "state"), "unasked");
        eventually("it is on disk", || on_disk(&fixture).contains("unasked")).await;
        assert_eq!(error_name(redeliver(&client, Dict::new()).await), "NotFound");
    });
}

#[test]
fn the_history_can_be_cleared() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        say(&fixture, &mut client).await;
        assert_ne!(on_disk(&fixture), "");
        client.call::<_, ()>(PATH, "ClearHistory", &()).await.unwrap();
        assert_eq!((history(&client, 0).await.len(), on_disk(&fixture).as_str()), (0, ""));
    });
}

#[test]
fn of_too_many_texts_the_oldest_go() {
    let history_of_two = History { max: 2, ..History::default() };
    let fixture = Fixture::configured(Config { history: history_of_two, ..Config::default() });
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for _ in 0..3 {
            say(&fixture, &mut client).await;
        }
        eventually("two are on disk", || on_disk(&fixture).matches("\"text\"").count() == 2).await;
        assert_eq!(history(&client, 0).await.len(), 2);
        assert_eq!(history(&client, 1).await.len(), 1);
    });
}

#[test]
fn with_zero_hours_nothing_is_on_disk() {
    let memory = History { keep_hours: 0, ..History::default() };
    let fixture = Fixture::configured(Config { history: memory, ..Config::default() });
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let text = say(&fixture, &mut client).await;
        assert_eq!(word(&history(&client, 0).await[0], "text"), text);
        assert!(!fixture.folder.path().join("state/history.jsonl").exists());
    });
}

#[test]
fn taking_back_the_last_text_is_noted() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let text = say(&fixture, &mut client).await;
        assert_eq!(fixture.script.window.text(), text);
        client.call::<_, ()>(PATH, "UndoLast", &()).await.unwrap();
        assert_eq!(fixture.script.window.text(), "");
        assert_eq!(word(&history(&client, 0).await[0], "state"), "undone");
    });
}

#[test]
fn what_is_taken_back_is_the_text_that_was_put_there_last_whichever_that_is() {
    let fixture = Fixture::new();
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for _ in 0..2 {
            say(&fixture, &mut client).await;
        }
        // The older one once more, and behind it something that was not said.
        let older = id(&history(&client, 0).await[1]);
        redeliver(&client, Dict::from([("id", older.into())])).await.unwrap();
        let insert = ("not said".to_owned(), Dict::new());
        client.call::<_, String>(PATH, "InsertText", &insert).await.unwrap();
        let mut states = Vec::new();
        for _ in 0..4 {
            client.call::<_, ()>(PATH, "UndoLast", &()).await.unwrap();
            let entries = history(&client, 0).await;
            states.push([0, 1].map(|n| word(&entries[n], "state") == "undone"));
        }
        assert_eq!(states, [[false, false], [false, true], [true, true], [true, true]]);
        assert_eq!(window.text(), "");
    });
}
