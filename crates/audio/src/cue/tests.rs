use assert_no_alloc::assert_no_alloc;

use super::*;

const CUES: [Cue; 3] = [Cue::Listening, Cue::Ended, Cue::Failed];

/// How much of a frequency there is, as the amplitude of a sine (Goertzel).
fn strength(samples: &[f32], hz: f32, rate: u32) -> f32 {
    let turn = |i: usize| TAU * hz * i as f32 / rate as f32;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in samples.iter().enumerate() {
        re += x * turn(i).cos();
        im += x * turn(i).sin();
    }
    2.0 * f32::hypot(re, im) / samples.len() as f32
}

#[test]
fn a_cue_is_short_soft_and_begins_and_ends_in_silence() {
    for (cue, rate) in CUES.into_iter().flat_map(|cue| [(cue, 8_000), (cue, 48_000)]) {
        let samples = cue.samples(-20.0, rate);
        let millis = samples.len() * 1000 / rate as usize;
        assert!((60..=120).contains(&millis), "{cue:?} lasts {millis} ms");
        let peak = samples.iter().fold(0f32, |peak, x| peak.max(x.abs()));
        assert!((0.08..=0.1).contains(&peak), "{cue:?}: {peak}");
        let edge = |x: &f32| x.abs() < 0.001;
        assert!(samples.iter().take(3).all(edge) && samples.iter().rev().take(3).all(edge));
    }
}

#[test]
fn cues_are_told_apart_by_their_notes() {
    let halves = |cue: Cue| {
        let samples = cue.samples(-20.0, 48_000);
        let (first, second) = samples.split_at(samples.len() / 2);
        [first, second].map(|half| {
            let loudest = |a: &f32, b: &f32| {
                strength(half, *a, 48_000).total_cmp(&strength(half, *b, 48_000))
            };
            [330.0, 660.0, 880.0].into_iter().max_by(loudest).unwrap()
        })
    };
    assert_eq!(halves(Cue::Listening), [660.0, 880.0]);
    assert_eq!(halves(Cue::Ended), [880.0, 660.0]);
    assert_eq!(halves(Cue::Failed), [330.0, 330.0]);
}

#[test]
fn the_device_gets_every_sample_once_on_all_channels_and_nothing_allocates() {
    let samples: Arc<[f32]> = Cue::Failed.samples(-20.0, 48_000).into();
    for frames in [1, 7, 341, 1024] {
        let progress = Arc::new(Progress::default());
        let mut fill = callback::<f32>(2, samples.clone(), progress.clone());
        let mut played: Vec<f32> = Vec::new();
        while played.len() < samples.len() + 2000 {
            let mut block = vec![1.0; 2 * frames];
            assert_no_alloc(|| fill(&mut block));
            assert!(block.chunks(2).all(|frame| frame[0] == frame[1]));
            played.extend(block.iter().step_by(2));
        }
        assert_eq!(played[..samples.len()], samples[..]);
        assert!(played[samples.len()..].iter().all(|x| *x == 0.0), "silence behind it");
        assert_eq!(progress.frames.load(Ordering::Relaxed), played.len() as u64);
    }
}
