//! Recordings: as a whole, as if spoken, one behind the other.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use zbus::{Fd, OwnedObjectPath};

use crate::client::{Client, Dict, error_name};
use crate::fixture::{Fixture, NAME, PATH, voice};

/// A WAV file with these samples.
pub fn wav(samples: &[f32]) -> File {
    let bytes = samples.len() as u32 * 2;
    let mut file = tempfile::tempfile().unwrap();
    let mut header = b"RIFF".to_vec();
    header.extend((36 + bytes).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend(16_000u32.to_le_bytes());
    header.extend(32_000u32.to_le_bytes());
    header.extend(b"\x02\0\x10\0data");
    header.extend(bytes.to_le_bytes());
    file.write_all(&header).unwrap();
    let samples = samples.iter().flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes());
    file.write_all(&samples.collect::<Vec<_>>()).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file
}

/// Two utterances with two seconds of silence behind each.
pub fn two_utterances() -> Vec<f32> {
    let mut samples = Vec::new();
    for _ in 0..2 {
        samples.extend(voice(1.0));
        samples.extend([0.0; 32_000]);
    }
    samples
}

pub async fn transcribe(client: &Client, file: File, options: Dict<'_>) -> zbus::Result<String> {
    let file = Fd::from(OwnedFd::from(file));
    let path: OwnedObjectPath = client.call(PATH, "TranscribeFile", &(file, options)).await?;
    Ok(path.to_string())
}

#[test]
fn a_recording_becomes_one_final_a_segment() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        transcribe(&client, wav(&two_utterances()), Dict::new()).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        let names: Vec<_> = signals.iter().map(|signal| signal.member.as_str()).collect();
        assert_eq!(names, ["SessionStarted", "Final", "Final", "SessionEnded"]);
        let (number, text, info) = signals[2].text();
        assert_eq!((number, text.as_str()), (2, "segment 2"));
        assert!(info["start"].downcast_ref::<u64>().unwrap() > 1_500_000);
        assert_eq!(info["language"].downcast_ref::<&str>().unwrap(), "en");
        assert_eq!(signals[3].ended().0, "done");
        assert_eq!(client.state().await, "idle");
    });
}

#[test]
fn a_recording_can_be_heard_as_if_it_were_spoken() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let options = Dict::from([("live", true.into())]);
        transcribe(&client, wav(&two_utterances()), options).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert!(signals.iter().any(|signal| signal.member == "Partial"));
        let texts = signals.iter().filter(|signal| signal.member == "Final");
        assert!(texts.map(|signal| signal.text().1).all(|text| text.starts_with("one two")));
        assert_eq!(signals.last().unwrap().ended().0, "done");
    });
}

#[test]
fn a_recording_that_breaks_off_gives_its_text_and_an_error() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        for live in [false, true] {
            let file = wav(&two_utterances());
            // The header promises six seconds.
            file.set_len(44 + 2 * 56_000).unwrap();
            transcribe(&client, file, Dict::from([("live", live.into())])).await.unwrap();
            let signals = client.signals_until("SessionEnded").await;
            assert!(signals.iter().any(|signal| signal.member == "Final"), "live: {live}");
            let (reason, stats) = signals.last().unwrap().ended();
            let (name, message): (String, String) =
                stats["error"].try_clone().unwrap().try_into().unwrap();
            assert_eq!((reason.as_str(), name), ("error", format!("{NAME}.Error.InvalidFile")));
            assert!(message.contains("breaks off at 3.5 s"), "{message}");
        }
    });
}

#[test]
fn recordings_wait_for_one_another_and_not_for_dictation() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        let dictation = client.start(Dict::new()).await.unwrap();
        assert_eq!(client.signal().await.session, dictation);
        let first = transcribe(&client, wav(&two_utterances()), Dict::new()).await.unwrap();
        let second = transcribe(&client, wav(&two_utterances()), Dict::new()).await.unwrap();
        for session in [first, second] {
            let signals = client.signals_until("SessionEnded").await;
            assert!(signals.iter().all(|signal| signal.session == session));
        }
    });
}

#[test]
fn what_is_no_recording_is_refused() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let mut text = tempfile::tempfile().unwrap();
        text.write_all(b"To be or not to be").unwrap();
        std::io::Seek::rewind(&mut text).unwrap();
        assert_eq!(error_name(transcribe(&client, text, Dict::new()).await), "InvalidFile");
        let (pipe, _writer) = std::io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(pipe));
        assert_eq!(error_name(transcribe(&client, pipe, Dict::new()).await), "InvalidFile");
    });
}
