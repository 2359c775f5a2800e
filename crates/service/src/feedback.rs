//! What the user hears and sees of dictation besides the text: messages where something went wrong,
//! cues, and players that are silent meanwhile.
//!
//! `main` says whether a microphone is listened to and what went wrong, and never waits. Two threads
//! do the work, each only where the configuration asks for it: `feedback` calls other programs on the
//! bus, `cues` plays. Both take what is newest and pass over what they were too slow for.

use std::io;
use std::time::Duration;

use crossbeam_channel::bounded;
use futures_lite::future;
use scriven_audio::capture::SourceKind;
use scriven_audio::cue::Cue;
use tracing::{debug, warn};
use zbus::Connection;
use zruntime::SharedRuntime;

use crate::config::{Config, Folders, Media};
use crate::daemon::Daemon;
use crate::error::chain;
use crate::parts::Parts;
use crate::pipeline::spawn;
use crate::service::Desk;
use crate::sessions::{Mode, Session};

mod ledger;
mod notices;
mod silence;

use self::ledger::Ledger;
use self::notices::Notices;
pub(crate) use self::notices::{Kind, Notice};
use self::silence::Silence;

/// Messages that may wait for a server that is being started; the oldest are forgotten.
const NOTICES: usize = 16;
/// Cues that may wait for one another. Later ones are of no use.
const CUES: usize = 4;
/// How long players may take to become as they were when the daemon ends.
const END: Duration = Duration::from_secs(4);

/// How many players an earlier process has left lowered, by the folder of state.
#[cfg(fuzzing)]
pub(crate) fn lowered(state: &std::path::Path) -> usize {
    Ledger::new(state, "bus").read().len()
}

/// The threads seen from `main`. Dropped, it ends them.
pub(crate) struct Feedback {
    /// Whether somebody is listened to, as it was told last.
    listens: bool,
    silence: async_channel::Sender<bool>,
    notices: async_channel::Sender<Notice>,
    cues: Option<crossbeam_channel::Sender<Cue>>,
    /// Closed when all is as it was.
    settled: async_channel::Receiver<()>,
}

impl Feedback {
    /// Starts the threads that the configuration asks for.
    pub(crate) fn start(
        config: &Config,
        folders: &Folders,
        parts: &Parts,
        connection: &Connection,
        desk: Desk,
    ) -> io::Result<Self> {
        let wanted = &config.feedback;
        // One place: what is newer replaces what was not heard yet.
        let (silence, listens) = async_channel::bounded(1);
        let (notices, told) = async_channel::bounded(NOTICES);
        let (alive, settled) = async_channel::bounded(1);
        let ledger = Ledger::new(&folders.state, connection.server_guid().as_str());
        // What an earlier process has left is made good, whatever is configured now.
        if wanted.notifications || wanted.media != Media::Off || ledger.exists() {
            let silencing = Silence::new(connection.clone(), wanted, ledger);
            let telling = wanted.notifications.then(|| (connection.clone(), desk));
            spawn("feedback", move || {
                let notices = async {
                    if let Some((connection, desk)) = telling {
                        Notices::run(connection, desk, told).await;
                    }
                };
                zbus::block_on(future::zip(silencing.run(listens), notices));
                drop(alive);
            })?;
        }
        let cues = if wanted.sounds { Some(start_cues(config, parts)?) } else { None };
        Ok(Self { listens: false, silence, notices, cues, settled })
    }

    /// Ends when all is as it was before, once this is dropped; after some seconds at the latest.
    pub(crate) fn settled(&self) -> impl Future<Output = ()> + 'static {
        let settled = self.settled.clone();
        async move {
            let Ok(runtime) = SharedRuntime::current() else { return };
            if runtime.timeout(END, settled.recv()).await.is_err() {
                debug!("somebody on the bus does not answer; leaving all the same");
            }
        }
    }

    /// Something went wrong that whoever dictates should know.
    pub(crate) fn wrong(&self, notice: Notice) {
        if notice.kind().interrupts() {
            self.cue(Cue::Failed);
        }
        self.tell(notice);
    }

    pub(crate) fn tell(&self, notice: Notice) {
        // Without a reader nobody wants to know.
        drop(self.notices.force_send(notice));
    }

    fn listens(&mut self, now: bool) {
        if self.listens != now {
            self.listens = now;
            self.cue(if now { Cue::Listening } else { Cue::Ended });
            // Without a reader nobody is to be silenced.
            let _ = self.silence.force_send(now);
        }
    }

    fn cue(&self, cue: Cue) {
        if let Some(cues) = &self.cues {
            // What finds no room would come too late.
            let _ = cues.try_send(cue);
        }
    }
}

impl Daemon {
    /// Brings what the user hears and sees up to date with what runs.
    pub(crate) fn settle_feedback(&mut self) {
        let listens = self.sessions.all.iter().any(Session::hears_a_microphone);
        self.feedback.listens(listens);
    }
}

impl Session {
    /// Sound of a microphone flows into it. What is played is no disturbance for a session that
    /// listens to just that.
    fn hears_a_microphone(&self) -> bool {
        let microphone = SourceKind::of(&self.source) == SourceKind::Microphone;
        self.hears && microphone && self.mode == Mode::Dictation
    }
}

fn start_cues(config: &Config, parts: &Parts) -> io::Result<crossbeam_channel::Sender<Cue>> {
    let (cues, queue) = bounded(CUES);
    let (play, host) = (parts.cue.clone(), config.host.into());
    let db = config.feedback.sounds_db as f32;
    spawn("cues", move || play_cues(&queue, &|cue| play(cue, db, host)))?;
    Ok(cues)
}

/// Thread `cues`: plays one after the other, and of those that wait only the last.
fn play_cues(
    queue: &crossbeam_channel::Receiver<Cue>,
    play: &dyn Fn(Cue) -> Result<(), scriven_audio::Error>,
) {
    let mut complained = false;
    while let Ok(first) = queue.recv() {
        let cue = queue.try_iter().last().unwrap_or(first);
        let played = play(cue).map_err(|error| chain(&error));
        match &played {
            Err(error) if !complained => warn!(error, "no cue can be heard"),
            Err(error) => debug!(error, "no cue can be heard"),
            Ok(()) => {}
        }
        complained = played.is_err();
    }
}
