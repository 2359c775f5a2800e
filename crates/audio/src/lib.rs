//! Sound in, speech out: the front end of Scriven.
//!
//! ```text
//! microphone, monitor ─ capture ─┐
//!                                ├─ resample ─ segment ─ spectrogram ─→ Speech
//! file ──────────────── file ────┘
//! ```
//!
//! A [`Source`] delivers 16 kHz mono samples, a [`Frontend`] turns them into [`Speech`]: utterances
//! and their log-Mel columns, the only thing a recognizer needs to know about sound. Nothing here
//! knows a model, reads a configuration or tells the time, but for the pace of a file and the
//! watchdog of a device.
//!
//! All runs on the *analysis* thread; only the device's callback runs elsewhere, and all it does is
//! to fill a ring. A source may be opened on another thread and handed over, a front end may not.
#![warn(missing_docs)]

pub mod capture;
pub mod cue;
mod error;
pub mod file;
pub mod resample;
pub mod segment;
pub mod spectrogram;

pub use self::error::{Error, SoundFileError};
use self::segment::{Piece, Segmenter};
pub use self::segment::{SecondOpinion, SegmentConfig, VadMode};
pub use self::spectrogram::Spectrogram;

/// Rate of every sample past the resampler, in Hz.
pub const SAMPLE_RATE: usize = 16_000;

/// Where samples come from.
pub trait Source {
    /// Appends the samples that have arrived to `out`, mono and 16 kHz. Does not wait for any.
    ///
    /// # Errors
    ///
    /// If no more samples can come, ever: the device was lost, the file is damaged. Samples
    /// delivered before are good.
    fn read(&mut self, out: &mut Vec<f32>) -> Result<Progress, Error>;
}

/// What [`Source::read`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// That many samples were appended.
    Samples(usize),
    /// Nothing yet; ask again in 10 ms.
    Waiting,
    /// Nothing will come any more.
    Ended,
}

/// What comes out of a [`Frontend`]. Positions count samples pushed since it was made.
#[derive(Debug, Clone, PartialEq)]
pub enum Speech {
    /// An utterance begins; its first column is centered on sample `at`, which lies in the past.
    Start {
        /// Sample the utterance begins with.
        at: u64,
    },
    /// The next column of the utterance, `[n_mels]`, log₁₀ energies.
    Column(Box<[f32]>),
    /// Nothing has been said since sample `at`. Columns keep coming: the voice may return.
    Quiet {
        /// Sample behind the last voiced one.
        at: u64,
    },
    /// The voice has returned at sample `at`.
    Voice {
        /// First voiced sample.
        at: u64,
    },
    /// The utterance is over: `(at - start) / 160` columns were all of it.
    End {
        /// Sample behind the last one of the utterance.
        at: u64,
    },
}

/// The stages behind the resampler, in order: segment, then spectrogram.
///
/// Neither `Send` nor `Sync`, because the voice detector is not: create it on the thread that
/// pushes.
pub struct Frontend {
    segmenter: Segmenter,
    spectrogram: Spectrogram,
}

impl Frontend {
    /// Builds the stages for a model of `n_mels` bands.
    pub fn new(
        n_mels: usize,
        config: &SegmentConfig,
        second_opinion: Option<Box<dyn SecondOpinion>>,
    ) -> Self {
        let segmenter = Segmenter::new(config, second_opinion);
        Self { segmenter, spectrogram: Spectrogram::new(n_mels) }
    }

    /// Takes samples and emits what they bring about, each event as soon as it can be known.
    ///
    /// How the samples are cut into calls makes no difference.
    ///
    /// # Shapes
    ///
    /// - samples: `[n]`, mono, 16 kHz, −1.0..=1.0
    pub fn push(&mut self, samples: &[f32], emit: &mut dyn FnMut(Speech)) {
        let Self { segmenter, spectrogram } = self;
        segmenter.push(samples, |piece| columns(spectrogram, piece, emit));
    }

    /// Notes that the speaker has come to the end, though more may be heard: the next
    /// [`Speech::Quiet`] is told sooner, as a guess that a voiced frame takes back.
    pub fn ending(&mut self) {
        self.segmenter.ending();
    }

    /// Whether somebody may just be beginning to speak again within an utterance.
    pub fn is_stirring(&self) -> bool {
        self.segmenter.is_stirring()
    }

    /// Ends the utterance in progress, if there is one; the next sample begins a new stream.
    pub fn finish(&mut self, emit: &mut dyn FnMut(Speech)) {
        let Self { segmenter, spectrogram } = self;
        segmenter.finish(|piece| columns(spectrogram, piece, emit));
    }

    /// Samples seen so far.
    pub fn position(&self) -> u64 {
        self.segmenter.position()
    }
}

/// The spectrogram starts anew with every utterance, as if it were a file of its own.
fn columns(spectrogram: &mut Spectrogram, piece: Piece, emit: &mut dyn FnMut(Speech)) {
    match piece {
        Piece::Start { at } => {
            spectrogram.reset();
            emit(Speech::Start { at });
        }
        Piece::Samples(samples) => {
            spectrogram.push(samples, |column| emit(Speech::Column(column.into())));
        }
        Piece::Quiet { at } => emit(Speech::Quiet { at }),
        Piece::Voice { at } => emit(Speech::Voice { at }),
        Piece::End { at } => {
            spectrogram.finish(|column| emit(Speech::Column(column.into())));
            emit(Speech::End { at });
        }
    }
}
