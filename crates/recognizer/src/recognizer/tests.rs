//! What a step takes in, with any weights.

use super::pass::budget;
use super::*;
use crate::search::Hypothesis;
use crate::text_decoder::WAITS;
use crate::transcript::Word;
use crate::window::MAX_POSITIONS;
use crate::{Compute, ModelDimensions, Precision, random};

/// A recognizer of random numbers that has been given two seconds.
fn recognizer() -> Recognizer {
    let model = random::model(&Compute::Cpu);
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    (0..200).for_each(|_| recognizer.push(&[0.0; 80]));
    recognizer
}

fn word(probability: f32) -> Word {
    Word {
        text: " so".into(),
        start: 0.1,
        end: 0.5,
        probability,
        tokens: vec![523],
        is_favoured: false,
    }
}

/// What a search has found whose tokens are as likely as that on average.
fn hypothesis(no_speech: f32, log_prob: f32) -> Hypothesis {
    Hypothesis {
        tokens: vec![523],
        log_probs: vec![log_prob],
        end_log_prob: log_prob,
        ended: Ended::EndOfText,
        no_speech,
        attention: Vec::new(),
        accepted: 0,
        favoured: Vec::new(),
        temperature: 0.0,
    }
}

#[test]
fn what_the_model_takes_for_silence_is_none_of_what_people_say() {
    let mut recognizer = recognizer();
    for (no_speech, log_prob, is_silence) in [
        // A knock, and the most that people had.
        (0.77, -0.85, true),
        (0.38, -1.01, false),
        (0.0, -1.72, false),
        // Either side of each border.
        (0.46, -1.1, true),
        (0.44, -1.1, false),
        (0.46, -0.9, false),
        (0.71, -0.65, true),
        (0.69, -0.65, false),
        (0.99, -0.55, false),
        (0.01, -2.1, true),
    ] {
        let found = hypothesis(no_speech, log_prob);
        assert_eq!(recognizer.is_silence(&found), is_silence, "{no_speech} {log_prob}");
    }
    // Who has said something has not been silent.
    recognizer.buffer.replace(vec![word(0.9)], 1.0);
    recognizer.buffer.conclude();
    assert!(!recognizer.is_silence(&hypothesis(0.99, -3.0)));
}

#[test]
fn what_comes_in_a_pause_is_not_heard() {
    let heard = |pause: &[f32; 80]| {
        let mut recognizer = recognizer();
        let mut next = random::noise(7);
        (0..100).for_each(|_| recognizer.push(&std::array::from_fn::<_, 80, _>(|_| next())));
        recognizer.quiet();
        (0..100).for_each(|_| recognizer.push(pause));
        assert_eq!(recognizer.sound(), 300);
        recognizer.step().unwrap();
        assert!(recognizer.has_heard_all());
        let sound = recognizer.sound();
        recognizer.voice();
        assert_eq!(recognizer.sound(), 400);
        assert!(!recognizer.has_heard_all());
        (sound, recognizer.buffer)
    };
    let ((silence, words), (noise, same)) = (heard(&[-8.0; 80]), heard(&[0.5; 80]));
    assert_eq!(silence, noise);
    assert_eq!(words.draft(), same.draft());
}

#[test]
fn nothing_is_left_to_compute_behind_a_pause() {
    let whole = (Ended::EndOfText, false, vec![]);
    let silence = (Ended::EndOfText, true, vec![]);
    let circle = (Ended::Loop { is_all: true }, false, vec![word(0.9)]);
    // What stands before a circle, and a text that was too long, are kept.
    let circle_behind_words = (Ended::Loop { is_all: false }, false, vec![word(0.9), word(0.9)]);
    let too_long = (Ended::Budget, false, vec![word(0.9), word(0.9)]);
    for (pass, text) in [
        (whole, Ok("so")),
        (silence, Err(Reason::NoSpeech)),
        (circle, Err(Reason::Loop)),
        (circle_behind_words, Ok("so so")),
        (too_long, Ok("so so")),
    ] {
        let (ended, is_silence, unfinished) = pass;
        let mut recognizer = recognizer();
        recognizer.quiet();
        (recognizer.seen, recognizer.pad) = (200, MAX_POSITIONS);
        let tentative = if is_silence { vec![] } else { vec![word(0.9)] };
        recognizer.buffer.replace(tentative, 1.0);
        recognizer.last = Some(Pass { in_pause: true, is_silence, ended, unfinished });
        let waits = WAITS.get();
        let found = match recognizer.finish().unwrap() {
            Outcome::Final(found) => Ok(found.text),
            Outcome::Discarded(reason) => Err(reason),
        };
        assert_eq!(found, text.map(str::to_owned));
        assert_eq!(WAITS.get(), waits);
    }
}

#[test]
fn what_no_text_has_an_end_for_is_not_cut_off() {
    let mut recognizer = recognizer();
    recognizer.columns.resize(2_900 * 80, 0.0);
    (recognizer.seen, recognizer.pad) = (2_900, 256);
    // Words at 2 s, then a circle: nothing is known of what stands behind its first round.
    let heard = [1.0, 2.0].map(|start| Word { start, end: start + 0.5, ..word(0.9) });
    recognizer.last = Some(Pass {
        in_pause: false,
        is_silence: false,
        ended: Ended::Loop { is_all: true },
        unfinished: heard.to_vec(),
    });
    recognizer.cut();
    assert_eq!(text(recognizer.buffer.committed()), "so so");
    assert_eq!((recognizer.origin, recognizer.n_columns()), (250, 2_650));
}

#[test]
fn a_text_of_many_tokens_is_cut_and_never_too_long_for_the_model() {
    let mut recognizer = recognizer();
    let at =
        |n: u16| Word { start: f32::from(n) / 100.0, end: f32::from(n + 1) / 100.0, ..word(0.9) };
    recognizer.buffer.replace((0..600).map(at).collect(), 2.0);
    recognizer.buffer.conclude();
    assert_eq!(recognizer.prefix().len(), 428);
    // It has not heard so much yet that it could be cut.
    assert!(recognizer.step().unwrap().is_some());
    (0..600).for_each(|_| recognizer.push(&[0.0; 80]));
    assert!(recognizer.step().unwrap().is_some());
    assert_eq!((recognizer.origin, recognizer.seen), (0, 800));
    recognizer.push(&[0.0; 80]);
    assert!(recognizer.step().unwrap().is_some());
    assert!((398..=400).contains(&recognizer.origin));
    assert!(recognizer.prefix().len() < 428);
}

#[test]
fn every_writing_has_room() {
    // 7.2 s of Bengali, 5.6 s of Georgian, and the 10 s of either that no text has room for.
    assert!(budget(720, 0) > 167);
    assert!(budget(560, 0) > 222);
    assert_eq!(budget(1_000, 0), 412);
    assert_eq!(budget(3_000, 0), 440);
    // What is committed, and something behind it.
    assert_eq!(budget(100, 200), 212);
}

#[test]
fn an_utterance_has_one_language() {
    let dims = ModelDimensions { n_vocab: 51_865, ..random::DIMS };
    let model =
        random::write(&dims, |folder| Model::load(folder, &Compute::Cpu, Precision::F32).unwrap());
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    (0..200).for_each(|_| recognizer.push(&[0.0; 80]));
    // Guessed, with less belief than makes it sure, and committed to.
    recognizer.guess = "bs";
    recognizer.buffer.replace(vec![word(0.9)], 1.0);
    recognizer.buffer.conclude();
    let partial = recognizer.step().unwrap().unwrap();
    assert_eq!((partial.language, recognizer.language), (Some("bs"), ""));
}

#[test]
fn a_circle_is_no_text() {
    // In a second it has no room for as many rounds as elsewhere.
    for n_columns in [100, 400] {
        let mut recognizer = recognizer();
        recognizer.columns.resize(n_columns * 80, 0.0);
        // So much that nothing else is said.
        let rules = Rules::new(recognizer.model.tokenizer(), Timestamps::Without);
        let said = ["Scriven".to_owned()];
        recognizer.rules = rules.prefer(recognizer.model.tokenizer(), &said, 100.0);
        assert_eq!(recognizer.finish().unwrap(), Outcome::Discarded(Reason::Loop));
        assert_eq!(recognizer.n_columns(), 0);
    }
}

#[test]
fn doubt_and_pauses_are_heard_in_the_full_window() {
    let mut recognizer = recognizer();
    for (probability, pad) in [(0.9, 256), (0.5, MAX_POSITIONS)] {
        recognizer.buffer.replace(vec![word(probability), word(0.9)], 1.0);
        assert_eq!(recognizer.pad_now(), pad);
    }
    // It was looked into 0.5 s ago, and 0.9.
    for (doubted, pad) in [(150, 256), (110, MAX_POSITIONS)] {
        recognizer.doubted = Some(doubted);
        assert_eq!(recognizer.pad_now(), pad);
    }
    // There is nothing behind it to wait.
    recognizer.buffer.replace(vec![word(0.5)], 1.0);
    assert_eq!(recognizer.pad_now(), 256);
    recognizer.quiet();
    assert_eq!(recognizer.pad_now(), MAX_POSITIONS);
}
