//! When a microphone is open, what is heard of it, and what is told where nothing is.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::{StreamExt as _, future};
use rustix::time::{ClockId, clock_gettime};
use scriven_service::config::Config;

use crate::client::{Client, Dict, Signal};
use crate::fixture::{Fixture, NAME, PATH};

fn keeping(seconds: f32) -> Fixture {
    let toml = format!("[capture]\npre_roll_s = {seconds:.1}\n");
    Fixture::configured(Config::parse(&toml, Path::new("config.toml")).unwrap())
}

/// µs of CLOCK_MONOTONIC.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

fn microphones(fixture: &Fixture) -> u64 {
    fixture.script.open.load(Ordering::Relaxed)
}

async fn until_open(client: &Client, wanted: bool) {
    let begun = Instant::now();
    while client.property::<bool>(PATH, NAME, "MicrophoneOpen").await != wanted {
        assert!(begun.elapsed() < Duration::from_secs(20), "MicrophoneOpen is not {wanted}");
        pause(5);
    }
}

async fn stop(client: &Client, session: &str) {
    client.call::<_, ()>(session, "Stop", &()).await.unwrap();
}

/// When the first sample of the session was taken.
fn started(signals: &[Signal]) -> u64 {
    let signal = signals.iter().find(|signal| signal.member == "SessionStarted").unwrap();
    let (_, info): (zbus::OwnedObjectPath, std::collections::HashMap<String, zbus::OwnedVariant>) =
        signal.body();
    info["monotonic"].downcast_ref().unwrap()
}

/// How much of sound the session took, in µs.
fn audio(signals: &[Signal]) -> u64 {
    signals.last().unwrap().ended().1["audio"].downcast_ref().unwrap()
}

fn text(signals: &[Signal]) -> String {
    let texts = signals.iter().filter(|signal| signal.member == "Final");
    texts.map(|signal| signal.text().1).collect::<Vec<_>>().join("|")
}

async fn last_error(client: &Client) -> (String, String) {
    client.property(PATH, NAME, "LastError").await
}

#[test]
fn a_microphone_is_shown_as_long_as_it_is_open() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        until_open(&client, false).await;
        let session = client.start(Dict::new()).await.unwrap();
        until_open(&client, true).await;
        stop(&client, &session).await;
        client.signals_until("SessionEnded").await;
        until_open(&client, false).await;
        assert_eq!(microphones(&fixture), 0);
    });
}

#[test]
fn a_dictation_begins_with_what_was_said_just_before_it() {
    let fixture = keeping(2.0);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        until_open(&client, true).await;
        fixture.speak(1.2, 0.0);
        // All is said before the session.
        while !fixture.script.sound.lock().unwrap().is_empty() {
            pause(5);
        }
        let called = now();
        let session = client.start(Dict::new()).await.unwrap();
        let mut signals = client.signals_until("Final").await;
        stop(&client, &session).await;
        signals.extend(client.signals_until("SessionEnded").await);
        assert!(text(&signals).starts_with("one two three four"), "{}", text(&signals));

        // The time of the first sample is that of the sound, not that of the call.
        let early = called.saturating_sub(started(&signals));
        assert!((1_200_000..2_300_000).contains(&early), "{early} µs before the call");
        // What was taken since then is what can have been heard since then.
        let audio = audio(&signals);
        assert!(audio > early && audio <= now() - started(&signals), "{audio} of {early}");
    });
}

#[test]
fn what_one_dictation_heard_the_next_one_does_not() {
    let fixture = keeping(2.0);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        until_open(&client, true).await;
        let mut ends = 0;
        for _ in 0..3 {
            let session = client.start(Dict::new()).await.unwrap();
            assert_eq!(microphones(&fixture), 1, "the one that was open already");
            pause(300);
            stop(&client, &session).await;
            let signals = client.signals_until("SessionEnded").await;
            // The polls of two threads are never as late as that.
            assert!(started(&signals) + 100_000 > ends, "{ends}, then {}", started(&signals));
            ends = started(&signals) + audio(&signals);
            assert!(client.property::<bool>(PATH, NAME, "MicrophoneOpen").await);
        }
    });
}

#[test]
fn another_source_is_opened_beside_the_one_that_is_kept() {
    let fixture = keeping(0.5);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        until_open(&client, true).await;
        let called = now();
        let session = client.start(Dict::from([("source", "other".into())])).await.unwrap();
        assert_eq!(microphones(&fixture), 2);
        pause(200);
        stop(&client, &session).await;
        let signals = client.signals_until("SessionEnded").await;
        assert!(started(&signals) >= called, "it has no pre-roll");
        assert_eq!(microphones(&fixture), 1);
    });
}

#[test]
fn a_kept_microphone_that_is_lost_is_opened_again() {
    let fixture = keeping(0.5);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        until_open(&client, true).await;
        fixture.script.no_device.store(true, Ordering::Relaxed);
        fixture.script.broken_device.store(true, Ordering::Relaxed);
        until_open(&client, false).await;
        assert!(client.start(Dict::new()).await.is_err(), "there is none");
        fixture.script.broken_device.store(false, Ordering::Relaxed);
        fixture.script.no_device.store(false, Ordering::Relaxed);
        until_open(&client, true).await;

        // One that is lost in the middle of a dictation comes back as well.
        client.start(Dict::new()).await.unwrap();
        fixture.script.no_device.store(true, Ordering::Relaxed);
        fixture.script.broken_device.store(true, Ordering::Relaxed);
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "error");
        until_open(&client, false).await;
        fixture.script.broken_device.store(false, Ordering::Relaxed);
        fixture.script.no_device.store(false, Ordering::Relaxed);
        until_open(&client, true).await;
    });
}

#[test]
fn a_session_has_not_started_before_sound_flows() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        fixture.script.stalled_device.store(true, Ordering::Relaxed);
        client.start(Dict::new()).await.unwrap();
        let begun = Instant::now();
        while last_error(&client).await.0.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nothing is told");
            pause(10);
        }
        let (name, message) = last_error(&client).await;
        assert_eq!(name, format!("{NAME}.Error.DeviceSilent"));
        assert!(message.contains("delivers no sound"), "{message}");
        let early = future::poll_once(client.signals.next()).await;
        assert!(early.is_none(), "{early:?}");
        fixture.script.stalled_device.store(false, Ordering::Relaxed);
        assert_eq!(client.signal().await.member, "SessionStarted");
        assert_eq!(client.state().await, "listening");
    });
}

#[test]
fn a_microphone_of_digital_silence_is_told() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.start(Dict::new()).await.unwrap();
        let begun = Instant::now();
        while last_error(&client).await.0.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nothing is told");
            pause(10);
        }
        assert!(begun.elapsed() > Duration::from_millis(1_800), "some wait before they speak");
        let (name, message) = last_error(&client).await;
        assert_eq!(name, format!("{NAME}.Error.DeviceSilent"));
        assert!(message.contains("unmute it"), "{message}");
        assert_eq!(client.state().await, "listening", "it may still come");
    });
}

/// Stops when `millis` of the session's sound have been; returns all signals and how much of sound
/// was taken behind that, in ms.
async fn stopped_at(client: &mut Client, millis: u64) -> (Vec<Signal>, i64) {
    let session = client.start(Dict::new()).await.unwrap();
    let mut signals = client.signals_until("SessionStarted").await;
    let release = started(&signals) + millis * 1_000;
    pause(release.saturating_sub(now()) / 1_000);
    let released = now();
    stop(client, &session).await;
    signals.extend(client.signals_until("SessionEnded").await);
    let end = started(&signals) + audio(&signals);
    (signals, (end as i64 - released as i64) / 1_000)
}

#[test]
fn the_tail_has_the_word_that_ends_150_ms_behind_the_release() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        // Five words.
        fixture.speak(1.5, 0.0);
        let (signals, tail) = stopped_at(&mut client, 1_350).await;
        assert!(text(&signals).ends_with("five"), "{}", text(&signals));
        assert!((150..400).contains(&tail), "{tail} ms");
        // Somebody who has paused has nothing more to say.
        fixture.speak(1.0, 0.0);
        let (signals, tail) = stopped_at(&mut client, 1_700).await;
        assert!(text(&signals).starts_with("one two three"), "{}", text(&signals));
        assert!(tail < 150, "{tail} ms");
    });
}
