//! Verdicts on frames → where utterances begin, pause and end.

use super::*;

/// Writes down what happens: `#` is a voiced frame and `.` is not; out come `S`, `Q`, `V`, `E`
/// and `/` for a split behind the frame that caused them, with the number of frames they reach
/// back.
fn turns(config: &SegmentConfig, verdicts: &str) -> String {
    let mut endpointer = Endpointer::new(config);
    let mut turns = Vec::new();
    for (i, verdict) in verdicts.chars().filter(|c| !c.is_whitespace()).enumerate() {
        turns.push(match endpointer.step(verdict == '#') {
            Some(Turn::Start { voiced_frames_ago: n }) => format!("{}S{n}", i + 1),
            Some(Turn::Quiet { voiced_frames_ago: n }) => format!("{}Q{n}", i + 1),
            Some(Turn::Voice { voiced_frames_ago: n }) => format!("{}V{n}", i + 1),
            Some(Turn::End) => format!("{}E", i + 1),
            Some(Turn::Split) => format!("{}/", i + 1),
            None => continue,
        });
    }
    turns.join(" ")
}

/// Onset 3 of 5 frames, hangover 4, trailing silence 10.
fn config() -> SegmentConfig {
    SegmentConfig {
        onset_ms: 60,
        onset_window_ms: 100,
        hangover_ms: 80,
        min_trailing_silence_ms: 200,
        ..SegmentConfig::default()
    }
}

#[test]
fn an_utterance_begins_with_its_first_voiced_frame_and_ends_in_silence() {
    assert_eq!(turns(&config(), "..### ##... ..... ....."), "5S3 11Q4 17E");
}

#[test]
fn a_long_utterance_ends_in_a_shorter_pause() {
    // The pause of somebody who talks for so many frames, and when it ends the utterance.
    for (talked, silence) in [(2_900, 60), (3_050, 30), (5_900, 30), (6_050, 20)] {
        let mut endpointer = Endpointer::new(&SegmentConfig::default());
        assert_eq!((0..talked).filter_map(|_| endpointer.step(true)).count(), 1);
        let mut turns = (1..100).map(|n| (n, endpointer.step(false)));
        let ended = turns.find(|(_, turn)| *turn == Some(Turn::End));
        assert_eq!(ended.map(|(n, _)| n), Some(silence), "{talked}");
    }
}

#[test]
fn a_pause_is_told_sooner_when_the_speaker_has_come_to_the_end() {
    let config = SegmentConfig { early_hangover_ms: 40, ..config() };
    for (before, expected) in [("###", 5), ("###.", 5), ("###..", 6), ("###...", 7)] {
        let mut endpointer = Endpointer::new(&config);
        assert_eq!(before.chars().filter_map(|c| endpointer.step(c == '#')).count(), 1);
        endpointer.ending();
        let told = (before.len() + 1..).find(|_| endpointer.step(false).is_some());
        assert_eq!(told, Some(expected), "{before}");
    }
}

#[test]
fn a_voice_takes_back_what_was_told_too_soon() {
    let config =
        SegmentConfig { early_hangover_ms: 40, last_hangover_ms: 60, hangover_ms: 100, ..config() };
    let turns = |verdicts: &str| {
        let mut endpointer = Endpointer::new(&config);
        endpointer.ending();
        verdicts.chars().filter_map(|c| endpointer.step(c == '#')).collect::<Vec<_>>()
    };
    let quiet = Turn::Quiet { voiced_frames_ago: 2 };
    // One voiced frame, as behind the silence of a "t".
    let returned = turns("#####..#..");
    assert_eq!(returned[1..], [quiet, Turn::Voice { voiced_frames_ago: 1 }, quiet]);
    // When the silence has lasted, one is a click, and what was said before does not count.
    assert_eq!(turns("#####...#.")[1..], [quiet]);
    assert_eq!(turns("#####...###")[1..], [quiet, Turn::Voice { voiced_frames_ago: 3 }]);
}

#[test]
fn what_was_said_before_a_pause_does_not_bring_the_voice_back() {
    let config = SegmentConfig { hangover_ms: 40, ..config() };
    assert_eq!(turns(&config, "#####..#..."), "3S3 7Q2");
}

#[test]
fn a_word_that_begins_in_a_pause_is_told_before_it_is_sure() {
    let config = SegmentConfig { hangover_ms: 40, ..config() };
    let mut endpointer = Endpointer::new(&config);
    // Not before the pause, nor once the voice is back.
    for (i, verdict) in "#####....##.#".chars().enumerate() {
        endpointer.step(verdict == '#');
        assert_eq!(endpointer.is_stirring(), (9..12).contains(&i), "{i}");
    }
}

#[test]
fn clicks_do_not_begin_an_utterance() {
    assert_eq!(turns(&config(), "#.... ##... .#.#. ....# #...."), "");
}

#[test]
fn a_gap_within_the_onset_is_bridged() {
    assert_eq!(turns(&config(), "..#.#. #"), "7S5");
}

#[test]
fn the_voice_may_come_back_after_quiet() {
    assert_eq!(turns(&config(), "###.. ..... ###.. .. "), "3S3 7Q4 13V3 17Q4");
}

#[test]
fn a_click_does_not_bring_it_back() {
    assert_eq!(turns(&config(), "###.. ...#. ......"), "3S3 7Q4 13E");
}

#[test]
fn a_click_does_not_keep_an_utterance_from_ending() {
    let config = SegmentConfig { onset_ms: 100, ..config() };
    assert_eq!(turns(&config, "##### ...#. ..#... ....."), "5S5 9Q4 15E");
}

#[test]
fn a_long_utterance_is_split_only_while_someone_speaks() {
    let config = SegmentConfig { max_utterance_ms: 200, ..config() };
    assert_eq!(turns(&config, &"#".repeat(25)), "3S3 13/ 23/");
    assert_eq!(turns(&config, "##### ..... ........"), "3S3 9Q4 13E");
}

#[test]
fn after_reset_nothing_is_remembered() {
    let mut endpointer = Endpointer::new(&config());
    assert!([true; 2].iter().all(|&voiced| endpointer.step(voiced).is_none()));
    endpointer.reset();
    assert_eq!(endpointer.step(true), None);
}
