//! How whole recordings are decoded, with the real weights.

use std::ops::ControlFlow;

use super::{fetched, jfk, load, plain, real};
use crate::search::{Hypothesis, Request, Rules, Timestamps, beam, decode, greedy};
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
        bias: 0.0,
        rules: &Rules::new(model.tokenizer(), Timestamps::With),
        budget: 224,
        is_wary: false,
        align: None,
    };
    search(model.decoder().start(&features, &[]), &request)
}

pub(super) fn transcribe(model: &Model, columns: &[f32], options: &Options) -> Transcript {
    let all = 0..columns.len() / 80;
    let go_on = &mut |_: usize, _: &[_]| ControlFlow::Continue(());
    model.transcribe(columns, std::slice::from_ref(&all), options, go_on).unwrap()
}

fn text(model: &Model, found: &Hypothesis) -> Vec<String> {
    plain(&model.tokenizer().decode(&found.tokens))
}

#[test]
fn what_goes_round_in_circles_is_drawn_anew() {
    // In 32 bits: whether this one goes round depends on the rounding.
    let Some((model, _)) = real("tiny.en") else { return };
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

#[test]
fn one_beam_is_greedy_search_and_five_find_what_is_no_less_likely() {
    let Some(model) = model() else { return };
    let columns = jfk();
    let run = |beam_size| {
        with_request(&model, &columns, |cache, r| beam(&model, cache, r, beam_size)).unwrap()
    };
    let likeliest = with_request(&model, &columns, |cache, r| greedy(&model, cache, r)).unwrap();
    let one = run(1);
    assert_eq!(one.tokens, likeliest.tokens);
    assert_eq!(one.ended, likeliest.ended);
    for (a, b) in one.log_probs.iter().zip(&likeliest.log_probs) {
        assert!((a - b).abs() < 1e-4);
    }
    assert!((one.end_log_prob - likeliest.end_log_prob).abs() < 1e-4);
    let score = |found: &Hypothesis| {
        (found.log_probs.iter().sum::<f32>() + found.end_log_prob) / found.tokens.len() as f32
    };
    let five = run(5);
    assert!(score(&five) >= score(&likeliest) - 1e-4, "{} {}", score(&five), score(&likeliest));
    let said = text(&model, &five).join(" ");
    for part in ["my fellow americans", "your country can do for you", "do for your country"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_prompt_leaves_the_question_of_speech_to_the_start_of_transcript() {
    let Some(model) = model() else { return };
    let tokenizer = model.tokenizer();
    let mut told = vec![tokenizer.sot_prev];
    told.extend(tokenizer.encode(" The President of the United States."));
    let prompt = [&told[..], &tokenizer.sot_sequence(Some("en"), crate::Task::Transcribe)].concat();
    let asked = with_request(&model, &jfk(), |mut cache, _| {
        let output = model.decoder().forward(&prompt, &mut cache);
        let rows = model.decoder().logits(output.hidden).unwrap();
        let row = &rows[told.len() * model.dims().n_vocab..][..model.dims().n_vocab];
        (row[tokenizer.no_speech as usize] - crate::kernels::log_sum_exp(row)).exp()
    });
    with_request(&model, &jfk(), |cache, request| {
        let request = Request { prompt: &prompt, ..*request };
        for found in [greedy(&model, cache.clone(), &request), beam(&model, cache, &request, 2)] {
            let found = found.unwrap();
            assert!((found.no_speech - asked).abs() < 1e-5, "{} {asked}", found.no_speech);
            assert!(text(&model, &found).join(" ").contains("fellow americans"));
        }
    });
}

#[test]
fn a_long_prompt_leaves_room_for_a_text_without_end() {
    let Some(model) = model() else { return };
    let decoding = Decoding {
        prompt: "ask not what your country can do for you, ".repeat(60),
        temperature: 0.8,
        best_of: 1,
        condition_on_previous_text: true,
        ..Decoding::default()
    };
    let options = Options { decoding, ..Options::default() };
    // Two windows.
    let columns = [stuttering(), stuttering()].concat();
    let found = transcribe(&model, &columns, &options);
    assert_eq!(found, transcribe(&model, &columns, &options));
}

#[test]
fn a_prefix_begins_the_text_and_is_said_once() {
    let Some(model) = model() else { return };
    let prefix = "And so my fellow Americans".to_owned();
    let decoding = Decoding { prefix, ..Decoding::default() };
    let options = Options { decoding, ..Options::default() };
    let found = transcribe(&model, &jfk(), &options);
    let said: Vec<String> = found.segments.iter().flat_map(|s| plain(&s.text)).collect();
    let said = said.join(" ");
    assert!(said.starts_with("and so my fellow americans"), "{said}");
    assert_eq!(said.matches("fellow").count(), 1, "{said}");
    assert!(said.ends_with("do for your country"), "{said}");
}

#[test]
fn a_draft_never_changes_the_words_where_some_are_preferred() {
    let Some(model) = model() else { return };
    let words = ["fallow".to_owned(), "Amerigo".to_owned()];
    // So strongly that they are said wherever a word can stand.
    let rules = Rules::new(model.tokenizer(), Timestamps::With);
    let rules = rules.prefer(model.tokenizer(), &words, 100.0);
    with_request(&model, &jfk(), |cache, request| {
        let run = |draft: &[u32]| {
            let request = Request { draft, rules: &rules, budget: 40, ..*request };
            greedy(&model, cache.clone(), &request).unwrap()
        };
        let found = run(&[]);
        let hot = [" fallow", " Fallow", " Amerigo", "fallow", "Fallow", "Amerigo"]
            .map(|word| model.tokenizer().encode(word)[0]);
        let at = found.tokens.iter().position(|token| hot.contains(token));
        // Probabilities are the model's own.
        assert!(found.log_probs[at.expect("a hotword is said")] < -3.0);
        let n = found.tokens.len();
        for n in [n, n / 2, 2] {
            let again = run(&found.tokens[..n]);
            assert_eq!((&again.tokens, &again.log_probs), (&found.tokens, &found.log_probs));
            assert_eq!(again.accepted, n);
        }
        let one =
            beam(&model, cache.clone(), &Request { rules: &rules, budget: 40, ..*request }, 1);
        assert_eq!(one.unwrap().tokens, found.tokens);
    });
}

#[test]
fn the_words_of_a_recording_are_told_with_the_times_of_openai() {
    let Some((model, golden)) = real("tiny.en") else { return };
    let decoding = Decoding { words: true, ..Decoding::default() };
    let options = Options { decoding, ..Options::default() };
    let found = transcribe(&model, &jfk(), &options);
    for segment in &found.segments {
        let text: String = segment.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(text.trim(), segment.text);
    }
    let words: Vec<_> = found.segments.iter().flat_map(|segment| &segment.words).collect();
    assert!(words.is_sorted_by(|a, b| a.end <= b.start + 1e-3));
    let spoken = |text: &str| plain(text).concat();
    let ours: Vec<_> = words.iter().filter(|word| !spoken(&word.text).is_empty()).collect();
    let golden: Vec<_> = golden.aligned.iter().filter(|word| !spoken(&word.0).is_empty()).collect();
    assert_eq!(ours.len(), golden.len());
    let off: f32 = ours.iter().zip(&golden).map(|(a, b)| (a.start - b.2).abs()).sum();
    assert!(off / (ours.len() as f32) < 0.05, "{off}");
    let plain = transcribe(&model, &jfk(), &Options::default());
    assert!(plain.segments.iter().all(|segment| segment.words.is_empty()));
}
