//! Segmenter: 16 kHz samples in, utterances out.
//!
//! Third stage of the audio path: capture → resample → **segment** → spectrogram. It runs on the
//! analysis thread and nowhere else: the detector holds a raw pointer and cannot be sent.
//!
//! WebRTC's voice activity detector judges frames of 20 ms, `loudness` keeps clicks out, a
//! [`SecondOpinion`], where there is one, decides whether what they let through is a voice, and
//! [`endpoint`] turns the verdicts into utterances. While an utterance lasts, samples leave as they come in: no one waits for a verdict.

pub mod endpoint;
mod loudness;
mod second_opinion;

use webrtc_vad::{SampleRate, Vad};

use self::endpoint::{Endpointer, Turn};
pub use self::endpoint::{SegmentConfig, VadMode};
use self::loudness::Loudness;
pub use self::second_opinion::{CHUNK, SecondOpinion};
use self::second_opinion::{Confirmation, WARM_UP};

/// What the detector judges at once: 320 samples = 20 ms.
pub const VAD_FRAME: usize = 320;

/// What comes out of a [`Segmenter`]. Positions count the samples pushed since it was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Piece<'a> {
    /// An utterance begins; its first sample is sample `at`, which lies in the past by the onset
    /// and the pre-roll. It may lie in the silence that ended the utterance before.
    Start {
        /// Sample the utterance begins with.
        at: u64,
    },
    /// The next samples of the utterance, `[n]`.
    Samples(&'a [f32]),
    /// Nothing has been said since sample `at`, for as long as the hangover.
    Quiet {
        /// Sample behind the last voiced one.
        at: u64,
    },
    /// After a `Quiet` the voice has come back, at sample `at`.
    Voice {
        /// First voiced sample.
        at: u64,
    },
    /// The utterance is over; sample `at` is the first that is not part of it.
    End {
        /// Sample behind the last one of the utterance.
        at: u64,
    },
}

/// Cuts a stream of samples into utterances.
pub struct Segmenter {
    vad: Vad,
    mode: VadMode,
    loudness: Loudness,
    confirmation: Option<Confirmation>,
    endpointer: Endpointer,
    vad_frame: [i16; VAD_FRAME],
    /// How much of `vad_frame` is filled.
    filled: usize,
    /// The newest samples, from which an utterance takes its pre-roll.
    history: Vec<f32>,
    /// How many of them an utterance may ask for.
    reach: usize,
    pre_roll: u64,
    position: u64,
    in_utterance: bool,
    /// Sample behind the last voiced one: no pre-roll reaches across it.
    voiced_until: u64,
}

impl Segmenter {
    /// Creates a segmenter. It must stay on the thread which creates it.
    ///
    /// Without a second opinion WebRTC's detector decides alone.
    pub fn new(config: &SegmentConfig, second_opinion: Option<Box<dyn SecondOpinion>>) -> Self {
        let onset_ms = match second_opinion {
            Some(_) => config.second_opinion_onset_ms,
            None => config.onset_ms,
        };
        let samples = |ms: u32| ms as usize * crate::SAMPLE_RATE / 1000;
        let onset = config.onset_window_ms.max(onset_ms);
        let reach = samples(config.pre_roll_ms) + samples(onset) + VAD_FRAME;
        let reach = reach.max(WARM_UP);
        Self {
            vad: new_vad(config.mode),
            mode: config.mode,
            loudness: Loudness::new(config.above_background_db),
            confirmation: second_opinion
                .map(|detector| Confirmation::new(detector, config.second_opinion_percent)),
            endpointer: Endpointer::new(&SegmentConfig { onset_ms, ..config.clone() }),
            vad_frame: [0; VAD_FRAME],
            filled: 0,
            history: Vec::with_capacity(2 * reach + VAD_FRAME),
            reach,
            pre_roll: samples(config.pre_roll_ms) as u64,
            position: 0,
            in_utterance: false,
            voiced_until: 0,
        }
    }

    /// Takes samples and hands out what is known by now.
    ///
    /// How the samples are cut into calls changes only how [`Piece::Samples`] is cut.
    ///
    /// # Shapes
    ///
    /// - samples: `[n]`, mono, 16 kHz, −1.0..=1.0
    pub fn push(&mut self, mut samples: &[f32], mut emit: impl FnMut(Piece)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(VAD_FRAME - self.filled));
            samples = later;
            self.take(now);
            if self.in_utterance {
                emit(Piece::Samples(now));
            }
            if self.filled == VAD_FRAME {
                self.filled = 0;
                let voiced = self.voiced();
                if let Some(turn) = self.endpointer.step(voiced) {
                    self.turn(turn, &mut emit);
                }
            }
        }
    }

    /// Notes that the speaker has come to the end, though more may be heard: the next
    /// [`Piece::Quiet`] is told sooner, as a guess that a voiced frame takes back.
    pub fn ending(&mut self) {
        self.endpointer.ending();
    }

    /// Whether somebody may just be beginning to speak again within an utterance.
    pub fn is_stirring(&self) -> bool {
        self.endpointer.is_stirring()
    }

    /// Ends the utterance in progress, if there is one, and forgets the sound so far. Positions
    /// go on counting.
    pub fn finish(&mut self, mut emit: impl FnMut(Piece)) {
        if std::mem::take(&mut self.in_utterance) {
            emit(Piece::End { at: self.position });
        }
        self.vad = new_vad(self.mode);
        self.loudness.reset();
        if let Some(confirmation) = &mut self.confirmation {
            confirmation.reset();
        }
        self.endpointer.reset();
        self.history.clear();
        self.filled = 0;
        self.voiced_until = self.position;
    }

    /// Samples seen so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Copies samples to the frame and the history; they fit into the frame.
    fn take(&mut self, samples: &[f32]) {
        let frame = &mut self.vad_frame[self.filled..self.filled + samples.len()];
        for (out, x) in frame.iter_mut().zip(samples) {
            // `as` saturates, and makes a zero of what is not a number.
            *out = (x * 32768.0) as i16;
        }
        self.filled += samples.len();
        self.position += samples.len() as u64;
        self.history.extend_from_slice(samples);
        if self.history.len() > 2 * self.reach {
            self.history.drain(..self.history.len() - self.reach);
        }
    }

    /// The verdict on the frame that is full.
    fn voiced(&mut self) -> bool {
        let stands_out = self.loudness.stands_out(&self.vad_frame);
        let voiced = self.vad.is_voice_segment(&self.vad_frame).unwrap_or(false) && stands_out;
        match &mut self.confirmation {
            None => voiced,
            Some(confirmation) => {
                confirmation.voiced(voiced, self.in_utterance, &self.history, self.position)
            }
        }
    }

    fn turn(&mut self, turn: Turn, emit: &mut impl FnMut(Piece)) {
        let frames_ago = |n: u32| self.position - u64::from(n) * VAD_FRAME as u64;
        match turn {
            Turn::Start { voiced_frames_ago } => {
                let voiced = frames_ago(voiced_frames_ago);
                let oldest = self.position - self.history.len() as u64;
                let at = voiced.saturating_sub(self.pre_roll).max(self.voiced_until).max(oldest);
                let from = self.history.len() - (self.position - at) as usize;
                emit(Piece::Start { at });
                emit(Piece::Samples(&self.history[from..]));
                self.in_utterance = true;
            }
            Turn::Quiet { voiced_frames_ago } => {
                self.voiced_until = frames_ago(voiced_frames_ago);
                emit(Piece::Quiet { at: self.voiced_until });
            }
            Turn::Voice { voiced_frames_ago } => {
                emit(Piece::Voice { at: frames_ago(voiced_frames_ago) });
            }
            Turn::End => {
                emit(Piece::End { at: self.position });
                self.in_utterance = false;
            }
            Turn::Split => {
                emit(Piece::End { at: self.position });
                emit(Piece::Start { at: self.position });
            }
        }
    }
}

fn new_vad(mode: VadMode) -> Vad {
    // Not `Vad::reset`, which also goes back to 8 kHz and the mildest mode.
    Vad::new_with_rate_and_mode(SampleRate::Rate16kHz, mode.into())
}
