//! The words that models like to invent: kept where they are said, and not heard where they are not.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use crate::fixture::{Room, skipped, stderr, stdout};
use crate::speech::{sentence, words, write_wav};

/// An announcement of a telephone exchange, 8 kHz, with a second of silence in front of it and behind it, and as loud
/// as `gain` makes it.
fn announcement(room: &Room, name: &str, gain: f32) -> Option<PathBuf> {
    let folder = Path::new("/usr/share/asterisk/sounds/en_US_f_Allison");
    let mut reader = hound::WavReader::open(folder.join(format!("{name}.wav"))).ok()?;
    let rate = reader.spec().sample_rate;
    let said = reader.samples::<i16>().map(|sample| gain * f32::from(sample.unwrap()) / 32768.0);
    let silence = || std::iter::repeat_n(0.0, rate as usize);
    let path = room.path(&format!("{name}.wav"));
    let samples: Vec<f32> = silence().chain(said).chain(silence()).collect();
    write_wav(&path, rate, 16, 1, &samples);
    Some(path)
}

/// The letters that were heard: "goodbye" may be two words.
fn transcribe(room: &Room, arguments: &[&str]) -> String {
    let output = room.scriven(&[&["transcribe"], arguments].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    words(&stdout(&output)).concat()
}

#[test]
fn a_thank_you_is_kept_where_it_is_said() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    for (name, said) in [("auth-thankyou", "thankyou"), ("goodbye", "goodbye")] {
        for gain in [1.0, 0.2] {
            let Some(wav) = announcement(&room, name, gain) else {
                return skipped(
                    "a thank you that is said",
                    "asterisk-core-sounds-en-wav is not installed",
                );
            };
            let wav = wav.to_str().unwrap();
            assert_eq!(transcribe(&room, &[wav]), said);
            assert_eq!(transcribe(&room, &["--live", wav]), said);
        }
    }
}

#[test]
fn nothing_is_heard_in_noise_behind_speech() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let mut reader = hound::WavReader::open(sentence().0).unwrap();
    assert_eq!(reader.spec().sample_rate, 16_000);
    let said: Vec<f32> =
        reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32768.0).collect();
    let mut state = 1u32;
    let mut white = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    };
    let silence = |_: usize| 0.0;
    let hum = |at: usize| 0.05 * (at as f32 * 100.0 / 16_000.0 * TAU).sin();
    let clicks = |at: usize| if at % 6000 < 8 { 0.5 } else { 0.0 };
    let noises: [(&str, &mut dyn FnMut(usize) -> f32); 4] = [
        ("silence", &mut { silence }),
        ("hum", &mut { hum }),
        ("clicks", &mut { clicks }),
        ("noise", &mut |_| 0.05 * white()),
    ];
    let mut texts = Vec::new();
    for (name, noise) in noises {
        let path = room.path(&format!("{name}.wav"));
        let behind = (0..5 * 16_000).map(noise);
        let samples: Vec<f32> = said.iter().copied().chain(behind).collect();
        write_wav(&path, 16_000, 16, 1, &samples);
        let path = path.to_str().unwrap();
        texts.push((name, transcribe(&room, &[path]), transcribe(&room, &["--live", path])));
    }
    let (_, file, live) = texts[0].clone();
    for (name, in_file, in_live) in texts {
        assert_eq!((&in_file, &in_live), (&file, &live), "{name}");
    }
    assert!(file.ends_with("himself") && live.ends_with("himself"), "{file} {live}");
}
