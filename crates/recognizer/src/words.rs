//! A hypothesis' tokens → words with times.

use crate::Model;
use crate::search::Hypothesis;
use crate::timing::token_starts;
use crate::transcript::Word;
use crate::window::{COLUMNS_PER_POSITION, COLUMNS_PER_SECOND};

/// Seconds of one position.
const POSITION: f32 = COLUMNS_PER_POSITION as f32 / COLUMNS_PER_SECOND as f32;

/// Splits what a hypothesis has behind its first `from` tokens into words; times from `origin` on.
///
/// `n_content` are the positions of the window that hold sound.
pub(crate) fn words(
    model: &Model,
    hypothesis: &Hypothesis,
    from: usize,
    n_content: usize,
    language: &str,
    origin: f32,
) -> Vec<Word> {
    // One row behind those of the text: that of the end.
    let skip = hypothesis.attention.len().saturating_sub(hypothesis.tokens.len() + 1);
    let starts = token_starts(&hypothesis.attention, skip, n_content);
    let seconds =
        |token: usize| origin + POSITION * starts.get(token).copied().unwrap_or(n_content) as f32;
    let mut first = from;
    model
        .tokenizer()
        .split_to_words(&hypothesis.tokens[from..], language)
        .into_iter()
        .map(|(text, tokens)| {
            let next = first + tokens.len();
            let log_probs = &hypothesis.log_probs[first..next];
            let sum: f32 = log_probs.iter().map(|log_prob| log_prob.exp()).sum();
            let word = Word {
                text,
                start: seconds(first),
                end: seconds(next),
                probability: sum / tokens.len().max(1) as f32,
                is_favoured: hypothesis.favoured.iter().any(|at| (first..next).contains(at)),
                tokens,
            };
            first = next;
            word
        })
        .collect()
}
