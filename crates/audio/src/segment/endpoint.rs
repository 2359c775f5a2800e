//! Endpoint rules: a verdict for every VAD frame in, the turns of an utterance out.
//!
//! Part of [`segment`](super). Pure counting, without samples or detector, so that a test can write
//! a conversation as a string.

use std::collections::VecDeque;

/// Length of a VAD frame in milliseconds.
const FRAME_MS: u32 = 20;

/// How readily WebRTC's detector takes a sound for voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VadMode {
    /// Misses least, takes most noise for voice.
    Quality,
    /// A little stricter.
    #[default]
    LowBitrate,
    /// Stricter.
    Aggressive,
    /// Misses most, takes least noise for voice.
    VeryAggressive,
}

impl From<VadMode> for webrtc_vad::VadMode {
    fn from(mode: VadMode) -> Self {
        match mode {
            VadMode::Quality => Self::Quality,
            VadMode::LowBitrate => Self::LowBitrate,
            VadMode::Aggressive => Self::Aggressive,
            VadMode::VeryAggressive => Self::VeryAggressive,
        }
    }
}

/// When an utterance begins and ends. Times are rounded up to frames of 20 ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentConfig {
    /// How strict the detector is.
    pub mode: VadMode,
    /// How much louder than the background a frame must be to count as voiced; 0 asks the
    /// detector alone.
    pub above_background_db: u32,
    /// How sure a second opinion must be that it hears a voice for an utterance to begin.
    pub second_opinion_percent: u32,
    /// What stands for `onset_ms` where there is a second opinion.
    pub second_opinion_onset_ms: u32,
    /// Voice needed for an utterance to begin, within `onset_window_ms`.
    pub onset_ms: u32,
    /// The time in which `onset_ms` of voice must be heard.
    pub onset_window_ms: u32,
    /// Sound kept from before the first voiced frame.
    pub pre_roll_ms: u32,
    /// Silence until `Quiet` is told: the recognizer may then work ahead on its final text.
    pub hangover_ms: u32,
    /// The same once the speaker has said that this was all. `Quiet` then is a guess: until
    /// `last_hangover_ms` of silence any voice takes it back.
    pub early_hangover_ms: u32,
    /// Silence after which the speaker, who has said that this was all, is taken at their word.
    pub last_hangover_ms: u32,
    /// Silence that ends the utterance, counted from its last voiced frame.
    pub min_trailing_silence_ms: u32,
    /// Length at which an utterance is cut in two, whatever is said; 0 for never.
    pub max_utterance_ms: u32,
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self {
            // Stricter modes miss speech below −55 dBFS; the loudness keeps the noise out.
            mode: VadMode::LowBitrate,
            // Speech in noise 15 dB below it loses no word yet; at 8 dB it does.
            above_background_db: 6,
            // At 80 the first words of some recordings are lost. A knock on a table passes 50; the
            // recognizer takes it for silence.
            second_opinion_percent: 50,
            // It hears a voice one or two of its chunks late; 140 ms lose a short word.
            second_opinion_onset_ms: 60,
            // With the loudness this takes a third of typing for speech; 60 ms take all of it, and
            // 160 ms lose short words spoken softly.
            onset_ms: 140,
            // Room for a stop inside of a short word: "it", "up".
            onset_window_ms: 200,
            // A soft beginning ("f", "h", "th") is unvoiced for up to 200 ms.
            pre_roll_ms: 300,
            // Longer than the silence inside of a "t" or "k" (100 ms).
            hangover_ms: 200,
            // Three in five of such silences in speech last for `last_hangover_ms`.
            early_hangover_ms: 40,
            // Who has let go of the key has mostly said the last word by then.
            last_hangover_ms: 100,
            // Longer than the pause of somebody who thinks within a sentence: words are committed
            // without it, and a sentence in one piece is recognized better than in two.
            min_trailing_silence_ms: 1200,
            // The recognizer cuts long utterances itself, where it knows the words.
            max_utterance_ms: 0,
        }
    }
}

/// From which length on an utterance ends in shorter pauses, and in which, in milliseconds: who talks without a pause
/// of 1.2 s, as on the radio, would never have a final text. No voice is heard twice: the pre-roll of the next utterance
/// does not reach back to it.
const LONG: [(u32, u32); 2] = [(120_000, 400), (60_000, 600)];

/// What a frame's verdict brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// An utterance begins; its first voiced frame began that many frames ago.
    Start { voiced_frames_ago: u32 },
    /// The hangover is over; the last voiced frame ended that many frames ago.
    Quiet { voiced_frames_ago: u32 },
    /// The voice is back; its first frame began that many frames ago.
    Voice { voiced_frames_ago: u32 },
    /// The utterance is over.
    End,
    /// The utterance is as long as one may be; another goes on from here.
    Split,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Silence,
    Voice,
    /// Quiet was told, but may be taken back.
    Lull,
    Quiet,
}

/// Counts frames.
pub(super) struct Endpointer {
    onset: u32,
    hangover: u32,
    early_hangover: u32,
    last_hangover: u32,
    /// The speaker has said that this was all.
    is_ending: bool,
    min_trailing_silence: u32,
    max_utterance: u32,
    /// The newest verdicts, as many as the onset window has.
    window: VecDeque<bool>,
    state: State,
    /// Frames since the last voiced one.
    silence: u32,
    /// Frames since the utterance began.
    length: u32,
}

impl Endpointer {
    pub(super) fn new(config: &SegmentConfig) -> Self {
        let frames = |ms: u32| ms.div_ceil(FRAME_MS);
        let window = frames(config.onset_window_ms.max(config.onset_ms)).max(1);
        let hangover = frames(config.hangover_ms).max(1);
        Self {
            onset: frames(config.onset_ms).max(1),
            hangover,
            early_hangover: frames(config.early_hangover_ms).clamp(1, hangover),
            last_hangover: frames(config.last_hangover_ms).clamp(1, hangover),
            is_ending: false,
            min_trailing_silence: frames(config.min_trailing_silence_ms).max(1),
            max_utterance: frames(config.max_utterance_ms),
            window: std::iter::repeat_n(false, window as usize).collect(),
            state: State::Silence,
            silence: 0,
            length: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.window.iter_mut().for_each(|voiced| *voiced = false);
        (self.state, self.silence, self.length) = (State::Silence, 0, 0);
        self.is_ending = false;
    }

    /// Notes that the speaker has come to the end: the next pause is told sooner.
    pub(super) fn ending(&mut self) {
        self.is_ending = true;
    }

    /// Takes the verdict on the next frame.
    pub(super) fn step(&mut self, voiced: bool) -> Option<Turn> {
        self.window.pop_front();
        self.window.push_back(voiced);
        self.length = self.length.saturating_add(1);
        self.silence = self.silence.saturating_add(1);
        match self.state {
            State::Silence => self.onset().map(|voiced_frames_ago| {
                (self.state, self.silence, self.length) = (State::Voice, 0, 0);
                Turn::Start { voiced_frames_ago }
            }),
            State::Voice => {
                if self.goes_on(voiced) {
                    self.silence = 0;
                }
                let hangover = if self.is_ending { self.early_hangover } else { self.hangover };
                if self.silence >= hangover {
                    self.state = State::Lull;
                    self.settle();
                    return Some(Turn::Quiet { voiced_frames_ago: self.silence });
                }
                self.too_long().then(|| {
                    self.length = 0;
                    Turn::Split
                })
            }
            State::Lull => {
                if self.goes_on(voiced) {
                    (self.state, self.silence) = (State::Voice, 0);
                    return Some(Turn::Voice { voiced_frames_ago: 1 });
                }
                self.settle();
                None
            }
            State::Quiet => {
                // A lone voiced frame is a click; it takes an onset to come back.
                if let Some(voiced_frames_ago) = self.onset() {
                    (self.state, self.silence) = (State::Voice, 0);
                    return Some(Turn::Voice { voiced_frames_ago });
                }
                // What may be the beginning of a word is waited for, but not for longer than an
                // onset takes: the word belongs to this utterance, if it is one.
                let is_pending = self.voiced_in_window() * 2 >= self.onset;
                let patience = if is_pending { self.window.len() as u32 } else { 0 };
                let silent = self.silence >= self.trailing_silence() + patience;
                (silent || self.too_long()).then(|| {
                    self.state = State::Silence;
                    Turn::End
                })
            }
        }
    }

    /// Whether a frame keeps the utterance going. Half of what it takes to begin: more than a lone
    /// click.
    fn goes_on(&self, voiced: bool) -> bool {
        voiced && self.voiced_in_window() * 2 >= self.onset
    }

    /// Silence that ends an utterance as long as this one.
    fn trailing_silence(&self) -> u32 {
        let long = LONG.iter().find(|(length, _)| self.length >= length / FRAME_MS);
        let enough = long.map_or(u32::MAX, |(_, silence)| silence / FRAME_MS);
        self.min_trailing_silence.min(enough)
    }

    /// Ends a lull that has lasted. What was said before it does not help the voice to come back.
    fn settle(&mut self) {
        let hangover = if self.is_ending { self.last_hangover } else { self.hangover };
        if self.silence >= hangover {
            self.state = State::Quiet;
            let before = self.window.iter_mut().rev().skip(self.silence as usize);
            before.for_each(|voiced| *voiced = false);
        }
    }

    /// Whether a pause may just be ending: there is voice again, though not enough to be sure of it.
    pub(super) fn is_stirring(&self) -> bool {
        self.state == State::Quiet && self.voiced_in_window() > 0
    }

    /// If enough of the window is voiced, how many frames ago its first voiced frame began.
    fn onset(&self) -> Option<u32> {
        let first = self.window.iter().position(|&voiced| voiced)?;
        (self.voiced_in_window() >= self.onset).then(|| (self.window.len() - first) as u32)
    }

    fn voiced_in_window(&self) -> u32 {
        self.window.iter().filter(|&&voiced| voiced).count() as u32
    }

    fn too_long(&self) -> bool {
        self.max_utterance > 0 && self.length >= self.max_utterance
    }
}

#[cfg(test)]
mod tests;
