//! The text of a window → segments with times, and their words.

use std::ops::Range;

use burn::tensor::Tensor;

use super::{MIN_MEAN_LOG_PROB, NO_SPEECH, Recording, Segment};
use crate::Error;
use crate::search::Hypothesis;
use crate::text_decoder::attention_rows;
use crate::window::{COLUMNS_PER_POSITION, COLUMNS_PER_SECOND};
use crate::words::words;

/// A segment, and which of the window's tokens it is written with.
pub(super) type Phrase = (Segment, Range<usize>);

impl Recording<'_> {
    /// Cuts a window's text at its timestamps, and says at which column the next window begins. The
    /// first `given` tokens were not found but given.
    pub(super) fn cut(
        &self,
        window: &Range<usize>,
        found: &Hypothesis,
        given: usize,
        language: &'static str,
    ) -> (Vec<Phrase>, usize) {
        let confidence = found.mean_log_prob(given);
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
        let phrase = |tokens: Range<usize>, from: usize, to: usize| {
            let segment = Segment {
                start: seconds(window.start + from * COLUMNS_PER_POSITION),
                end: seconds((window.start + to * COLUMNS_PER_POSITION).min(window.end)),
                text: tokenizer.decode(&found.tokens[tokens.clone()]).trim().into(),
                language,
                confidence: confidence.exp(),
                words: Vec::new(),
            };
            (segment, tokens)
        };
        let mut phrases = Vec::new();
        let mut reached = window.end;
        if cuts.is_empty() {
            let last = found.tokens.iter().rev().find(|&&token| token > begin);
            let end = last.map_or(window.len() / COLUMNS_PER_POSITION, |&token| position(token));
            phrases.push(phrase(0..n, 0, end));
        } else {
            if is_closed {
                cuts.push(n);
            } else if let Some(&last) = cuts.last() {
                let end = position(found.tokens[last - 1]) * COLUMNS_PER_POSITION;
                reached = window.end.min(window.start + end);
            }
            let starts = std::iter::once(&0).chain(&cuts);
            for (&from, &to) in starts.zip(&cuts) {
                let borders = [from, to - 1].map(|at| position(found.tokens[at]));
                phrases.push(phrase(from..to, borders[0], borders[1]));
            }
        }
        phrases.retain(|(segment, _)| !segment.text.is_empty());
        // A model that finds a segment of no length must not hold us in place.
        (phrases, if reached > window.start { reached } else { window.end })
    }

    /// Finds when each word of the phrases was said: the text is given to the model once more,
    /// without timestamps, and the heads that follow the speech tell.
    ///
    /// Source: `add_word_timestamps` in openai/whisper, `whisper/timing.py` at c0d2f62, without its
    /// corrections of long words.
    pub(super) fn align(
        &self,
        window: &Range<usize>,
        features: &Tensor<3>,
        found: &Hypothesis,
        phrases: &mut [Phrase],
    ) -> Result<(), Error> {
        let (decoder, tokenizer) = (self.model.decoder(), self.model.tokenizer());
        let Some(language) = phrases.first().map(|(segment, _)| segment.language) else {
            return Ok(());
        };
        let is_text = |&at: &usize| !tokenizer.is_special(found.tokens[at]);
        let texts: Vec<Vec<usize>> =
            phrases.iter().map(|(_, tokens)| tokens.clone().filter(is_text).collect()).collect();
        let at: Vec<usize> = texts.concat();
        let mut text = Hypothesis {
            tokens: at.iter().map(|&at| found.tokens[at]).collect(),
            log_probs: at.iter().map(|&at| found.log_probs[at]).collect(),
            ..found.clone()
        };
        let mut given = tokenizer.sot_sequence(Some(language), self.options.task);
        given.push(tokenizer.no_timestamps);
        given.extend(&text.tokens);
        let mut cache = decoder.start(features, self.model.alignment_heads());
        let n_content = window.len().div_ceil(COLUMNS_PER_POSITION).max(1);
        text.attention = attention_rows(&decoder.forward(&given, &mut cache), n_content)?;
        let mut words =
            words(self.model, &text, 0, n_content, language, seconds(window.start)).into_iter();
        for ((segment, _), tokens) in phrases.iter_mut().zip(texts) {
            let mut n_tokens = 0;
            while n_tokens < tokens.len()
                && let Some(word) = words.next()
            {
                n_tokens += word.tokens.len();
                segment.words.push(word);
            }
        }
        Ok(())
    }
}

/// Columns → seconds.
fn seconds(columns: usize) -> f32 {
    columns as f32 / COLUMNS_PER_SECOND as f32
}
