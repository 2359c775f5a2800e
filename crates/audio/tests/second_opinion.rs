//! A second opinion behind WebRTC's detector: when it is asked, what it hears, and what it decides.
#![allow(clippy::unwrap_used)]

mod sound;

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use scriven_audio::segment::{CHUNK, Piece, Segmenter};
use scriven_audio::{SAMPLE_RATE, SecondOpinion, SegmentConfig};

use sound::said;

const MS: u64 = SAMPLE_RATE as u64 / 1000;

/// Takes for voice what is louder than a level, and notes what it hears: one stretch of samples for
/// each time that it was asked after it had forgotten all.
struct Loud {
    level: f32,
    heard: Rc<RefCell<Vec<Vec<f32>>>>,
}

impl SecondOpinion for Loud {
    fn voice(&mut self, chunk: &[f32; CHUNK]) -> f32 {
        self.heard.borrow_mut().last_mut().unwrap().extend_from_slice(chunk);
        let loudest = chunk.iter().fold(0.0f32, |loudest, x| loudest.max(x.abs()));
        if loudest > self.level { 0.9 } else { 0.1 }
    }

    fn reset(&mut self) {
        self.heard.borrow_mut().push(Vec::new());
    }
}

#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// `S`, `Q`, `V`, `E`, and where.
    turns: Vec<(char, u64)>,
    /// When each turn was told.
    told: Vec<u64>,
    /// What went into the utterances.
    samples: Vec<f32>,
    /// What the second opinion heard.
    asked: Vec<Vec<f32>>,
}

/// Runs samples through a segmenter whose second opinion takes for voice what is louder than
/// `level`.
fn heard(samples: &[f32], level: f32, cuts: &[usize]) -> Heard {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let opinion = Loud { level, heard: asked.clone() };
    let mut segmenter = Segmenter::new(&SegmentConfig::default(), Some(Box::new(opinion)));
    let mut heard = Heard::default();
    let (mut rest, mut cuts) = (samples, cuts.iter().cycle());
    let mut take = |now: u64, piece: Piece| {
        let (turn, at) = match piece {
            Piece::Samples(samples) => return heard.samples.extend_from_slice(samples),
            Piece::Start { at } => ('S', at),
            Piece::Quiet { at } => ('Q', at),
            Piece::Voice { at } => ('V', at),
            Piece::End { at } => ('E', at),
        };
        heard.turns.push((turn, at));
        heard.told.push(now);
    };
    while !rest.is_empty() {
        let cut = cuts.next().copied().unwrap_or(usize::MAX);
        let (now, later) = rest.split_at(cut.clamp(1, rest.len()));
        let position = segmenter.position() + now.len() as u64;
        segmenter.push(now, |piece| take(position, piece));
        rest = later;
    }
    segmenter.finish(|piece| take(samples.len() as u64, piece));
    heard.asked = asked.take();
    heard
}

/// Turns without the time.
fn turns(heard: &Heard) -> String {
    heard.turns.iter().map(|(turn, _)| turn).collect()
}

#[test]
fn what_it_does_not_take_for_voice_begins_nothing() {
    let samples = said(&[1.0, 2.0, 1.0]);
    assert_eq!(turns(&heard(&samples, 0.02, &[320])), "SQE");
    let denied = heard(&samples, 9.0, &[320]);
    assert_eq!(denied.turns, []);
    assert_eq!(denied.samples, []);
}

#[test]
fn it_is_not_asked_about_what_webrtc_takes_for_silence() {
    let silence = vec![0.0; 5 * SAMPLE_RATE];
    assert!(heard(&silence, 0.0, &[320]).asked.is_empty());
    // Asleep again a while behind the utterance.
    let samples = [&silence[..], &said(&[0.0, 0.5]), &silence].concat();
    let asked = heard(&samples, 0.01, &[320]).asked;
    assert_eq!(asked.len(), 1);
    let seconds = asked[0].len() as f32 / SAMPLE_RATE as f32;
    assert!((0.5..4.0).contains(&seconds), "{seconds} s");
}

#[test]
fn it_hears_what_came_before_and_all_that_follows() {
    let samples = said(&[2.03, 0.5, 6.0, 0.7, 4.0]);
    let asked = heard(&samples, 0.01, &[320]).asked;
    // The first time it is asked about the very beginning, which WebRTC's detector cannot judge yet.
    assert_eq!(asked.len(), 3);
    for (asked, begins) in asked[1..].iter().zip([2_030 * MS, 8_530 * MS]) {
        let at = samples.windows(64).position(|window| window == &asked[..64]).unwrap();
        assert_eq!(at % CHUNK, 0);
        assert_eq!(samples[at..at + asked.len()], asked[..]);
        let before = begins - at as u64;
        assert!((200 * MS..400 * MS).contains(&before), "{} ms", before / MS);
    }
}

#[test]
fn it_decides_where_the_voice_pauses() {
    // WebRTC's detector takes both for voice; the second opinion only what is loud.
    let loud = said(&[0.0, 1.0]);
    let soft: Vec<f32> = said(&[0.0, 1.5]).iter().map(|x| 0.1 * x).collect();
    let samples = [&said(&[1.0])[..], &loud, &soft, &loud, &said(&[2.0])].concat();
    assert_eq!(turns(&heard(&samples, 0.01, &[320])), "SQE");
    let level = 0.1 * loud.iter().fold(0.0f32, |loudest, x| loudest.max(x.abs())) + 0.01;
    let decided = heard(&samples, level, &[320]);
    assert_eq!(turns(&decided), "SQESQE");
    let expected = [700, 2_000, 3_200, 3_200, 4_500, 5_700].map(|ms| ms * MS);
    for ((turn, at), expected) in decided.turns.iter().zip(expected) {
        assert!(at.abs_diff(expected) <= 160 * MS, "{turn} at {} ms", at / MS);
    }
}

#[test]
fn it_delays_the_beginning_by_no_more_than_its_chunk() {
    for silence in [1.0, 1.007, 1.013, 1.019, 1.026] {
        let samples = said(&[silence, 1.0, 2.0]);
        let mut alone = Segmenter::new(&SegmentConfig::default(), None);
        let mut told_alone = 0;
        for now in samples.chunks(20 * MS as usize) {
            let position = alone.position() + now.len() as u64;
            alone.push(now, |piece| {
                if matches!(piece, Piece::Start { .. }) {
                    told_alone = position;
                }
            });
        }
        let told = heard(&samples, 0.02, &[320]).told[0];
        assert!(told <= told_alone + 60 * MS, "{} ms later", (told - told_alone) / MS);
    }
}

#[test]
fn after_finish_it_hears_other_sound() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let opinion = Loud { level: 0.01, heard: asked.clone() };
    let mut segmenter = Segmenter::new(&SegmentConfig::default(), Some(Box::new(opinion)));
    let samples = said(&[0.5, 0.61]);
    for _ in 0..2 {
        let mut began = false;
        segmenter.push(&samples, |piece| began |= matches!(piece, Piece::Start { .. }));
        segmenter.finish(|_| ());
        assert!(began);
    }
    let asked = asked.take();
    assert_eq!(asked.len(), 2);
    // The second time from the first multiple of a chunk on, counted from the very beginning.
    let first = (samples.len() as u64).next_multiple_of(CHUNK as u64) as usize - samples.len();
    let at = samples.windows(64).position(|window| window == &asked[1][..64]).unwrap();
    assert_eq!((at - first) % CHUNK, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn how_samples_are_cut_makes_no_difference_to_a_second_opinion(
        cuts in prop::collection::vec(1usize..2_000, 1..12),
    ) {
        let samples = said(&[0.6, 0.5, 1.1, 0.4, 1.7, 0.3, 0.2]);
        let (cut, whole) = (heard(&samples, 0.02, &cuts), heard(&samples, 0.02, &[]));
        prop_assert_eq!(cut.turns, whole.turns);
        prop_assert_eq!(cut.samples, whole.samples);
        prop_assert_eq!(cut.asked, whole.asked);
    }
}
