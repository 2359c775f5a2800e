//! The recognizer's voice detector as the front end's second opinion: neither crate knows the other.

use scriven_audio::SecondOpinion;
use scriven_audio::segment::CHUNK;
use scriven_recognizer::VoiceDetector;

use crate::config::Detector;

struct Silero(VoiceDetector);

impl SecondOpinion for Silero {
    fn voice(&mut self, chunk: &[f32; CHUNK]) -> f32 {
        self.0.push(chunk)
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

/// What judges behind WebRTC's detector, if anything does. For one stream of samples.
pub fn second_opinion(detector: Detector) -> Option<Box<dyn SecondOpinion>> {
    match detector {
        Detector::Webrtc => None,
        Detector::Silero => Some(Box::new(Silero(VoiceDetector::new()))),
    }
}
