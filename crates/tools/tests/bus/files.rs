//! `transcribe`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::fixture::Bus;

/// A "recording": see [`crate::daemon`].
fn recording(bus: &Bus, name: &str, text: &[u8]) -> String {
    let path = bus.home().join(name);
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn text_is_one_line_a_segment() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b" Ask not.\n What then?");
    let ran = bus.run(&["transcribe", &talk, "--language", "en", "--live"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "Ask not.\nWhat then?\n", "")
    );
    assert_eq!(daemon.calls(), [r#"TranscribeFile languages=["en"] live=true scope="owner""#]);
}

#[test]
fn the_daemon_is_asked_to_decode_as_the_user_says() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b"Ask not.");
    let decoding = ["--beam-size", "5", "--temperature", "0.5", "--best-of", "3"];
    let told = ["--prompt", "On 1961.", "--prefix", "Ask", "--condition-on-previous-text"];
    let hot = ["--hotword", "Kennedy", "--hotword", "Grace Hopper", "--hotword-boost", "1.5"];
    let words = ["--words", "--format", "json"];
    let args = [&["transcribe", &talk][..], &decoding, &told, &hot, &words].concat();
    let ran = bus.run(&args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let word = serde_json::json!({ "text": "ask", "start": 0.1, "end": 0.3, "probability": 0.9 });
    assert_eq!(json["segments"][0]["words"][0], word);
    let expected = "TranscribeFile beam_size=uint32 5 best_of=uint32 3 condition_on_previous_text=true \
         hotword_boost=1.5 hotwords=[\"Kennedy\", \"Grace Hopper\"] live=false prefix=\"Ask\" \
         prompt=\"On 1961.\" scope=\"owner\" temperature=0.5 words=true";
    assert_eq!(daemon.calls(), [expected]);
}

#[test]
fn decoding_options_that_make_no_sense_are_refused_before_anything_is_done() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b"Ask not.");
    for (option, value, says) in [
        ("--beam-size", "0", "from 1 to 16"),
        ("--beam-size", "17", "from 1 to 16"),
        ("--temperature", "1.1", "from 0 to 1"),
        ("--temperature", "warm", "from 0 to 1"),
        ("--hotword-boost=-1", "--hotword=a", "from 0 to 4"),
        ("--hotword-boost", "1", "--hotword"),
        ("--live", "--beam-size=5", "cannot be used with"),
        ("--words", "--format=srt", "--format json"),
    ] {
        let ran = bus.run(&["transcribe", &talk, option, value]);
        assert_eq!(ran.code, 2, "{option} {value}");
        assert!(ran.stderr.contains(says), "{option} {value}: {}", ran.stderr);
    }
    assert!(daemon.calls().is_empty());
}

#[test]
fn subtitles_are_exact() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b"Ask not.\nWhat then?");
    assert_eq!(
        bus.run(&["transcribe", &talk, "--format", "srt"]).stdout,
        "1\n00:00:00,000 --> 00:00:01,500\nAsk not.\n\n\
         2\n00:00:01,500 --> 00:00:03,000\nWhat then?\n\n"
    );
    assert_eq!(
        bus.run(&["transcribe", &talk, "--format", "vtt"]).stdout,
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nAsk not.\n\n\
         00:00:01.500 --> 00:00:03.000\nWhat then?\n\n"
    );
    let silence = recording(&bus, "silence.wav", b"");
    assert_eq!(bus.run(&["transcribe", &silence, "--format", "vtt"]).stdout, "WEBVTT\n\n");
}

#[test]
fn json_holds_segments_and_text() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b"Ask not.\nWhat then?");
    let out = bus.run(&["transcribe", &talk, "--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["text"], &json["language"]), (&"Ask not. What then?".into(), &"en".into()));
    assert_eq!(json["segments"][1]["end"], 3.0);
    assert_eq!(json["segments"][1]["confidence"], 0.75);
}

#[test]
fn one_bad_file_does_not_keep_the_others_from_it() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let good = recording(&bus, "good.wav", b"Ask not.");
    let bad = recording(&bus, "bad.wav", b"\xff\xfe");
    let folder = bus.home().join("texts");
    let ran =
        bus.run(&["transcribe", &bad, "/nowhere.wav", &good, "--output", folder.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("bad.wav: this is no recording\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("/nowhere.wav: cannot open it: No such file"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(folder.join("good.txt")).unwrap(), "Ask not.\n");
    assert!(!folder.join("bad.txt").exists());
}

#[test]
fn the_text_of_a_recording_that_breaks_off_is_kept() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let cut = recording(&bus, "cut.wav", b"Ask not.\n(cut)");
    let good = recording(&bus, "good.wav", b"What then?");
    let folder = bus.home().join("texts");
    let ran = bus.run(&["transcribe", &cut, &good, "--output", folder.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stderr), (1, format!("scriven: {cut}: it breaks off\n")));
    assert_eq!(fs::read_to_string(folder.join("cut.txt")).unwrap(), "Ask not.\n(cut)\n");
    assert_eq!(fs::read_to_string(folder.join("good.txt")).unwrap(), "What then?\n");
}

#[test]
fn a_warning_is_told_and_changes_nothing() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let noisy = recording(&bus, "noisy.wav", b"Ask not.\n(noise)");
    let ran = bus.run(&["transcribe", &noisy]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Ask not.\n(noise)\n"));
    assert_eq!(ran.stderr, format!("scriven: {noisy}: half of it is silence\n"));
}

#[test]
fn a_single_output_is_a_file() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let talk = recording(&bus, "talk.wav", b"Ask not.");
    let srt: PathBuf = bus.home().join("talk.srt");
    let ran = bus.run(&["transcribe", &talk, "--format", "srt", "-o", srt.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(fs::read_to_string(srt).unwrap().starts_with("1\n00:00:00,000 -->"));
}

#[test]
fn subtitles_of_several_recordings_need_a_folder() {
    let bus = Bus::start();
    let ran = bus.run(&["transcribe", "a.wav", "b.wav", "--format", "srt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--output FOLDER/"), "{}", ran.stderr);
    assert_eq!(bus.run(&["transcribe", "x/a.wav", "y/a.wav", "-o", "out"]).code, 2);
}
