//! Which program is in focus, and where a text goes that began while another had the window.

use std::collections::HashMap;
use std::path::Path;

use scriven_service::config::Config;
use zbus::{OwnedObjectPath, OwnedVariant};

use crate::client::{Client, Dict};
use crate::delivery::{delivered, dictate};
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
