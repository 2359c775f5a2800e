//! Calls that are answered with an error, and what stays as it was.

use std::sync::atomic::Ordering;

use zbus::OwnedVariant;

use crate::client::{Dict, error_name};
use crate::fixture::{Fixture, NAME, PATH};

#[test]
fn wrong_options_are_named_errors() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        for (option, value, error) in [
            ("colour", "red".into(), "UnsupportedOption"),
            ("linger", "yes".into(), "InvalidArgument"),
            ("task", "sing".into(), "InvalidArgument"),
            ("handle_token", "a-b".into(), "InvalidArgument"),
            ("hotwords", "Kennedy".into(), "InvalidArgument"),
            ("hotword_boost", 9.0.into(), "InvalidArgument"),
            ("beam_size", 5u32.into(), "UnsupportedOption"),
            ("languages", vec!["tlh"].into(), "UnsupportedLanguage"),
        ] {
            let answer = client.start(Dict::from([(option, value)])).await;
            assert_eq!(error_name(answer), error, "{option}");
        }
        let press = (String::from("sing"), Dict::new());
        let answer = client.call::<_, ()>(PATH, "Press", &press).await;
        assert_eq!(error_name(answer), "NotFound");
        let answer = client.call::<_, ()>(PATH, "Release", &"sing").await;
        assert_eq!(error_name(answer), "NotFound");
        assert_eq!(client.state().await, "idle");
    });
}

#[test]
fn without_a_model_the_answer_says_what_to_run() {
    let fixture = Fixture::bare();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "unloaded").await;
        let answer = client.start(Dict::new()).await;
        let message = answer.as_ref().unwrap_err().to_string();
        assert!(message.ends_with("run: scriven model pull base"), "{message}");
        assert_eq!(error_name(answer), "NoModel");
    });
}

#[test]
fn a_model_that_does_not_load_ends_the_sessions_that_waited() {
    let fixture = Fixture::loading();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.start(Dict::new()).await.unwrap();
        fixture.script.bad_model.store(true, Ordering::Relaxed);
        fixture.script.loaded.store(true, Ordering::Relaxed);
        let signals = client.signals_until("SessionEnded").await;
        let (reason, stats) = signals.last().unwrap().ended();
        assert_eq!(reason, "error");
        let error: (String, String) = stats["error"].try_clone().unwrap().try_into().unwrap();
        assert_eq!(error.0, format!("{NAME}.Error.Failed"));
        client.until("ModelState", "failed").await;
        client.until("State", "error").await;
        assert_eq!(error_name(client.start(Dict::new()).await), "Failed");
    });
}

#[test]
fn a_microphone_that_does_not_open_is_the_answer_to_the_call() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.script.no_device.store(true, Ordering::Relaxed);
        assert_eq!(error_name(client.start(Dict::new()).await), "DeviceUnavailable");
        let last: OwnedVariant = client.property(PATH, NAME, "LastError").await;
        let (name, _): (String, String) = last.try_into().unwrap();
        assert_eq!(name, format!("{NAME}.Error.DeviceUnavailable"));
        // Such a session never was: the first that is heard of is the next one.
        fixture.script.no_device.store(false, Ordering::Relaxed);
        let session = client.start(Dict::new()).await.unwrap();
        assert_eq!(client.signal().await.session, session);
    });
}

#[test]
fn a_microphone_that_breaks_ends_the_session_with_an_error() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.speak(20.0, 0.0);
        client.start(Dict::new()).await.unwrap();
        client.signals_until("Partial").await;
        fixture.script.broken_device.store(true, Ordering::Relaxed);
        let signals = client.signals_until("SessionEnded").await;
        assert!(signals.iter().any(|s| s.member == "Final"), "what was said is delivered");
        let (reason, stats) = signals.last().unwrap().ended();
        assert_eq!(reason, "error");
        let (name, message): (String, String) =
            stats["error"].try_clone().unwrap().try_into().unwrap();
        assert_eq!(name, format!("{NAME}.Error.DeviceLost"));
        assert!(message.contains("plug it in again"));
    });
}

#[test]
fn languages_can_be_changed_and_are_checked() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        let set = |languages: Vec<&'static str>| {
            let body = (NAME, "Languages", zbus::Variant::from(languages));
            let connection = client.connection.clone();
            async move {
                let properties = Some("org.freedesktop.DBus.Properties");
                connection.call_method(Some(NAME), PATH, properties, "Set", &body).await.map(drop)
            }
        };
        set(vec!["de", "en"]).await.unwrap();
        let languages: Vec<String> = client.property(PATH, NAME, "Languages").await;
        assert_eq!(languages, ["de", "en"]);
        assert_eq!(error_name(set(vec!["tlh"]).await), "UnsupportedLanguage");
    });
}

#[test]
fn sources_are_listed() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let sources: Vec<std::collections::HashMap<String, OwnedVariant>> =
            client.call(PATH, "ListSources", &()).await.unwrap();
        assert_eq!(sources[0]["id"].downcast_ref::<&str>().unwrap(), "test-mic");
        assert_eq!(sources[0]["kind"].downcast_ref::<&str>().unwrap(), "microphone");
        assert!(sources[0]["default"].downcast_ref::<bool>().unwrap());
    });
}

#[test]
fn a_second_daemon_leaves_with_a_message() {
    let fixture = Fixture::new();
    let message = fixture.second().unwrap_err().to_string();
    assert!(message.contains("another scrivend runs"), "{message}");
    zbus::block_on(async { assert_eq!(fixture.connect().await.state().await, "idle") });
}
