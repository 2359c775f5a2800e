//! The promises about text, against a recognizer that says whatever it likes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use scriven_recognizer::{self as recognizer, Options, Reason};

use super::*;
use crate::pipeline::Meter;

/// Committed and tentative text.
type Texts = (&'static str, &'static str);

/// Says what it is told to.
pub(crate) struct Scripted {
    steps: VecDeque<Option<Texts>>,
    last: Option<Outcome>,
    /// Columns pushed before each step.
    pub(crate) lengths: Rc<RefCell<Vec<usize>>>,
    columns: usize,
    /// How long the next steps take.
    takes: VecDeque<Duration>,
}

impl Scripted {
    pub(crate) fn new(
        steps: impl IntoIterator<Item = Option<Texts>>,
        last: Option<Outcome>,
    ) -> Self {
        let steps = steps.into_iter().collect();
        Self { steps, last, lengths: Rc::default(), columns: 0, takes: VecDeque::new() }
    }
}

impl Recognize for Scripted {
    fn push(&mut self, _: &[f32]) {
        self.columns += 1;
    }

    fn quiet(&mut self) {}

    fn voice(&mut self) {}

    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error> {
        self.lengths.borrow_mut().push(std::mem::take(&mut self.columns));
        std::thread::sleep(self.takes.pop_front().unwrap_or_default());
        Ok(self.steps.pop_front().flatten().map(|(committed, tentative)| Partial {
            committed: committed.into(),
            tentative: tentative.into(),
            language: None,
            words: Vec::new(),
        }))
    }

    fn finish(&mut self) -> Result<Outcome, recognizer::Error> {
        let broken = recognizer::Error::UnknownVocabulary { n_vocab: 0 };
        self.last.take().ok_or(broken)
    }
}

fn text(text: &str) -> Outcome {
    Outcome::Final(Final { text: text.into(), language: "en", words: vec![], confidence: 1.0 })
}

pub(crate) fn job() -> Job {
    Job {
        id: 1,
        options: Options::default(),
        device: true,
        partials: true,
        segments: scriven_audio::SegmentConfig::default(),
        detector: crate::config::Detector::Webrtc,
        tail: Duration::ZERO,
        update: Duration::from_millis(200),
        auto_stop: None,
        meter: Meter::default(),
    }
}

/// One utterance: what is said about it, a line a report.
fn heard(steps: &[Option<Texts>], last: Option<Outcome>, cancelled: bool) -> Vec<String> {
    let job = job();
    job.meter.cancelled.store(cancelled, std::sync::atomic::Ordering::Relaxed);
    let scripted = Scripted::new(steps.iter().copied(), last);
    let mut live = Live::new(Arc::new(job), Box::new(scripted));
    let mut said = Vec::new();
    let mut say = |report: Report| said.push(line(report));
    live.take(Speech::Start { at: 1_600 }, &mut say);
    for _ in steps {
        for _ in 0..20 {
            live.take(Speech::Column(Box::new([0.0])), &mut say);
        }
        assert!(live.is_due());
        live.shown = Instant::now() - MIN_GAP;
        live.update(&mut say);
    }
    live.take(Speech::End { at: 9_999 }, &mut say);
    assert!(!live.is_speaking());
    said
}

fn line(report: Report) -> String {
    match report {
        Report::Partial { utterance, revision, committed, tentative, said } => {
            assert_eq!(said.start, 100_000);
            assert_eq!(said.end, 100_000 + u64::from(revision) * 200_000);
            format!("{utterance}.{revision} {committed}|{tentative}")
        }
        Report::Final { utterance, text, .. } => format!("{utterance} final {text}"),
        Report::Discarded { utterance, reason } => format!("{utterance} discarded {reason}"),
        Report::Failed(error) => format!("failed {}", error.pair().0),
        _ => unreachable!("a live utterance says nothing else"),
    }
}

#[test]
fn committed_text_grows_and_the_final_text_starts_with_it() {
    let steps = [Some(("", "a")), Some(("a", " b")), Some(("a b", " c"))];
    let said = heard(&steps, Some(text("a b see")), false);
    assert_eq!(said, ["1.1 |a", "1.2 a| b", "1.3 a b| c", "1 final a b see"]);
}

#[test]
fn a_pause_is_worked_ahead_in_unless_the_voice_is_back() {
    let scripted = Scripted::new([Some(("", "a"))], None);
    let steps = scripted.lengths.clone();
    let mut live = Live::new(Arc::new(job()), Box::new(scripted));
    live.take(Speech::Start { at: 0 }, &mut |_| ());
    live.take(Speech::Column(Box::new([0.0])), &mut |_| ());
    live.take(Speech::Quiet { at: 0 }, &mut |_| ());
    live.take(Speech::Voice { at: 0 }, &mut |_| ());
    assert!(!live.is_due());
    live.take(Speech::Quiet { at: 0 }, &mut |_| ());
    assert!(live.is_due());
    live.update(&mut |_| ());
    assert_eq!(*steps.borrow(), [1]);
    assert!(!live.is_due());
}

#[test]
fn a_slow_step_puts_off_the_next_until_a_fast_one() {
    let mut scripted = Scripted::new([Some(("", "a")), Some(("", "b"))], None);
    scripted.takes = [Duration::from_millis(300)].into();
    let mut live = Live::new(Arc::new(job()), Box::new(scripted));
    let hear = |live: &mut Live, n: usize| {
        (0..n).for_each(|_| live.take(Speech::Column(Box::new([0.0])), &mut |_| ()));
    };
    let update = |live: &mut Live| {
        live.shown = Instant::now() - MIN_GAP;
        live.update(&mut |_| ());
    };
    live.take(Speech::Start { at: 0 }, &mut |_| ());
    hear(&mut live, 20);
    assert!(live.is_due());
    update(&mut live);
    // 1.3 times what it took at least.
    hear(&mut live, 38);
    assert!(!live.is_due());
    let rest = live.interval.as_micros().div_ceil(10_000) - 38;
    hear(&mut live, rest as usize);
    assert!(live.is_due());
    update(&mut live);
    hear(&mut live, 19);
    assert!(!live.is_due());
    hear(&mut live, 1);
    assert!(live.is_due());
    // It has nothing to say: what was heard is still to be looked at.
    update(&mut live);
    assert!(live.is_due());
}

#[test]
fn a_recognizer_that_takes_text_back_is_not_believed() {
    let said = heard(&[Some(("a b", " c")), Some(("x", ""))], Some(text("x y see")), false);
    assert_eq!(said, ["1.1 a b| c", "1 final a b see"]);
}

#[test]
fn every_utterance_ends_in_one_final_or_discarded() {
    assert_eq!(heard(&[], Some(text("a")), false), ["1 final a"]);
    assert_eq!(heard(&[], Some(text(" ")), false), ["1 discarded no-speech"]);
    let nothing = Outcome::Discarded(Reason::NoSpeech);
    assert_eq!(heard(&[], Some(nothing), false), ["1 discarded no-speech"]);
    assert_eq!(heard(&[], Some(text("a")), true), ["1 discarded cancelled"]);
    let failed = "failed org.scriven.Dictation1.Error.Failed";
    assert_eq!(heard(&[], None, false), [failed, "1 discarded error"]);
    let said = heard(&[Some(("a b", " c"))], None, false);
    assert_eq!(said, ["1.1 a b| c", failed, "1 final a b"]);
}

#[test]
fn partials_are_few_and_far_between() {
    let job = Arc::new(job());
    let scripted = Scripted::new((0..1000).map(|_| Some(("", "a"))), None);
    let mut live = Live::new(job, Box::new(scripted));
    let mut count = 0;
    live.take(Speech::Start { at: 0 }, &mut |_| ());
    for i in 0..100 {
        live.take(Speech::Column(Box::new([0.0])), &mut |_| ());
        assert_eq!(live.is_due(), i == 19 || i >= 39, "column {i}");
        if live.is_due() {
            live.update(&mut |_| count += 1);
        }
    }
    assert_eq!(count, 1, "all of it came at once");
    live.shown = Instant::now() - MIN_GAP;
    live.update(&mut |_| count += 1);
    assert_eq!(count, 1, "nothing has changed");
}

#[test]
fn sound_that_comes_at_once_or_without_partials_is_recognized_piece_by_piece() {
    for partials in [true, false] {
        let mut job = job();
        job.partials = partials;
        let scripted = Scripted::new((0..1000).map(|_| Some(("", "a"))), None);
        let lengths = scripted.lengths.clone();
        let mut live = Live::new(Arc::new(job), Box::new(scripted));
        let mut count = 0;
        live.take(Speech::Start { at: 0 }, &mut |_| ());
        for _ in 0..6_000 {
            live.take(Speech::Column(Box::new([0.0])), &mut |_| count += 1);
        }
        assert_eq!(*lengths.borrow(), [800; 7]);
        assert_eq!(count, usize::from(partials));
    }
}
