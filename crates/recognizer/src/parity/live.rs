//! What is heard while somebody speaks, with real weights.

use super::*;

/// Runs a recognizer over columns, a step every `every` of them.
fn live(recognizer: &mut Recognizer, columns: &[f32], every: usize) -> (Vec<String>, Outcome) {
    let mut committed = Vec::new();
    for chunk in columns.chunks(80 * every) {
        chunk.chunks_exact(80).for_each(|column| recognizer.push(column));
        if let Some(partial) = recognizer.step().unwrap() {
            committed.push(partial.committed);
        }
    }
    (committed, recognizer.finish().unwrap())
}

#[test]
fn live_words_grow_and_end_as_the_whole() {
    let Some((model, golden)) = real("tiny.en") else { return };
    let mut recognizer = Recognizer::new(model.clone(), Options::default()).unwrap();
    for every in [25, 60] {
        let (committed, outcome) = live(&mut recognizer, &jfk(), every);
        let Outcome::Final(found) = outcome else { panic!("nothing was heard") };
        assert!(committed.is_sorted_by(|a, b| b.starts_with(a.as_str())), "{committed:#?}");
        assert!(found.text.starts_with(committed.last().unwrap().as_str()));
        assert!(committed.last().unwrap().len() > 30, "{committed:#?}");
        let whole = model.tokenizer().decode(&golden.greedy.without_timestamps.tokens);
        let (ours, theirs) = (plain(&found.text), plain(&whole));
        assert_eq!(ours.len(), theirs.len(), "{}", found.text);
        // The smallest model takes "ask" in front of a pause for "asked".
        let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
        assert!(differ <= 2, "{}", found.text);
    }
}

#[test]
fn what_no_step_has_heard_is_heard_in_the_end() {
    let Some((model, _)) = real("tiny.en") else { return };
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    // The beginning of the second time lies in front of the 30 seconds of a window, its end behind.
    let pause = vec![-10.0; 80 * 1400];
    let twice = [&jfk()[..], &pause, &jfk()].concat();
    for every in [twice.len() / 80, 2000] {
        let (_, outcome) = live(&mut recognizer, &twice, every);
        let Outcome::Final(found) = outcome else { panic!("nothing was heard") };
        assert_eq!(found.text.matches("country").count(), 4, "{}", found.text);
        let last = found.words.last().unwrap();
        assert!((34.0..36.5).contains(&last.end), "{last:?}");
    }
}

#[test]
fn what_was_said_before_a_pause_that_lasts_is_committed() {
    let Some((model, _)) = real("tiny.en") else { return };
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    jfk().chunks_exact(80).for_each(|column| recognizer.push(column));
    recognizer.quiet();
    let heard = recognizer.step().unwrap().unwrap();
    assert!(heard.committed.is_empty() && heard.tentative.ends_with("country."), "{heard:?}");
    let silence = |recognizer: &mut Recognizer, n| {
        (0..n).for_each(|_| recognizer.push(&[-10.0; 80]));
        recognizer.step().unwrap()
    };
    assert_eq!(silence(&mut recognizer, 10), None);
    let settled = silence(&mut recognizer, 20).unwrap();
    // The mark waits: somebody may go on with the sentence.
    assert_eq!(
        (&*settled.committed, &*settled.tentative),
        (heard.tentative.trim_end_matches('.'), ".")
    );
    assert_eq!(silence(&mut recognizer, 100), None);
    let Outcome::Final(found) = recognizer.finish().unwrap() else { panic!("nothing was heard") };
    assert_eq!(found.text, heard.tentative);
}
