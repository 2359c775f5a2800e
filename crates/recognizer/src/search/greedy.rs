//! The likeliest token each time, with the previous hypothesis verified as a draft.
//!
//! Prompt, prefix and draft go through the decoder in one pass. Each draft token is kept while it
//! is what greedy search would have taken; from the first that is not, search goes on token by
//! token. The result is that of plain greedy search, only sooner. While somebody speaks, a draft
//! token is kept as well where another is only a little likelier: the text then does not jump
//! between two readings that are nearly the same to the model.
//!
//! Source: `GreedyDecoder` in openai/whisper, `whisper/decoding.py` at c0d2f62; the draft is this
//! project's.

use burn::tensor::Tensor;

use super::{Ended, Hypothesis, Request, log_probability, probability, repetition};
use crate::text_decoder::{Cache, attention_rows};
use crate::{Error, Model};

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
        // The first row scores whether anybody speaks; the rows from the last given token on each
        // score the successor of their token. What is given is not scored.
        let hidden = &output.hidden;
        let first = prompt.len() + prefix.len() - 1;
        let behind = hidden.clone().narrow(1, first, given.len() - first);
        let sot = hidden.clone().narrow(1, request.sot(model), 1);
        let mut rows = model.decoder().logits(Tensor::cat(vec![sot, behind], 1))?;
        let (start, rows) = rows.split_at_mut(n_vocab);
        let mut attention = match request.align {
            Some(n_content) => attention_rows(&output, n_content)?,
            None => Vec::new(),
        };

        let no_speech = probability(start, model.tokenizer().no_speech);
        let mut found = Hypothesis::new(request, no_speech);
        for (row, &token) in rows.chunks_exact_mut(n_vocab).zip(draft) {
            request.rules.apply(row, &found.tokens);
            let likeliest = request.rules.likeliest(row, &found.tokens);
            if !is_kept(row, token, likeliest, request.bias) {
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
            let token = self.request.rules.likeliest(&self.next, &self.found.tokens);
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
        self.found.cut_loop(keep);
        self.found.attention.truncate(self.request.prompt.len() + keep);
    }
}

/// Whether `token` of a draft is the likeliest, or less likely by no more than `bias`.
fn is_kept(logits: &[f32], token: u32, likeliest: u32, bias: f32) -> bool {
    // A difference of logits is the logarithm of how many times likelier one is.
    token == likeliest || bias > 0.0 && logits[token as usize] >= logits[likeliest as usize] - bias
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn a_draft_is_favoured_by_as_much_as_is_asked_for() {
        let logits = [2.0, 1.5, 1.0, f32::NEG_INFINITY];
        let kept = |bias| [0, 1, 2, 3].map(|token| is_kept(&logits, token, 0, bias));
        assert_eq!(kept(0.0), [true, false, false, false]);
        assert_eq!(kept(0.7), [true, true, false, false]);
        assert_eq!(kept(9.0), [true, true, true, false]);
        assert!(!is_kept(&[1.0, 1.0], 1, 0, 0.0));
    }
}
