//! When somebody is heard to speak: the section `[speech]`.

use scriven_audio::{SegmentConfig, VadMode};
use serde::Deserialize;

/// When an utterance begins and ends. The defaults and their reasons are the audio crate's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    pub detector: Detector,
    pub strictness: Strictness,
    pub above_background_db: u32,
    pub onset_ms: u32,
    pub onset_window_ms: u32,
    pub pre_roll_ms: u32,
    pub hangover_ms: u32,
    pub min_trailing_silence_ms: u32,
    pub max_utterance_ms: u32,
}

/// What decides whether somebody speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// WebRTC's detector alone.
    Webrtc,
    /// Silero's, on what WebRTC's lets through.
    #[default]
    Silero,
}

/// How readily a sound is taken for voice, from readily to hardly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    Quality,
    LowBitrate,
    Aggressive,
    VeryAggressive,
}

impl Default for Speech {
    fn default() -> Self {
        let audio = SegmentConfig::default();
        Self {
            detector: Detector::default(),
            strictness: match audio.mode {
                VadMode::Quality => Strictness::Quality,
                VadMode::LowBitrate => Strictness::LowBitrate,
                VadMode::Aggressive => Strictness::Aggressive,
                VadMode::VeryAggressive => Strictness::VeryAggressive,
            },
            above_background_db: audio.above_background_db,
            onset_ms: audio.onset_ms,
            onset_window_ms: audio.onset_window_ms,
            pre_roll_ms: audio.pre_roll_ms,
            hangover_ms: audio.hangover_ms,
            min_trailing_silence_ms: audio.min_trailing_silence_ms,
            max_utterance_ms: audio.max_utterance_ms,
        }
    }
}

impl Speech {
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        // Sound of all three lies in memory.
        for (key, ms) in [
            ("speech.onset_ms", self.onset_ms),
            ("speech.onset_window_ms", self.onset_window_ms),
            ("speech.pre_roll_ms", self.pre_roll_ms),
        ] {
            if ms > 2_000 {
                return Err((key, "must not be more than 2000"));
            }
        }
        if self.hangover_ms > self.min_trailing_silence_ms {
            return Err(("speech.hangover_ms", "must not be more than min_trailing_silence_ms"));
        }
        Ok(())
    }

    /// The numbers as the front end takes them.
    pub fn segments(&self) -> SegmentConfig {
        SegmentConfig {
            mode: match self.strictness {
                Strictness::Quality => VadMode::Quality,
                Strictness::LowBitrate => VadMode::LowBitrate,
                Strictness::Aggressive => VadMode::Aggressive,
                Strictness::VeryAggressive => VadMode::VeryAggressive,
            },
            above_background_db: self.above_background_db,
            onset_ms: self.onset_ms,
            onset_window_ms: self.onset_window_ms,
            pre_roll_ms: self.pre_roll_ms,
            hangover_ms: self.hangover_ms,
            min_trailing_silence_ms: self.min_trailing_silence_ms,
            max_utterance_ms: self.max_utterance_ms,
            ..SegmentConfig::default()
        }
    }
}
