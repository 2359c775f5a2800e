//! Columns → words while they are spoken.
//!
//! A growing window of columns is decoded again and again: the encoder takes the sound so far and a
//! short tail of silence, the last hypothesis is verified as a draft, and what two hypotheses agree
//! on is committed. When the window has grown long, it is cut at a committed word.
//!
//! Runs on the `recognition` thread; each call of [`Recognizer::step`] computes for a good while.

mod pass;

use self::pass::Pass;
use crate::outcome::{Final, Outcome, Partial, Reason};
use crate::search::{Ended, Hypothesis, Rules, Timestamps};
use crate::transcript::{HypothesisBuffer, text};
use crate::tuning::Tuning;
use crate::window::{COLUMNS_PER_SECOND, MAX_COLUMNS, loudest};
use crate::{Error, Model, Options, language};

/// The shortest sound worth a step.
const MIN_COLUMNS: usize = 30;
/// A window that has grown longer is cut in any case.
const MAX_WINDOW: usize = MAX_COLUMNS - COLUMNS_PER_SECOND * 2;
/// Tokens from which on the window is cut at the first good place, and from which on in any case: of the committed
/// ones, behind which as many must fit as new sound can have.
const LONG_TEXT: usize = 224;
const MAX_TEXT: usize = 340;
/// What the model itself takes for silence: it gives no speech more than the first probability, and
/// its words less than the second on average, a logarithm. A knock on a table has 0.77 and −0.85; what
/// people say has at most 0.38 where it has less than −1, and never less than −1.72. See
/// `docs/streaming.md`.
const SILENCE: [(f32, f32); 3] = [(0.45, -1.0), (0.7, -0.6), (0.0, -2.0)];

/// Recognizes one utterance after the other.
pub struct Recognizer {
    model: Model,
    options: Options,
    tuning: Tuning,
    rules: Rules,
    /// The language of the utterance; empty while it is not known.
    language: &'static str,
    /// The language of the last hypothesis.
    guess: &'static str,
    /// The window, `[n, n_mels]`.
    columns: Vec<f32>,
    /// Columns of the utterance that are cut off.
    origin: usize,
    /// The largest value of the utterance.
    loudest: f32,
    /// Columns of the utterance at the end of the last voice; `None` while somebody speaks.
    quiet_since: Option<usize>,
    /// Columns of the utterance that the last hypothesis has heard.
    seen: usize,
    /// Columns of the utterance when a doubt was last looked into.
    doubted: Option<usize>,
    /// Silence that the last hypothesis had behind the sound, in positions.
    pad: usize,
    /// `None` before the first.
    last: Option<Pass>,
    buffer: HypothesisBuffer,
}

impl Recognizer {
    /// Makes a recognizer for one stream of utterances.
    ///
    /// # Errors
    ///
    /// Options that the model cannot serve.
    pub fn new(model: Model, options: Options) -> Result<Self, Error> {
        Self::tuned(model, options, Tuning::default())
    }

    /// As [`Recognizer::new`], to try other numbers.
    ///
    /// # Errors
    ///
    /// Options that the model cannot serve.
    pub fn tuned(model: Model, options: Options, tuning: Tuning) -> Result<Self, Error> {
        options.check(&model)?;
        Ok(Self {
            rules: options.rules(&model, Timestamps::Without),
            language: language::fixed(&model, &options),
            guess: "",
            model,
            options,
            tuning,
            columns: Vec::new(),
            origin: 0,
            loudest: loudest(&[]),
            quiet_since: None,
            seen: 0,
            doubted: None,
            pad: 0,
            last: None,
            buffer: HypothesisBuffer::default(),
        })
    }

    /// Takes the next column of the utterance. Cheap.
    ///
    /// # Shapes
    ///
    /// - column: `[n_mels]`, log₁₀ energy
    pub fn push(&mut self, column: &[f32]) {
        debug_assert_eq!(column.len(), self.model.n_mels());
        self.loudest = self.loudest.max(loudest(column));
        self.columns.extend_from_slice(column);
    }

    /// Notes that nobody speaks from here on.
    pub fn quiet(&mut self) {
        self.quiet_since.get_or_insert(self.origin + self.n_columns());
    }

    /// Notes that somebody speaks again.
    pub fn voice(&mut self) {
        self.quiet_since = None;
    }

    /// Updates the hypothesis with all columns pushed. `None` if there is nothing new to hear.
    ///
    /// # Errors
    ///
    /// A GPU that fails. The columns are kept.
    pub fn step(&mut self) -> Result<Option<Partial>, Error> {
        if self.has_heard_all() || self.sound() < MIN_COLUMNS {
            return Ok(self.settle());
        }
        if self.n_columns() > self.tuning.long_window || self.prefix().len() > LONG_TEXT {
            self.cut();
        }
        let go_on = self.quiet_since.is_none();
        let pad = self.pad_now();
        if go_on && self.is_in_doubt() {
            self.doubted = Some(self.origin + self.sound());
        }
        self.hear(pad, go_on)?;
        Ok(Some(self.partial()))
    }

    /// Commits the words before a pause that lasts, if the last step has heard all of them.
    fn settle(&mut self) -> Option<Partial> {
        let lasts = self.origin + self.n_columns() - self.quiet_since?;
        let is_due = self.last.as_ref()?.is_whole() && lasts >= self.tuning.settled;
        (is_due && self.buffer.settle()).then(|| self.partial())
    }

    /// Ends the utterance: all of its words, and the recognizer ready for the next one.
    ///
    /// Computes nothing if the last step has heard all there is to hear.
    ///
    /// # Errors
    ///
    /// A GPU that fails. The columns are kept; [`Recognizer::reset`] lets go of them.
    pub fn finish(&mut self) -> Result<Outcome, Error> {
        // Only where no step was taken for long, or none at all.
        while self.sound() > MAX_COLUMNS {
            self.hear(self.tuning.pad, true)?;
            self.cut();
        }
        let is_known = self.last.as_ref().is_some_and(|last| last.in_pause) && self.has_heard_all();
        if !is_known && self.n_columns() > 0 {
            self.hear(self.tuning.pause_pad, false)?;
        }
        let outcome = match self.last.take() {
            Some(last)
                if last.ended == (Ended::Loop { is_all: true }) && self.has_committed_none() =>
            {
                Outcome::Discarded(Reason::Loop)
            }
            Some(last) => {
                if last.ended != Ended::EndOfText {
                    self.buffer.replace(last.unfinished, seconds(self.seen));
                }
                self.buffer.conclude();
                self.outcome()
            }
            None => self.outcome(),
        };
        self.reset();
        Ok(outcome)
    }

    /// Whether the model itself takes all that was heard for silence.
    fn is_silence(&self, hypothesis: &Hypothesis) -> bool {
        let belief = hypothesis.mean_log_prob(0);
        let is_one = |&(no_speech, log_prob)| hypothesis.no_speech > no_speech && belief < log_prob;
        self.has_committed_none() && SILENCE.iter().any(is_one)
    }

    fn has_committed_none(&self) -> bool {
        self.buffer.committed().is_empty()
    }

    /// Drops the utterance.
    pub fn reset(&mut self) {
        self.language = language::fixed(&self.model, &self.options);
        self.guess = "";
        self.columns.clear();
        self.origin = 0;
        self.loudest = loudest(&[]);
        self.quiet_since = None;
        (self.seen, self.pad) = (0, 0);
        (self.doubted, self.last) = (None, None);
        self.buffer = HypothesisBuffer::default();
    }

    fn n_columns(&self) -> usize {
        self.columns.len() / self.model.n_mels()
    }

    /// Columns of the window that are worth hearing: silence at the end is not.
    fn sound(&self) -> usize {
        let end = self.quiet_since.map_or(usize::MAX, |quiet| quiet + self.tuning.kept_silence);
        self.n_columns().min(end.saturating_sub(self.origin))
    }

    /// Silence to put behind the sound, in positions: in a pause the words are those of the final
    /// text, unless somebody speaks on.
    fn pad_now(&self) -> usize {
        match self.quiet_since {
            Some(_) => self.tuning.pause_pad,
            None if self.is_in_doubt() => self.tuning.doubt_pad,
            None => self.tuning.pad,
        }
    }

    /// Whether the next hypothesis is about a word that the model is not sure of. Not again at once: it may
    /// not make up its mind in the full window either.
    fn is_in_doubt(&self) -> bool {
        let now = seconds(self.origin + self.sound());
        let rule = &self.tuning.commit;
        let is_new = self.doubted.is_none_or(|at| now - seconds(at) >= rule.unsure_wait);
        is_new && self.buffer.is_in_doubt(now, rule)
    }

    /// Whether another hypothesis would hear no more than the last one.
    fn has_heard_all(&self) -> bool {
        self.origin + self.sound() == self.seen && self.pad_now() <= self.pad
    }

    /// Cuts the window at a committed word, or by force where it has grown too long. Never cuts off
    /// what no hypothesis has heard.
    fn cut(&mut self) {
        let range = seconds(self.origin) + 1.0..seconds(self.seen) - self.tuning.context;
        let start = self.buffer.cut_within(range.clone()).or_else(|| {
            let is_full = self.n_columns() > MAX_WINDOW || self.prefix().len() > MAX_TEXT;
            is_full.then(|| {
                if let Some(last) = self.last.as_mut().filter(|last| !last.unfinished.is_empty()) {
                    let words = std::mem::take(&mut last.unfinished);
                    self.buffer.replace(words, seconds(self.seen));
                }
                self.buffer.cut_behind(range)
            })
        });
        let Some(start) = start else { return };
        let column = (start * COLUMNS_PER_SECOND as f32) as usize;
        let gone = column.saturating_sub(self.origin);
        self.columns.drain(..gone * self.model.n_mels());
        self.origin += gone;
    }

    fn partial(&self) -> Partial {
        // In a pause nothing comes that could take a word back: all is shown.
        let now = self.quiet_since.map_or(seconds(self.seen), |_| f32::INFINITY);
        let tentative = self.buffer.tentative(now, &self.tuning.commit);
        let words = [self.buffer.committed(), tentative].concat();
        let committed = text(self.buffer.committed());
        let whole = text(&words);
        Partial {
            tentative: whole[committed.len()..].into(),
            committed,
            language: (!self.guess.is_empty()).then_some(self.guess),
            words,
        }
    }

    fn outcome(&self) -> Outcome {
        let words = self.buffer.committed().to_vec();
        let text = text(&words);
        if text.is_empty() {
            return Outcome::Discarded(Reason::NoSpeech);
        }
        let sum: f32 = words.iter().map(|word| word.probability).sum();
        Outcome::Final(Final {
            confidence: sum / words.len() as f32,
            language: self.guess,
            text,
            words,
        })
    }
}

/// Columns → seconds.
fn seconds(columns: usize) -> f32 {
    columns as f32 / COLUMNS_PER_SECOND as f32
}

#[cfg(test)]
mod tests;
