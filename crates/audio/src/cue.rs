//! Short sounds for the ear: cue in, a few notes from the loudspeaker out.
//!
//! Not part of the path of sound to words. The device is opened for each cue and closed behind it, so
//! that nothing keeps it awake. The notes are too short and too soft to be taken for a voice where a
//! microphone hears them.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig};

use crate::Error;
use crate::capture::{Host, connect};

/// Silence behind the notes, while the device still plays what it was given.
const AFTER: Duration = Duration::from_millis(250);
/// How often the end is looked for.
const TICK: Duration = Duration::from_millis(10);
/// How long all of it may take: ten times what it does.
const LIMIT: Duration = Duration::from_secs(5);
/// Frames that are asked for at once. More would come late, fewer are not worth the trouble.
const BLOCK: u32 = 1024;

/// What there is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// Sound flows: what is said now is heard. Two rising notes.
    Listening,
    /// Nobody listens any more. Two falling notes.
    Ended,
    /// Something went wrong. Twice a low one.
    Failed,
}

impl Cue {
    /// The notes, one behind the other: their frequency in Hz and how long each sounds, in ms.
    fn notes(self) -> ([f32; 2], u32) {
        match self {
            Self::Listening => ([660.0, 880.0], 45),
            Self::Ended => ([880.0, 660.0], 45),
            Self::Failed => ([330.0, 330.0], 60),
        }
    }

    /// The sound of the cue.
    ///
    /// # Shapes
    ///
    /// - output: `[n]`, mono, at `rate` Hz; `peak_db` is the level of its loudest sample in dBFS
    pub fn samples(self, peak_db: f32, rate: u32) -> Vec<f32> {
        let (notes, millis) = self.notes();
        let (n, peak) = ((rate * millis / 1000) as usize, 10f32.powf(peak_db / 20.0));
        let sample = |hz: f32, i: usize| {
            // Swells and fades over its whole length: a sudden edge would click.
            let swell = 0.5 - 0.5 * (TAU * i as f32 / n as f32).cos();
            peak * swell * (TAU * hz * i as f32 / rate as f32).sin()
        };
        notes.into_iter().flat_map(|hz| (0..n).map(move |i| sample(hz, i))).collect()
    }
}

/// Plays a cue on the system's default output, and returns when it has been heard, 0.4 s later or so.
/// `peak_db` is its level in dBFS.
///
/// # Errors
///
/// There is no output, it does not open, or it stalls.
pub fn play(cue: Cue, peak_db: f32, host: Host) -> Result<(), Error> {
    let host = connect(host)?;
    play_on(&host, cue, peak_db).map_err(|source| Error::Play { source })
}

fn play_on(host: &cpal::Host, cue: Cue, peak_db: f32) -> Result<(), cpal::Error> {
    let device = host.default_output_device().ok_or(ErrorKind::DeviceNotAvailable)?;
    let native = device.default_output_config()?;
    let (channels, sample_rate) = (native.channels(), native.sample_rate());
    let samples: Arc<[f32]> = cue.samples(peak_db, sample_rate).into();
    let mut opened = Err(ErrorKind::UnsupportedConfig.into());
    for buffer_size in [BufferSize::Fixed(BLOCK), BufferSize::Default] {
        let config = StreamConfig { channels, sample_rate, buffer_size };
        opened = match native.sample_format() {
            SampleFormat::F32 => Playing::start::<f32>(&device, config, &samples),
            SampleFormat::I32 => Playing::start::<i32>(&device, config, &samples),
            SampleFormat::I16 => Playing::start::<i16>(&device, config, &samples),
            _ => break,
        };
        if opened.is_ok() {
            break;
        }
    }
    let end = samples.len() as u64 + u64::from(sample_rate) * AFTER.as_millis() as u64 / 1000;
    opened?.wait(end)
}

/// What the device's thread tells.
#[derive(Default)]
struct Progress {
    /// Frames it has taken.
    frames: AtomicU64,
    failed: AtomicBool,
}

struct Playing {
    /// Only held: dropping it stops the callback.
    _stream: cpal::Stream,
    progress: Arc<Progress>,
}

impl Playing {
    fn start<T>(
        device: &cpal::Device,
        config: StreamConfig,
        samples: &Arc<[f32]>,
    ) -> Result<Self, cpal::Error>
    where
        T: SizedSample + FromSample<f32>,
    {
        let progress = Arc::new(Progress::default());
        let mut fill = callback(config.channels.into(), samples.clone(), progress.clone());
        let errors = progress.clone();
        let stream = device.build_output_stream(
            config,
            move |block: &mut [T], _: &_| fill(block),
            move |error: cpal::Error| {
                let flows = [ErrorKind::Xrun, ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied];
                errors.failed.fetch_or(!flows.contains(&error.kind()), Ordering::Relaxed);
            },
            None,
        )?;
        stream.play()?;
        Ok(Self { _stream: stream, progress })
    }

    /// Waits until the device has taken as many frames.
    fn wait(self, frames: u64) -> Result<(), cpal::Error> {
        for _ in 0..LIMIT.as_millis() / TICK.as_millis() {
            if self.progress.frames.load(Ordering::Relaxed) >= frames {
                return Ok(());
            }
            if self.progress.failed.load(Ordering::Relaxed) {
                return Err(ErrorKind::DeviceNotAvailable.into());
            }
            thread::sleep(TICK);
        }
        Err(ErrorKind::BackendError.into())
    }
}

/// Makes what the device calls for every block: the samples on all channels, and silence behind them.
///
/// # Real time
///
/// Neither allocates, locks, logs nor waits.
fn callback<T>(
    channels: usize,
    samples: Arc<[f32]>,
    progress: Arc<Progress>,
) -> impl FnMut(&mut [T]) + Send + 'static
where
    T: SizedSample + FromSample<f32>,
{
    let mut next = 0;
    move |block| {
        for frame in block.chunks_mut(channels) {
            frame.fill(T::from_sample_(samples.get(next).copied().unwrap_or(0.0)));
            next += 1;
        }
        progress.frames.store(next as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
