//! The stages behind the resampler together: what is said comes out as utterances and columns.
#![allow(clippy::unwrap_used)]

mod sound;

use proptest::prelude::*;
use scriven_audio::{Frontend, SAMPLE_RATE, SegmentConfig, Spectrogram, Speech};

use sound::said;

/// The one place that knows how to drive a [`Frontend`].
fn heard(samples: &[f32], cuts: &[usize]) -> Vec<Speech> {
    let config = SegmentConfig { min_trailing_silence_ms: 800, ..SegmentConfig::default() };
    let mut frontend = Frontend::new(80, &config, None);
    let (mut heard, mut rest, mut cuts) = (Vec::new(), samples, cuts.iter().cycle());
    while !rest.is_empty() {
        let cut = cuts.next().copied().unwrap_or(usize::MAX);
        let (now, later) = rest.split_at(cut.clamp(1, rest.len()));
        frontend.push(now, &mut |speech| heard.push(speech));
        rest = later;
    }
    frontend.finish(&mut |speech| heard.push(speech));
    assert_eq!(frontend.position(), samples.len() as u64);
    heard
}

/// From, to and columns of each utterance.
fn utterances(speech: &[Speech]) -> Vec<(u64, u64, Vec<&[f32]>)> {
    let mut utterances: Vec<(u64, u64, Vec<&[f32]>)> = Vec::new();
    let mut open = false;
    for event in speech {
        match event {
            Speech::Start { at } => {
                assert!(!std::mem::replace(&mut open, true), "an utterance inside of another");
                utterances.push((*at, 0, Vec::new()));
            }
            Speech::Column(column) => utterances.last_mut().unwrap().2.push(column),
            Speech::End { at } => {
                assert!(std::mem::replace(&mut open, false), "an end without a start");
                utterances.last_mut().unwrap().1 = *at;
            }
            Speech::Quiet { .. } | Speech::Voice { .. } => assert!(open),
        }
    }
    assert!(!open, "an utterance without an end");
    utterances
}

const MS: u64 = SAMPLE_RATE as u64 / 1000;

#[test]
fn each_thing_said_is_an_utterance() {
    let samples = said(&[1.0, 0.4, 1.5, 2.0, 0.5, 1.0, 1.5]);
    let heard = heard(&samples, &[320]);
    let utterances = utterances(&heard);
    // The pause of 0.5 s in the second one does not end it.
    assert_eq!(utterances.len(), 2);
    for ((start, end, _), (said_from, said_to)) in
        utterances.iter().zip([(1_000 * MS, 1_400 * MS), (2_900 * MS, 6_400 * MS)])
    {
        assert!((said_from - 340 * MS..=said_from - 260 * MS).contains(start), "pre-roll {start}");
        let silence = end - said_to;
        assert!((780 * MS..=1_000 * MS).contains(&silence), "{} ms", silence / MS);
    }
}

#[test]
fn the_columns_of_an_utterance_are_those_of_its_samples_alone() {
    let samples = said(&[0.7, 0.6, 1.2, 0.9, 0.3]);
    let heard = heard(&samples, &[77]);
    let utterances = utterances(&heard);
    assert_eq!(utterances.len(), 2);
    for (start, end, columns) in utterances {
        assert_eq!(columns.len() as u64, (end - start) / 160);
        let mut alone: Vec<Box<[f32]>> = Vec::new();
        let mut spectrogram = Spectrogram::new(80);
        spectrogram
            .push(&samples[start as usize..end as usize], |column| alone.push(column.into()));
        spectrogram.finish(|column| alone.push(column.into()));
        assert_eq!(columns, alone.iter().map(|column| &column[..]).collect::<Vec<_>>());
    }
}

#[test]
fn quiet_and_voice_tell_where_the_pauses_are() {
    let heard = heard(&said(&[2.5, 1.0, 0.6, 1.0, 1.0]), &[]);
    let turns: Vec<(char, u64)> = heard
        .iter()
        .filter_map(|speech| match speech {
            Speech::Quiet { at } => Some(('Q', at / MS)),
            Speech::Voice { at } => Some(('V', at / MS)),
            _ => None,
        })
        .collect();
    let near = |at: u64, expected: u64| at.abs_diff(expected) <= 100;
    let [('Q', first), ('V', back), ('Q', second)] = turns[..] else { panic!("{turns:?}") };
    assert!(near(first, 3_500) && near(back, 4_100) && near(second, 5_100), "{turns:?}");
}

#[test]
fn behind_who_has_come_to_the_end_a_pause_is_told_sooner() {
    // When the pause behind the voice, which ends at 2 s, is told.
    let told = |ends: bool| {
        let mut frontend = Frontend::new(80, &SegmentConfig::default(), None);
        let mut quiet = None;
        for (i, samples) in said(&[1.0, 1.0, 1.0]).chunks(320).enumerate() {
            if ends && i == 95 {
                frontend.ending();
            }
            let now = frontend.position() + 320;
            let is_quiet = |speech: &Speech| matches!(speech, Speech::Quiet { .. });
            frontend.push(samples, &mut |speech| {
                quiet = quiet.or(is_quiet(&speech).then_some(now / MS));
            });
        }
        quiet.unwrap()
    };
    let (patient, ending) = (told(false), told(true));
    assert_eq!(patient - ending, 160);
    assert!((2_000..2_200).contains(&ending), "{ending} ms");
}

#[test]
fn what_is_said_until_the_end_is_heard() {
    let samples = said(&[0.5, 0.7]);
    let heard = heard(&samples, &[]);
    let utterances = utterances(&heard);
    assert_eq!(utterances.len(), 1);
    assert_eq!(utterances[0].1, samples.len() as u64);
}

#[test]
fn silence_is_nothing() {
    assert_eq!(heard(&said(&[5.0]), &[]), []);
    assert_eq!(heard(&[], &[]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn how_samples_are_cut_makes_no_difference(
        cuts in prop::collection::vec(1usize..2_000, 1..12),
    ) {
        let samples = said(&[0.6, 0.5, 1.1, 0.4, 0.2]);
        prop_assert_eq!(heard(&samples, &cuts), heard(&samples, &[]));
    }
}
