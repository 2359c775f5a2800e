//! Which program is in focus, and where a text goes that began while another had the window.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use scriven_service::config::Config;
use zbus::{OwnedObjectPath, OwnedVariant};

use crate::client::{Client, Dict};
use crate::delivery::{delivered, dictate, eventually};
use crate::fixture::{Fixture, PATH};

fn configured(toml: &str) -> Fixture {
    Fixture::configured(Config::parse(toml, Path::new("config.toml")).unwrap())
}

/// Program and profile, and nothing else.
async fn focus(client: &Client) -> (String, String) {
    let focus: HashMap<String, OwnedVariant> =
        client.call(PATH, "DescribeFocus", &()).await.unwrap();
    assert_eq!(focus.len(), 2);
    let word = |key| focus[key].downcast_ref::<&str>().unwrap().to_owned();
    (word("app"), word("profile"))
}

async fn release(client: &Client, action: &str) {
    client.call::<_, ()>(PATH, "Release", &action).await.unwrap();
}

async fn press(client: &Client, action: &str) {
    let press = (action.to_owned(), Dict::new());
    client.call::<_, ()>(PATH, "Press", &press).await.unwrap();
}

#[test]
fn the_program_in_focus_is_told_with_its_profile_and_nothing_else() {
    let fixture = configured("[[profile]]\nname = \"terminal\"\napps = [\"*term*\"]\n");
    let window = &fixture.script.window;
    window.focus("a title");
    let on = |app: &str| *window.app.lock().unwrap() = Some(app.to_owned());
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        assert_eq!(focus(&client).await, (String::new(), String::new()));
        on("org.gnome.TextEditor");
        assert_eq!(focus(&client).await, ("org.gnome.TextEditor".into(), String::new()));
        on("XTerm");
        assert_eq!(focus(&client).await, ("XTerm".to_owned(), "terminal".to_owned()));
        // Asking does not disturb who dictates: the text goes where it began.
        fixture.speak(20.0, 0.0);
        dictate(&client).await;
        client.signals_until("Partial").await;
        assert_eq!(focus(&client).await, ("XTerm".to_owned(), "terminal".to_owned()));
        client.call::<_, OwnedObjectPath>(PATH, "Toggle", &(Dict::new(),)).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        let told = signals.iter().find(|signal| signal.member == "Delivered").unwrap();
        assert!(delivered(told).2);
    });
}

/// The first has the window until its text is there; the second has begun meanwhile.
#[test]
fn an_utterance_that_had_to_wait_for_the_window_goes_where_it_began() {
    let fixture = configured("[[action]]\nname = \"a\"\n[[action]]\nname = \"b\"\n");
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for ends_in in ["mail", "chat"] {
            window.focus("editor");
            window.text.lock().unwrap().clear();
            fixture.speak(2.0, 0.0);
            press(&client, "a").await;
            client.signals_until("Partial").await;
            window.focus("mail");
            press(&client, "b").await;
            release(&client, "a").await;
            // Answered behind the beginning of the second.
            focus(&client).await;
            window.focus(ends_in);
            let first = client.signals_until("Delivered").await;
            assert!(!delivered(first.last().unwrap()).2, "it began in the editor");
            fixture.speak(1.0, 1.5);
            client.signals_until("Final").await;
            release(&client, "b").await;
            let second = client.signals_until("Delivered").await;
            let (_, _, ok, detail) = delivered(second.last().unwrap());
            assert_eq!(ok, ends_in == "mail", "{detail}");
            assert_eq!(window.text().is_empty(), !ok);
            let last = second.last().unwrap().session.clone();
            while client.signals_until("SessionEnded").await.last().unwrap().session != last {}
        }
    });
}

/// Says two things, and waits until the microphone has heard them.
async fn say_two(fixture: &Fixture, client: &Client) {
    fixture.speak(1.0, 1.5);
    fixture.speak(1.0, 1.5);
    dictate(client).await;
    let is_heard = || fixture.script.sound.lock().unwrap().is_empty();
    eventually("both are heard", is_heard).await;
    // Answered behind their beginning.
    focus(client).await;
}

/// What becomes of two texts.
async fn two_delivered(client: &mut Client) -> [(bool, String); 2] {
    let first = client.signals_until("Delivered").await;
    let second = client.signals_until("Delivered").await;
    [first, second].map(|signals| {
        let (_, _, ok, detail) = delivered(signals.last().unwrap());
        (ok, detail)
    })
}

#[test]
fn what_is_heard_while_another_text_is_computed_goes_where_it_was_said() {
    let fixture = Fixture::new();
    let (script, window) = (&fixture.script, &fixture.script.window);
    window.focus("editor");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        script.ponders.store(true, Ordering::Relaxed);
        say_two(&fixture, &client).await;
        window.focus("chat");
        script.ponders.store(false, Ordering::Relaxed);
        for (ok, detail) in two_delivered(&mut client).await {
            assert!(!ok && detail.contains("focus has moved"), "{detail}");
        }
        assert_eq!(window.text(), "");
    });
}

#[test]
fn what_is_said_while_the_model_loads_goes_where_the_dictation_began() {
    for ends_in in ["editor", "chat"] {
        let fixture = Fixture::loading();
        let (script, window) = (&fixture.script, &fixture.script.window);
        window.focus("editor");
        zbus::block_on(async {
            let mut client = fixture.connect().await;
            say_two(&fixture, &client).await;
            window.focus(ends_in);
            script.loaded.store(true, Ordering::Relaxed);
            for (ok, detail) in two_delivered(&mut client).await {
                assert_eq!(ok, ends_in == "editor", "{detail}");
            }
            assert_eq!(window.text().is_empty(), ends_in != "editor");
        });
    }
}

/// The second has begun in a field for passwords, and waits for the window.
#[test]
fn a_field_for_passwords_is_remembered_when_another_is_in_focus() {
    let fixture = configured("[[action]]\nname = \"a\"\n[[action]]\nname = \"b\"\n");
    let window = &fixture.script.window;
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for (scope, ends_with) in [("broadcast", "Discarded"), ("owner", "Final")] {
            window.focus("editor");
            fixture.speak(2.0, 0.0);
            press(&client, "a").await;
            client.signals_until("Partial").await;
            window.focus("login");
            window.secret.store(true, Ordering::Relaxed);
            let press_b = (String::from("b"), Dict::from([("scope", scope.into())]));
            client.call::<_, ()>(PATH, "Press", &press_b).await.unwrap();
            release(&client, "a").await;
            // Answered behind the beginning of the second.
            focus(&client).await;
            window.focus("mail");
            window.secret.store(false, Ordering::Relaxed);
            client.signals_until("Delivered").await;
            fixture.speak(1.0, 1.5);
            let mut second = client.signals_until(ends_with).await;
            if scope == "broadcast" {
                let is_text = |member: &str| member == "Partial" || member == "Final";
                assert!(second.iter().all(|signal| !is_text(&signal.member)), "{second:?}");
                let discarded = second.last().unwrap();
                let (_, _, reason): (OwnedObjectPath, u32, String) = discarded.body();
                assert_eq!(reason, "secret");
            }
            release(&client, "b").await;
            let last = second.pop().unwrap().session;
            while client.signals_until("SessionEnded").await.last().unwrap().session != last {}
            let newest: Vec<HashMap<String, OwnedVariant>> =
                client.call(PATH, "GetHistory", &(1u32, Dict::new())).await.unwrap();
            assert!(!newest[0].contains_key("text"), "{scope}");
            assert_eq!(window.text(), "");
        }
    });
}
