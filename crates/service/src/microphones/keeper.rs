//! Thread `pre-roll`: keeps a microphone open while nobody dictates, and the last moments that it
//! heard in memory, so that a dictation can begin with them. Runs only where the configuration asks
//! for it.
//!
//! Nothing else sees this sound: no voice detection, no log, no file. What is older than the pre-roll
//! is forgotten at each look; all is when the device goes or the machine sleeps.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use scriven_audio::SAMPLE_RATE;
use scriven_audio::capture::CaptureOptions;
use tracing::{info, warn};

use super::{Device, Opener};
use crate::error::chain;
use crate::pipeline::spawn;

/// How often the thread looks at the device: often enough for its watchdog, which waits for 1 s, and
/// so rarely that it costs next to nothing. A session that asks is answered at once.
const LOOK: Duration = Duration::from_millis(200);
/// The wait between two tries to open a device that does not open.
const RETRY: Duration = Duration::from_secs(2);
/// One session at a time asks and gives back; the rest is `main`'s.
const QUEUE: usize = 16;

/// The thread, seen by others. It ends, and closes the device, with the last of these.
#[derive(Clone)]
pub(super) struct Keeper {
    ask: Sender<Ask>,
    kept: CaptureOptions,
}

enum Ask {
    Lend(Sender<Option<(Device, Vec<f32>)>>),
    Return(Device),
    Sleep(bool),
}

impl Keeper {
    /// Starts the thread, which opens the device.
    pub(super) fn start(
        kept: CaptureOptions,
        length: Duration,
        opener: Opener,
    ) -> std::io::Result<Self> {
        let (ask, asked) = bounded(QUEUE);
        let keeping = Keeping {
            opener,
            options: kept.clone(),
            asked,
            device: None,
            heard: Heard::new((length.as_secs_f64() * SAMPLE_RATE as f64) as usize),
            lent: false,
            asleep: false,
            failed: None,
        };
        spawn("pre-roll", move || keeping.run())?;
        Ok(Self { ask, kept })
    }

    /// The device and what it heard last, if it is the one wanted and works.
    pub(super) fn lend(&self, wanted: &CaptureOptions) -> Option<(Device, Vec<f32>)> {
        if *wanted != self.kept {
            return None;
        }
        let (lend, lent) = bounded(1);
        self.ask.send(Ask::Lend(lend)).ok()?;
        lent.recv().ok()?
    }

    /// Takes the device back, whatever has become of it.
    pub(super) fn take_back(&self, device: Device) {
        // A thread that is gone has no use for it.
        drop(self.ask.send(Ask::Return(device)));
    }

    /// Closes the device while the machine sleeps. Does not wait.
    pub(super) fn sleep(&self, asleep: bool) {
        drop(self.ask.try_send(Ask::Sleep(asleep)));
    }
}

struct Keeping {
    opener: Opener,
    options: CaptureOptions,
    asked: Receiver<Ask>,
    device: Option<Device>,
    heard: Heard,
    /// A session has the device.
    lent: bool,
    asleep: bool,
    /// When the device was last lost, or did not open.
    failed: Option<Instant>,
}

impl Keeping {
    fn run(mut self) {
        loop {
            self.look();
            match self.asked.recv_timeout(LOOK) {
                Ok(Ask::Lend(to)) => self.lend(&to),
                Ok(Ask::Return(device)) => {
                    self.lent = false;
                    self.device = Some(device).filter(|_| !self.asleep);
                }
                Ok(Ask::Sleep(asleep)) => {
                    self.asleep = asleep;
                    if asleep {
                        self.close();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn lend(&mut self, to: &Sender<Option<(Device, Vec<f32>)>>) {
        let device = self.device.take();
        // Where it is lent already, it still is.
        self.lent |= device.is_some();
        // Whoever asked waits for it.
        drop(to.send(device.map(|device| (device, self.heard.take()))));
    }

    /// Listens on, or opens the device.
    fn look(&mut self) {
        let Some(device) = &mut self.device else { return self.open() };
        if let Err(error) = self.heard.listen(device) {
            warn!(error = chain(&error), "the microphone of the pre-roll is lost");
            self.close();
            self.failed = Some(Instant::now());
        }
    }

    fn open(&mut self) {
        let waits = self.failed.is_some_and(|at| at.elapsed() < RETRY);
        if self.lent || self.asleep || waits {
            return;
        }
        match self.opener.open(&self.options) {
            Ok(device) => {
                info!(source = device.input.name(), "the microphone is kept open for the pre-roll");
                self.device = Some(device);
                self.failed = None;
            }
            Err(error) => {
                // Once, not every two seconds.
                if self.failed.replace(Instant::now()).is_none() {
                    warn!(error = chain(&error), "no pre-roll: the microphone does not open");
                }
            }
        }
    }

    fn close(&mut self) {
        self.device = None;
        self.heard.take();
    }
}

/// The last moments of sound.
struct Heard {
    last: VecDeque<f32>,
    /// How many samples are kept.
    length: usize,
    block: Vec<f32>,
}

impl Heard {
    fn new(length: usize) -> Self {
        Self { last: VecDeque::new(), length, block: Vec::new() }
    }

    /// Takes what the device has now, and forgets what is too old.
    fn listen(&mut self, device: &mut Device) -> Result<(), scriven_audio::Error> {
        device.input.read(&mut self.block)?;
        self.push();
        Ok(())
    }

    fn push(&mut self) {
        self.last.extend(self.block.drain(..));
        let old = self.last.len().saturating_sub(self.length);
        self.last.drain(..old);
    }

    /// Gives all away.
    fn take(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.last).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_moments_are_kept() {
        let mut heard = Heard::new(5);
        for block in [vec![1.0, 2.0, 3.0], vec![4.0], vec![], vec![5.0, 6.0, 7.0]] {
            heard.block = block;
            heard.push();
            assert!(heard.last.len() <= 5);
        }
        assert_eq!(heard.take(), [3.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(heard.take().is_empty(), "what was given away is not given again");
        heard.block = vec![0.5; 1_000];
        heard.push();
        assert_eq!(heard.take().len(), 5);
    }
}
