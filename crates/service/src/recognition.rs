//! Speech events → text. Thread `recognition`, one for all sessions.
//!
//! Takes all that has arrived before it computes, so that a slow machine gives fewer partials and
//! never a longer delay. Recordings wait behind live speech: between two windows of a recording
//! whoever speaks is served until the utterance is over. [`crate::fallback`] goes on where a GPU
//! fails.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::rc::Rc;

use crossbeam_channel::Receiver;
use scriven_recognizer::{self as recognizer, Segment};

use crate::daemon::Event;
use crate::error::Error;
use crate::fallback::{Fallback, Steady};
use crate::live::Live;
use crate::parts::Model;
use crate::pipeline::{HOP_LENGTH, Id, Recording, Report, Said, Word, Work, micros, micros_of};

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
                self.serve_the_living();
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

    /// Serves live sessions as long as somebody speaks.
    fn serve_the_living(&mut self) {
        loop {
            let speaking = self.live.iter().any(Live::is_speaking);
            let work = if speaking { self.work.recv().ok() } else { self.work.try_recv().ok() };
            match work {
                Some(work) => self.serve(work),
                None => return,
            }
        }
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
        if reached.phrases > 0 {
            options.decoding.prefix.clear();
        }
        let result = model.transcribe(columns, &left, &options, &mut |column, segments| {
            reached.columns = from + column;
            for segment in segments {
                reached.phrases += 1;
                say(job.id, phrase(reached.phrases, from, segment));
            }
            self.serve_the_living();
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
    use std::sync::Arc;

    use scriven_audio::Speech;

    use super::*;
    use crate::live::tests::{Scripted, job};

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
