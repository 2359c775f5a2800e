//! What a step takes in, with any weights.

use super::*;
use crate::{Compute, random};

#[test]
fn doubt_and_pauses_are_heard_in_the_full_window() {
    let model = random::model(&Compute::Cpu);
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    (0..200).for_each(|_| recognizer.push(&[0.0; 80]));
    let word = |probability| Word {
        text: " so".into(),
        start: 0.1,
        end: 0.5,
        probability,
        tokens: vec![523],
        is_favoured: false,
    };
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
