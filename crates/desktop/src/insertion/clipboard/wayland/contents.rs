//! What is on a clipboard: fetched from who offers it, and handed to who asks for it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};

use super::NAME;
use crate::Error;

/// How long who offers something may take to hand all of it over.
const KEEP: Duration = Duration::from_millis(300);
/// How long who asks for something may take to read it.
const HAND_OVER: Duration = Duration::from_secs(5);
/// More than this (bytes) is not kept in memory: no paste then.
const MOST: usize = 64 << 20;

/// The names under which programs ask for text, and one that asks clipboard managers not to
/// remember it.
const TEXT_TYPES: [&str; 5] =
    ["text/plain;charset=utf-8", "text/plain", "UTF8_STRING", "TEXT", "STRING"];
const NOT_TO_BE_KEPT: &str = "x-kde-passwordManagerHint";

/// One type in which the contents are offered.
pub(super) struct Kind {
    name: String,
    bytes: Vec<u8>,
}

/// Contents that are offered, and what has become of the offer.
pub(in crate::insertion) struct Contents {
    kinds: Vec<Kind>,
    fate: Mutex<Fate>,
    changed: Condvar,
}

#[derive(Default)]
struct Fate {
    /// How many have read it to the end.
    fetches: usize,
    is_replaced: bool,
}

impl Contents {
    pub(super) fn new(kinds: Vec<Kind>) -> Self {
        Self { kinds, fate: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn text(text: &str) -> Self {
        let kind = |name: &&str| Kind { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() };
        let mut kinds: Vec<Kind> = TEXT_TYPES.iter().map(kind).collect();
        kinds.push(Kind { name: NOT_TO_BE_KEPT.to_owned(), bytes: b"secret".to_vec() });
        Self::new(kinds)
    }

    pub(super) fn types(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|kind| kind.name.as_str())
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often text has been fetched.
    pub(super) fn fetches(&self) -> usize {
        self.fate().fetches
    }

    /// Something else has been copied since.
    pub(super) fn is_replaced(&self) -> bool {
        self.fate().is_replaced
    }

    /// Told by the compositor.
    pub(super) fn replace(&self) {
        self.fate().is_replaced = true;
        self.changed.notify_all();
    }

    /// Waits until there are more fetches than `known`; `false` when none came.
    pub(super) fn wait_for_more(&self, known: usize, limit: Duration) -> bool {
        let fate = self.fate();
        let waited = self.changed.wait_timeout_while(fate, limit, |fate| fate.fetches <= known);
        waited.unwrap_or_else(PoisonError::into_inner).0.fetches > known
    }

    /// Waits until nothing has been fetched for so long, four times as long at most.
    pub(super) fn wait_for_quiet(&self, pause: Duration) {
        let end = Instant::now() + 4 * pause;
        let mut known = self.fetches();
        while Instant::now() < end && self.wait_for_more(known, pause) {
            known = self.fetches();
        }
    }

    /// Hands over what is asked for as `name`, on a thread of its own: who asks may read slowly.
    pub(super) fn hand_over(self: &Arc<Self>, name: &str, fd: OwnedFd) {
        let Some(at) = self.kinds.iter().position(|kind| kind.name == name) else { return };
        let contents = self.clone();
        let hand_over = move || {
            let kind = &contents.kinds[at];
            // The clipboard managers' word is not what a window pastes.
            if write(fd, &kind.bytes).is_ok() && kind.name != NOT_TO_BE_KEPT {
                contents.fate().fetches += 1;
                contents.changed.notify_all();
            }
        };
        // Without a thread the pipe is closed, and who asked gets nothing.
        thread::Builder::new().name("clipboard".to_owned()).spawn(hand_over).ok();
    }
}

/// Fetches all `types` of an offer: `receive` asks who offers it to write one of them into a pipe.
///
/// # Errors
///
/// [`Error::Unavailable`] when it is too much or does not come in time: then nothing may be put in
/// its place.
pub(super) fn fetch(
    types: Vec<String>,
    receive: impl Fn(&str, BorrowedFd<'_>) -> Result<(), Error>,
) -> Result<Vec<Kind>, Error> {
    let end = Instant::now() + KEEP;
    let mut kinds = Vec::with_capacity(types.len());
    let mut left = MOST;
    for name in types {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| lost(&e.into()))?;
        receive(&name, writer.as_fd())?;
        drop(writer);
        let bytes = read(reader, end, left).map_err(|error| lost(&error))?;
        left -= bytes.len();
        kinds.push(Kind { name, bytes });
    }
    Ok(kinds)
}

fn lost(error: &io::Error) -> Error {
    let reason = format!(
        "what is on the clipboard would be lost ({error}); copy something small and dictate again"
    );
    Error::Unavailable { backend: NAME, reason }
}

fn read(reader: OwnedFd, end: Instant, most: usize) -> io::Result<Vec<u8>> {
    fcntl_setfl(&reader, OFlags::NONBLOCK)?;
    let mut file = std::fs::File::from(reader);
    let (mut bytes, mut part) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&file, PollFlags::IN, end)?;
            }
            Err(error) => return Err(error),
        }
        if bytes.len() > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

fn write(writer: OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + HAND_OVER;
    fcntl_setfl(&writer, OFlags::NONBLOCK)?;
    let mut file = std::fs::File::from(writer);
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&file, PollFlags::OUT, end)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until `file` is ready, up to the moment `end`.
fn wait(file: &impl AsFd, flags: PollFlags, end: Instant) -> io::Result<()> {
    let left = end.saturating_duration_since(Instant::now());
    let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
    match poll(&mut [PollFd::new(file, flags)], Some(&left)) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
