//! The recordings of the tests: what they say, and how near to it a text is.

use std::path::{Path, PathBuf};

use crate::fixture::data;

/// John F. Kennedy, 20 January 1961; eleven seconds with three pauses of about a second.
pub(crate) const JFK: &str = "And so, my fellow Americans, ask not what your country can do for you, \
                              ask what you can do for your country.";

pub(crate) fn jfk() -> PathBuf {
    data("jfk.wav")
}

/// A LibriVox sentence of three and a half seconds, and what it says.
pub(crate) fn sentence() -> (PathBuf, &'static str) {
    (librivox("0930"), "He might even have been made amiable himself.")
}

/// The LibriVox sentence with this number.
pub(crate) fn librivox(number: &str) -> PathBuf {
    let folder = Path::new("/usr/share/pocketsphinx/test/data/librivox");
    let file = folder.join(format!("sense_and_sensibility_01_austen_64kb-{number}.wav"));
    assert!(file.exists(), "pocketsphinx-testdata is missing: run tests/scripts/setup.sh first");
    file
}

/// Words in lower case, without punctuation.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || c == '-')
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase))
        .map(String::from_iter)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Substituted, deleted and inserted words, for each word that was said.
pub(crate) fn word_error_rate(said: &str, heard: &str) -> f64 {
    let (said, heard) = (words(said), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in said.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()] as f64 / said.len() as f64
}

/// Asserts that at most one word in ten is wrong.
pub(crate) fn assert_heard(said: &str, heard: &str) {
    assert_heard_within(0.1, said, heard);
}

/// As [`assert_heard`], for sound that tiny.en has its troubles with.
pub(crate) fn assert_heard_within(limit: f64, said: &str, heard: &str) {
    let rate = word_error_rate(said, heard);
    assert!(rate <= limit, "word error rate {rate:.2}: {heard:?}");
}

/// Writes `samples` as a WAV of this format.
pub(crate) fn write_wav(path: &Path, rate: u32, bits: u16, channels: u16, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let scale = (1u32 << (bits - 1)) as f32 - 1.0;
    for sample in samples {
        for _ in 0..channels {
            writer.write_sample((sample * scale) as i32).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// JFK's samples, each repeated `times` (the cheapest way to a higher rate that speech survives).
pub(crate) fn jfk_samples(times: usize) -> Vec<f32> {
    let mut reader = hound::WavReader::open(jfk()).unwrap();
    let samples = reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32768.0);
    samples.flat_map(|sample| std::iter::repeat_n(sample, times)).collect()
}
