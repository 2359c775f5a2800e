//! The numbers of live recognition that were found by trying.

use crate::transcript::CommitRule;
use crate::window::{COLUMNS_PER_SECOND, MAX_POSITIONS};

/// The numbers of live recognition. The defaults are the ones to use; `docs/streaming.md` shows what
/// others give.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// Silence behind the sound while somebody speaks, in positions of 20 ms. With none, the model
    /// invents words to fill the window.
    pub pad: usize,
    /// The same where the word that is to be committed next is one that the model is not sure of. With
    /// more silence it hears better.
    pub doubt_pad: usize,
    /// The same in a pause, where the words are those of the final text.
    pub pause_pad: usize,
    /// What the length of a window is a multiple of, in positions, besides being one of those that the
    /// processor is given.
    pub bucket: usize,
    /// Columns of the recording that are kept behind a pause's beginning; what follows is digital
    /// silence. The pause is told only after the hangover, which is therefore kept in any case.
    pub kept_silence: usize,
    /// How much less likely than another a token of the last hypothesis may become before it is
    /// replaced, while somebody speaks: the logarithm of how many times. In a pause nothing is
    /// favoured.
    pub draft_bias: f32,
    /// When a word is shown, and when it is committed.
    pub commit: CommitRule,
    /// Columns from the beginning of a pause on, after which the words before it are committed without
    /// another hypothesis: somebody who goes on now begins something new.
    pub settled: usize,
    /// Columns from which on the window is cut at the first good place.
    pub long_window: usize,
    /// Sound that stays in front of the end when the window is cut, in seconds.
    pub context: f32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            pad: 256,
            doubt_pad: MAX_POSITIONS,
            pause_pad: MAX_POSITIONS,
            bucket: 1,
            kept_silence: 0,
            draft_bias: 0.7,
            commit: CommitRule {
                believed: 0.7,
                end_guard: 0.35,
                sure: 0.6,
                unsure_guard: 1.0,
                unsure_wait: 0.8,
            },
            settled: 30,
            long_window: 14 * COLUMNS_PER_SECOND,
            context: 4.0,
        }
    }
}
