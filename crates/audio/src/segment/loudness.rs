//! Loudness: whether a frame stands out of the background.
//!
//! Part of [`segment`](super). WebRTC's detector answers a click of 5 ms with 80 to 100 ms of voice,
//! so that typing alone would fill its whole answer. A frame in which it hears a voice must
//! therefore be louder than the background as well, which a frame behind a click is not.

use std::collections::VecDeque;

/// The quietest frame of the last 2 s is the background: longer than a breath group goes without
/// a pause between two sounds, short enough to follow a fan that starts.
const MEMORY: usize = 100;
/// Background assumed until the first 2 s have been heard, −75 dBFS: who speaks at once must not
/// be taken for background.
const UNKNOWN: f32 = 3e-8;

/// Compares frames with the quietest one of late.
pub(super) struct Loudness {
    /// Mean squares of the latest frames.
    memory: VecDeque<f32>,
    /// How much louder, as a factor of mean squares.
    factor: f32,
}

impl Loudness {
    pub(super) fn new(above_background_db: u32) -> Self {
        let factor = 10f32.powf(above_background_db as f32 / 10.0);
        Self { memory: [UNKNOWN; MEMORY].into(), factor }
    }

    pub(super) fn reset(&mut self) {
        self.memory.iter_mut().for_each(|energy| *energy = UNKNOWN);
    }

    /// Takes the next frame; returns whether it stands out.
    pub(super) fn stands_out(&mut self, vad_frame: &[i16]) -> bool {
        let square = |&x: &i16| (f32::from(x) / 32768.0).powi(2);
        let energy = vad_frame.iter().map(square).sum::<f32>() / vad_frame.len() as f32;
        self.memory.pop_front();
        self.memory.push_back(energy);
        let background = self.memory.iter().copied().fold(f32::INFINITY, f32::min);
        energy >= background * self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a square wave, of which every sample is as loud as the frame.
    fn frame(dbfs: f32) -> [i16; 320] {
        let level = (32768.0 * 10f32.powf(dbfs / 20.0)) as i16;
        std::array::from_fn(|i| if i % 2 == 0 { level } else { -level })
    }

    #[test]
    fn who_speaks_at_once_stands_out() {
        let mut loudness = Loudness::new(6);
        assert!((0..50).all(|_| loudness.stands_out(&frame(-60.0))));
    }

    #[test]
    fn steady_noise_stops_standing_out() {
        let mut loudness = Loudness::new(6);
        let frames: Vec<bool> = (0..200).map(|_| loudness.stands_out(&frame(-40.0))).collect();
        assert!(frames[..99].iter().all(|&out| out));
        assert!(frames[99..].iter().all(|&out| !out));
        assert!(loudness.stands_out(&frame(-33.0)));
        assert!(!loudness.stands_out(&frame(-35.0)));
    }
}
