//! How whole recordings are decoded, with the real weights.

use std::ops::ControlFlow;

use super::{fetched, jfk, load, plain};
use crate::search::{Hypothesis, Request, Rules, Timestamps, decode, greedy};
use crate::text_decoder::Cache;
use crate::window::{MAX_POSITIONS, Padding, loudest};
use crate::{Decoding, Model, Options, Precision, Transcript};

/// tiny.en as it is used.
fn model() -> Option<Model> {
    fetched("tiny.en").map(|folder| load(&folder, Precision::Int8))
}

/// The beginning of John F. Kennedy's sentence over and over, 24 seconds.
fn stuttering() -> Vec<f32> {
    jfk()[..80 * 120].repeat(20)
}

/// What a window of `columns` is decoded with, as in a whole recording.
fn with_request<T>(model: &Model, columns: &[f32], search: impl FnOnce(Cache, &Request) -> T) -> T {
    let features = model.encode(columns, MAX_POSITIONS, loudest(columns), Padding::Zero);
    let request = Request {
        prompt: &model.tokenizer().sot_sequence(Some("en"), crate::Task::Transcribe),
        prefix: &[],
        draft: &[],
        rules: &Rules::new(model.tokenizer(), Timestamps::With),
        budget: 224,
        is_wary: false,
        align: None,
    };
    search(model.decoder().start(&features, &[]), &request)
}

fn transcribe(model: &Model, columns: &[f32], options: &Options) -> Transcript {
    let all = 0..columns.len() / 80;
    let go_on = &mut |_: usize, _: &[_]| ControlFlow::Continue(());
    model.transcribe(columns, std::slice::from_ref(&all), options, go_on).unwrap()
}

fn text(model: &Model, found: &Hypothesis) -> Vec<String> {
    plain(&model.tokenizer().decode(&found.tokens))
}

#[test]
fn what_goes_round_in_circles_is_drawn_anew() {
    let Some(model) = model() else { return };
    let columns = stuttering();
    let likeliest = with_request(&model, &columns, |cache, r| greedy(&model, cache, r)).unwrap();
    let run = |seed| {
        let decoding = Decoding { best_of: 2, ..Decoding::default() };
        with_request(&model, &columns, |cache, r| decode(&model, &cache, r, &decoding, seed))
            .unwrap()
    };
    let drawn = run(1);
    assert!(drawn.temperature > 0.0, "{:?}", text(&model, &likeliest));
    assert_ne!(drawn.tokens, likeliest.tokens);
    let again = run(1);
    assert_eq!((again.tokens, again.log_probs), (drawn.tokens.clone(), drawn.log_probs));
    assert_ne!(run(2).tokens, drawn.tokens);
}

#[test]
fn speech_is_found_at_the_first_temperature() {
    let Some(model) = model() else { return };
    let columns = jfk();
    let likeliest = with_request(&model, &columns, |cache, r| greedy(&model, cache, r)).unwrap();
    let decoding = Decoding::default();
    let found =
        with_request(&model, &columns, |cache, r| decode(&model, &cache, r, &decoding, 0)).unwrap();
    assert_eq!((found.temperature, found.tokens), (0.0, likeliest.tokens));
    // A little chance leaves clear speech as it is.
    let warm = Decoding { temperature: 0.2, ..decoding };
    let options = Options { decoding: warm, ..Options::default() };
    let said = transcribe(&model, &columns, &options);
    let said: Vec<String> = said.segments.iter().flat_map(|s| plain(&s.text)).collect();
    let known = text(&model, &with_request(&model, &columns, |c, r| greedy(&model, c, r)).unwrap());
    let differ = said.iter().zip(&known).filter(|(a, b)| a != b).count();
    assert!(said.len() == known.len() && differ <= 2, "{said:?}");
}

#[test]
fn numbers_out_of_range_are_errors() {
    let Some(model) = model() else { return };
    let decoding = Decoding { temperature: 2.0, ..Decoding::default() };
    let options = Options { decoding, ..Options::default() };
    let go_on = &mut |_: usize, _: &[_]| ControlFlow::Continue(());
    let error = model.transcribe(&jfk(), &[], &options, go_on).unwrap_err();
    assert_eq!(error.to_string(), "temperature must be 0 to 1");
}
