//! Actions and what their keys mean, with strokes that come over the bus.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use scriven_recognizer::Task;
use scriven_service::config::Config;
use zbus::OwnedVariant;

use crate::client::{Client, Dict, error_name};
use crate::fixture::{Fixture, PATH};

fn configured(actions: &str) -> Fixture {
    Fixture::configured(Config::parse(actions, Path::new("config.toml")).unwrap())
}

async fn press(client: &Client, action: &str) -> zbus::Result<()> {
    client.call(PATH, "Press", &(action.to_owned(), Dict::new())).await
}

async fn release(client: &Client, action: &str) {
    client.call::<_, ()>(PATH, "Release", &action).await.unwrap();
}

fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

#[test]
fn an_action_that_is_not_configured_is_an_error_with_those_that_are() {
    let fixture = configured("[[action]]\nname = \"note\"\n");
    zbus::block_on(async {
        let client = fixture.connect().await;
        let answer = press(&client, "sing").await;
        let message = answer.as_ref().unwrap_err().to_string();
        assert!(message.ends_with("configured are: dictate, note"), "{message}");
        assert_eq!(error_name(answer), "NotFound");
        press(&client, "note").await.unwrap();
        client.until("State", "listening").await;
    });
}

#[test]
fn a_key_that_toggles_starts_with_one_press_and_stops_with_the_next() {
    let fixture = configured("[[action]]\nname = \"note\"\nmode = \"toggle\"\n");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for _ in 0..2 {
            press(&client, "note").await.unwrap();
            release(&client, "note").await;
            client.until("State", "listening").await;
            pause(100);
            assert_eq!(client.state().await, "listening");
            press(&client, "note").await.unwrap();
            release(&client, "note").await;
            let signals = client.signals_until("SessionEnded").await;
            assert_eq!(signals.last().unwrap().ended().0, "stopped");
        }
    });
}

#[test]
fn a_tap_goes_on_and_a_key_that_is_held_does_not() {
    let fixture = configured(
        "[shortcut]\nhold_ms = 400\n[[action]]\nname = \"dictate\"\nmode = \"tap-or-hold\"\n",
    );
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        press(&client, "dictate").await.unwrap();
        pause(600);
        release(&client, "dictate").await;
        assert_eq!(client.signals_until("SessionEnded").await.last().unwrap().ended().0, "stopped");
        press(&client, "dictate").await.unwrap();
        release(&client, "dictate").await;
        pause(600);
        assert_eq!(client.state().await, "listening");
        press(&client, "dictate").await.unwrap();
        assert_eq!(client.signals_until("SessionEnded").await.last().unwrap().ended().0, "stopped");
    });
}

#[test]
fn another_key_takes_over() {
    let fixture = configured("[[action]]\nname = \"note\"\noutput = \"none\"\n");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(1.0, 1.5);
        press(&client, "dictate").await.unwrap();
        client.until("State", "listening").await;
        press(&client, "note").await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "stopped");
        client.until("State", "listening").await;
        // The first key comes up behind: it is not the second's.
        release(&client, "dictate").await;
        fixture.speak(1.0, 1.5);
        let signals = client.signals_until("Final").await;
        release(&client, "note").await;
        let rest = client.signals_until("SessionEnded").await;
        // It asks for no window.
        assert!(signals.iter().chain(&rest).all(|signal| signal.member != "Delivered"));
    });
}

#[test]
fn an_action_says_how_long_a_silence_ends_it() {
    let fixture = configured("[[action]]\nname = \"note\"\nmode = \"toggle\"\nauto_stop_s = 1\n");
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        press(&client, "note").await.unwrap();
        release(&client, "note").await;
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "stopped");
        // Its key starts the next one, and does not stop what has ended by itself.
        press(&client, "note").await.unwrap();
        client.until("State", "listening").await;
    });
}

#[test]
fn each_action_has_a_language_a_task_and_a_profile_of_its_own() {
    let fixture = configured(
        "languages = [\"en\"]\n\
         [[action]]\nname = \"german\"\nlanguages = [\"de\"]\ntask = \"translate\"\n\
         profile = \"loud\"\n\
         [[profile]]\nname = \"loud\"\nwriting.hook = [\"tr\", \"a-z\", \"A-Z\"]\n",
    );
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for action in ["dictate", "german"] {
            fixture.speak(1.0, 1.5);
            press(&client, action).await.unwrap();
            client.signals_until("Final").await;
            release(&client, action).await;
            client.signals_until("SessionEnded").await;
        }
        let asked = fixture.script.asked.lock().unwrap();
        let languages: Vec<_> = asked.iter().map(|options| options.languages.concat()).collect();
        assert_eq!(languages, ["en", "de"]);
        let tasks: Vec<_> = asked.iter().map(|options| options.task).collect();
        assert_eq!(tasks, [Task::Transcribe, Task::Translate]);
        let text = fixture.script.window.text();
        assert!(text.starts_with("one ") && text.contains("ONE "), "{text}");
    });
}

#[test]
fn a_release_that_got_lost_does_not_lock_the_key() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        press(&client, "dictate").await.unwrap();
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        client.signals_until("SessionEnded").await;
        pause(1_100);
        press(&client, "dictate").await.unwrap();
        client.until("State", "listening").await;
    });
}

#[test]
fn keys_are_listed_with_the_ways_to_watch_them() {
    let fixture =
        configured("[shortcut]\nway = \"none\"\n[[action]]\nname = \"note\"\ntrigger = \"F9\"\n");
    zbus::block_on(async {
        let client = fixture.connect().await;
        type List = Vec<HashMap<String, OwnedVariant>>;
        let (keys, ways): (List, List) = client.call(PATH, "ListShortcuts", &()).await.unwrap();
        let word = |entry: &HashMap<String, OwnedVariant>, key: &str| {
            entry[key].downcast_ref::<&str>().unwrap().to_owned()
        };
        let named = |key| (word(key, "action"), word(key, "trigger"), word(key, "mode"));
        assert_eq!(named(&keys[0]), ("dictate".into(), String::new(), "hold".into()));
        assert_eq!(named(&keys[1]), ("note".into(), "F9".into(), "hold".into()));
        assert_eq!(word(&ways[0], "reason"), "shortcuts are turned off");
    });
}
