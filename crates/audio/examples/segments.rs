//! Prints the utterances found in sound files: `cargo run --example segments FILE…`.
//!
//! `-m 0..3` sets the mode of the voice detector, `-o MS` and `-w MS` the onset and its window, `-a
//! DB` the loudness above the background; `-g DB` changes the level by so many decibels before, `-s`
//! prints one line per file.
#![allow(clippy::print_stdout)]

use std::fs::File;

use scriven_audio::file::{FileSource, Pace};
use scriven_audio::{
    Error, Frontend, Progress, SAMPLE_RATE, SegmentConfig, Source, Speech, VadMode,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut config, mut gain, mut short) = (SegmentConfig::default(), 1.0, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|arg| arg.parse::<f32>().ok());
        match arg.as_str() {
            "-m" => config.mode = mode(number()),
            "-o" => config.onset_ms = number().ok_or("-o needs milliseconds")? as u32,
            "-w" => config.onset_window_ms = number().ok_or("-w needs milliseconds")? as u32,
            "-a" => config.above_background_db = number().ok_or("-a needs decibels")? as u32,
            "-g" => gain = 10f32.powf(number().ok_or("-g needs decibels")? / 20.0),
            "-s" => short = true,
            path => report(path, &utterances(path, &config, gain)?, short),
        }
    }
    Ok(())
}

fn mode(number: Option<f32>) -> VadMode {
    match number {
        Some(0.0) => VadMode::Quality,
        Some(1.0) => VadMode::LowBitrate,
        Some(2.0) => VadMode::Aggressive,
        _ => VadMode::VeryAggressive,
    }
}

/// Seconds of each utterance, from and to, and of the whole file at last.
fn utterances(path: &str, config: &SegmentConfig, gain: f32) -> Result<Vec<[f64; 2]>, Error> {
    let mut source = FileSource::open(File::open(path)?, Pace::AsFast)?;
    let mut frontend = Frontend::new(80, config, None);
    let seconds = |at: u64| at as f64 / SAMPLE_RATE as f64;
    let mut utterances = Vec::new();
    let mut note = |speech| match speech {
        Speech::Start { at } => utterances.push([seconds(at), f64::NAN]),
        Speech::End { at } => {
            if let Some(utterance) = utterances.last_mut() {
                utterance[1] = seconds(at);
            }
        }
        _ => {}
    };
    let mut samples = Vec::new();
    while source.read(&mut samples)? != Progress::Ended {
        samples.iter_mut().for_each(|x| *x *= gain);
        frontend.push(&samples, &mut note);
        samples.clear();
    }
    frontend.finish(&mut note);
    utterances.push([0.0, seconds(frontend.position())]);
    Ok(utterances)
}

fn report(path: &str, utterances: &[[f64; 2]], short: bool) {
    let Some(([_, length], utterances)) = utterances.split_last() else { return };
    if short {
        let total: f64 = utterances.iter().map(|[from, to]| to - from).sum();
        println!("{path}\t{length:.2}\t{}\t{total:.2}", utterances.len());
        return;
    }
    println!("{path}: {length:.2} s");
    for [from, to] in utterances {
        println!("  {from:8.2} … {to:8.2}");
    }
}
