//! A whole recording → segments with times: windows of 30 seconds, one behind the other.
//!
//! Source: `transcribe` in openai/whisper, `whisper/transcribe.py` at c0d2f62. Differences: windows
//! and segments without voice are left out; no text is carried from one window to the next unless
//! that is asked for (it feeds loops), and what only echoes it is decoded again without; text that
//! goes round in circles is cut; and of texts that all fail the likeliest is taken.

mod segments;

use std::ops::{ControlFlow, Range};

use burn::tensor::Tensor;

use self::segments::Phrase;
use crate::search::{Hypothesis, Request, Rules, Timestamps, decode};
pub(crate) use crate::search::{MIN_MEAN_LOG_PROB, NO_SPEECH};
use crate::transcript::Word;
use crate::window::{COLUMNS_PER_SECOND, MAX_COLUMNS, MAX_POSITIONS, Padding, loudest};
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
    /// Its words with their times, counted as its own; empty unless they were asked for.
    pub words: Vec<Word>,
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
        let recording = Recording::new(self, columns, options);
        let n_columns = columns.len() / self.n_mels();
        let is_voiced = |span: Range<usize>| {
            voiced.iter().any(|voice| voice.start < span.end && span.start < voice.end)
        };
        let mut found = Transcript { language: language::fixed(self, options), segments: vec![] };
        let mut prefix = options.decoding.prefix(self.tokenizer())?;
        let (mut seek, mut before) = (0, Vec::new());
        while seek < n_columns {
            let window = seek..n_columns.min(seek + MAX_COLUMNS);
            if !is_voiced(window.clone()) {
                seek = window.end;
                continue;
            }
            let (features, text) =
                recording.decode(&window, &before, &prefix, &mut found.language)?;
            let given = std::mem::take(&mut prefix).len();
            let (mut phrases, reached) = recording.cut(&window, &text, given, found.language);
            phrases.retain(|(s, _)| is_voiced(column(s.start)..column(s.end)));
            if options.decoding.words {
                recording.align(&window, &features, &text, &mut phrases)?;
            }
            recording.remember(&mut before, &text, &phrases);
            seek = reached;
            let mut segments: Vec<Segment> = phrases.into_iter().map(|(s, _)| s).collect();
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
    /// Tokens that each window is told.
    prompt: Vec<u32>,
}

impl<'a> Recording<'a> {
    fn new(model: &'a Model, columns: &'a [f32], options: &'a Options) -> Self {
        Self {
            model,
            columns,
            options,
            loudest: loudest(columns),
            rules: options.rules(model, Timestamps::With),
            prompt: options.decoding.prompt(model.tokenizer(), room(model)),
        }
    }

    /// Decodes one window into its features and its text, and detects the language if it is not
    /// known yet. `before` are the tokens of what was said in front of it, and `prefix` those that
    /// its text begins with.
    fn decode(
        &self,
        window: &Range<usize>,
        before: &[u32],
        prefix: &[u32],
        language: &mut &'static str,
    ) -> Result<(Tensor<3>, Hypothesis), Error> {
        let model = self.model;
        let n_mels = model.n_mels();
        let columns = &self.columns[window.start * n_mels..window.end * n_mels];
        let features = model.encode(columns, MAX_POSITIONS, self.loudest, Padding::Zero);
        let cache = model.decoder().start(&features, &[]);
        if language.is_empty() {
            // As OpenAI's: the language with silence behind the sound, the words with zeros.
            let silent = (window.len() < MAX_COLUMNS).then(|| {
                let padding = Padding::Silence;
                let features = model.encode(columns, MAX_POSITIONS, self.loudest, padding);
                model.decoder().start(&features, &[])
            });
            let cache = silent.as_ref().unwrap_or(&cache);
            *language = language::detect(model, cache, self.options)?.0;
        }
        let find = |told: &[u32]| {
            let prompt = self.prompt(told, language);
            let request = Request {
                prompt: &prompt,
                prefix,
                draft: &[],
                bias: 0.0,
                rules: &self.rules,
                budget: SAMPLE_LEN.min(model.dims().n_text_ctx - prompt.len()),
                is_wary: false,
                align: None,
            };
            // The same window draws the same tokens.
            let seed = window.start as u64;
            decode(model, &cache, &request, &self.options.decoding, seed)
        };
        let told = self.told(before);
        let mut found = find(&told)?;
        let text = |tokens: &[u32]| model.tokenizer().decode(tokens);
        // A model that hears nothing says what it was told. The prefix it was to say.
        if is_echo(&text(&found.tokens[prefix.len()..]), &text(&told)) {
            found = find(&[])?;
        }
        Ok((features, found))
    }

    /// What a window is told: the prompt, and as much as fits of the end of what was said before.
    fn told(&self, before: &[u32]) -> Vec<u32> {
        let n_before = before.len().min(room(self.model) - self.prompt.len());
        [&self.prompt, &before[before.len() - n_before..]].concat()
    }

    /// What stands before the text: what it is told, start of transcript, language, task.
    fn prompt(&self, told: &[u32], language: &str) -> Vec<u32> {
        let tokenizer = self.model.tokenizer();
        let mut prompt = Vec::new();
        if !told.is_empty() {
            prompt.push(tokenizer.sot_prev);
            prompt.extend(told);
        }
        prompt.extend(tokenizer.sot_sequence(Some(language), self.options.task));
        prompt
    }

    /// Keeps in mind what the next window is to be told: what was said, not what the window ended within, which the
    /// next one hears anew.
    fn remember(&self, before: &mut Vec<u32>, text: &Hypothesis, phrases: &[Phrase]) {
        for (_, tokens) in phrases {
            before.extend(&text.tokens[tokens.clone()]);
        }
        let is_told = self.options.decoding.condition_on_previous_text;
        if !is_told || text.temperature > MAX_TOLD_TEMPERATURE {
            before.clear();
        }
    }
}

/// Tokens of an earlier text that a window can be told: half of what the model can hold, less the
/// token that says that it is from before.
fn room(model: &Model) -> usize {
    model.dims().n_text_ctx / 2 - 1
}

/// Words from which on a piece of what was told is taken for an echo when it is heard; people do say
/// one or two of the names that they tell.
const ECHO: usize = 3;
/// Words of such a piece that nobody says again by chance. Who does is heard without having told anything.
const LONG_ECHO: usize = 6;

/// Whether two thirds of `text` and more are pieces of what was `told`, or one of them is long.
fn is_echo(text: &str, told: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (text, told) = (words(text), words(told));
    let (mut at, mut n_told, mut is_long) = (0, 0, false);
    while at < text.len() {
        let is_told = |n: &usize| told.windows(*n).any(|piece| piece == &text[at..at + n]);
        let longest = (ECHO..=text.len() - at).rev().find(is_told);
        n_told += longest.unwrap_or(0);
        is_long |= longest >= Some(LONG_ECHO);
        at += longest.unwrap_or(1);
    }
    is_long || (n_told > 0 && 3 * n_told >= 2 * text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_a_piece_of_what_was_told() {
        let told = "Minutes of the meeting with Leighton, and Anna.";
        assert!(is_echo(" The meeting with Leighton and Anna", told));
        assert!(is_echo(told, told));
        assert!(is_echo("The meeting with Leighton, the meeting with Leighton.", told));
        let long =
            "To be continued, I will be able to continue the meeting with Leighton and Anna.";
        assert!(is_echo(long, told));
        assert!(!is_echo("Leighton, Anna", told));
        assert!(!is_echo("the meeting with Anna and Bob", told));
        assert!(is_echo("The meeting with Leighton has been in the meeting with Leighton.", told));
        assert!(!is_echo("The meeting with Leighton was over before Anna came.", told));
        assert!(!is_echo("", told));
        assert!(!is_echo("The meeting with Leighton", ""));
    }
}
