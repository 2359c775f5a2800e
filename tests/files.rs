//! Recordings: every form a user may have, and what is no recording at all.

use std::fs::{self, File};
use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::Value;
use zbus::Fd;

use crate::fixture::{Room, data, stderr, stdout};
use crate::hearing::{Options, call, ending, finals, refusal};
use crate::speech::{
    JFK, assert_heard, assert_heard_within, jfk, jfk_samples, sentence, write_wav,
};

/// The text of a recording, as `scriven transcribe` writes it.
fn transcribe(room: &Room, arguments: &[&str]) -> String {
    let output = room.scriven(&[&["transcribe"], arguments].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// What `scriven transcribe` says of a file that it cannot read.
fn refuse(room: &Room, name: &str, content: &[u8]) -> String {
    let path = room.path(name);
    fs::write(&path, content).unwrap();
    let output = room.scriven(&["transcribe", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{name}: {}", stdout(&output));
    stderr(&output)
}

#[test]
fn a_recording_becomes_text_subtitles_and_data() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let wav = jfk();
    let wav = wav.to_str().unwrap();
    assert_heard(JFK, &transcribe(&room, &[wav]));

    let srt = transcribe(&room, &[wav, "--format", "srt"]);
    let lines: Vec<&str> = srt.lines().collect();
    assert_eq!(lines[0], "1");
    assert!(lines[1].starts_with("00:00:0") && lines[1].contains(" --> 00:00:"), "{}", lines[1]);
    let spoken = srt.lines().filter(|line| line.parse::<u32>().is_err() && !line.contains("-->"));
    assert_heard(JFK, &spoken.collect::<Vec<_>>().join(" "));

    assert!(transcribe(&room, &[wav, "--format", "vtt"]).starts_with("WEBVTT"));
    let json: Value = serde_json::from_str(&transcribe(&room, &[wav, "--format", "json"])).unwrap();
    assert_heard(JFK, json["text"].as_str().unwrap());
}

#[test]
fn a_prompt_is_not_heard_where_nobody_speaks() {
    let room = Room::new();
    // Which lets a tone through.
    room.configure("[speech]\ndetector = \"webrtc\"\n");
    let _daemon = room.ready_daemon();
    let tone = |at: usize| 0.5 * (at as f32 * 1000.0 / 16000.0 * std::f32::consts::TAU).sin();
    let wav = room.path("tone.wav");
    write_wav(&wav, 16_000, 16, 1, &(0..5 * 16_000).map(tone).collect::<Vec<_>>());
    let prompt = "Minutes of the meeting with Leighton and Anna about Scriven.";
    let heard = transcribe(&room, &[wav.to_str().unwrap(), "--prompt", prompt]);
    assert!(!heard.contains("meeting"), "{heard}");
}

#[test]
fn a_recording_is_decoded_as_the_user_asks() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let wav = jfk();
    let wav = wav.to_str().unwrap();
    let asked = ["--beam-size", "2", "--hotword", "Americans", "--prompt", "An address of 1961."];
    let json = transcribe(&room, &[&[wav, "--format", "json", "--words"][..], &asked].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_heard(JFK, json["text"].as_str().unwrap());
    let segments = json["segments"].as_array().unwrap();
    let words = segments.iter().flat_map(|segment| segment["words"].as_array().unwrap());
    let starts: Vec<f64> = words.map(|word| word["start"].as_f64().unwrap()).collect();
    assert!(starts.len() >= 22 && starts.is_sorted(), "{starts:?}");
    assert!(*starts.last().unwrap() > 9.0, "{starts:?}");
}

#[test]
fn every_common_form_of_wav_and_mp3_is_read() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    // Eight bits are noise enough to cost a few words.
    for (rate, bits, channels, limit) in
        [(16_000, 8, 1, 0.25), (192_000, 24, 2, 0.1), (48_000, 16, 6, 0.1)]
    {
        let path = room.path("form.wav");
        write_wav(&path, rate, bits, channels, &jfk_samples(rate as usize / 16_000));
        assert_heard_within(limit, JFK, &transcribe(&room, &[path.to_str().unwrap()]));
    }
    assert_heard(JFK, &transcribe(&room, &[data("jfk.mp3").to_str().unwrap()]));
}

#[test]
fn a_recording_can_be_streamed_as_if_it_were_spoken() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let (sound, said) = sentence();
    let begun = Instant::now();
    assert_heard(said, &transcribe(&room, &["--live", sound.to_str().unwrap()]));
    assert!(begun.elapsed() > Duration::from_millis(2900), "three seconds take three seconds");
}

#[test]
fn what_is_no_recording_is_refused_in_words() {
    let room = Room::new();
    let daemon = room.ready_daemon();
    let mut wav = Vec::new();
    File::open(jfk()).unwrap().read_to_end(&mut wav).unwrap();
    for (name, content) in [
        ("empty.wav", &[][..]),
        ("text.wav", b"ask what you can do for your country"),
        ("header-only.wav", &wav[..20]),
        ("noise.mp3", &wav[1000..5000]),
    ] {
        let said = refuse(&room, name, content);
        assert!(said.contains(name), "the file is named: {said}");
        assert_eq!(said.lines().count(), 1, "one line says it: {said}");
        assert!(!said.contains("panic"), "{said}");
    }
    drop(daemon);
}

#[test]
fn a_header_that_lies_about_the_length_costs_nothing() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let mut wav = fs::read(jfk()).unwrap();
    // Four GiB of data, says the header; eleven seconds are there.
    let data = wav.windows(4).position(|chunk| chunk == b"data").unwrap();
    for at in [4, data + 4] {
        wav[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    }
    let path = room.path("liar.wav");
    fs::write(&path, wav).unwrap();
    assert_heard(JFK, &transcribe(&room, &[path.to_str().unwrap()]));
}

#[test]
fn the_text_of_a_recording_that_breaks_off_is_kept_and_the_break_is_told() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let mut wav = fs::read(jfk()).unwrap();
    let data = wav.windows(4).position(|chunk| chunk == b"data").unwrap();
    // In the pause behind "for you".
    wav.truncate(data + 8 + 2 * 7_800 * 16);
    let (path, text) = (room.path("cut.wav"), room.path("cut.txt"));
    fs::write(&path, wav).unwrap();
    let output =
        room.scriven(&["transcribe", path.to_str().unwrap(), "-o", text.to_str().unwrap()]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("cut.wav: the recording breaks off at 7.8 s"), "{said}");
    let half = "And so, my fellow Americans, ask not what your country can do for you";
    assert_heard(half, &fs::read_to_string(text).unwrap());
}

#[test]
fn what_cannot_be_decoded_inside_a_recording_is_told_and_moves_no_word() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let mut mp3 = fs::read(data("jfk.mp3")).unwrap();
    let is_header = |at: &usize| {
        mp3[*at..].starts_with(&[0xff, 0xf3]) && mp3[at + 2] & 0x0c == 8 && mp3[at + 3] == 0xc4
    };
    let headers: Vec<usize> = (0..mp3.len() - 13).filter(is_header).collect();
    // Half a second of the pause in front of "what your country".
    for &at in &headers[129..143] {
        mp3[at + 4..at + 13].fill(0xff);
    }
    let path = room.path("scratched.mp3");
    fs::write(&path, mp3).unwrap();
    let told = ["--format", "json", "--words"];
    let output = room.scriven(&[&["transcribe", path.to_str().unwrap()], &told[..]].concat());
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("of the recording cannot be decoded, from 4.5 s on"), "{said}");
    let whole = data("jfk.mp3");
    let whole = transcribe(&room, &[&[whole.to_str().unwrap()], &told[..]].concat());
    let (was, is) = (last_word(&whole), last_word(&stdout(&output)));
    // What was lost took 0.58 s; which sound a word begins with is told anew, and less exactly than that.
    assert!((was - is).abs() < 0.45, "at {was} s, now at {is} s");
}

/// When the last word begins, in seconds.
fn last_word(json: &str) -> f64 {
    let json: Value = serde_json::from_str(json).unwrap();
    assert_heard(JFK, json["text"].as_str().unwrap());
    let segments = json["segments"].as_array().unwrap();
    let mut words = segments.iter().flat_map(|segment| segment["words"].as_array().unwrap());
    words.next_back().unwrap()["start"].as_f64().unwrap()
}

#[test]
fn a_wav_without_samples_has_no_words() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let path = room.path("silent.wav");
    write_wav(&path, 16_000, 16, 1, &[]);
    let output = room.scriven(&["transcribe", path.to_str().unwrap()]);
    assert_eq!(stdout(&output).trim(), "");
    assert!(!stderr(&output).contains("panic"));
}

#[test]
fn silence_has_no_words() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let path = room.path("silence.wav");
    write_wav(&path, 16_000, 16, 1, &[0.0; 5 * 16_000]);
    assert_eq!(transcribe(&room, &[path.to_str().unwrap()]).trim(), "");
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let bus = room.connect();
    let (reader, _writer) = rustix::pipe::pipe().unwrap();
    let outcome = call(&bus, "TranscribeFile", &(Fd::from(reader), Options::new()));
    let (name, text) = refusal(outcome);
    assert_eq!(name, "org.scriven.Dictation1.Error.InvalidFile", "{text}");
}

#[test]
fn a_recording_is_transcribed_beside_a_dictation() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let ear = room.ear();
    assert!(room.scriven(&["start"]).status.success());
    let text = transcribe(&room, &[jfk().to_str().unwrap(), "--scope", "owner"]);
    assert_heard(JFK, &text);
    assert!(room.scriven(&["stop"]).status.success());
    let heard = ear.until_ended();
    assert_eq!((ending(&heard).0, finals(&heard).as_str()), ("stopped", ""), "nobody spoke");
}
