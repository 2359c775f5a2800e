//! What the device calls: blocks of interleaved frames in, mono samples in a ring out.
//!
//! The only code of this crate that runs on the device's thread. All of cpal stays around it, none
//! but the sample types in it, so that it can be tested without a device.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use cpal::{ErrorKind, FromSample, SizedSample};
use ringbuf::HeapProd;
use ringbuf::traits::Producer;

/// What the device's thread tells the analysis thread, besides samples.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Blocks delivered: as long as it grows, the device lives.
    pub(super) blocks: AtomicU64,
    /// Samples dropped because the ring was full.
    pub(super) overruns: AtomicU64,
    /// Losses the host itself reported, before we saw a sample.
    pub(super) xruns: AtomicU64,
    /// The first [`Fault`], or 0.
    fault: AtomicU8,
}

/// Why a stream is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fault {
    /// The device is not there.
    Gone = 1,
    /// It does not give what it was asked for: the channel count, as a rule.
    Refused = 2,
    /// Anything else: the server died, the driver failed.
    Broken = 3,
}

impl Health {
    pub(super) fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::Gone),
            2 => Some(Fault::Refused),
            _ => Some(Fault::Broken),
        }
    }

    /// Notes an error of the stream.
    ///
    /// # Real time
    ///
    /// Runs on the device's thread, and after the loss of an ALSA device 100,000 times a second:
    /// it touches atomics and nothing else.
    pub(super) fn note(&self, kind: ErrorKind) {
        let fault = match kind {
            ErrorKind::Xrun => {
                self.xruns.fetch_add(1, Ordering::Relaxed);
                return;
            }
            // Sound still flows: from a new default device, or with the scheduling all others have.
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => return,
            ErrorKind::DeviceNotAvailable => Fault::Gone,
            ErrorKind::UnsupportedConfig => Fault::Refused,
            _ => Fault::Broken,
        };
        // The first one is the cause, the others follow from it.
        let _ = self.fault.compare_exchange(0, fault as u8, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Makes what the device calls for every block.
///
/// # Real time
///
/// Neither allocates, locks, logs nor waits. When the ring is full the newest samples are dropped
/// and counted; the analysis thread reports the count.
///
/// # Shapes
///
/// - block: `[n_frames, channels]`, interleaved, any sample type cpal knows
/// - ring: one sample a frame, the mean of its channels, −1.0..=1.0
pub(super) fn callback<T>(
    channels: usize,
    mut ring: HeapProd<f32>,
    health: Arc<Health>,
) -> impl FnMut(&[T]) + Send + 'static
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let share = 1.0 / channels as f32;
    let sample = |&x: &T| <f32 as FromSample<T>>::from_sample_(x);
    move |block| {
        let frames = block.chunks_exact(channels);
        let n = frames.len();
        let mono = frames.map(|frame| frame.iter().map(sample).sum::<f32>() * share);
        let lost = n - ring.push_iter(mono);
        if lost > 0 {
            health.overruns.fetch_add(lost as u64, Ordering::Relaxed);
        }
        health.blocks.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::{AllocDisabler, assert_no_alloc};
    use cpal::{I24, U24};
    use ringbuf::HeapRb;
    use ringbuf::traits::{Consumer, Split};

    use super::*;

    #[global_allocator]
    static ALLOCATOR: AllocDisabler = AllocDisabler;

    /// The one place that knows how to drive a callback: samples in blocks of `n_frames`, through
    /// a ring that is emptied every tenth block.
    fn captured<T>(channels: usize, samples: &[T], n_frames: usize) -> (Vec<f32>, Arc<Health>)
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let health = Arc::new(Health::default());
        let (ring, mut heard) = HeapRb::new(10 * n_frames).split();
        let mut callback = callback(channels, ring, health.clone());
        let mut mono = Vec::new();
        for (i, block) in samples.chunks(n_frames * channels).enumerate() {
            assert_no_alloc(|| callback(block));
            if i % 10 == 9 {
                mono.extend(heard.pop_iter());
            }
        }
        mono.extend(heard.pop_iter());
        (mono, health)
    }

    const BLOCKS: [usize; 9] = [1, 2, 7, 64, 256, 341, 480, 1024, 2048];

    #[test]
    fn the_callback_does_not_allocate_whatever_the_block() {
        let samples: Vec<f32> = (0..5_000).map(|i| (i as f32).sin()).collect();
        for n_frames in BLOCKS {
            let (mono, health) = captured(1, &samples, n_frames);
            assert_eq!(mono, samples);
            assert_eq!(health.overruns.load(Ordering::Relaxed), 0);
            let blocks = samples.len().div_ceil(n_frames) as u64;
            assert_eq!(health.blocks.load(Ordering::Relaxed), blocks);
        }
    }

    #[test]
    fn channels_are_averaged() {
        let stereo = [0.5, 0.25, -1.0, 1.0, 0.0, -0.5];
        assert_eq!(captured(2, &stereo, 3).0, [0.375, 0.0, -0.25]);
        assert_eq!(captured(6, &stereo, 1).0.len(), 1);
    }

    /// Half of full scale, silence and minus full scale in each format cpal may give.
    #[test]
    fn every_sample_format_has_the_same_scale() {
        fn check<T: SizedSample>(samples: [T; 3])
        where
            f32: FromSample<T>,
        {
            for n_frames in BLOCKS {
                assert_eq!(captured(1, &samples, n_frames).0, [0.5, 0.0, -1.0], "{:?}", T::FORMAT);
            }
        }
        check([0.5f32, 0.0, -1.0]);
        check([0.5f64, 0.0, -1.0]);
        check([1i8 << 6, 0, i8::MIN]);
        check([1i16 << 14, 0, i16::MIN]);
        check([I24::new_unchecked(1 << 22), I24::new_unchecked(0), I24::new_unchecked(-(1 << 23))]);
        check([1i32 << 30, 0, i32::MIN]);
        check([1i64 << 62, 0, i64::MIN]);
        check([3u8 << 6, 1 << 7, 0]);
        check([3u16 << 14, 1 << 15, 0]);
        check([U24::new_unchecked(3 << 22), U24::new_unchecked(1 << 23), U24::new_unchecked(0)]);
        check([3u32 << 30, 1 << 31, 0]);
        check([3u64 << 62, 1 << 63, 0]);
    }

    #[test]
    fn a_full_ring_drops_and_counts() {
        let health = Arc::new(Health::default());
        let (ring, mut heard) = HeapRb::new(100).split();
        let mut callback = callback::<f32>(1, ring, health.clone());
        let samples: Vec<f32> = (0..64).map(|i| i as f32).collect();
        assert_no_alloc(|| callback(&samples));
        assert_no_alloc(|| callback(&samples));
        assert_eq!(health.overruns.load(Ordering::Relaxed), 28);
        let heard: Vec<f32> = heard.pop_iter().collect();
        assert_eq!(heard, [&samples[..], &samples[..36]].concat(), "the oldest stay");
    }

    #[test]
    fn the_first_fault_stays_and_a_loss_is_none() {
        let health = Health::default();
        assert_no_alloc(|| {
            for kind in [ErrorKind::Xrun, ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied] {
                health.note(kind);
            }
        });
        assert_eq!(health.fault(), None);
        assert_no_alloc(|| {
            health.note(ErrorKind::DeviceNotAvailable);
            health.note(ErrorKind::BackendError);
        });
        assert_eq!(health.fault(), Some(Fault::Gone));
    }
}
