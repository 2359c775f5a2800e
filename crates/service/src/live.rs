//! One live session on the recognition thread: its recognizer, and what was published of the
//! utterance in progress.
//!
//! Here stands the promise of the bus: committed text only grows, `Final` starts with it, and every
//! utterance ends in one `Final` or `Discarded`, whatever the recognizer does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use scriven_audio::Speech;
use scriven_recognizer::{Final, Outcome, Partial};
use tracing::{debug, error, trace};

use crate::error::Error;
use crate::parts::Recognize;
use crate::pipeline::{HOP_LENGTH, Job, Report, Said, Word, micros};

/// Ten partials a second at most, however fast the machine is.
pub(crate) const MIN_GAP: Duration = Duration::from_millis(100);
/// An update waits for this much more audio than the last one took to compute, so that a slow
/// machine falls back to fewer partials and not behind.
const HEADROOM: f64 = 1.3;
/// Columns that a recognizer may get between two steps: 8 s. Its window has room for 28 s and is cut
/// at a committed word, for which it takes two steps: with fewer, sound that comes faster than it is
/// spoken, or without partials, would be lost. A slow machine needs the time between them.
pub(crate) const MAX_UNHEARD: u64 = 800;

pub(crate) struct Live {
    job: Arc<Job>,
    recognizer: Box<dyn Recognize>,
    /// Utterances so far.
    count: u32,
    utterance: Option<Utterance>,
    /// New audio that the next update waits for.
    interval: Duration,
    shown: Instant,
    /// Nobody speaks, and the words of the final text are not computed yet.
    ahead: bool,
    /// The recognizer has failed; nothing more is asked of it.
    broken: bool,
}

/// The utterance in progress.
struct Utterance {
    /// Sample of its first column.
    start: u64,
    columns: u64,
    /// Columns at the last update.
    seen: u64,
    revision: u32,
    committed: String,
    tentative: String,
}

impl Live {
    pub(crate) fn new(job: Arc<Job>, recognizer: Box<dyn Recognize>) -> Self {
        let interval = job.update;
        let shown = Instant::now() - MIN_GAP;
        let (ahead, broken) = (false, false);
        Self { job, recognizer, count: 0, utterance: None, interval, shown, ahead, broken }
    }

    pub(crate) fn id(&self) -> u64 {
        self.job.id
    }

    /// Someone is speaking.
    pub(crate) fn is_speaking(&self) -> bool {
        self.utterance.is_some() && !self.broken
    }

    /// Takes what was heard. Computes only where an utterance ends, or much was not heard yet.
    pub(crate) fn take(&mut self, speech: Speech, say: &mut dyn FnMut(Report)) {
        match speech {
            Speech::Start { at } => self.begin(at),
            Speech::Column(column) => self.column(&column, say),
            Speech::Quiet { .. } => {
                self.recognizer.quiet();
                self.ahead = true;
            }
            Speech::Voice { .. } => {
                self.recognizer.voice();
                self.ahead = false;
            }
            Speech::End { .. } => self.finish(say),
        }
    }

    fn begin(&mut self, start: u64) {
        self.count += 1;
        self.utterance = Some(Utterance {
            start,
            columns: 0,
            seen: 0,
            revision: 0,
            committed: String::new(),
            tentative: String::new(),
        });
        debug!(session = self.job.id, utterance = self.count, "utterance begins");
    }

    fn column(&mut self, column: &[f32], say: &mut dyn FnMut(Report)) {
        let Some(utterance) = &mut self.utterance else { return };
        if self.broken || self.job.meter.is_cancelled() {
            return;
        }
        self.recognizer.push(column);
        utterance.columns += 1;
        if utterance.columns - utterance.seen >= MAX_UNHEARD {
            self.step(say);
        }
    }

    /// Whether enough was heard since the last update, or a pause lets it work ahead.
    pub(crate) fn is_due(&self) -> bool {
        let Some(utterance) = &self.utterance else { return false };
        if self.ahead {
            return true;
        }
        let fresh =
            Duration::from_micros(micros((utterance.columns - utterance.seen) * HOP_LENGTH));
        fresh >= self.interval
    }

    /// Recognizes what was heard so far, if anybody wants to know it now.
    pub(crate) fn update(&mut self, say: &mut dyn FnMut(Report)) {
        let Some(utterance) = &self.utterance else { return };
        if self.ahead {
            // What is recognized now is what the final text is made of.
            return self.step(say);
        }
        let idle = utterance.columns == utterance.seen || self.shown.elapsed() < MIN_GAP;
        if !idle && self.job.partials {
            self.step(say);
        }
    }

    /// Recognizes what was heard so far, and says so if the text has changed.
    fn step(&mut self, say: &mut dyn FnMut(Report)) {
        self.ahead = false;
        let Some(utterance) = &mut self.utterance else { return };
        if self.broken || self.job.meter.is_cancelled() {
            return;
        }
        let begun = Instant::now();
        let result = self.recognizer.step();
        let took = begun.elapsed();
        trace!(session = self.job.id, utterance = self.count, ?took, "step");
        match result {
            Ok(Some(partial)) => {
                self.interval = self.job.update.max(took.mul_f64(HEADROOM));
                utterance.seen = utterance.columns;
                // Kept, whether or not anybody is told.
                let report = utterance.partial(self.count, partial);
                if let Some(report) = report.filter(|_| self.job.partials) {
                    self.shown = Instant::now();
                    say(report);
                }
            }
            // There was nothing to hear: it is asked again as soon as there is.
            Ok(None) => {}
            Err(error) => self.fail(&error, say),
        }
    }

    fn fail(&mut self, error: &scriven_recognizer::Error, say: &mut dyn FnMut(Report)) {
        self.broken = true;
        say(Report::Failed(Error::recognizing(error)));
    }

    /// Ends the utterance with its one `Final` or `Discarded`.
    pub(crate) fn finish(&mut self, say: &mut dyn FnMut(Report)) {
        self.ahead = false;
        let Some(utterance) = self.utterance.take() else { return };
        let (number, begun) = (self.count, Instant::now());
        let discarded =
            |reason: &str| Report::Discarded { utterance: number, reason: reason.into() };
        if self.job.meter.is_cancelled() {
            return say(discarded("cancelled"));
        }
        if self.broken {
            return say(utterance.broken_off(number));
        }
        let result = self.recognizer.finish();
        debug!(session = self.job.id, utterance = number, took = ?begun.elapsed(), "utterance ends");
        match result {
            Ok(Outcome::Final(found)) if !found.text.trim().is_empty() => {
                say(utterance.final_text(number, found));
            }
            Ok(Outcome::Final(_)) => say(discarded("no-speech")),
            Ok(Outcome::Discarded(reason)) => say(discarded(&reason.to_string())),
            Err(error) => {
                self.fail(&error, say);
                say(utterance.broken_off(number));
            }
        }
    }
}

impl Utterance {
    fn said(&self, language: Option<&'static str>, words: Vec<scriven_recognizer::Word>) -> Said {
        let end = micros(self.start + self.columns * HOP_LENGTH);
        let start = micros(self.start);
        let language = language.map(str::to_owned);
        let words = words.into_iter().map(|word| Word::new(word, start)).collect();
        Said { start, end, audio_end: end, language, words, confidence: None }
    }

    /// `None` where nothing changed.
    fn partial(&mut self, number: u32, partial: Partial) -> Option<Report> {
        let Partial { committed, tentative, language, words } = partial;
        if !committed.starts_with(&self.committed) {
            error!(utterance = number, "the recognizer took back committed text; update dropped");
            return None;
        }
        if committed == self.committed && tentative == self.tentative {
            return None;
        }
        (self.committed, self.tentative) = (committed.clone(), tentative.clone());
        self.revision += 1;
        let (revision, said) = (self.revision, self.said(language, words));
        Some(Report::Partial { utterance: number, revision, committed, tentative, said })
    }

    /// What is left where the recognizer has failed: what was told to stay, stays.
    fn broken_off(&self, number: u32) -> Report {
        if self.committed.is_empty() {
            return Report::Discarded { utterance: number, reason: "error".into() };
        }
        let said = self.said(None, Vec::new());
        Report::Final { utterance: number, text: self.committed.clone(), said }
    }

    fn final_text(&self, number: u32, found: Final) -> Report {
        let Final { mut text, language, words, confidence } = found;
        if !text.starts_with(&self.committed) {
            error!(utterance = number, "the final text differs from the committed; kept that");
            text = continued(&self.committed, &text);
        }
        let mut said = self.said(Some(language), words);
        said.confidence = Some(confidence);
        Report::Final { utterance: number, text, said }
    }
}

/// The committed words, and those of `text` that lie behind as many words.
fn continued(committed: &str, text: &str) -> String {
    let mut kept = committed.to_owned();
    for word in text.split_whitespace().skip(committed.split_whitespace().count()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept
}

#[cfg(test)]
pub(crate) mod tests;
