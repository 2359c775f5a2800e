//! Logits → tokens: how the text of one window is found.
//!
//! [`greedy`] takes the likeliest token each time, [`beam`] follows the few likeliest beginnings,
//! [`sample`] draws; [`fallback`] goes from one to the other where the text cannot be right. All of
//! them obey the same [`Rules`].
//!
//! Source: `DecodingTask` in openai/whisper, `whisper/decoding.py` at c0d2f62.

mod beam;
mod fallback;
mod greedy;
mod hotwords;
mod repetition;
mod rules;
mod sample;

#[cfg(test)]
pub(crate) use beam::beam;
pub(crate) use fallback::{MIN_MEAN_LOG_PROB, NO_SPEECH, decode};
pub(crate) use greedy::greedy;
pub(crate) use rules::{Rules, Timestamps};

use std::ops::Range;

use crate::kernels::log_sum_exp;
use crate::text_decoder::Cache;
use crate::{Error, Model};

/// What to search for.
pub(crate) struct Request<'a> {
    /// What stands before the text: perhaps a text from before, then start of transcript, language,
    /// task.
    pub(crate) prompt: &'a [u32],
    /// Tokens of the text that are given.
    pub(crate) prefix: &'a [u32],
    /// Tokens of the text that are guessed.
    pub(crate) draft: &'a [u32],
    /// By how much the logit of a draft token may stay behind the largest and still be kept: with 0
    /// the result is that of a search without a draft, with more it is steadier.
    pub(crate) bias: f32,
    pub(crate) rules: &'a Rules,
    /// The most tokens of text, the prefix included.
    pub(crate) budget: usize,
    /// Whether to mistrust a phrase that is said twice: in a shortened window the model likes to
    /// fill a pause with what it has just heard.
    pub(crate) is_wary: bool,
    /// Positions of the window that hold sound, if token times are wanted.
    pub(crate) align: Option<usize>,
}

impl Request<'_> {
    /// Where in the prompt the transcript starts: there the model says whether anybody speaks.
    fn sot(&self, model: &Model) -> usize {
        let sot = model.tokenizer().sot;
        self.prompt.iter().position(|&token| token == sot).unwrap_or(0)
    }
}

/// Why a search came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The model said so.
    EndOfText,
    /// The budget was used up.
    Budget,
    /// The text began to go round in circles; all rounds but the first are cut off. `is_all` where less than a round
    /// stands before them.
    Loop { is_all: bool },
}

/// What a search found.
#[derive(Clone, Debug)]
pub(crate) struct Hypothesis {
    /// Tokens of the text: prefix, verified draft, and what was found behind.
    pub(crate) tokens: Vec<u32>,
    /// Log-probability of each token; 0 for those of the prefix, which were given.
    pub(crate) log_probs: Vec<f32>,
    /// Log-probability of the end of text, where the search came to it.
    pub(crate) end_log_prob: f32,
    pub(crate) ended: Ended,
    /// Probability that there is no speech at all, as the model sees it.
    pub(crate) no_speech: f32,
    /// Attention of each token given or found, for [`crate::timing::token_starts`]: that of the
    /// prompt's last token tells when the first of the text begins.
    pub(crate) attention: Vec<Vec<f32>>,
    /// Tokens of the draft that were right.
    pub(crate) accepted: usize,
    /// Those of them that were kept though others were likelier: their places among the tokens.
    pub(crate) favoured: Vec<usize>,
    /// The temperature it was drawn at; 0 where the likeliest was taken.
    pub(crate) temperature: f32,
}

impl Hypothesis {
    /// A text that begins with what is given, of which nothing is found yet.
    fn new(request: &Request, no_speech: f32) -> Self {
        Self {
            tokens: request.prefix.to_vec(),
            log_probs: vec![0.0; request.prefix.len()],
            end_log_prob: 0.0,
            ended: Ended::EndOfText,
            no_speech,
            attention: Vec::new(),
            accepted: 0,
            favoured: Vec::new(),
            temperature: 0.0,
        }
    }

    /// Log-probability of what was found behind what was given, for each of its tokens: the measure
    /// by which texts are compared.
    fn score(&self, request: &Request) -> f32 {
        let found = &self.log_probs[request.prefix.len()..];
        (found.iter().sum::<f32>() + self.end_log_prob) / found.len().max(1) as f32
    }

    /// Ends a text that goes round in circles behind the first `round`.
    fn cut_loop(&mut self, round: Range<usize>) {
        self.tokens.truncate(round.end);
        self.log_probs.truncate(round.end);
        self.ended = Ended::Loop { is_all: round.start < round.len() };
    }

    /// Mean log-probability of what was found behind the first `from` tokens, the end included.
    pub(crate) fn mean_log_prob(&self, from: usize) -> f32 {
        let found = &self.log_probs[from.min(self.log_probs.len())..];
        (found.iter().sum::<f32>() + self.end_log_prob) / (found.len() + 1) as f32
    }
}

/// A window whose decoder has taken prompt and prefix: where several searches can begin.
#[derive(Clone)]
struct Start {
    cache: Cache,
    found: Hypothesis,
    /// Scores of the token to come, `[n_vocab]`.
    next: Vec<f32>,
}

impl Start {
    fn new(model: &Model, mut cache: Cache, request: &Request) -> Result<Self, Error> {
        let given = [request.prompt, request.prefix].concat();
        let output = model.decoder().forward(&given, &mut cache);
        let row = |at: usize| model.decoder().logits(output.hidden.clone().narrow(1, at, 1));
        let no_speech = probability(&row(request.sot(model))?, model.tokenizer().no_speech);
        let next = row(given.len() - 1)?;
        Ok(Self { cache, found: Hypothesis::new(request, no_speech), next })
    }
}

/// Log of the softmax of `logits` at `token`.
fn log_probability(logits: &[f32], token: u32) -> f32 {
    logits[token as usize] - log_sum_exp(logits)
}

/// The softmax of `logits` at `token`.
fn probability(logits: &[f32], token: u32) -> f32 {
    log_probability(logits, token).exp()
}

/// The softmax over `tokens` alone: the model's belief in each of a few alternatives.
pub(crate) fn posterior(logits: &[f32], tokens: &[u32]) -> Vec<f32> {
    let chosen: Vec<f32> = tokens.iter().map(|&token| logits[token as usize]).collect();
    let sum = log_sum_exp(&chosen);
    chosen.iter().map(|x| (x - sum).exp()).collect()
}
