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
    let job = job.clone();
    (Outlet { job, work, waits: false, speaking: false, quiet: None, device: 0 }, work_rx)
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
    let (outlet, _work) = outlet(&job, 1);
    let (_main, control) = crossbeam_channel::bounded(1);
    let (events, _events_rx) = async_channel::unbounded();
    let mut analysis = Analysis {
        job: job.clone(),
        control,
        events,
        outlet,
        second_opinion: None,
        taken: 0,
        last_voice: 0,
        silent: false,
        flow: Flow::new(Instant::now()),
        held: Vec::new(),
        frontend: None,
    };
    for _ in 0..3 {
        analysis.take(&vec![0.0; HELD_SAMPLES / 2]);
    }
    assert_eq!(analysis.held.len(), HELD_SAMPLES);
    assert_eq!(lost(&job), HELD_SAMPLES as u64 / 2);
    assert_eq!(job.meter.audio.load(Ordering::Relaxed), HELD_SAMPLES as u64 * 3 / 2);
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
