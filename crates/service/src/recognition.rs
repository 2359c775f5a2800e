//! Speech events → text. Thread `recognition`, one for all sessions.
//!
//! Takes all that has arrived before it computes, so that a slow machine gives fewer partials and
//! never a longer delay. Recordings wait behind live speech: between two windows of a recording
//! whoever speaks is served until the utterance is over.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crossbeam_channel::Receiver;
use scriven_recognizer::Segment;

use crate::daemon::Event;
use crate::error::Error;
use crate::live::Live;
use crate::pipeline::{Id, Recording, Report, Said, Work, micros_of};

pub(crate) struct Recognition {
    work: Receiver<Work>,
    events: async_channel::Sender<Event>,
    /// Live sessions, devices in front.
    live: Vec<Live>,
    /// Whole recordings, each waiting for the one before. `main` hands out one at a time.
    recordings: VecDeque<Recording>,
}

impl Recognition {
    pub(crate) fn new(work: Receiver<Work>, events: async_channel::Sender<Event>) -> Self {
        Self { work, events, live: Vec::new(), recordings: VecDeque::new() }
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
            Work::Open(job, model) => match model.recognizer(job.options.clone()) {
                Ok(recognizer) => {
                    let at = if job.device { 0 } else { self.live.len() };
                    self.live.insert(at, Live::new(job, recognizer));
                }
                Err(error) => say(job.id, Report::Failed(Error::recognizing(&error))),
            },
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
        let Recording { job, model, columns, voiced } = recording;
        let events = self.events.clone();
        let say = |report| reporter(&events)(job.id, report);
        let mut count = 0;
        if job.meter.is_cancelled() {
            return say(Report::Done);
        }
        let result = model.transcribe(columns, voiced, &job.options, &mut |_, segments| {
            for segment in segments {
                count += 1;
                say(phrase(count, segment));
            }
            self.serve_the_living();
            match job.meter.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if let Err(error) = result {
            say(Report::Failed(Error::recognizing(&error)));
        }
        say(Report::Done);
    }
}

/// One phrase of a recording.
fn phrase(utterance: u32, segment: &Segment) -> Report {
    let (start, end) = (micros_of(segment.start), micros_of(segment.end));
    let confidence = Some(segment.confidence);
    let language = Some(segment.language.to_owned());
    let said = Said { start, end, audio_end: end, language, confidence, words: Vec::new() };
    Report::Final { utterance, text: segment.text.clone(), said }
}

fn reporter(events: &async_channel::Sender<Event>) -> impl Fn(Id, Report) + use<> {
    let events = events.clone();
    move |id, report| {
        // Closed only when the daemon is gone.
        drop(events.send_blocking(Event::Report(id, report)));
    }
}
