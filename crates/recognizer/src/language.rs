//! Which language is spoken.

use crate::search::posterior;
use crate::text_decoder::Cache;
use crate::{Error, Model, Options};

/// The language that the options name or the model is bound to; empty where it has to be detected.
pub(crate) fn fixed(model: &Model, options: &Options) -> &'static str {
    match options.languages.as_slice() {
        _ if !model.is_multilingual() => "en",
        [only] => canonical(model, only).unwrap_or(""),
        _ => "",
    }
}

/// Finds the likeliest of the languages that may be spoken, and its probability among them.
///
/// `cache` is that of the window, with no token taken yet.
///
/// Source: `detect_language` in openai/whisper, `whisper/decoding.py` at c0d2f62, there always
/// among all languages.
pub(crate) fn detect(
    model: &Model,
    cache: &Cache,
    options: &Options,
) -> Result<(&'static str, f32), Error> {
    let tokenizer = model.tokenizer();
    let allowed: Vec<(&'static str, u32)> = match options.languages.as_slice() {
        [] => tokenizer.languages().iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        some => some.iter().filter_map(|code| canonical(model, code)).collect(),
    }
    .into_iter()
    .filter_map(|code| Some((code, tokenizer.language_token(code)?)))
    .collect();
    let tokens: Vec<u32> = allowed.iter().map(|&(_, token)| token).collect();
    let output = model.decoder().forward(&[tokenizer.sot], &mut cache.clone());
    let beliefs = posterior(&model.decoder().logits(output.hidden)?, &tokens);
    let best = allowed.iter().zip(beliefs).max_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(best.map_or(("en", 0.0), |(&(code, _), belief)| (code, belief)))
}

/// The code as the tokenizer has it.
fn canonical(model: &Model, code: &str) -> Option<&'static str> {
    model.tokenizer().languages().iter().map(|(known, _)| *known).find(|known| *known == code)
}
