//! From the microphone to another process: one dictation of JFK's words, and every fact about it.

use std::fs::File;
use std::sync::LazyLock;

use serde_json::Value;

use crate::fixture::{Room, Running, eventually, now, stderr, stdout};
use crate::hearing::{Heard, Info, Signal, ending, finals, number, property};
use crate::speech::{JFK, assert_heard_within, jfk, words};

/// How far, in µs, an utterance may reach back over the end of the one before: onset and pre-roll.
const REACH_BACK: u64 = 600_000;

/// All that was seen of the dictation.
struct Take {
    /// The path that `scriven start` printed.
    session: String,
    heard: Vec<Heard>,
    /// When the player was started and when it had ended.
    played: (u64, u64),
    overruns: u64,
    log: String,
    /// What `scriven listen --json` wrote.
    listened: Vec<Value>,
}

static TAKE: LazyLock<Take> = LazyLock::new(|| {
    let room = Room::new();
    let daemon = room.ready_daemon();
    let bus = room.connect();
    let ear = room.ear();
    let lines = room.path("listened.jsonl");
    let _listener = Running::start(
        room.command("scriven").args(["listen", "--json"]).stdout(File::create(&lines).unwrap()),
    );

    room.wait_for_listener();
    let started = room.scriven(&["start"]);
    assert!(started.status.success(), "{}", stderr(&started));
    let is_listening =
        |signal: &Signal| matches!(signal, Signal::Changed(new) if state(new) == Some("listening"));
    let mut heard = ear.until("the daemon listens", is_listening);
    let from = now();
    assert!(room.play(&jfk(), "virtmic_in").wait().success());
    let played = (from, now());
    assert!(room.scriven(&["stop"]).status.success());
    heard.extend(ear.until_ended());

    let read = || std::fs::read_to_string(&lines).unwrap();
    eventually("scriven listen has heard the end", || read().contains("SessionEnded"));
    let listened = read().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let overruns = property(&bus, "Overruns").try_into().unwrap();
    let session = stdout(&started).trim().to_owned();
    Take { session, heard, played, overruns, log: daemon.log(), listened }
});

fn state(changed: &Info) -> Option<&str> {
    changed.get("State").map(|state| state.downcast_ref().unwrap())
}

/// `(when, utterance, revision, committed, tentative, info)` of each partial.
fn partials() -> impl Iterator<Item = (u64, u32, u32, &'static str, &'static str, &'static Info)> {
    TAKE.heard.iter().filter_map(|heard| match &heard.signal {
        Signal::Partial { utterance, revision, committed, tentative, info, .. } => {
            Some((heard.at, *utterance, *revision, committed.as_str(), tentative.as_str(), info))
        }
        _ => None,
    })
}

#[test]
fn words_arrive_in_another_process_while_the_speech_is_going_on() {
    let (from, until) = TAKE.played;
    let is_text = |signal: &Signal| matches!(signal, Signal::Partial { .. } | Signal::Final { .. });
    let early =
        TAKE.heard.iter().filter(|heard| heard.at < until && is_text(&heard.signal)).count();
    // A quick machine sends dozens; one that is busy besides, a few.
    assert!(early >= 3, "{early} texts before the sound had ended");
    let first = partials()
        .find(|(.., committed, tentative, _)| !committed.is_empty() || !tentative.is_empty());
    let wait = first.expect("a partial with words").0 - from;
    assert!(wait < 5_000_000, "the first word came {wait} µs after the player started");
}

#[test]
fn the_finals_say_what_was_said() {
    // Cut at its pauses, the speech gives tiny.en less to go by than the whole recording.
    assert_heard_within(0.15, JFK, &finals(&TAKE.heard));
}

#[test]
fn committed_text_only_grows_and_the_final_starts_with_it() {
    let mut committed_so_far = "";
    let mut last = (0, 0);
    for heard in &TAKE.heard {
        match &heard.signal {
            Signal::Partial { utterance, revision, committed, .. } => {
                assert!((*utterance, *revision) > last, "{last:?}, then {utterance}, {revision}");
                assert!(
                    committed.starts_with(committed_so_far),
                    "{committed_so_far:?}, then {committed:?}"
                );
                last = (*utterance, *revision);
                committed_so_far = committed;
            }
            Signal::Final { utterance, text, .. } => {
                assert!(text.starts_with(committed_so_far), "{committed_so_far:?}, then {text:?}");
                last = (*utterance, u32::MAX);
                committed_so_far = "";
            }
            Signal::Discarded { reason, .. } => {
                assert!(!reason.is_empty());
                committed_so_far = "";
            }
            _ => (),
        }
    }
}

#[test]
fn each_utterance_ends_once() {
    let ends = |wanted: u32| {
        let is_end = |heard: &&Heard| match &heard.signal {
            Signal::Final { utterance, .. } | Signal::Discarded { utterance, .. } => {
                *utterance == wanted
            }
            _ => false,
        };
        TAKE.heard.iter().filter(is_end).count()
    };
    for (_, utterance, ..) in partials() {
        assert_eq!(ends(utterance), 1, "utterance {utterance}");
    }
}

#[test]
fn every_signal_names_its_session() {
    for heard in &TAKE.heard {
        let is_about_none = matches!(heard.signal, Signal::Changed(_) | Signal::Owner(_));
        assert!(is_about_none || heard.session == TAKE.session, "{heard:?}");
    }
}

#[test]
fn the_session_tells_what_it_was() {
    let started = TAKE.heard.iter().find_map(|heard| match &heard.signal {
        Signal::Started { info, .. } => Some(info),
        _ => None,
    });
    let info = started.expect("SessionStarted");
    assert_eq!(info["mode"].downcast_ref::<&str>(), Ok("dictation"));
    let first_sample = number(info, "monotonic");
    let late = first_sample.saturating_sub(TAKE.played.0);
    assert!(late < 200_000, "the state was `listening` {late} µs before the first sample came");
    let (reason, stats) = ending(&TAKE.heard);
    assert_eq!(reason, "stopped");
    assert!(number(stats, "audio") >= 11_000_000, "eleven seconds were played");
    assert!(number(stats, "cpu") > 0 && number(stats, "rss") > 1 << 20);
}

#[test]
fn times_of_words_lie_in_the_sound() {
    let audio = number(ending(&TAKE.heard).1, "audio");
    let mut last_end = 0;
    for heard in &TAKE.heard {
        let Signal::Final { info, .. } = &heard.signal else { continue };
        let (start, end) = (number(info, "start"), number(info, "end"));
        // What is heard before the onset of a voice may belong to both sides of a pause.
        assert!(last_end <= start + REACH_BACK, "{last_end}, then {start}");
        assert!(start < end && end <= audio, "{start}..{end} of {audio}");
        last_end = end;
        let words = Vec::<(String, u64, u64, f64)>::try_from(info["words"].try_clone().unwrap());
        let words = words.expect("words are a(sttd)");
        assert!(!words.is_empty());
        for (word, from, to, probability) in words {
            assert!(
                start <= from && from <= to && to <= end + 200_000,
                "{word}: {from}..{to} in {start}..{end}"
            );
            assert!((0.0..=1.0).contains(&probability), "{word}: {probability}");
        }
    }
}

#[test]
fn the_sound_taken_in_is_told_with_each_partial() {
    let ends: Vec<u64> = partials().map(|(.., info)| number(info, "audio-end")).collect();
    assert!(ends.is_sorted(), "{ends:?}");
}

#[test]
fn nothing_is_lost_on_the_way() {
    assert_eq!(TAKE.overruns, 0);
    assert_eq!(number(ending(&TAKE.heard).1, "overruns"), 0);
}

#[test]
fn the_state_goes_from_idle_to_idle() {
    let states: Vec<&str> = TAKE
        .heard
        .iter()
        .filter_map(|heard| match &heard.signal {
            Signal::Changed(changed) => state(changed),
            _ => None,
        })
        .collect();
    assert_eq!(states.first(), Some(&"arming"), "{states:?}");
    assert!(states.contains(&"listening"), "{states:?}");
    assert!(states.contains(&"finalizing"), "{states:?}");
    assert!(!states.contains(&"error"), "{states:?}");
}

#[test]
fn what_was_said_is_in_no_log() {
    let log = words(&TAKE.log);
    for word in ["americans", "country"] {
        assert!(!log.iter().any(|logged| logged.contains(word)), "{word} is in the log");
    }
}

#[test]
fn scriven_listen_hears_the_same() {
    let texts: Vec<&str> = TAKE
        .listened
        .iter()
        .filter(|line| line["signal"] == "Final")
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts.join(" "), finals(&TAKE.heard));
    let partial = TAKE.listened.iter().find(|line| line["signal"] == "Partial").unwrap();
    for key in ["session", "utterance", "revision", "committed", "tentative", "info", "received"] {
        assert!(!partial[key].is_null(), "{key}: {partial}");
    }
}
