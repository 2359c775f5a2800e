//! Logits → tokens: greedy search, with the previous hypothesis verified as a draft.
//!
//! Prompt, prefix and draft go through the decoder in one pass. Each draft token is kept while it
//! is what greedy search would have taken; from the first that is not, search goes on token by
//! token. The result is that of plain greedy search, only sooner. While somebody speaks, a draft
//! token is kept as well where another is only a little likelier: the text then does not jump
//! between two readings that are nearly the same to the model.
//!
//! Source: `DecodingTask` in openai/whisper, `whisper/decoding.py` at c0d2f62; the draft is this
//! project's.

mod repetition;
mod rules;

pub(crate) use rules::{Rules, Timestamps};

use burn::tensor::Tensor;

use crate::kernels::{argmax, log_sum_exp};
use crate::text_decoder::{Cache, attention_rows};
use crate::{Error, Model};

/// What to search for.
pub(crate) struct Request<'a> {
    /// What stands before the text: start of transcript, language, task.
    pub(crate) prompt: &'a [u32],
    /// Tokens of the text that are given.
    pub(crate) prefix: &'a [u32],
    /// Tokens of the text that are guessed.
    pub(crate) draft: &'a [u32],
    /// How much less probable than the likeliest token one of the draft may be and still be kept:
    /// with 0 the result is that of a search without a draft, with more it is steadier.
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

/// Why a search came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The model said so.
    EndOfText,
    /// The budget was used up.
    Budget,
    /// The text began to go round in circles; the circles are cut off.
    Loop,
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
}

impl Hypothesis {
    /// Mean log-probability of what was found behind the first `from` tokens, the end included.
    pub(crate) fn mean_log_prob(&self, from: usize) -> f32 {
        let found = &self.log_probs[from.min(self.log_probs.len())..];
        (found.iter().sum::<f32>() + self.end_log_prob) / (found.len() + 1) as f32
    }
}

/// Runs a greedy search over one window, whose `cache` has taken no token yet.
pub(crate) fn greedy(model: &Model, cache: Cache, request: &Request) -> Result<Hypothesis, Error> {
    Greedy::start(model, cache, request)?.run()
}

struct Greedy<'a> {
    model: &'a Model,
    request: &'a Request<'a>,
    cache: Cache,
    found: Hypothesis,
    /// Scores of the token to come, `[n_vocab]`.
    next: Vec<f32>,
}

impl<'a> Greedy<'a> {
    /// Takes prompt, prefix and draft, and keeps as much of the draft as is right.
    fn start(model: &'a Model, mut cache: Cache, request: &'a Request<'a>) -> Result<Self, Error> {
        let Request { prompt, prefix, .. } = *request;
        let room = request.budget.saturating_sub(prefix.len());
        let draft = &request.draft[..request.draft.len().min(room)];
        let given = [prompt, prefix, draft].concat();

        let output = model.decoder().forward(&given, &mut cache);
        let n_vocab = model.dims().n_vocab;
        // Row 0 belongs to the start of transcript; the rows from the last given token on each
        // score the successor of their token. What is given is not scored.
        let hidden = &output.hidden;
        let first = prompt.len() + prefix.len() - 1;
        let behind = hidden.clone().narrow(1, first, given.len() - first);
        let rows = Tensor::cat(vec![hidden.clone().narrow(1, 0, 1), behind], 1);
        let mut rows = model.decoder().logits(rows)?;
        let (start, rows) = rows.split_at_mut(n_vocab);
        let mut attention = match request.align {
            Some(n_content) => attention_rows(&output, n_content)?,
            None => Vec::new(),
        };

        let mut found = Hypothesis {
            tokens: prefix.to_vec(),
            log_probs: vec![0.0; prefix.len()],
            end_log_prob: 0.0,
            ended: Ended::EndOfText,
            no_speech: probability(start, model.tokenizer().no_speech),
            attention: Vec::new(),
            accepted: 0,
        };
        for (row, &token) in rows.chunks_exact_mut(n_vocab).zip(draft) {
            request.rules.apply(row, &found.tokens);
            if !is_kept(row, token, request.bias) {
                break;
            }
            found.accepted += 1;
            found.log_probs.push(log_probability(row, token));
            found.tokens.push(token);
        }
        let kept = prompt.len() + found.tokens.len();
        cache.truncate(kept);
        attention.truncate(kept);
        found.attention = attention;
        let next = rows[found.accepted * n_vocab..][..n_vocab].to_vec();
        Ok(Self { model, request, cache, found, next })
    }

    /// Goes on token by token.
    fn run(mut self) -> Result<Hypothesis, Error> {
        // The row behind a wrong draft token has been through the rules; once more changes nothing.
        loop {
            self.request.rules.apply(&mut self.next, &self.found.tokens);
            let token = argmax(&self.next) as u32;
            let log_prob = log_probability(&self.next, token);
            if token == self.model.tokenizer().eot {
                self.found.end_log_prob = log_prob;
                return Ok(self.found);
            }
            if self.found.tokens.len() >= self.request.budget {
                self.found.ended = Ended::Budget;
                return Ok(self.found);
            }
            self.found.tokens.push(token);
            self.found.log_probs.push(log_prob);
            if let Some(keep) = self.repetition() {
                self.cut_loop(keep);
                return Ok(self.found);
            }
            self.advance(token)?;
        }
    }

    fn advance(&mut self, token: u32) -> Result<(), Error> {
        let output = self.model.decoder().forward(&[token], &mut self.cache);
        if let Some(n_content) = self.request.align {
            self.found.attention.extend(attention_rows(&output, n_content)?);
        }
        self.next = self.model.decoder().logits(output.hidden)?;
        Ok(())
    }

    /// How many tokens to keep, if the text goes round in circles.
    fn repetition(&self) -> Option<usize> {
        let Request { prefix, is_wary, .. } = *self.request;
        repetition::cut(&self.found.tokens, prefix.len(), is_wary)
    }

    fn cut_loop(&mut self, keep: usize) {
        self.found.tokens.truncate(keep);
        self.found.log_probs.truncate(keep);
        self.found.attention.truncate(self.request.prompt.len() + keep);
        self.found.ended = Ended::Loop;
    }
}

/// Whether `token` of a draft is the likeliest, or less probable by no more than `bias`.
fn is_kept(logits: &[f32], token: u32, bias: f32) -> bool {
    let best = argmax(logits) as u32;
    let probability = |token| probability(logits, token);
    best == token || {
        let is_allowed = logits[token as usize] > f32::NEG_INFINITY;
        is_allowed && bias > 0.0 && probability(token) >= probability(best) - bias
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_favoured_by_as_much_as_is_asked_for() {
        // Probabilities of 0.5, 0.3, 0.2, and one that is not allowed.
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln(), f32::NEG_INFINITY];
        let kept = |bias| [0, 1, 2, 3].map(|token| is_kept(&logits, token, bias));
        assert_eq!(kept(0.0), [true, false, false, false]);
        assert_eq!(kept(0.25), [true, true, false, false]);
        assert_eq!(kept(1.0), [true, true, true, false]);
        assert!(!is_kept(&[1.0, 1.0], 1, 0.0));
    }
}
