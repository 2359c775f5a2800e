//! A whole recording → segments with times: windows of 30 seconds, one behind the other.
//!
//! Source: `transcribe` in openai/whisper, `whisper/transcribe.py` at c0d2f62. Differences: windows
//! without voice are skipped, and no text is carried from one window to the next unless that is
//! asked for (it feeds loops).

use std::ops::{ControlFlow, Range};

use crate::search::{Hypothesis, Request, Rules, Timestamps, decode};
pub(crate) use crate::search::{MIN_MEAN_LOG_PROB, NO_SPEECH};
use crate::window::{
    COLUMNS_PER_POSITION, COLUMNS_PER_SECOND, MAX_COLUMNS, MAX_POSITIONS, Padding, loudest,
};
use crate::{Error, Model, Options, language};

/// Tokens that one window may take, as in OpenAI's `sample_len`.
const SAMPLE_LEN: usize = 224;
/// A text that was drawn at a higher temperature than this is not told to the next window.
const MAX_TOLD_TEMPERATURE: f32 = 0.5;

/// A recording in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// ISO code of the language.
    pub language: &'static str,
    /// In the order of time.
    pub segments: Vec<Segment>,
}

/// A phrase and when it was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// In seconds from the first column.
    pub start: f32,
    /// In seconds from the first column.
    pub end: f32,
    /// Without space around it.
    pub text: String,
    /// ISO code of the language.
    pub language: &'static str,
    /// Mean probability of the tokens of its window, 0..=1.
    pub confidence: f32,
}

impl Model {
    /// Transcribes a whole recording.
    ///
    /// `voiced` are the columns in which a voice was detected: where none was, nothing is
    /// recognized. `progress` is told the column reached and the segments found since it was
    /// called before, and may break off.
    ///
    /// # Shapes
    ///
    /// - columns: `[n_frames, n_mels]`, log₁₀ energy
    ///
    /// # Errors
    ///
    /// Options that the model cannot serve, or a GPU that fails.
    pub fn transcribe(
        &self,
        columns: &[f32],
        voiced: &[Range<usize>],
        options: &Options,
        progress: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
    ) -> Result<Transcript, Error> {
        options.check(self)?;
        let n_mels = self.n_mels();
        let n_columns = columns.len() / n_mels;
        let recording = Recording {
            model: self,
            columns,
            options,
            loudest: loudest(columns),
            rules: Rules::new(self.tokenizer(), Timestamps::With),
        };
        let is_voiced = |span: Range<usize>| {
            voiced.iter().any(|voice| voice.start < span.end && span.start < voice.end)
        };
        let mut found = Transcript { language: language::fixed(self, options), segments: vec![] };
        let (mut seek, mut before) = (0, Vec::new());
        while seek < n_columns {
            let window = seek..n_columns.min(seek + MAX_COLUMNS);
            if !is_voiced(window.clone()) {
                seek = window.end;
                continue;
            }
            let part = recording.decode(window.clone(), &before, &mut found.language)?;
            let (mut segments, reached) = recording.segments(window, &part, found.language);
            segments.retain(|s| is_voiced(column(s.start)..column(s.end)));
            if !segments.is_empty() {
                before.extend(&part.tokens);
            }
            if !options.decoding.condition_on_previous_text
                || part.temperature > MAX_TOLD_TEMPERATURE
            {
                before.clear();
            }
            seek = reached;
            let go_on = progress(seek, &segments);
            found.segments.append(&mut segments);
            if go_on.is_break() {
                break;
            }
        }
        Ok(found)
    }
}

fn column(seconds: f32) -> usize {
    (seconds * COLUMNS_PER_SECOND as f32).round() as usize
}

/// What stays the same from window to window.
struct Recording<'a> {
    model: &'a Model,
    columns: &'a [f32],
    options: &'a Options,
    loudest: f32,
    rules: Rules,
}

impl Recording<'_> {
    /// Decodes one window, and detects the language if it is not known yet. `before` are the tokens
    /// of what was said in front of it.
    fn decode(
        &self,
        window: Range<usize>,
        before: &[u32],
        language: &mut &'static str,
    ) -> Result<Hypothesis, Error> {
        let model = self.model;
        let n_mels = model.n_mels();
        let columns = &self.columns[window.start * n_mels..window.end * n_mels];
        let features = model.encode(columns, MAX_POSITIONS, self.loudest, Padding::Zero);
        let cache = model.decoder().start(&features, &[]);
        if language.is_empty() {
            *language = language::detect(model, &cache, self.options)?.0;
        }
        let prompt = self.prompt(before, language);
        let request = Request {
            prompt: &prompt,
            prefix: &[],
            draft: &[],
            rules: &self.rules,
            budget: SAMPLE_LEN.min(model.dims().n_text_ctx - prompt.len()),
            is_wary: false,
            align: None,
        };
        decode(model, &cache, &request, &self.options.decoding, window.start as u64)
    }

    /// What stands before the text: the end of what was said before, start of transcript, language,
    /// task.
    fn prompt(&self, before: &[u32], language: &str) -> Vec<u32> {
        let tokenizer = self.model.tokenizer();
        // Half of the text that the model can hold, less the token that says that it is from before.
        let room = self.model.dims().n_text_ctx / 2 - 1;
        let mut prompt = Vec::new();
        if !before.is_empty() {
            prompt.push(tokenizer.sot_prev);
            prompt.extend(&before[before.len().saturating_sub(room)..]);
        }
        prompt.extend(tokenizer.sot_sequence(Some(language), self.options.task));
        prompt
    }

    /// Cuts a hypothesis at its timestamps, and says at which column the next window begins.
    fn segments(
        &self,
        window: Range<usize>,
        found: &Hypothesis,
        language: &'static str,
    ) -> (Vec<Segment>, usize) {
        let confidence = found.mean_log_prob(0);
        if found.no_speech > NO_SPEECH && confidence <= MIN_MEAN_LOG_PROB {
            return (Vec::new(), window.end);
        }
        let tokenizer = self.model.tokenizer();
        let begin = tokenizer.timestamp_begin;
        let position = |token: u32| token.saturating_sub(begin) as usize;
        let is_timestamp =
            |at: usize| found.tokens.get(at).is_some_and(|&token| tokenizer.is_timestamp(token));
        let n = found.tokens.len();
        // Where one segment's closing timestamp meets the next one's opening one.
        let mut cuts: Vec<usize> =
            (1..n).filter(|&at| is_timestamp(at - 1) && is_timestamp(at)).collect();
        let is_closed = n >= 2 && is_timestamp(n - 1) && !is_timestamp(n - 2);
        let segment = |tokens: &[u32], from: usize, to: usize| Segment {
            start: (window.start + from * COLUMNS_PER_POSITION) as f32 / COLUMNS_PER_SECOND as f32,
            end: (window.start + to * COLUMNS_PER_POSITION).min(window.end) as f32
                / COLUMNS_PER_SECOND as f32,
            text: tokenizer.decode(tokens).trim().into(),
            language,
            confidence: confidence.exp(),
        };
        let mut segments = Vec::new();
        let mut reached = window.end;
        if cuts.is_empty() {
            let last = found.tokens.iter().rev().find(|&&token| token > begin);
            let end = last.map_or(window.len() / COLUMNS_PER_POSITION, |&token| position(token));
            segments.push(segment(&found.tokens, 0, end));
        } else {
            if is_closed {
                cuts.push(n);
            } else if let Some(&last) = cuts.last() {
                let end = position(found.tokens[last - 1]) * COLUMNS_PER_POSITION;
                reached = window.end.min(window.start + end);
            }
            let starts = std::iter::once(&0).chain(&cuts);
            for (&from, &to) in starts.zip(&cuts) {
                let tokens = &found.tokens[from..to];
                segments.push(segment(
                    tokens,
                    position(tokens[0]),
                    position(tokens[to - from - 1]),
                ));
            }
        }
        segments.retain(|segment| !segment.text.is_empty());
        // A model that finds a segment of no length must not hold us in place.
        (segments, if reached > window.start { reached } else { window.end })
    }
}
