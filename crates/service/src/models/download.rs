//! One file of the web → the disk: resumed where it was cut, verified before anybody opens it.
//!
//! The connection lives on a thread of its own, which hands over blocks; so the caller can give up
//! at any moment, whatever the network does. What has arrived stays in `NAME.part` until all of it
//! is there and has the right SHA-256.

mod partial;
mod transfer;

use std::path::Path;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use self::partial::Partial;
use self::transfer::{Arrival, Head};
use super::{Error, Job, TICK};

pub(super) use self::partial::{hash, is_whole};

/// What to get.
pub(super) struct Wanted<'a> {
    pub(super) url: &'a str,
    /// Sent to the host of `url` only.
    pub(super) token: Option<&'a str>,
    /// Bytes.
    pub(super) size: u64,
    /// Lower-case hex.
    pub(super) sha256: &'a str,
}

/// How long to wait for the network.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// For a host to be found, and again for it to answer. Short: there are other sources.
    pub(super) connect: Duration,
    /// For the next block.
    pub(super) stall: Duration,
    /// Attempts in a row that bring nothing.
    pub(super) attempts: u32,
    /// Before the second attempt; twice as long before each further one.
    pub(super) pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(500),
        }
    }
}

/// Why an attempt ended before the file did.
enum Trouble {
    /// Another attempt would end the same way.
    Lasting(Error),
    /// Another attempt may succeed.
    Passing(String),
    /// No answer at all: worth another attempt only if there was one before.
    Unreachable(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

/// Downloads one file to `to`. What an earlier, interrupted call left is used.
///
/// # Errors
///
/// [`Error::Source`] says why the file cannot be had here; [`Error::NoSpace`], [`Error::Io`] and
/// [`Error::Cancelled`] concern this machine and this call.
pub(super) fn download(
    wanted: &Wanted<'_>,
    to: &Path,
    patience: &Patience,
    job: &mut Job<'_>,
) -> Result<(), Error> {
    let mut partial = Partial::open(to, wanted.size, job)?;
    let was_resumed = partial.len() > 0;
    let outcome = fill(&mut partial, wanted, patience, job);
    if outcome.is_err() && partial.len() == 0 {
        partial.remove();
    }
    outcome?;
    if was_resumed && !partial.has(wanted.sha256) {
        // The older part may be what is wrong.
        partial.restart()?;
        fill(&mut partial, wanted, patience, job)?;
    }
    partial.finish(wanted.sha256)
}

/// Attempts until all bytes are there.
fn fill(
    partial: &mut Partial,
    wanted: &Wanted<'_>,
    patience: &Patience,
    job: &mut Job<'_>,
) -> Result<(), Error> {
    let detail = job.now.detail.clone();
    let mut was_reached = false;
    let mut failures = 0;
    job.reach(partial.len());
    while partial.len() < wanted.size {
        let before = partial.len();
        let reason = match attempt(partial, wanted, patience, job) {
            Ok(()) => "the connection was closed early".into(),
            Err(Trouble::Lasting(error)) => return Err(error),
            Err(Trouble::Unreachable(reason)) if !was_reached => return Err(Error::Source(reason)),
            Err(Trouble::Unreachable(reason) | Trouble::Passing(reason)) => reason,
        };
        was_reached = true;
        if partial.len() == wanted.size {
            break;
        }
        failures = if partial.len() > before { 1 } else { failures + 1 };
        if failures >= patience.attempts {
            return Err(Error::Source(format!("{reason}, {failures} times in a row")));
        }
        job.say(format!("{detail} ({reason}; trying again)"));
        job.pause(patience.pause * 2_u32.pow(failures - 1))?;
        job.say(detail.clone());
    }
    Ok(())
}

/// One request: appends what it brings.
fn attempt(
    partial: &mut Partial,
    wanted: &Wanted<'_>,
    patience: &Patience,
    job: &mut Job<'_>,
) -> Result<(), Trouble> {
    let arrivals = transfer::start(wanted, partial.len(), partial.etag(), patience)
        .map_err(|error| Trouble::Lasting(Error::Source(format!("no thread: {error}"))))?;
    let mut quiet = Duration::ZERO;
    loop {
        job.check()?;
        match arrivals.recv_timeout(TICK) {
            Ok(Arrival::Head(head)) => prepare(partial, wanted, &head)?,
            Ok(Arrival::Block(block)) => {
                if partial.len() + block.len() as u64 > wanted.size {
                    return Err(other_size(wanted, "more"));
                }
                partial.append(&block, wanted.size)?;
                job.reach(partial.len());
            }
            Ok(Arrival::Unreachable(reason)) => return Err(Trouble::Unreachable(reason)),
            Ok(Arrival::Cut(reason)) => return Err(Trouble::Passing(reason)),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                quiet += TICK;
                if quiet > patience.stall {
                    return Err(Trouble::Passing("the connection stalled".into()));
                }
                continue;
            }
        }
        quiet = Duration::ZERO;
    }
}

/// Looks at the answer, and makes the partial file end where the body begins.
fn prepare(partial: &mut Partial, wanted: &Wanted<'_>, head: &Head) -> Result<(), Trouble> {
    if head.total.is_some_and(|total| total != wanted.size) {
        return Err(other_size(wanted, &head.total.unwrap_or_default().to_string()));
    }
    match head.status {
        // The whole file: the server knows no ranges, or the file is not the one begun.
        200 => partial.restart()?,
        206 if head.start == partial.len() => {}
        206 | 416 => {
            partial.restart()?;
            return Err(Trouble::Passing("the server sent another part".into()));
        }
        status @ (408 | 425 | 429 | 500..) => {
            return Err(Trouble::Passing(format!("the server answers {}", in_words(status))));
        }
        status => {
            let reason = format!("the server answers {}", in_words(status));
            return Err(Trouble::Lasting(Error::Source(reason)));
        }
    }
    partial.set_etag(head.etag.as_deref());
    Ok(())
}

fn other_size(wanted: &Wanted<'_>, found: &str) -> Trouble {
    let reason = format!("the file there has {found} bytes in place of {}", wanted.size);
    Trouble::Lasting(Error::Source(reason))
}

/// A status of HTTP with its meaning.
fn in_words(status: u16) -> String {
    let meaning = match status {
        401 | 403 => " (not allowed)",
        404 | 410 => " (not there)",
        429 => " (too many requests)",
        500.. => " (its own fault)",
        _ => "",
    };
    format!("{status}{meaning}")
}
