//! The sessions there are, and the life of each.
//!
//! ```text
//! arming ──opened──► listening ──stop, or the source ends──► finalizing ──done──► gone
//!    └───────────────────────── cancel, error ─────────────────┘
//! ```
//!
//! Pure bookkeeping of `main`: no thread, no bus.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Sender;
use zbus::OwnedObjectPath;
use zbus::names::OwnedUniqueName;

use crate::config::Mode as Output;
use crate::daemon::{Caller, Ending, Reply};
use crate::error::Error;
use crate::options::Scope;
use crate::pipeline::{Control, Id, Job};
use crate::service::{Board, PATH};
use crate::session_object::SessionShown;

/// Dictations that may still be finishing while the next one begins.
pub(crate) const MAX_FINALIZING: usize = 8;
/// Recordings that may wait for one another.
pub(crate) const MAX_FILES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Dictation,
    File,
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Dictation => "dictation",
            Self::File => "file",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Arming,
    Listening,
    Finalizing,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Arming => "arming",
            Self::Listening => "listening",
            Self::Finalizing => "finalizing",
        }
    }
}

/// What a session has to do with windows.
pub(crate) struct Delivering {
    pub mode: Output,
    /// Its key is down.
    pub held: bool,
    /// The rules of writing, if not those for the program in focus.
    pub profile: Option<Arc<str>>,
    /// The last utterance that was given the window.
    pub begun: u32,
    /// The utterances that are meant for a field for passwords. The next one may begin before the
    /// text of the last is there.
    pub secret: BTreeSet<u32>,
    /// Final texts of which it is not known yet what has become of them.
    pub pending: u32,
    /// Its threads have nothing more to say.
    pub done: bool,
}

impl Delivering {
    pub(crate) fn new(mode: Output, held: bool) -> Self {
        let secret = BTreeSet::new();
        Self { mode, held, profile: None, begun: 0, secret, pending: 0, done: false }
    }

    /// Whether its texts go into a window.
    pub(crate) fn is_on(&self) -> bool {
        self.mode != Output::None
    }
}

/// One session, as `main` knows it.
pub(crate) struct Session {
    pub job: Arc<Job>,
    pub path: OwnedObjectPath,
    pub mode: Mode,
    pub state: State,
    pub scope: Scope,
    pub owner: Caller,
    /// A recording that is transcribed as a whole: there is nothing to finish when it is stopped.
    pub whole: bool,
    /// Whether it goes on when its owner leaves the bus.
    pub linger: bool,
    pub control: Sender<Control>,
    /// Whether the session has the model; a file gets it when it is its turn.
    pub has_model: bool,
    /// The caller, if there is one, waits until the source is open.
    pub reply: Option<Reply<OwnedObjectPath>>,
    pub board: Board<SessionShown>,
    /// Sound flows into it.
    pub hears: bool,
    /// What it listens to, once that is open.
    pub source: String,
    /// CLOCK_MONOTONIC of sample 0 in µs, once `SessionStarted` has been sent.
    pub started: Option<u64>,
    pub duration: Option<Duration>,
    pub utterances: u32,
    pub delivering: Delivering,
    /// What the key is called that began it, if one did.
    pub action: Option<String>,
    /// Why it ends, if it was not the source.
    pub ending: Option<Ending>,
    pub failure: Option<Error>,
    /// What was wrong, though the session went on.
    pub warning: Option<Error>,
}

impl Session {
    pub(crate) fn id(&self) -> Id {
        self.job.id
    }

    /// Its microphone may be open.
    pub(crate) fn is_active(&self) -> bool {
        self.state != State::Finalizing
    }

    /// Begins to end the session. What ended it first is why it ended, but that a cancel always
    /// cuts off what another ending would still have delivered.
    pub(crate) fn end(&mut self, ending: Ending) {
        let cuts = self.whole || !ending.still_says();
        let control = match cuts {
            true => {
                self.job.meter.cancelled.store(true, Ordering::Relaxed);
                Control::Cancel
            }
            false => Control::Stop,
        };
        if self.ending.is_none() || ending == Ending::Cancelled {
            self.ending = Some(ending);
        }
        self.state = State::Finalizing;
        // A queue that is full, or whose reader is gone, has been told before.
        drop(self.control.try_send(control));
    }

    /// What to write into `SessionEnded`.
    pub(crate) fn reason(&self) -> &'static str {
        match (&self.failure, self.ending) {
            (_, Some(Ending::Cancelled)) => "cancelled",
            (Some(_), _) | (_, Some(Ending::Failed)) => "error",
            (_, Some(Ending::Stopped)) => "stopped",
            (_, Some(Ending::OwnerVanished)) => "owner-vanished",
            (_, None) => "done",
        }
    }

    pub(crate) fn overruns(&self) -> u64 {
        self.job.meter.overruns.load(Ordering::Relaxed)
    }

    pub(crate) fn shown(&self) -> SessionShown {
        SessionShown { state: self.state.word(), source: self.source.clone(), ..self.board.get() }
    }
}

/// All sessions, oldest first.
#[derive(Default)]
pub(crate) struct Sessions {
    pub all: Vec<Session>,
    last: Id,
}

impl Sessions {
    pub(crate) fn next_id(&mut self) -> Id {
        self.last += 1;
        self.last
    }

    pub(crate) fn find(&mut self, id: Id) -> Option<&mut Session> {
        self.all.iter_mut().find(|session| session.id() == id)
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<Session> {
        let at = self.all.iter().position(|session| session.id() == id)?;
        Some(self.all.remove(at))
    }

    /// The dictation that is on.
    pub(crate) fn dictation(&mut self) -> Option<&mut Session> {
        self.all.iter_mut().find(|session| session.mode == Mode::Dictation && session.is_active())
    }

    /// Whether another session of this kind may begin.
    ///
    /// # Errors
    ///
    /// `Busy` or `Overloaded`.
    pub(crate) fn room(&mut self, mode: Mode) -> Result<(), Error> {
        if mode == Mode::Dictation && self.dictation().is_some() {
            return Err(Error::Busy("somebody is dictating; stop that first".into()));
        }
        let (waiting, most) = match mode {
            Mode::Dictation => (self.count(Mode::Dictation), MAX_FINALIZING),
            Mode::File => (self.count(Mode::File), MAX_FILES),
        };
        match waiting < most {
            true => Ok(()),
            false => Err(Error::Overloaded(format!(
                "{waiting} sessions are waiting already; wait for one to end"
            ))),
        }
    }

    fn count(&self, mode: Mode) -> usize {
        self.all.iter().filter(|session| session.mode == mode).count()
    }

    /// Sessions that wait for a loaded model: all dictations, and the first file if none is at it.
    pub(crate) fn waiting(&mut self) -> impl Iterator<Item = &mut Session> {
        let mut files = 0;
        self.all.iter_mut().filter(move |session| {
            files += u32::from(session.mode == Mode::File);
            let turn = session.mode == Mode::Dictation || files == 1;
            turn && !session.has_model && session.ending.is_none_or(Ending::still_says)
        })
    }

    /// The state of the whole: that of the newest dictation.
    pub(crate) fn state(&self) -> Option<State> {
        let dictations = self.all.iter().filter(|session| session.mode == Mode::Dictation);
        dictations.map(|session| session.state).next_back()
    }
}

/// `/org/scriven/Dictation1/session/SENDER/TOKEN`, which a caller that chose the token can compute
/// before the answer is there.
pub(crate) fn path(caller: Option<&OwnedUniqueName>, token: &str) -> OwnedObjectPath {
    let sender = caller
        .map_or("peer".into(), |name| name.as_str().trim_start_matches(':').replace('.', "_"));
    zbus::ObjectPath::from_string_unchecked(format!("{PATH}/session/{sender}/{token}")).into()
}

#[cfg(test)]
mod tests;
