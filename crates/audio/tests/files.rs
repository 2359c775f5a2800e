//! Sound files, honest and hostile: written here, read back through [`FileSource`].
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{Error, Progress, Source};

/// A small FLAC file: 0.75 s of a 440 Hz tone at 16 kHz, 16 bits, mono, level 1/2.
const FLAC: &[u8] = include_bytes!("data/tone.flac");

/// A file that is gone when it is closed.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// All of a file, or the error that opening or reading gave.
fn read(bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let mut source = FileSource::open(file(bytes), Pace::AsFast)?;
    let mut samples = Vec::new();
    while source.read(&mut samples)? != Progress::Ended {}
    Ok(samples)
}

/// All there is of a file, what of it is silence, and the error at its end.
fn hear(bytes: &[u8]) -> (Vec<f32>, Option<String>, Option<Error>) {
    let mut source = FileSource::open(file(bytes), Pace::AsFast).unwrap();
    let mut samples = Vec::new();
    let end = loop {
        match source.read(&mut samples) {
            Ok(Progress::Ended) => break None,
            Ok(_) => {}
            Err(error) => break Some(error),
        }
    };
    (samples, source.flaw().map(|flaw| flaw.to_string()), end)
}

/// Eleven seconds of speech: 309 frames of 36 ms, the first of which tells how many.
fn mp3() -> Option<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cache/jfk.mp3");
    let found = std::fs::read(path).ok();
    if found.is_none() {
        let what = "SKIPPED: damage in an MP3 — no recording; run make test";
        drop(writeln!(std::io::stderr(), "{what}"));
    }
    found
}

/// Spoils what stands behind the headers of some frames, so that none of them can be decoded.
fn spoil(mp3: &mut [u8], frames: std::ops::Range<usize>) {
    let is_header = |at: &usize| {
        mp3[*at..].starts_with(&[0xff, 0xf3]) && mp3[at + 2] & 0x0c == 8 && mp3[at + 3] == 0xc4
    };
    let headers: Vec<usize> = (0..mp3.len() - 13).filter(is_header).collect();
    assert_eq!(headers.len(), 309);
    for &at in &headers[frames] {
        mp3[at + 4..at + 13].fill(0xff);
    }
}

/// A WAV file whose header says what it is told to.
fn wav(channels: u16, rate: u32, bits: u16, data_len: u32, data: &[u8]) -> Vec<u8> {
    let format = if bits == 32 { 3u16 } else { 1 };
    let frame = channels.wrapping_mul(bits / 8);
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&data_len.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0");
    wav.extend_from_slice(&format.to_le_bytes());
    wav.extend_from_slice(&channels.to_le_bytes());
    wav.extend_from_slice(&rate.to_le_bytes());
    wav.extend_from_slice(&rate.wrapping_mul(frame.into()).to_le_bytes());
    wav.extend_from_slice(&frame.to_le_bytes());
    wav.extend_from_slice(&bits.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&data_len.to_le_bytes());
    wav.extend_from_slice(data);
    wav
}

/// `n` samples of 16 bits as bytes.
fn pcm(n: usize) -> Vec<u8> {
    (0..n).flat_map(|i| ((i % 100) as i16 * 100).to_le_bytes()).collect()
}

fn honest_wav(channels: u16, rate: u32, n_frames: usize) -> Vec<u8> {
    let data = pcm(n_frames * usize::from(channels));
    wav(channels, rate, 16, data.len() as u32, &data)
}

#[test]
fn a_16_khz_wav_comes_back_to_the_bit() {
    let samples = read(&honest_wav(1, 16_000, 4_567)).unwrap();
    let expected: Vec<f32> =
        (0..4_567).map(|i| f32::from((i % 100) as i16 * 100) / 32768.0).collect();
    assert_eq!(samples, expected);
}

#[test]
fn any_rate_and_channel_count_gives_16_khz_mono() {
    for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 192_000] {
        for channels in [1, 2, 6] {
            let n = read(&honest_wav(channels, rate, rate as usize / 2)).unwrap().len();
            assert!(n.abs_diff(8_000) <= 1, "{n} samples from {channels} channels at {rate} Hz");
        }
    }
}

#[test]
fn eight_bits_and_floats_have_the_same_scale() {
    let bytes = wav(1, 16_000, 8, 4, &[128, 192, 0, 64]);
    assert_eq!(read(&bytes).unwrap(), [0.0, 0.5, -1.0, -0.5]);
    let floats: Vec<u8> = [0.0f32, 0.5, -1.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(read(&wav(1, 16_000, 32, 12, &floats)).unwrap(), [0.0, 0.5, -1.0]);
}

#[test]
fn floats_that_are_no_sound_become_some() {
    let floats = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -0.25, 1.5];
    let bytes: Vec<u8> = floats.iter().flat_map(|x| x.to_le_bytes()).collect();
    let samples = read(&wav(1, 16_000, 32, 24, &bytes)).unwrap();
    assert_eq!(samples, [0.0, 100.0, -100.0, 100.0, -0.25, 1.5]);
    // The same as two channels.
    assert_eq!(read(&wav(2, 16_000, 32, 24, &bytes)).unwrap(), [0.0, -100.0, 0.625]);
}

#[test]
fn a_flac_is_decoded() {
    let samples = read(FLAC).unwrap();
    assert_eq!(samples.len(), 12_000);
    let energy = samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
    assert!((energy - 0.125).abs() < 1e-3, "{energy}");
}

#[test]
fn a_flac_cut_off_gives_what_is_there() {
    let samples = read(FLAC).unwrap();
    let cut = read(&FLAC[..FLAC.len() * 2 / 3]).unwrap();
    assert!(!cut.is_empty() && cut.len() < samples.len(), "{} samples", cut.len());
    assert_eq!(cut, samples[..cut.len()]);
}

#[test]
fn a_wav_that_claims_more_than_it_has_gives_what_is_there() {
    let data = pcm(3_000);
    for claimed in [7_000, u32::MAX, u32::MAX - 1, 0x7fff_ffff] {
        let bytes = wav(1, 16_000, 16, claimed, &data);
        let source = FileSource::open(file(&bytes), Pace::AsFast).unwrap();
        assert!(source.duration().is_none_or(|duration| duration < Duration::from_secs(1)));
        assert_eq!(read(&bytes).unwrap().len(), 3_000, "{claimed} bytes claimed");
    }
}

#[test]
fn a_file_that_breaks_off_gives_what_is_there_and_an_error() {
    let wav = honest_wav(1, 16_000, 40_000);
    let (samples, flaw, end) = hear(&wav[..44 + 2 * 24_000]);
    assert_eq!((samples.len(), flaw), (24_000, None));
    let Some(Error::CutShort { at, .. }) = &end else { panic!("{end:?}") };
    assert!((at - 1.5).abs() < 0.01, "at {at}");

    let Some(mp3) = mp3() else { return };
    let (samples, _, end) = hear(&mp3[..mp3.len() * 2 / 3]);
    assert!(samples.len() > 5 * 16_000, "{} samples", samples.len());
    assert!(matches!(end, Some(Error::CutShort { .. })), "{end:?}");
}

#[test]
fn a_damaged_block_of_a_flac_becomes_silence_and_is_told() {
    let mut damaged = FLAC.to_vec();
    // In the second of three blocks of 4096 samples.
    damaged[4_000] ^= 0x55;
    let (samples, flaw, end) = hear(&damaged);
    let whole = read(FLAC).unwrap();
    assert_eq!(samples.len(), whole.len());
    assert_eq!(samples[..4_096], whole[..4_096]);
    assert!(samples[4_096..8_192].iter().all(|&sample| sample == 0.0));
    assert_eq!(samples[8_192..], whole[8_192..]);
    let flaw = flaw.unwrap();
    assert!(flaw.starts_with("0.26 s of the recording cannot be decoded, from 0.3 s on"), "{flaw}");
    assert!(end.is_none(), "{end:?}");
}

#[test]
fn damaged_frames_of_an_mp3_take_their_time_and_are_told() {
    let Some(mut mp3) = mp3() else { return };
    let (whole, flaw, end) = hear(&mp3);
    assert!(flaw.is_none() && end.is_none(), "{flaw:?} {end:?}");
    spoil(&mut mp3, 100..110);
    let (samples, flaw, end) = hear(&mp3);
    assert_eq!(samples.len(), whole.len());
    // What follows is where it was.
    let mut later = samples.iter().zip(&whole).skip(5 * 16_000);
    assert!(later.all(|(a, b)| (a - b).abs() < 1e-4));
    let flaw = flaw.unwrap();
    assert!(flaw.contains("cannot be decoded, from 3.5 s on"), "{flaw}");
    assert!(end.is_none(), "{end:?}");
}

#[test]
fn a_file_of_which_nothing_can_be_decoded_is_an_error() {
    let Some(mut mp3) = mp3() else { return };
    spoil(&mut mp3, 1..309);
    let error = read(&mp3).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[test]
fn what_is_no_sound_is_one_clear_error() {
    let text = "It was a dark and stormy night. ".repeat(200);
    for bytes in [&b""[..], b"R", b"RIFF", text.as_bytes(), &[0; 5_000], &[0xff; 5_000]] {
        let error = read(bytes).unwrap_err();
        assert!(error.to_string().contains("convert it"), "{error}");
    }
}

#[test]
fn headers_that_cannot_be_true_are_errors() {
    let data = pcm(100);
    for (channels, rate) in [(1, 0), (0, 16_000), (1, u32::MAX), (u16::MAX, 16_000), (1, 1)] {
        let read = read(&wav(channels, rate, 16, 200, &data));
        assert!(read.is_err(), "{channels} channels at {rate} Hz");
    }
}

#[test]
fn a_wav_without_sound_ends_at_once() {
    assert_eq!(read(&honest_wav(1, 16_000, 0)).unwrap(), []);
}

#[test]
fn only_files_are_files() {
    for path in ["/dev/zero", "/"] {
        let opened = FileSource::open(File::open(path).unwrap(), Pace::AsFast);
        assert!(matches!(opened, Err(Error::NotAFile)), "{path}");
    }
}

#[test]
fn life_speed_is_a_packet_every_20_milliseconds() {
    let mut source =
        FileSource::open(file(&honest_wav(1, 16_000, 6_400)), Pace::LifeSpeed).unwrap();
    let (started, mut samples) = (Instant::now(), Vec::new());
    assert_eq!(source.read(&mut samples).unwrap(), Progress::Waiting, "nothing was said yet");
    loop {
        let progress = source.read(&mut samples).unwrap();
        let spoken = started.elapsed().as_millis() as usize * 16 + 16;
        assert!(samples.len() <= spoken, "{} samples of {spoken}", samples.len());
        match progress {
            Progress::Samples(n) => assert_eq!(n % 320, 0),
            Progress::Waiting => std::thread::sleep(Duration::from_millis(2)),
            Progress::Ended => break,
        }
    }
    assert_eq!(samples.len(), 6_400);
    assert!(started.elapsed() >= Duration::from_millis(400));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is in a file: an error or samples, and never more than its bytes could hold.
    #[test]
    fn a_mutated_file_is_an_error_or_sound(
        flac in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        header in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = if flac { FLAC.to_vec() } else { honest_wav(2, 44_100, 700) };
        bytes.truncate(bytes.len() - cut.index(bytes.len() / 2));
        let reach = if header { bytes.len().min(64) } else { bytes.len() };
        for (at, byte) in changes {
            let at = at.index(reach);
            bytes[at] = byte;
        }
        if let Ok(samples) = read(&bytes) {
            prop_assert!(samples.len() < 2_000_000, "{} samples", samples.len());
        }
    }
}
