//! A sound file, as `scriven transcribe` and the daemon read it, up to the columns.
#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{Progress, Source as _, Spectrogram};

/// Two minutes: a constant block of FLAC may hold seconds in a few bytes, and means it.
const MAX_SAMPLES: usize = 120 * 16_000;
/// The first second of it is looked at in columns.
const IN_COLUMNS: usize = 16_000;

fuzz_target!(|input: &[u8]| {
    let mut file = tempfile::tempfile().expect("room");
    file.write_all(input).expect("room");
    let Ok(mut source) = FileSource::open(file, Pace::AsFast) else { return };
    source.duration();
    let (mut samples, mut total) = (Vec::new(), 0);
    let mut spectrogram = Spectrogram::new(80);
    while total < MAX_SAMPLES {
        samples.clear();
        match source.read(&mut samples) {
            Ok(Progress::Samples(n)) => assert_eq!(n, samples.len()),
            Ok(Progress::Waiting) => panic!("a file has nothing to wait for"),
            Ok(Progress::Ended) | Err(_) => break,
        }
        assert!(samples.iter().all(|sample| sample.is_finite()));
        if total < IN_COLUMNS {
            spectrogram.push(&samples, |column| assert!(column.iter().all(|x| x.is_finite())));
        }
        total += samples.len();
    }
});
