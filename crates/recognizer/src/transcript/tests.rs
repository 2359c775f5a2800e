//! What is committed of hypotheses, and when.

use proptest::prelude::*;

use super::*;

/// Words of half a second each, the first at `start`.
pub(super) fn words(text: &str, start: f32) -> Vec<Word> {
    text.split_inclusive(' ')
        .enumerate()
        .map(|(i, text)| Word {
            text: format!(" {}", text.trim()),
            start: start + i as f32 * 0.5,
            end: start + (i + 1) as f32 * 0.5,
            probability: 1.0,
            tokens: vec![i as u32],
            is_favoured: false,
        })
        .collect()
}

const RULE: CommitRule =
    CommitRule { believed: 0.7, end_guard: 0.0, sure: 0.9, unsure_guard: 1.0, unsure_wait: 0.8 };

/// Feeds hypotheses, each with the time at which its sound ends; gives what is committed.
fn committed(hypotheses: &[(&str, f32)]) -> String {
    let mut buffer = HypothesisBuffer::default();
    for (hypothesis, now) in hypotheses {
        let behind = buffer.committed().len();
        let words = words(hypothesis, 0.0).split_off(behind);
        buffer.revise(words, *now, true, &RULE);
    }
    text(buffer.committed())
}

#[test]
fn one_hypothesis_commits_nothing() {
    assert_eq!(committed(&[("and so my fellow", 9.0)]), "");
}

#[test]
fn what_two_hypotheses_agree_on_is_committed() {
    assert_eq!(committed(&[("and so my fell", 9.0), ("and so my fellow", 9.1)]), "and so my");
}

#[test]
fn the_newer_case_wins() {
    assert_eq!(committed(&[("And So", 9.0), ("and so", 9.1)]), "and so");
}

#[test]
fn what_ended_just_now_waits() {
    let hypotheses = [("and so my fellow", 0.9), ("and so my fellow", 1.0)];
    assert_eq!(committed(&hypotheses), "and so");
}

#[test]
fn what_the_model_is_not_sure_of_must_be_heard_for_longer() {
    let mut buffer = HypothesisBuffer::default();
    let mut heard = words("and so my fellow", 0.0);
    heard[1].probability = 0.6;
    for (now, expected) in [(4.0, ""), (4.2, "and"), (4.6, "and"), (4.9, "and so my fellow")] {
        let behind = buffer.committed().len();
        buffer.revise(heard[behind..].to_vec(), now, true, &RULE);
        assert_eq!(text(buffer.committed()), expected);
    }
}

#[test]
fn a_word_that_could_be_committed_unsure_is_in_doubt() {
    let mut buffer = HypothesisBuffer::default();
    let mut heard = words("and so", 0.0);
    buffer.replace(heard.clone(), 1.0);
    assert!(!buffer.is_in_doubt(9.0, &RULE), "it is sure of it");
    heard[0].probability = 0.6;
    buffer.replace(heard.clone(), 1.0);
    assert!(!buffer.is_in_doubt(1.7, &RULE), "it was not heard for long");
    assert!(buffer.is_in_doubt(1.9, &RULE));
    heard[0].end = 1.0;
    buffer.replace(heard.clone(), 1.0);
    assert!(!buffer.is_in_doubt(1.9, &RULE), "it does not lie far back");
    buffer.replace(heard[..1].to_vec(), 1.0);
    assert!(!buffer.is_in_doubt(9.0, &RULE), "nothing waits for it");
}

#[test]
fn what_is_only_kept_for_the_sake_of_peace_is_not_committed() {
    let mut buffer = HypothesisBuffer::default();
    let mut heard = words("and so my fellow", 0.0);
    for (is_favoured, expected) in [(true, ""), (true, ""), (false, "and so my")] {
        heard[0].is_favoured = is_favoured;
        let now = if is_favoured { 9.0 } else { 9.5 };
        buffer.revise(heard.clone(), now, false, &RULE);
        assert_eq!(text(buffer.committed()), expected);
    }
}

#[test]
fn a_new_word_is_shown_when_it_is_believed_or_heard_again() {
    let mut buffer = HypothesisBuffer::default();
    let shown = |buffer: &HypothesisBuffer, now| text(buffer.tentative(now, &RULE));
    let mut heard = words("and so my fellow", 0.0);
    heard[2].probability = 0.5;
    buffer.revise(heard.clone(), 2.0, false, &RULE);
    assert_eq!(shown(&buffer, 2.0), "and so");
    assert_eq!(buffer.draft().len(), 4);
    heard.iter_mut().for_each(|word| word.end += 9.0);
    buffer.revise(heard, 2.2, false, &RULE);
    assert_eq!(shown(&buffer, 2.2), "and so my fellow");
}

#[test]
fn the_last_mark_waits() {
    assert_eq!(committed(&[("and so .", 9.0), ("and so .", 9.1)]), "and so");
    assert_eq!(committed(&[("and so . ask", 9.0), ("and so . ask", 9.1)]), "and so . ask");
}

#[test]
fn of_two_marks_the_committed_one_stands() {
    let mut buffer = HypothesisBuffer::default();
    buffer.replace(words("and so .", 0.0), 9.0);
    buffer.conclude();
    let mut heard = words("and so , my", 0.0);
    // The comma ends when the full stop does, or not.
    for end in [1.5, 1.0, 2.0] {
        heard[2].end = end;
        assert_eq!(text(&buffer.behind_committed(heard.clone())), "my");
    }
}

#[test]
fn a_pause_that_lasts_commits_all_but_the_last_mark() {
    let mut buffer = HypothesisBuffer::default();
    buffer.replace(words("and so .", 0.0), 9.0);
    assert!(buffer.settle());
    assert_eq!((text(buffer.committed()), buffer.draft().len()), ("and so".into(), 1));
    assert!(!buffer.settle());
}

#[test]
fn the_last_word_waits_until_the_speaker_pauses() {
    let mut buffer = HypothesisBuffer::default();
    buffer.revise(words("and so my", 0.0), 9.0, false, &RULE);
    buffer.revise(words("and so my", 0.0), 9.1, false, &RULE);
    assert_eq!(text(buffer.committed()), "and so");
    buffer.revise(words("my", 1.0), 9.2, true, &RULE);
    assert_eq!(text(buffer.committed()), "and so my");
}

#[test]
fn the_window_is_cut_where_a_sentence_begins() {
    let mut buffer = HypothesisBuffer::default();
    buffer.replace(words("a b . c d e f g", 0.0), 9.0);
    buffer.conclude();
    assert_eq!(buffer.cut_within(0.0..9.0), Some(1.5));
    assert_eq!(buffer.prefix(), [3, 4, 5, 6, 7]);
    assert_eq!(buffer.cut_within(0.0..9.0), Some(2.5));
    assert_eq!(text(buffer.committed()), "a b . c d e f g");
}

#[test]
fn a_cut_lets_go_of_all_words_before_it() {
    let mut buffer = HypothesisBuffer::default();
    let mut heard = words("a b c d e f g h", 0.0);
    // Times come from several hypotheses: one may fall behind the one before.
    heard[3].start = 3.0;
    buffer.replace(heard, 9.0);
    buffer.conclude();
    assert_eq!(buffer.cut_within(1.9..2.1), Some(2.0));
    assert_eq!(buffer.prefix(), [4, 5, 6, 7]);
}

#[test]
fn a_cut_by_force_is_behind_the_last_word_that_is_known() {
    let mut buffer = HypothesisBuffer::default();
    buffer.replace(words("a b c d e f", 0.0), 9.0);
    // The word at the border is neither cut in two nor let go.
    assert_eq!(buffer.cut_behind(0.2..2.2), 2.0);
    assert_eq!((text(buffer.committed()), buffer.draft()), ("a b c d".into(), vec![4, 5]));
    assert!(buffer.prefix().is_empty());
    // No word ends in the range.
    assert_eq!(buffer.cut_behind(3.5..9.0), 9.0);
    assert_eq!(text(buffer.committed()), "a b c d e f");
}

#[test]
fn the_last_words_stay_in_the_window() {
    let mut buffer = HypothesisBuffer::default();
    buffer.replace(words("a b c", 0.0), 9.0);
    buffer.conclude();
    assert_eq!(buffer.cut_within(0.0..9.0), None);
}

proptest! {
    #[test]
    fn committed_text_only_grows(
        hypotheses in prop::collection::vec(("[ab]( [ab]){0,6}", 0.0f32..4.0), 0..12)
    ) {
        let mut buffer = HypothesisBuffer::default();
        let mut before = String::new();
        for (hypothesis, until) in hypotheses {
            buffer.revise(words(&hypothesis, 0.0), until, true, &RULE);
            let now = text(buffer.committed());
            prop_assert!(now.starts_with(&before));
            before = now;
        }
    }
}
