//! One stream of a device: its callback at one end, 16 kHz mono samples at the other.
//!
//! Part of [`capture`](super). A stream does not recover; when it fails it is dropped and a new one
//! is built.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, FromSample, HostId, I24, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfig, U24,
};
use ringbuf::traits::{Consumer, Split};
use ringbuf::{HeapCons, HeapRb};

use super::callback::{Fault, Health, callback};
use super::watchdog::Watchdog;
use crate::resample::{RATES, Resampler};

/// Room for as many seconds of sound: the analysis thread may be kept busy that long before any is
/// lost. It is while a device of another session is opened, up to 2 s.
const RING_SECONDS: usize = 4;

/// An open device.
pub(super) struct Stream {
    /// Only held: dropping it stops the callback.
    _stream: cpal::Stream,
    ring: HeapCons<f32>,
    health: Arc<Health>,
    resampler: Resampler,
    watchdog: Watchdog,
    block: Vec<f32>,
}

impl Stream {
    /// Opens the device and starts it: one channel if it can be had, which it can unless
    /// `mono_refused`, else all of them.
    pub(super) fn open(
        device: &cpal::Device,
        host: HostId,
        mono_refused: bool,
    ) -> Result<Self, cpal::Error> {
        let native = device.default_input_config()?;
        if !RATES.contains(&native.sample_rate()) {
            return Err(cpal::ErrorKind::UnsupportedConfig.into());
        }
        let mut opened = Err(cpal::ErrorKind::UnsupportedConfig.into());
        for config in configs(&native, host, mono_refused) {
            opened = Self::build(device, config, native.sample_format());
            if opened.is_ok() {
                let StreamConfig { channels, sample_rate, .. } = config;
                tracing::debug!(channels, sample_rate, format = %native.sample_format(), "opened");
                break;
            }
        }
        opened
    }

    fn build(
        device: &cpal::Device,
        config: StreamConfig,
        format: SampleFormat,
    ) -> Result<Self, cpal::Error> {
        let build = match format {
            SampleFormat::F32 => build::<f32>,
            SampleFormat::F64 => build::<f64>,
            SampleFormat::I8 => build::<i8>,
            SampleFormat::I16 => build::<i16>,
            SampleFormat::I24 => build::<I24>,
            SampleFormat::I32 => build::<i32>,
            SampleFormat::I64 => build::<i64>,
            SampleFormat::U8 => build::<u8>,
            SampleFormat::U16 => build::<u16>,
            SampleFormat::U24 => build::<U24>,
            SampleFormat::U32 => build::<u32>,
            SampleFormat::U64 => build::<u64>,
            _ => return Err(cpal::ErrorKind::UnsupportedConfig.into()),
        };
        let health = Arc::new(Health::default());
        let (stream, ring) = build(device, config, &health)?;
        stream.play()?;
        Ok(Self {
            _stream: stream,
            ring,
            health,
            resampler: Resampler::new(config.sample_rate),
            watchdog: Watchdog::new(Instant::now()),
            block: vec![0.0; 4096],
        })
    }

    /// Appends what has arrived.
    pub(super) fn read(&mut self, out: &mut Vec<f32>) {
        loop {
            match self.ring.pop_slice(&mut self.block) {
                0 => break,
                n => self.resampler.push(&self.block[..n], out),
            }
        }
    }

    /// Whether the stream is of no use any more, and why. A stall counts as broken.
    pub(super) fn fault(&mut self, now: Instant) -> Option<Fault> {
        let stalled = self.watchdog.stalled(self.blocks(), now);
        self.health.fault().or_else(|| stalled.then_some(Fault::Broken))
    }

    /// Blocks heard so far.
    pub(super) fn blocks(&self) -> u64 {
        self.health.blocks.load(Ordering::Relaxed)
    }

    /// When the last block was seen, or the stream opened.
    pub(super) fn alive(&self) -> Instant {
        self.watchdog.alive()
    }

    /// Samples that found the ring full.
    pub(super) fn overruns(&self) -> u64 {
        self.health.overruns.load(Ordering::Relaxed)
    }

    /// Losses that the host reported.
    pub(super) fn xruns(&self) -> u64 {
        self.health.xruns.load(Ordering::Relaxed)
    }
}

/// What to ask the device for, the best first. The rate is its own: our resampler is better than
/// most between us and the device.
fn configs(
    native: &SupportedStreamConfig,
    host: HostId,
    mono_refused: bool,
) -> impl Iterator<Item = StreamConfig> {
    let block = if host == HostId::PipeWire {
        // 21 ms at 48 kHz. Its default is 43, which every word would have to wait for; at 11 whole
        // blocks were lost on two cores with five times the work they can do.
        1024
    } else if host == HostId::Alsa {
        // It gets two blocks of buffer and no more; with 21 ms each, sound was lost there.
        2048
    } else {
        // Smaller ones lost sound on a real PulseAudio server; its default is two seconds.
        4096
    };
    let (own, sample_rate) = (native.channels(), native.sample_rate());
    let channels = if mono_refused { vec![own] } else { vec![1, own] };
    channels.into_iter().flat_map(move |channels| {
        [BufferSize::Fixed(block), BufferSize::Default].map(|buffer_size| StreamConfig {
            channels,
            sample_rate,
            buffer_size,
        })
    })
}

fn build<T>(
    device: &cpal::Device,
    config: StreamConfig,
    health: &Arc<Health>,
) -> Result<(cpal::Stream, HeapCons<f32>), cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let (ring_tx, ring_rx) = HeapRb::new(RING_SECONDS * config.sample_rate as usize).split();
    let mut data = callback::<T>(config.channels.into(), ring_tx, health.clone());
    let errors = health.clone();
    let stream = device.build_input_stream(
        config,
        move |block: &[T], _: &_| data(block),
        move |error: cpal::Error| errors.note(error.kind()),
        None,
    )?;
    Ok((stream, ring_rx))
}
