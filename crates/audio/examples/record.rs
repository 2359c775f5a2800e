//! Records a source to a 16 kHz WAV file, or lists the sources there are.
//!
//! ```text
//! cargo run --example record                              # list them
//! cargo run --example record -- OUT.wav SECONDS [SOURCE [pipewire|alsa|pulse]]
//! ```
#![allow(clippy::print_stdout)]

use std::thread;
use std::time::{Duration, Instant};

use scriven_audio::capture::{CaptureOptions, Host, Microphone, list_sources};
use scriven_audio::{Progress, SAMPLE_RATE, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |i: usize| args.get(i).map_or("", String::as_str);
    let host = match args.last().map_or("", String::as_str) {
        "pipewire" => Host::PipeWire,
        "alsa" => Host::Alsa,
        "pulse" => Host::Pulse,
        _ => Host::Auto,
    };
    match arg(1).parse() {
        Ok(seconds) => record(arg(0), seconds, arg(2), host),
        Err(_) => list(host),
    }
}

fn list(host: Host) -> Result<(), Box<dyn std::error::Error>> {
    for source in list_sources(host)? {
        let star = if source.is_default { '*' } else { ' ' };
        println!("{star} {:9} {:<50} {}", source.host, source.id, source.description);
    }
    Ok(())
}

fn record(
    path: &str,
    seconds: f64,
    source: &str,
    host: Host,
) -> Result<(), Box<dyn std::error::Error>> {
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, format)?;
    let started = Instant::now();
    let mut microphone = Microphone::open(&CaptureOptions { source: source.into(), host })?;
    println!("{} via {}, open in {:?}", microphone.source(), microphone.host(), started.elapsed());
    let (mut samples, mut total, mut restarts) = (Vec::new(), 0, 0);
    while started.elapsed().as_secs_f64() < seconds {
        let looked = Instant::now();
        match microphone.read(&mut samples)? {
            Progress::Samples(n) => total += n,
            Progress::Waiting => {}
            Progress::Ended => break,
        }
        if looked.elapsed() > Duration::from_millis(50) {
            println!(
                "{:6.2} s: a read took {:?}",
                started.elapsed().as_secs_f64(),
                looked.elapsed()
            );
        }
        if microphone.restarts() != restarts {
            restarts = microphone.restarts();
            println!("{:6.2} s: restarted", started.elapsed().as_secs_f64());
        }
        for sample in samples.drain(..) {
            file.write_sample((sample * 32768.0) as i16)?;
        }
        thread::sleep(Duration::from_millis(10));
    }
    file.finalize()?;
    println!(
        "{:.2} s in {:.2} s, first block after {:?}, {} restarts, {} overruns",
        total as f64 / SAMPLE_RATE as f64,
        started.elapsed().as_secs_f64(),
        microphone.first_block_after(),
        microphone.restarts(),
        microphone.overruns(),
    );
    Ok(())
}
