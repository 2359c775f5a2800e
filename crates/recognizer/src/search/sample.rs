//! Drawing tokens at random, the likelier the more often: a way out where the likeliest is wrong.
//!
//! Source: `GreedyDecoder` at a temperature and `MaximumLikelihoodRanker` in openai/whisper,
//! `whisper/decoding.py` at c0d2f62. Difference: a text that goes round in circles is given up early.

use super::{Ended, Hypothesis, Request, Start, log_probability, repetition};
use crate::text_decoder::Cache;
use crate::{Error, Model};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    /// What the scores are divided by: the larger, the more is left to chance. Above 0.
    pub(super) temperature: f32,
    /// How many texts are drawn, of which the likeliest is taken.
    pub(super) best_of: usize,
    /// The same seed draws the same texts.
    pub(super) seed: u64,
}

/// Draws several texts and takes the likeliest, each by the mean of its tokens; one that goes round
/// in circles only if all do.
pub(super) fn sample(
    model: &Model,
    cache: Cache,
    request: &Request,
    sampling: &Sampling,
) -> Result<Hypothesis, Error> {
    let start = Start::new(model, cache, request)?;
    let n_texts = sampling.best_of.max(1);
    let mut texts: Vec<Drawn> =
        (0..n_texts).map(|n| Drawn::new(&start, sampling, n as u64)).collect();
    loop {
        let mut going_on: Vec<&mut Drawn> = texts.iter_mut().filter(|text| !text.is_done).collect();
        going_on.retain_mut(|text| text.draw(model, request));
        if going_on.is_empty() {
            break;
        }
        let tokens: Vec<u32> =
            going_on.iter().filter_map(|text| text.start.found.tokens.last().copied()).collect();
        let mut caches: Vec<&mut Cache> =
            going_on.iter_mut().map(|text| &mut text.start.cache).collect();
        let rows = model.decoder().step(&tokens, &mut caches)?;
        for (text, row) in going_on.into_iter().zip(rows) {
            text.start.next = row;
        }
    }
    let rank =
        |found: &Hypothesis| (!matches!(found.ended, Ended::Loop { .. }), found.score(request));
    let found = texts.into_iter().map(|text| text.start.found);
    let best = found.reduce(|best, other| if rank(&other) > rank(&best) { other } else { best });
    Ok(best.unwrap_or(start.found))
}

/// A text that is being drawn.
struct Drawn {
    start: Start,
    temperature: f32,
    random: Random,
    is_done: bool,
}

impl Drawn {
    /// The `n`-th text, which is the same however many others there are.
    fn new(start: &Start, sampling: &Sampling, n: u64) -> Self {
        let mut start = start.clone();
        start.found.temperature = sampling.temperature;
        let mut random = Random(sampling.seed);
        let random = Random(random.bits() ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self { start, temperature: sampling.temperature, random, is_done: false }
    }

    /// Draws the next token; whether the text goes on.
    fn draw(&mut self, model: &Model, request: &Request) -> bool {
        let Start { found, next, .. } = &mut self.start;
        request.rules.apply(next, &found.tokens);
        let preferred = request.rules.preferred(next, &found.tokens);
        let token = choose(&preferred, self.temperature, self.random.next()) as u32;
        let log_prob = log_probability(next, token);
        self.is_done = true;
        if token == model.tokenizer().eot {
            found.end_log_prob = log_prob;
            return false;
        }
        if found.tokens.len() >= request.budget {
            found.ended = Ended::Budget;
            return false;
        }
        found.tokens.push(token);
        found.log_probs.push(log_prob);
        let given = request.prefix.len();
        if let Some(round) = repetition::cut(&found.tokens, given, request.is_wary) {
            found.cut_loop(round);
            return false;
        }
        self.is_done = false;
        true
    }
}

/// The place at which the running sum of the softmax of `logits / temperature` passes `at`, which
/// lies in 0..1.
fn choose(logits: &[f32], temperature: f32, at: f32) -> usize {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: &f32| f64::from(((logit - max) / temperature).exp());
    let mut left = f64::from(at) * logits.iter().map(weight).sum::<f64>();
    for (token, weight) in logits.iter().map(weight).enumerate() {
        left -= weight;
        if left < 0.0 {
            return token;
        }
    }
    // Only where rounding has eaten the last bit: the likeliest is always allowed.
    logits.iter().position(|&logit| logit == max).unwrap_or(0)
}

/// Numbers that look random, the same ones for the same seed on every machine.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    /// The next number in 0..1.
    fn next(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 24) as f32
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_the_range_evenly_and_come_again() {
        let mut random = Random(7);
        let drawn: Vec<f32> = (0..10_000).map(|_| random.next()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        for tenth in 0..10 {
            let n = drawn.iter().filter(|&&x| (x * 10.0) as usize == tenth).count();
            assert!((850..1150).contains(&n), "{n} of 10000 in tenth {tenth}");
        }
        let mut again = Random(7);
        assert!(drawn.iter().all(|&x| x == again.next()));
    }

    #[test]
    fn what_is_likely_is_drawn_often_and_what_is_forbidden_never() {
        // Probabilities 1/4, 0, 3/4.
        let logits = [0.0, f32::NEG_INFINITY, 3.0f32.ln()];
        let mut random = Random(1);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[choose(&logits, 1.0, random.next())] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((2300..2700).contains(&counts[0]), "{counts:?}");
        // The colder, the likelier the likeliest: 1 in 82.
        let cold = (0..10_000).filter(|_| choose(&logits, 0.25, random.next()) == 0).count();
        assert!((60..200).contains(&cold), "{cold}");
    }

    #[test]
    fn the_border_cases_of_a_draw_are_allowed_tokens() {
        let logits = [f32::NEG_INFINITY, 1.0, 2.0, f32::NEG_INFINITY];
        assert_eq!(choose(&logits, 0.2, 0.0), 1);
        assert_eq!(choose(&logits, 0.2, 0.999_999_94), 2);
    }
}
