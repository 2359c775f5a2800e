//! Languages, translation and whole files, beside OpenAI's.

use super::decoding::transcribe;
use super::*;
use crate::search::posterior;
use crate::{Task, language};

#[test]
fn languages_are_as_likely_as_openai_finds_them() {
    let Some((model, golden)) = real("base") else { return };
    let columns = jfk();
    let features = model.encode(&columns, MAX_POSITIONS, loudest(&columns), Padding::Silence);
    let cache = model.decoder().start(&features, &[]);
    let tokenizer = model.tokenizer();
    let codes: Vec<&str> = tokenizer.languages().iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), golden.languages.len());
    let tokens: Vec<u32> =
        codes.iter().map(|code| tokenizer.language_token(code).unwrap()).collect();
    let output = model.decoder().forward(&[tokenizer.sot], &mut cache.clone());
    let beliefs = posterior(&model.decoder().logits(output.hidden).unwrap(), &tokens);
    for (code, belief) in codes.iter().zip(beliefs) {
        let theirs = golden.languages[*code];
        assert!((belief - theirs).abs() < 1e-3, "{code}: {belief}, theirs {theirs}");
    }

    let detect = |languages: &[&str]| {
        let languages = languages.iter().map(|&code| code.to_owned()).collect();
        let options = Options { languages, ..Options::default() };
        language::detect(&model, &cache, &options).unwrap()
    };
    assert_eq!(detect(&[]).0, "en");
    // Of those that may be spoken the likelier one, and how much likelier it is.
    let [cy, de] = ["cy", "de"].map(|code| golden.languages[code]);
    let (code, belief) = detect(&["cy", "de"]);
    assert_eq!(code, if cy > de { "cy" } else { "de" });
    assert!((belief - cy.max(de) / (cy + de)).abs() < 1e-2, "{belief} of {cy} and {de}");
}

#[test]
fn a_translation_is_that_of_openai() {
    let Some((model, golden)) = real("base") else { return };
    let golden = golden.greedy.translate_german.expect("base translates");
    let columns = jfk();
    let features = model.encode(&columns, MAX_POSITIONS, loudest(&columns), Padding::Silence);
    let request = Request {
        prompt: &model.tokenizer().sot_sequence(Some("de"), Task::Translate),
        prefix: &[],
        draft: &[],
        bias: 0.0,
        rules: &Rules::new(model.tokenizer(), Timestamps::With),
        budget: 224,
        is_wary: false,
        align: None,
    };
    let found = greedy(&model, model.decoder().start(&features, &[]), &request).unwrap();
    assert_eq!(found.tokens, golden.tokens);
    assert!((found.mean_log_prob(0) - golden.avg_logprob).abs() < 2e-3);
    assert!((found.no_speech - golden.no_speech_prob).abs() < 1e-3);
}

#[test]
fn a_file_is_cut_into_the_segments_of_openai() {
    for name in ["tiny.en", "base"] {
        let Some((model, golden)) = real(name) else { continue };
        let options = Options { languages: vec!["en".into()], ..Options::default() };
        // OpenAI's columns end with the sound.
        let found = transcribe(&model, &jfk()[..1100 * 80], &options).segments;
        assert_eq!(found.len(), golden.transcribe.len(), "{found:#?}");
        let time = |token: Option<&u32>| {
            (token.unwrap() - model.tokenizer().timestamp_begin) as f32 / 50.0
        };
        for (ours, theirs) in found.iter().zip(&golden.transcribe) {
            assert_eq!(ours.text, theirs.text.trim());
            // Theirs are moved to the words' borders; the tokens tell what was said.
            let (start, end) = (time(theirs.tokens.first()), time(theirs.tokens.last()));
            assert!((ours.start - start).abs() < 1e-3, "{ours:?} {theirs:?}");
            assert!((ours.end - end).abs() < 1e-3, "{ours:?} {theirs:?}");
        }
    }
}
