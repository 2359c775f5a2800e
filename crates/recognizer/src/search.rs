//! Logits → tokens: greedy search, with the previous hypothesis verified as a draft.
//!
//! Prompt, prefix and draft go through the decoder in one pass. Each draft token is kept while it
//! is what greedy search would have taken; from the first that is not, search goes on token by
//! token. The result is that of plain greedy search, only sooner.
//!
//! Source: `DecodingTask` in openai/whisper, `whisper/decoding.py` at c0d2f62; the draft is this
//! project's.

mod repetition;
mod rules;

pub(crate) use rules::{Rules, Timestamps};

use burn::tensor::Tensor;

use crate::kernels::log_sum_exp;
use crate::scores::{Filter, Scores};
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
    /// Scores among which those of the token to come are …
    scores: Scores,
    /// … in this row.
    row: usize,
}

impl<'a> Greedy<'a> {
    /// Takes prompt, prefix and draft, and keeps as much of the draft as is right.
    fn start(model: &'a Model, mut cache: Cache, request: &'a Request<'a>) -> Result<Self, Error> {
        let Request { prompt, prefix, .. } = *request;
        let room = request.budget.saturating_sub(prefix.len());
        let draft = &request.draft[..request.draft.len().min(room)];
        let given = [prompt, prefix, draft].concat();

        let output = model.decoder().forward(&given, &mut cache);
        // Row 0 belongs to the start of transcript; the rows from the last given token on each
        // score the successor of their token. What is given is not scored.
        let hidden = &output.hidden;
        let first = prompt.len() + prefix.len() - 1;
        let behind = hidden.clone().narrow(1, first, given.len() - first);
        let rows = Tensor::cat(vec![hidden.clone().narrow(1, 0, 1), behind], 1);
        let lengths = prefix.len()..=prefix.len() + draft.len();
        let filters = std::iter::once(Filter::None).chain(lengths.map(Filter::behind));
        let filters: Vec<Filter> = filters.collect();
        let mut scores = Scores::of(model, request.rules, rows, &filters)?;
        let mut attention = match request.align {
            Some(n_content) => attention_rows(&output, n_content)?,
            None => Vec::new(),
        };

        let mut found = Hypothesis {
            tokens: prefix.to_vec(),
            log_probs: vec![0.0; prefix.len()],
            end_log_prob: 0.0,
            ended: Ended::EndOfText,
            no_speech: scores.no_speech(0, model.tokenizer()),
            attention: Vec::new(),
            accepted: 0,
        };
        for (row, &token) in (1..).zip(draft) {
            let (best, log_prob) = scores.best(row, request.rules, &found.tokens);
            if best != token {
                break;
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
        let filters = [Filter::behind(self.found.tokens.len())];
        self.scores = Scores::of(self.model, self.request.rules, output.hidden, &filters)?;
        self.row = 0;
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

/// The softmax over `tokens` alone: the model's belief in each of a few alternatives.
pub(crate) fn posterior(logits: &[f32], tokens: &[u32]) -> Vec<f32> {
    let chosen: Vec<f32> = tokens.iter().map(|&token| logits[token as usize]).collect();
    let sum = log_sum_exp(&chosen);
    chosen.iter().map(|x| (x - sum).exp()).collect()
}
