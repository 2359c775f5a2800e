//! Speech events → text. Thread `recognition`, one for all sessions.
//!
//! Takes all that has arrived before it computes, so that a slow machine gives fewer partials and
//! never a longer delay. Recordings wait behind live speech: between two windows of a recording
//! whoever speaks is served until the utterance is over. [`crate::fallback`] goes on where a GPU
//! fails.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use scriven_recognizer::{self as recognizer, Segment};

use crate::daemon::Event;
use crate::error::Error;
use crate::fallback::{Fallback, Steady};
use crate::live::Live;
use crate::parts::Model;
use crate::pipeline::{
    HOP_LENGTH, Id, Job, Recording, Report, Said, Word, Work, micros, micros_of,
};

/// How soon a recording that waits for a speaker whose device has stalled is seen to be cancelled, of
/// which nothing else tells. Longer, and whoever cancels it would notice.
const GLANCE: Duration = Duration::from_millis(100);

pub(crate) struct Recognition {
    work: Receiver<Work>,
    events: async_channel::Sender<Event>,
    /// Live sessions, devices in front.
    live: Vec<Live>,
    /// Whole recordings, each waiting for the one before. `main` hands out one at a time.
    recordings: VecDeque<Recording>,
    fallback: Rc<Fallback>,
}

/// How far a recording is.
#[derive(Default)]
struct Reached {
    columns: usize,
    phrases: u32,
    language: Option<&'static str>,
}

impl Recognition {
    pub(crate) fn new(work: Receiver<Work>, events: async_channel::Sender<Event>) -> Self {
        let fallback = Rc::new(Fallback::new(events.clone()));
        Self { work, events, live: Vec::new(), recordings: VecDeque::new(), fallback }
    }

    /// Works until nobody can send any more.
    pub(crate) fn run(mut self) {
        while let Ok(work) = self.work.recv() {
            self.serve(work);
            while let Some(recording) = self.recordings.pop_front() {
                self.serve_the_living(&recording.job);
                self.transcribe(&recording);
            }
        }
    }

    /// Takes all that has arrived, then updates whoever is due.
    fn serve(&mut self, work: Work) {
        let queue = self.work.clone();
        for work in std::iter::once(work).chain(queue.try_iter()) {
            self.take(work);
        }
        let say = reporter(&self.events);
        for live in self.live.iter_mut().filter(|live| live.is_due()) {
            let id = live.id();
            live.update(&mut |report| say(id, report));
        }
    }

    fn take(&mut self, work: Work) {
        let say = reporter(&self.events);
        match work {
            Work::Open(job, model) => {
                match Steady::new(self.fallback.clone(), model, job.options.clone()) {
                    Ok(recognizer) => {
                        let at = if job.device { 0 } else { self.live.len() };
                        self.live.insert(at, Live::new(job, Box::new(recognizer)));
                    }
                    Err(error) => say(job.id, Report::Failed(Error::recognizing(&error))),
                }
            }
            Work::Speech(id, speech) => {
                if let Some(live) = self.live.iter_mut().find(|live| live.id() == id) {
                    live.take(speech, &mut |report| say(id, report));
                }
            }
            Work::Close(id) => {
                if let Some(at) = self.live.iter().position(|live| live.id() == id) {
                    // Closed inside an utterance: cancelled.
                    self.live.remove(at).finish(&mut |report| say(id, report));
                }
                say(id, Report::Done);
            }
            Work::Recording(recording) => self.recordings.push_back(*recording),
        }
    }

    /// Serves live sessions as long as somebody speaks, unless the recording of `job`, which waits
    /// for that, is cancelled.
    fn serve_the_living(&mut self, job: &Job) {
        loop {
            self.let_go_of_the_cancelled();
            if job.meter.is_cancelled() {
                return;
            }
            let speaking = self.live.iter().any(Live::is_speaking);
            match self.work.recv_timeout(if speaking { GLANCE } else { Duration::ZERO }) {
                Ok(work) => self.serve(work),
                Err(RecvTimeoutError::Timeout) if speaking => {}
                Err(_) => return,
            }
        }
    }

    /// Ends the recordings that wait for another and are cancelled.
    fn let_go_of_the_cancelled(&mut self) {
        let say = reporter(&self.events);
        self.recordings.retain(|Recording { job, .. }| {
            let is_cancelled = job.meter.is_cancelled();
            if is_cancelled {
                say(job.id, Report::Done);
            }
            !is_cancelled
        });
    }

    fn transcribe(&mut self, recording: &Recording) {
        let job = &recording.job;
        let say = reporter(&self.events);
        if job.meter.is_cancelled() {
            return say(job.id, Report::Done);
        }
        let model = &recording.model;
        let mut model = self.fallback.of(model).unwrap_or_else(|| model.clone());
        let mut reached = Reached::default();
        while let Err(error) = self.transcribe_from(&mut reached, recording, &*model) {
            match self.fallback.take_over(&model, error) {
                Ok(by) => model = by,
                Err(error) => {
                    say(job.id, Report::Failed(Error::recognizing(&error)));
                    break;
                }
            }
        }
        say(job.id, Report::Done);
    }

    /// Transcribes what is left of a recording.
    fn transcribe_from(
        &mut self,
        reached: &mut Reached,
        recording: &Recording,
        model: &dyn Model,
    ) -> Result<(), recognizer::Error> {
        let Recording { job, columns, voiced, .. } = recording;
        let say = reporter(&self.events);
        let from = reached.columns;
        let left = voiced.iter().filter(|voice| voice.end > from);
        let left: Vec<_> =
            left.map(|voice| voice.start.saturating_sub(from)..voice.end - from).collect();
        let columns = &columns[from * model.n_mels()..];
        let mut options = job.options.clone();
        if from > 0 {
            options.decoding.prefix.clear();
        }
        // One language a recording, whoever goes on with it.
        if let Some(language) = reached.language {
            options.languages = vec![language.to_owned()];
        }
        let result = model.transcribe(columns, &left, &options, &mut |column, segments| {
            reached.columns = from + column;
            for segment in segments {
                reached.phrases += 1;
                reached.language = Some(segment.language);
                say(job.id, phrase(reached.phrases, from, segment));
            }
            self.serve_the_living(job);
            match job.meter.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        result.map(drop)
    }
}

/// One phrase of a recording, whose times count from column `from`.
fn phrase(utterance: u32, from: usize, segment: &Segment) -> Report {
    let origin = micros(from as u64 * HOP_LENGTH);
    let (start, end) = (origin + micros_of(segment.start), origin + micros_of(segment.end));
    let confidence = Some(segment.confidence);
    let language = Some(segment.language.to_owned());
    let words = segment.words.iter().map(|word| Word::new(word.clone(), origin)).collect();
    let said = Said { start, end, audio_end: end, language, confidence, words };
    Report::Final { utterance, text: segment.text.clone(), said }
}

fn reporter(events: &async_channel::Sender<Event>) -> impl Fn(Id, Report) + use<> {
    let events = events.clone();
    move |id, report| {
        // Closed only when the daemon is gone.
        drop(events.send_blocking(Event::Report(id, report)));
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::thread;
    use std::time::Instant;

    use scriven_audio::Speech;
    use scriven_recognizer::{Options, Transcript};

    use super::*;
    use crate::live::tests::{Scripted, job};
    use crate::parts::Recognize;

    /// Is never done with a recording.
    struct Endless;

    impl Model for Endless {
        fn n_mels(&self) -> usize {
            1
        }

        fn backend(&self) -> &str {
            "cpu"
        }

        fn fallback(&self) -> Option<&str> {
            None
        }

        fn check(&self, _: &Options) -> Result<(), recognizer::Error> {
            Ok(())
        }

        fn on_cpu(&self) -> Result<Arc<dyn Model>, recognizer::Error> {
            unreachable!("it is there")
        }

        fn recognizer(&self, _: Options) -> Result<Box<dyn Recognize>, recognizer::Error> {
            unreachable!("it is for recordings")
        }

        fn transcribe(
            &self,
            _: &[f32],
            _: &[Range<usize>],
            _: &Options,
            progress: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
        ) -> Result<Transcript, recognizer::Error> {
            while progress(0, &[]).is_continue() {}
            Ok(Transcript { language: "en", segments: Vec::new() })
        }
    }

    fn recording(id: Id) -> Recording {
        let job = Arc::new(Job { id, ..job() });
        Recording { job, model: Arc::new(Endless), columns: vec![0.0], voiced: Vec::new() }
    }

    /// A session in which nobody speaks yet.
    fn silent() -> Live {
        Live::new(Arc::new(job()), Box::new(Scripted::new([], None)))
    }

    /// Cancels a recording. Whether it ends within 5 s.
    fn ends(job: &Job, reports: &async_channel::Receiver<Event>) -> bool {
        job.meter.cancelled.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            match reports.try_recv() {
                Ok(Event::Report(id, Report::Done)) if id == job.id => return true,
                Ok(_) => {}
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
        false
    }

    #[test]
    fn a_recording_that_waits_for_a_speaker_can_be_cancelled_and_one_behind_it_too() {
        let (sender, work) = crossbeam_channel::unbounded();
        let (events, reports) = async_channel::unbounded();
        let mut recognition = Recognition::new(work, events);
        let mut live = silent();
        live.take(Speech::Start { at: 0 }, &mut |_| ());
        recognition.live.push(live);
        let (first, second) = (recording(2), recording(3));
        let jobs = [second.job.clone(), first.job.clone()];
        for recording in [first, second] {
            sender.send(Work::Recording(Box::new(recording))).unwrap();
        }
        let ended = thread::scope(|scope| {
            let user = scope.spawn(move || {
                let ended = jobs.map(|job| ends(&job, &reports));
                // Lets the other thread end.
                drop(sender);
                ended
            });
            recognition.run();
            user.join().unwrap()
        });
        assert_eq!(ended, [true, true]);
    }

    #[test]
    fn a_recording_that_is_interrupted_by_a_speaker_can_be_cancelled() {
        let (sender, work) = crossbeam_channel::unbounded();
        let (events, reports) = async_channel::unbounded();
        let mut recognition = Recognition::new(work, events);
        recognition.live.push(silent());
        let recording = recording(2);
        let job = recording.job.clone();
        let ended = thread::scope(|scope| {
            let user = scope.spawn(move || {
                sender.send(Work::Speech(1, Speech::Start { at: 0 })).unwrap();
                while !sender.is_empty() {
                    thread::sleep(Duration::from_millis(1));
                }
                let ended = ends(&job, &reports);
                drop(sender);
                ended
            });
            recognition.transcribe(&recording);
            user.join().unwrap()
        });
        assert!(ended);
    }

    #[test]
    fn what_has_waited_is_heard_in_one_step() {
        let (sender, work) = crossbeam_channel::unbounded();
        let (events, _reports) = async_channel::unbounded();
        let mut recognition = Recognition::new(work, events);
        let scripted = Scripted::new([], None);
        let lengths = scripted.lengths.clone();
        let job = Arc::new(job());
        recognition.live.push(Live::new(job.clone(), Box::new(scripted)));
        // Three seconds came while something else was computed: fifteen updates were due.
        sender.send(Work::Speech(job.id, Speech::Start { at: 0 })).unwrap();
        for _ in 0..300 {
            sender.send(Work::Speech(job.id, Speech::Column(Box::new([0.0])))).unwrap();
        }
        let first = recognition.work.recv().unwrap();
        recognition.serve(first);
        assert_eq!(*lengths.borrow(), [300]);
    }
}
