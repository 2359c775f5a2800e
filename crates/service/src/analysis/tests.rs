use scriven_audio::SegmentConfig;
use scriven_recognizer::Options;

use super::*;
use crate::config::Detector;
use crate::pipeline::Meter;

fn job() -> Arc<Job> {
    Arc::new(Job {
        id: 1,
        options: Options::default(),
        device: true,
        partials: true,
        segments: SegmentConfig::default(),
        detector: Detector::Webrtc,
        tail: Duration::ZERO,
        update: Duration::ZERO,
        auto_stop: None,
        meter: Meter::default(),
    })
}

fn outlet(job: &Arc<Job>, room: usize) -> (Outlet, Receiver<Work>) {
    let (work, work_rx) = crossbeam_channel::bounded(room);
    let (events, _) = async_channel::unbounded();
    let outlet = Outlet {
        job: job.clone(),
        work,
        waits: false,
        speaking: false,
        quiet: None,
        device: 0,
        events,
        count: 0,
        late: false,
    };
    (outlet, work_rx)
}

/// One whose model still loads, and what `main` is told.
fn loading(job: &Arc<Job>) -> (Analysis, async_channel::Receiver<Event>) {
    let (mut outlet, _work) = outlet(job, 1);
    let (_main, control) = crossbeam_channel::bounded(1);
    let (events, told) = async_channel::unbounded();
    outlet.events = events;
    let analysis = Analysis {
        job: job.clone(),
        control,
        outlet,
        second_opinion: None,
        taken: 0,
        last_voice: 0,
        silent: false,
        flow: Flow::new(Instant::now()),
        held: Vec::new(),
        is_full: false,
        frontend: None,
    };
    (analysis, told)
}

/// What was told, as long as there is something.
fn all(told: &async_channel::Receiver<Event>) -> impl Iterator<Item = Event> {
    std::iter::from_fn(move || told.try_recv().ok())
}

fn lost(job: &Job) -> u64 {
    job.meter.overruns.load(Ordering::Relaxed)
}

#[test]
fn a_full_queue_drops_columns_and_counts() {
    let job = job();
    let (mut outlet, work) = outlet(&job, 2);
    for _ in 0..5 {
        outlet.speech(Speech::Column(Box::new([0.0; 80])));
    }
    assert_eq!(work.len(), 2);
    assert_eq!(lost(&job), 3 * HOP_LENGTH);
}

#[test]
fn what_a_device_loses_is_counted_once() {
    let job = job();
    let (mut outlet, _work) = outlet(&job, 1);
    for total in [0, 10, 10, 25] {
        outlet.lost_in_device(total);
    }
    assert_eq!(lost(&job), 25);
}

#[test]
fn only_so_much_is_held_for_a_model_that_loads() {
    let job = job();
    let (mut analysis, _told) = loading(&job);
    for _ in 0..3 {
        analysis.take(&vec![0.0; HELD_SAMPLES / 2]);
    }
    assert_eq!(analysis.held.len(), HELD_SAMPLES);
    assert_eq!(lost(&job), HELD_SAMPLES as u64 / 2);
    assert_eq!(job.meter.audio.load(Ordering::Relaxed), HELD_SAMPLES as u64 * 3 / 2);
}

#[test]
fn who_speaks_for_longer_than_is_held_is_told_once() {
    let (mut analysis, told) = loading(&job());
    let warnings = || {
        let warned =
            |event: &Event| matches!(event, Event::Report(1, Report::Warned(Error::Overloaded(_))));
        all(&told).filter(warned).count()
    };
    analysis.take(&vec![0.0; HELD_SAMPLES]);
    assert_eq!(warnings(), 0, "all of it is kept");
    analysis.take(&[0.0]);
    assert_eq!(warnings(), 1);
    analysis.take(&[0.0; 160]);
    assert_eq!(warnings(), 0);
}

#[test]
fn an_utterance_is_told_when_it_is_heard_and_not_when_it_is_recognized() {
    let job = job();
    let (mut outlet, work) = outlet(&job, 10);
    let (events, told) = async_channel::unbounded();
    outlet.events = events;
    for late in [true, false] {
        outlet.late = late;
        outlet.speech(Speech::Start { at: 0 });
        outlet.speech(Speech::End { at: 800 });
    }
    let begun = |event: Event| match event {
        Event::Report(1, Report::Begun { utterance, late }) => (utterance, late),
        _ => unreachable!("nothing else is told"),
    };
    let begun: Vec<_> = all(&told).map(begun).collect();
    assert_eq!(begun, [(1, true), (2, false)]);
    assert_eq!(work.len(), 4, "nobody has taken any of it");
}

#[test]
fn the_tail_is_left_out_only_where_someone_paused() {
    let (mut outlet, _work) = outlet(&job(), 10);
    // A word may just be beginning.
    assert!(!outlet.is_silent(9_000));
    outlet.speech(Speech::Start { at: 0 });
    assert!(!outlet.is_silent(9_000));
    // A pause is told as soon as it can be guessed; it has to last for 100 ms.
    outlet.speech(Speech::Quiet { at: 500 });
    assert!(!outlet.is_silent(2_099));
    assert!(outlet.is_silent(2_100));
    outlet.speech(Speech::Voice { at: 600 });
    assert!(!outlet.is_silent(9_000));
    outlet.speech(Speech::Quiet { at: 700 });
    outlet.speech(Speech::End { at: 800 });
    assert!(!outlet.is_silent(9_000));
}
