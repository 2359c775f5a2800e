//! One session's sound → speech events. Thread `analysis`, one a session.
//!
//! Owns the source and the front end (which cannot move between threads) and decides when the source
//! is closed. A device is heard from the first moment, with a pre-roll from before it, also while the
//! model still loads; a file waits for its turn.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use scriven_audio::file::Pace;
use scriven_audio::{Frontend, Progress, SAMPLE_RATE, SecondOpinion, SegmentConfig, Speech};

use self::flow::Flow;
use crate::clock;
use crate::daemon::Event;
use crate::error::Error;
use crate::microphones::{Microphones, Opened};
use crate::parts::{self, Model, Parts};
use crate::pipeline::{Control, HELD_SAMPLES, HOP_LENGTH, Input, Job, Report, Work, micros};

mod flow;
mod recording;

/// How long the thread sleeps when a source has nothing: one column.
const TICK: Duration = Duration::from_millis(10);
/// How much later than promised the tail may come before the device counts as stalled.
const TAIL_GRACE: Duration = Duration::from_millis(500);
/// Runs a session from opening its source to the end of its speech.
pub(crate) fn run(
    job: Arc<Job>,
    input: Input,
    parts: &Parts,
    microphones: &Microphones,
    control: Receiver<Control>,
    work: Sender<Work>,
    events: async_channel::Sender<Event>,
) {
    let mut analysis = Analysis {
        outlet: Outlet {
            job: job.clone(),
            work,
            waits: true,
            speaking: false,
            quiet: None,
            device: 0,
            events,
            count: 0,
            late: false,
        },
        second_opinion: (parts.second_opinion)(job.detector),
        job,
        control,
        taken: 0,
        last_voice: 0,
        silent: false,
        flow: Flow::new(Instant::now()),
        held: Vec::new(),
        is_full: false,
        frontend: None,
    };
    let result = match input {
        Input::Device(options) => {
            analysis.outlet.waits = false;
            let opened = microphones.open(&options).map_err(|error| Error::opening(&error));
            opened.and_then(|opened| analysis.device(opened))
        }
        Input::LiveFile(file) => {
            let opened = (parts.file)(file, Pace::LifeSpeed).map_err(|error| Error::file(&error));
            opened.and_then(|file| analysis.live_file(file))
        }
        Input::File(file) => {
            let opened = (parts.file)(file, Pace::AsFast).map_err(|error| Error::file(&error));
            opened.and_then(|file| analysis.recording(file))
        }
    };
    analysis.end(result);
}

struct Analysis {
    job: Arc<Job>,
    control: Receiver<Control>,
    outlet: Outlet,
    /// For the segmenter, once there is one.
    second_opinion: Option<Box<dyn SecondOpinion>>,
    /// Samples taken from the source.
    taken: u64,
    /// The sample at which somebody spoke last, or could not be heard yet.
    last_voice: u64,
    /// `main` knows that nobody speaks any more.
    silent: bool,
    flow: Flow,
    /// Samples that wait for the model.
    held: Vec<f32>,
    /// `main` knows that no more of them are kept.
    is_full: bool,
    frontend: Option<Frontend>,
}

/// Whether `recognition` has the session, and will say when it is done.
type Heard = Result<bool, Error>;

impl Analysis {
    fn report(&self, report: Report) {
        self.outlet.report(report);
    }

    fn device(&mut self, mut opened: Opened) -> Heard {
        let device = &mut *opened.device.input;
        self.opened(device);
        // Of what it has lost before, nothing was this session's.
        self.outlet.device = device.overruns();
        let before = std::mem::take(&mut opened.before);
        let lost = self.capture(device, before, self.job.tail);
        let lost = lost.map_err(|error| Error::capturing(&error));
        // The microphone is closed before anything else is computed.
        opened.close();
        self.report(Report::Closed);
        if let Err(error) = lost {
            // What was said before is still finished.
            self.report(Report::Failed(error));
        }
        while self.frontend.is_none() && !self.job.meter.is_cancelled() {
            match self.control.recv() {
                Ok(Control::Ready(model)) => self.begin(model),
                Ok(Control::Stop) => {}
                Ok(Control::Cancel) | Err(_) => break,
            }
        }
        Ok(self.frontend.is_some())
    }

    fn live_file(&mut self, mut file: Box<dyn parts::Input>) -> Heard {
        self.opened(&*file);
        if let Some(model) = self.turn() {
            self.begin(model);
            let read = self.capture(&mut *file, Vec::new(), Duration::ZERO);
            self.tell_flaw(&*file);
            self.report(Report::Closed);
            read.map_err(|error| Error::file(&error))?;
        }
        Ok(self.frontend.is_some())
    }

    fn opened(&self, input: &dyn parts::Input) {
        self.report(Report::Opened { source: input.name(), duration: input.duration() });
    }

    /// Waits until `main` hands over the model. `None`: stopped before.
    fn turn(&self) -> Option<Arc<dyn Model>> {
        match self.control.recv() {
            Ok(Control::Ready(model)) => Some(model),
            _ => None,
        }
    }

    /// Announces the session to `recognition` and lets go of what was held.
    fn begin(&mut self, model: Arc<dyn Model>) {
        let second_opinion = self.second_opinion.take();
        let mut frontend = Frontend::new(model.n_mels(), &self.job.segments, second_opinion);
        self.outlet.send(Work::Open(self.job.clone(), model));
        let held = std::mem::take(&mut self.held);
        self.outlet.late = true;
        frontend.push(&held, &mut |speech| self.outlet.speech(speech));
        self.outlet.late = false;
        self.frontend = Some(frontend);
    }

    /// Reads until the source ends or `main` says so, behind the samples it gave `before`.
    ///
    /// # Errors
    ///
    /// The source broke; what was read before counts.
    fn capture(
        &mut self,
        input: &mut dyn parts::Input,
        before: Vec<f32>,
        tail: Duration,
    ) -> Result<(), scriven_audio::Error> {
        let mut samples = before;
        let mut stop: Option<(u64, Instant)> = None;
        loop {
            let told = self.control.recv_timeout(TICK);
            match self.drain(input, &mut samples)? {
                Progress::Ended => return Ok(()),
                Progress::Samples(_) | Progress::Waiting => {}
            }
            self.listen_for_silence();
            if let Some(error) = self.flow.complaint(input, self.taken, Instant::now()) {
                self.report(Report::Warned(error));
            }
            match told {
                Ok(Control::Ready(model)) => self.begin(model),
                Ok(Control::Stop) if stop.is_none() => {
                    self.frontend.iter_mut().for_each(Frontend::ending);
                    let until = self.taken + (tail.as_secs_f64() * SAMPLE_RATE as f64) as u64;
                    stop = Some((until, Instant::now() + tail + TAIL_GRACE));
                }
                Ok(Control::Stop) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Control::Cancel) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let is_over = |(at, late)| self.taken >= at || Instant::now() >= late;
            if stop.is_some_and(|stop| self.is_silent() || is_over(stop)) {
                return Ok(());
            }
        }
    }

    /// Nothing would be gained by listening on.
    fn is_silent(&self) -> bool {
        self.frontend.as_ref().is_some_and(|frontend| {
            self.outlet.is_silent(frontend.position()) && !frontend.is_stirring()
        })
    }

    /// Tells `main` when nobody has spoken for as long as the session is to wait.
    fn listen_for_silence(&mut self) {
        if self.frontend.is_none() || self.outlet.is_voice() {
            self.last_voice = self.taken;
        }
        let Some(patience) = self.job.auto_stop else { return };
        if self.taken - self.last_voice >= patience && !self.silent {
            self.silent = true;
            self.report(Report::Silent);
        }
    }

    /// Takes `samples` and all that the source has now, at once: the time of the first one is told by
    /// how many have come with it.
    fn drain(
        &mut self,
        input: &mut dyn parts::Input,
        samples: &mut Vec<f32>,
    ) -> Result<Progress, scriven_audio::Error> {
        loop {
            let progress = input.read(samples)?;
            self.take(samples);
            samples.clear();
            self.outlet.lost_in_device(input.overruns());
            if !matches!(progress, Progress::Samples(n) if n > 0) {
                return Ok(progress);
            }
        }
    }

    fn take(&mut self, samples: &[f32]) {
        self.count(samples.len());
        self.flow.hear(samples);
        match &mut self.frontend {
            Some(frontend) => frontend.push(samples, &mut |speech| self.outlet.speech(speech)),
            None => self.hold(samples),
        }
    }

    /// Keeps what the model is to hear when it is loaded, as far as there is room.
    fn hold(&mut self, samples: &[f32]) {
        let room = (HELD_SAMPLES - self.held.len()).min(samples.len());
        let (kept, lost) = samples.split_at(room);
        self.held.extend_from_slice(kept);
        self.outlet.lose(lost.len() as u64);
        if !lost.is_empty() && !self.is_full {
            self.is_full = true;
            let message = "the model still loads, and no more sound can wait for it: what is said \
                           from now on is lost; go on when the model is ready";
            self.report(Report::Warned(Error::Overloaded(message.into())));
        }
    }

    fn count(&mut self, samples: usize) {
        if self.taken == 0 && samples > 0 {
            let monotonic = clock::monotonic() - micros(samples as u64);
            self.report(Report::Started { monotonic });
        }
        self.taken += samples as u64;
        self.job.meter.audio.store(self.taken, Ordering::Relaxed);
    }

    /// Ends the session's speech. The last word is `recognition`'s if it has the session.
    fn end(mut self, heard: Heard) {
        let handed_over = heard.unwrap_or_else(|error| {
            self.report(Report::Failed(error));
            false
        });
        match self.frontend.take() {
            Some(mut frontend) => {
                frontend.finish(&mut |speech| self.outlet.speech(speech));
                self.outlet.send(Work::Close(self.job.id));
            }
            None if handed_over => {}
            None => self.report(Report::Done),
        }
    }
}

/// The way to `recognition`, and what is known of the speech that went there.
struct Outlet {
    job: Arc<Job>,
    work: Sender<Work>,
    /// A file waits for room; a device cannot.
    waits: bool,
    /// Inside an utterance.
    speaking: bool,
    /// Inside an utterance, but silent since this sample.
    quiet: Option<u64>,
    /// Losses of the device that have been counted.
    device: u64,
    events: async_channel::Sender<Event>,
    /// Utterances so far, by which `recognition` counts them too.
    count: u32,
    /// What passes now was said before it could be heard.
    late: bool,
}

impl Outlet {
    fn send(&self, work: Work) {
        // The other end goes only with the process.
        drop(self.work.send(work));
    }

    fn report(&self, report: Report) {
        // A closed channel means that the daemon is gone, and this thread soon will be.
        drop(self.events.send_blocking(Event::Report(self.job.id, report)));
    }

    fn speech(&mut self, speech: Speech) {
        match &speech {
            Speech::Start { .. } => {
                (self.speaking, self.quiet) = (true, None);
                self.count += 1;
                // Told from here: `recognition` may be busy, and the focus elsewhere by then.
                self.report(Report::Begun { utterance: self.count, late: self.late });
            }
            Speech::Quiet { at } => self.quiet = Some(*at),
            Speech::Voice { .. } => self.quiet = None,
            Speech::End { .. } => (self.speaking, self.quiet) = (false, None),
            Speech::Column(_) if !self.waits => return self.column(speech),
            Speech::Column(_) => {}
        }
        self.send(Work::Speech(self.job.id, speech));
    }

    fn column(&self, column: Speech) {
        if self.work.try_send(Work::Speech(self.job.id, column)).is_err() {
            self.lose(HOP_LENGTH);
        }
    }

    /// Counts what the device has lost since it was asked last; `total` is all of it.
    fn lost_in_device(&mut self, total: u64) {
        self.lose(total.saturating_sub(self.device));
        self.device = total;
    }

    fn lose(&self, samples: u64) {
        self.job.meter.overruns.fetch_add(samples, Ordering::Relaxed);
    }

    /// Someone speaks now.
    fn is_voice(&self) -> bool {
        self.speaking && self.quiet.is_none()
    }

    /// Someone speaks, but of the samples so far the last ones have no voice: who has come to the end is
    /// taken at their word. Outside an utterance a word may just be beginning.
    fn is_silent(&self, samples: u64) -> bool {
        let SegmentConfig { last_hangover_ms, hangover_ms, .. } = self.job.segments;
        let hangover = u64::from(last_hangover_ms.min(hangover_ms)) * SAMPLE_RATE as u64 / 1000;
        self.quiet.is_some_and(|since| samples >= since + hangover)
    }
}

#[cfg(test)]
mod tests;
