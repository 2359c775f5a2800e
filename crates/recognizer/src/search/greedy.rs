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

use std::ops::Range;

use burn::tensor::Tensor;

use super::{Ended, Hypothesis, Request, repetition};
use crate::scores::{Ask, Scores};
use crate::text_decoder::Cache;
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
    /// Scores among which those of the token to come are …
    scores: Scores,
    /// … in this row.
    row: usize,
}

impl<'a> Greedy<'a> {
    /// Takes prompt, prefix and draft, and keeps as much of the draft as is right.
    fn start(model: &'a Model, mut cache: Cache, request: &'a Request<'a>) -> Result<Self, Error> {
        let Request { prompt, prefix, rules, bias, .. } = *request;
        let room = request.budget.saturating_sub(prefix.len());
        let draft = &request.draft[..request.draft.len().min(room)];
        let given = [prompt, prefix, draft].concat();

        let output = model.decoder().forward(&given, &mut cache);
        // The first row scores whether anybody speaks; the rows from the last given token on each
        // score the successor of their token. What is given is not scored.
        let hidden = &output.hidden;
        let first = prompt.len() + prefix.len() - 1;
        let behind = hidden.clone().narrow(1, first, given.len() - first);
        let sot = hidden.clone().narrow(1, request.sot(model), 1);
        let guesses = draft.iter().map(|&token| Some(token)).chain([None]);
        let successors = (prefix.len()..).zip(guesses).map(|(n, guess)| Ask::behind(n, guess));
        let asked: Vec<Ask> = std::iter::once(Ask::NO_SPEECH).chain(successors).collect();
        let hidden = Tensor::cat(vec![sot, behind], 1);
        let (mut scores, mut attention) =
            Scores::and_looks(model, rules, &output, hidden, &asked, request.align)?;

        let no_speech = scores.no_speech(0, model.tokenizer());
        let mut found = Hypothesis::new(request, no_speech);
        for (row, &token) in (1..).zip(draft) {
            let (best, mut log_prob) = scores.best(row, rules, &found.tokens);
            if best != token {
                if bias <= 0.0 || scores.lead(row, rules, &found.tokens, best, token) > bias {
                    break;
                }
                found.favoured.push(found.tokens.len());
                log_prob = scores.guess(row, token);
            }
            found.accepted += 1;
            found.log_probs.push(log_prob);
            found.tokens.push(token);
        }
        let kept = prompt.len() + found.tokens.len();
        cache.truncate(kept);
        attention.truncate(kept);
        found.attention = attention;
        let row = 1 + found.accepted;
        Ok(Self { model, request, cache, found, scores, row })
    }

    /// Goes on token by token.
    fn run(mut self) -> Result<Hypothesis, Error> {
        loop {
            let (token, log_prob) =
                self.scores.best(self.row, self.request.rules, &self.found.tokens);
            if token == self.model.tokenizer().eot {
                self.found.end_log_prob = log_prob;
                return Ok(self.found);
            }
            if self.found.tokens.len() >= self.request.budget {
                let fixed = self.request.prefix.len();
                match repetition::cut_last(&self.found.tokens, fixed) {
                    Some(round) => self.cut_loop(round),
                    None => self.found.ended = Ended::Budget,
                }
                return Ok(self.found);
            }
            self.found.tokens.push(token);
            self.found.log_probs.push(log_prob);
            if let Some(round) = self.repetition() {
                self.cut_loop(round);
                return Ok(self.found);
            }
            self.advance(token)?;
        }
    }

    fn advance(&mut self, token: u32) -> Result<(), Error> {
        let output = self.model.decoder().forward(&[token], &mut self.cache);
        let Request { rules, align, .. } = *self.request;
        let asked = [Ask::behind(self.found.tokens.len(), None)];
        let hidden = output.hidden.clone();
        let (scores, attention) =
            Scores::and_looks(self.model, rules, &output, hidden, &asked, align)?;
        self.found.attention.extend(attention);
        (self.scores, self.row) = (scores, 0);
        Ok(())
    }

    /// The first round, if the text goes round in circles.
    fn repetition(&self) -> Option<Range<usize>> {
        let Request { prefix, is_wary, .. } = *self.request;
        repetition::cut(&self.found.tokens, prefix.len(), is_wary)
    }

    fn cut_loop(&mut self, round: Range<usize>) {
        self.found.attention.truncate(self.request.prompt.len() + round.end);
        self.found.cut_loop(round);
    }
}
