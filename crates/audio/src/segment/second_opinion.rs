//! Second opinion: whether what WebRTC's detector lets through is a voice.
//!
//! Part of [`segment`](super). WebRTC's detector takes music, a kitchen and brown noise for voice. A
//! detector that knows better costs more and knows nothing before it has heard some sound, so it
//! is asked only from the moment when WebRTC's hears something, or while an utterance lasts, and
//! then hears what came just before as well.

/// What the second detector judges at once: 512 samples = 32 ms.
pub const CHUNK: usize = 512;
/// Sound that the detector hears before it is believed: ten chunks.
pub(super) const WARM_UP: usize = 10 * CHUNK;
/// Frames of 20 ms for which the detector stays awake: longer than the pause in front of the next
/// word, so that it is rarely warmed up again.
const PATIENCE: u32 = 50;
/// Probability from which on somebody speaks again inside of an utterance …
const VOICE: f32 = 0.5;
/// … and below which nobody does any more: the soft end of a word is voice as well.
const SILENCE: f32 = 0.35;

/// A voice detector that judges what WebRTC's lets through. It remembers what it has heard.
pub trait SecondOpinion {
    /// Hears the samples that follow those heard before; the probability that somebody speaks.
    fn voice(&mut self, chunk: &[f32; CHUNK]) -> f32;
    /// Forgets what was heard: what follows is other sound.
    fn reset(&mut self);
}

/// Asks a [`SecondOpinion`] when it is worth it.
pub(super) struct Confirmation {
    detector: Box<dyn SecondOpinion>,
    /// Probability from which on somebody begins to speak.
    beginning: f32,
    speaks: bool,
    /// Sample behind the last one that the detector has heard.
    heard: u64,
    /// Frames for which the detector stays awake; 0 when it sleeps.
    awake: u32,
}

impl Confirmation {
    pub(super) fn new(detector: Box<dyn SecondOpinion>, percent: u32) -> Self {
        let beginning = percent as f32 / 100.0;
        Self { detector, beginning, speaks: false, heard: 0, awake: 0 }
    }

    pub(super) fn reset(&mut self) {
        (self.speaks, self.awake) = (false, 0);
    }

    /// The verdict on the sound up to `position`, which ends `history`; `gate` is WebRTC's.
    ///
    /// Chunks begin at multiples of their length, however often this is called, so the newest
    /// chunk may end up to 31 ms before `position`.
    pub(super) fn voiced(
        &mut self,
        gate: bool,
        in_utterance: bool,
        history: &[f32],
        position: u64,
    ) -> bool {
        let oldest = position - history.len() as u64;
        if gate || in_utterance {
            if self.awake == 0 {
                self.detector.reset();
                self.speaks = false;
                let from = oldest.max(position.saturating_sub(WARM_UP as u64));
                self.heard = from.next_multiple_of(CHUNK as u64);
            }
            self.awake = PATIENCE;
        }
        if self.awake == 0 {
            return false;
        }
        self.awake -= 1;
        let fresh = history.get(self.heard.saturating_sub(oldest) as usize..);
        for chunk in fresh.unwrap_or_default().as_chunks().0 {
            self.heard += CHUNK as u64;
            let probability = self.detector.voice(chunk);
            let least = match (in_utterance, self.speaks) {
                (false, _) => self.beginning,
                (true, false) => VOICE,
                (true, true) => SILENCE,
            };
            self.speaks = probability >= least;
        }
        // Inside of an utterance both must hear it: WebRTC's finds the short pauses in which the
        // words so far are heard again in full, the other the end of speech in noise.
        self.speaks && (gate || !in_utterance)
    }
}
