//! The few likeliest beginnings of the text at once: a token that was unlikely in its place may
//! turn out to be right.
//!
//! Source: `BeamSearchDecoder` with a patience of 1, and `MaximumLikelihoodRanker`, in
//! openai/whisper, `whisper/decoding.py` at c0d2f62. Difference: when the likeliest beginning goes
//! round in circles the search ends, and says so.

use super::{Ended, Hypothesis, Request, Start, repetition};
use crate::kernels::log_sum_exp;
use crate::text_decoder::Cache;
use crate::{Error, Model};

/// A beginning of the text.
#[derive(Clone)]
struct Beam {
    start: Start,
    /// Sum of the log-probabilities of its tokens, with what the rules prefer.
    score: f32,
}

/// A token that could follow one of the beams.
#[derive(Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    /// As the model has it, whatever is preferred.
    log_prob: f32,
    /// That of the beam with this token.
    score: f32,
}

/// Searches with `beam_size` beams; with one it is greedy search.
pub(crate) fn beam(
    model: &Model,
    cache: Cache,
    request: &Request,
    beam_size: usize,
) -> Result<Hypothesis, Error> {
    let start = Start::new(model, cache, request)?;
    let mut beams = vec![Beam { start: start.clone(), score: 0.0 }];
    let mut finished: Vec<(Hypothesis, f32)> = Vec::new();
    loop {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (at, beam) in beams.iter_mut().enumerate() {
            candidates.extend(beam.candidates(at, request, beam_size + 1));
        }
        // Stable: of equal ones the first.
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut going_on = Vec::new();
        for candidate in candidates {
            if candidate.token != model.tokenizer().eot {
                going_on.push(candidate);
                if going_on.len() == beam_size {
                    break;
                }
            } else if finished.len() < beam_size {
                let mut found = beams[candidate.beam].start.found.clone();
                found.end_log_prob = candidate.log_prob;
                finished.push((found, candidate.score));
            }
        }
        let n_tokens = beams[0].start.found.tokens.len();
        if finished.len() >= beam_size || going_on.is_empty() || n_tokens >= request.budget {
            break;
        }
        beams = going_on.iter().map(|next| beams[next.beam].with(next)).collect();
        let first = &mut beams[0].start.found;
        let given = request.prefix.len();
        if let Some(round) = repetition::cut(&first.tokens, given, request.is_wary) {
            first.cut_loop(round);
            return Ok(first.clone());
        }
        advance(model, &mut beams)?;
    }
    // Where the budget has run out, what has not come to its end stands in for what is missing.
    let n_missing = beam_size - finished.len();
    let is_cut_short = beams[0].start.found.tokens.len() >= request.budget;
    let unfinished = beams.into_iter().take(if is_cut_short { n_missing } else { 0 });
    finished.extend(unfinished.map(|beam| {
        let found = Hypothesis { ended: Ended::Budget, ..beam.start.found };
        (found, beam.score)
    }));
    Ok(best(finished, request.prefix.len()).unwrap_or(start.found))
}

/// The likeliest text, each by the mean over its tokens; of equal ones the first.
fn best(finished: Vec<(Hypothesis, f32)>, given: usize) -> Option<Hypothesis> {
    let rank = |(found, score): &(Hypothesis, f32)| {
        score / found.tokens.len().saturating_sub(given).max(1) as f32
    };
    let best = finished.into_iter().reduce(|a, b| if rank(&b) > rank(&a) { b } else { a });
    best.map(|(found, _)| found)
}

impl Beam {
    /// The `n` likeliest tokens to follow.
    fn candidates(&mut self, at: usize, request: &Request, n: usize) -> Vec<Candidate> {
        let Start { next, found, .. } = &mut self.start;
        request.rules.apply(next, &found.tokens);
        let preferred = request.rules.preferred(next, &found.tokens);
        let (sum, preferred_sum) = (log_sum_exp(next), log_sum_exp(&preferred));
        let candidate = |token: usize| Candidate {
            beam: at,
            token: token as u32,
            log_prob: next[token] - sum,
            score: self.score + preferred[token] - preferred_sum,
        };
        likeliest(&preferred, n).into_iter().map(candidate).collect()
    }

    /// A copy that has taken one token more.
    fn with(&self, next: &Candidate) -> Self {
        let mut beam = self.clone();
        beam.start.found.tokens.push(next.token);
        beam.start.found.log_probs.push(next.log_prob);
        beam.score = next.score;
        beam
    }
}

/// Scores what follows the token that each beam has taken last.
fn advance(model: &Model, beams: &mut [Beam]) -> Result<(), Error> {
    let tokens: Vec<u32> =
        beams.iter().filter_map(|beam| beam.start.found.tokens.last().copied()).collect();
    let mut caches: Vec<&mut Cache> = beams.iter_mut().map(|beam| &mut beam.start.cache).collect();
    let rows = model.decoder().step(&tokens, &mut caches)?;
    for (beam, row) in beams.iter_mut().zip(rows) {
        beam.start.next = row;
    }
    Ok(())
}

/// The places of the `n` largest values that are not minus infinity, the largest first.
fn likeliest(logits: &[f32], n: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(n + 1);
    let mut lowest = f32::NEG_INFINITY;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > lowest {
            let at = best.partition_point(|&better| logits[better] >= logit);
            best.insert(at, token);
            best.truncate(n);
            if best.len() == n {
                lowest = logits[best[n - 1]];
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_stand_in_front() {
        let forbidden = f32::NEG_INFINITY;
        assert_eq!(likeliest(&[0.0, 3.0, forbidden, 2.0, 3.0], 3), [1, 4, 3]);
        assert_eq!(likeliest(&[forbidden, 1.0, forbidden], 3), [1]);
    }

    #[test]
    fn the_best_text_is_the_likeliest_for_its_length() {
        let found = |n_tokens: usize| Hypothesis {
            tokens: vec![5; n_tokens],
            log_probs: vec![0.0; n_tokens],
            end_log_prob: 0.0,
            ended: Ended::EndOfText,
            no_speech: 0.0,
            attention: Vec::new(),
            accepted: 0,
            favoured: Vec::new(),
            temperature: 0.0,
        };
        // −0.5, −0.4 and −1 a token; the two tokens given count for nothing.
        let finished = vec![(found(6), -2.0), (found(7), -2.0), (found(3), -1.0)];
        assert_eq!(best(finished, 2).unwrap().tokens.len(), 7);
    }
}
