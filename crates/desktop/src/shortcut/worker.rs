//! The thread of a way, as its owner holds it.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::Error;

/// How long a way may take to say whether it works. What hangs for longer is as good as gone.
const READY: Duration = Duration::from_secs(5);
/// How long a thread may take to end. One that hangs in a dead display is left behind.
const END: Duration = Duration::from_secs(1);

/// What the owner wants of the thread.
#[derive(Debug)]
pub(crate) struct Wishes {
    stop: AtomicBool,
    armed: AtomicBool,
    /// Readable when something has changed.
    bell: OwnedFd,
    /// The same for a thread that waits in futures.
    rung: (async_channel::Sender<()>, async_channel::Receiver<()>),
}

impl Wishes {
    fn new() -> Result<Self, rustix::io::Errno> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (stop, armed) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { stop, armed, bell, rung: async_channel::bounded(1) })
    }

    fn ring(&self) {
        // A bell that rings already, or that nobody hears any more.
        rustix::io::write(&self.bell, &1_u64.to_ne_bytes()).ok();
        self.rung.0.try_send(()).ok();
    }

    pub(crate) fn stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }

    /// Waits until the owner wants something or one of `fds` is readable or gone, at most `limit`.
    /// Says which of `fds` are.
    pub(crate) fn wait(&self, fds: &[&dyn AsFd], limit: Option<Duration>) -> Vec<bool> {
        let mut polled: Vec<PollFd<'_>> =
            fds.iter().map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)).collect();
        polled.push(PollFd::new(&self.bell, PollFlags::IN));
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        if poll(&mut polled, limit.as_ref()).is_err() {
            // Interrupted: nothing is known to be readable.
            return vec![false; fds.len()];
        }
        let mut ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready.pop() == Some(true) {
            rustix::io::read(&self.bell, &mut [0_u8; 8]).ok();
        }
        ready
    }

    /// Waits for `pause`, or until the owner wants it to stop.
    pub(crate) fn pause(&self, pause: Duration) {
        let until = std::time::Instant::now() + pause;
        while !self.stop() {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return;
            }
            self.wait(&[], Some(left));
        }
    }

    /// Ends when the owner wants something.
    pub(crate) async fn rung(&self) {
        self.rung.1.recv().await.ok();
    }
}

/// How a thread says that it works, or why not.
pub(crate) type Ready = mpsc::SyncSender<Result<String, Error>>;

/// A thread that listens. Dropped, it ends.
pub(crate) struct Worker {
    wishes: Arc<Wishes>,
    ended: Receiver<()>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Worker {
    /// Starts `work` and waits until it says that it works, and in which words.
    pub(crate) fn start(
        way: &'static str,
        work: impl FnOnce(&Wishes, &Ready) + Send + 'static,
    ) -> Result<(Self, String), Error> {
        let unavailable = |reason: String| Error::Unavailable { backend: way, reason };
        let wishes = Wishes::new().map_err(|error| unavailable(error.to_string()))?;
        let wishes = Arc::new(wishes);
        let (ready, readiness) = mpsc::sync_channel(1);
        let (alive, ended) = mpsc::sync_channel(1);
        let theirs = Arc::clone(&wishes);
        thread::Builder::new()
            .name(format!("shortcut {way}"))
            .spawn(move || {
                work(&theirs, &ready);
                drop(alive);
            })
            .map_err(|error| unavailable(error.to_string()))?;
        let worker = Self { wishes, ended };
        match readiness.recv_timeout(READY) {
            Ok(words) => Ok((worker, words?)),
            Err(RecvTimeoutError::Timeout) => Err(unavailable("it does not answer".to_owned())),
            Err(RecvTimeoutError::Disconnected) => Err(unavailable("it ended at once".to_owned())),
        }
    }

    pub(crate) fn arm_cancel(&self, armed: bool) {
        self.wishes.armed.store(armed, Ordering::Release);
        self.wishes.ring();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.wishes.stop.store(true, Ordering::Release);
        self.wishes.ring();
        // Nothing is ever sent: the thread's end closes the channel.
        self.ended.recv_timeout(END).ok();
    }
}
