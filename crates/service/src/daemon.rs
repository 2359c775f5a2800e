//! Thread `main`: everything that can happen, one at a time, and what the bus then shows.
//!
//! The loop is closed: an [`Event`] is all that ever reaches it, from the bus, from the other
//! threads or from the system. It owns all state, never computes and never waits for a thread.
//! [`crate::calls`] answers the bus, [`crate::reports`] passes on what was said, [`crate::shelf`]
//! looks after the models.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::{StreamExt as _, future};
use tracing::{debug, info, warn};
use zbus::names::OwnedUniqueName;
use zbus::object_server::InterfaceRef;
use zbus::{Connection, MessageStream, OwnedObjectPath};
use zruntime::SharedRuntime;

use crate::config::Config;
use crate::deliveries::WindowCall;
use crate::delivery::{self, Of};
use crate::error::Error;
use crate::feedback::Feedback;
use crate::keys::{KeyEvent, Keys, Listed};
use crate::microphones::Microphones;
use crate::models;
use crate::options::Options;
use crate::parts::{Delivered, Model, Parts};
use crate::permission::Permission;
use crate::pipeline::{Id, Pipeline, Report};
use crate::service::{Board, Desk, Dict, Service, Shown};
use crate::session_object::SessionObject;
use crate::sessions::{Sessions, State};
use crate::shelf::Shelf;
use crate::sleep::Awake;

/// The unique name of a peer; `None` on a connection without a bus.
pub(crate) type Caller = Option<OwnedUniqueName>;
/// Where the answer to a call goes.
pub(crate) type Reply<T> = Sender<Result<T, Error>>;

/// How long the last words may take where the bus is gone. It goes as well when the user logs out: together with the
/// end of the other threads this is less than systemd waits (`TimeoutStopSec`), or they would not reach the disk.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(20);

/// Everything that can happen.
pub(crate) enum Event {
    Call(Call),
    Report(Id, Report),
    /// What has become of a final text that was to go into a window; the number is that of the
    /// history.
    Delivered(Of, u64, Delivered),
    /// The utterance is meant for a field for passwords.
    Secret(Of),
    /// The way into windows is another one now.
    Way(&'static str),
    /// A microphone was opened or closed.
    Microphone,
    /// The machine is about to sleep, as soon as it is let.
    Sleep(Awake),
    /// The machine has woken up.
    Woke,
    Key(KeyEvent),
    /// Time has passed that a key waits for.
    KeysDue,
    /// How many of how many steps of the warm-up are done; the number in front says for which
    /// attempt to load.
    Warming(u64, usize, usize),
    /// A model was loaded, or not; the number says which attempt it was.
    Loaded(u64, Result<Arc<dyn Model>, Error>),
    /// The GPU of the first model has failed; what has become of that on the CPU.
    Replaced(Arc<dyn Model>, Error, Result<Arc<dyn Model>, Error>),
    Fetching(String, models::Progress),
    Fetched(String, Result<(), models::Error>),
    /// A peer has left the bus.
    Vanished(OwnedUniqueName),
    /// The system asks the daemon to end.
    Leave,
    /// The bus is gone, and with it everybody who could listen.
    BusClosed,
    /// The last words have taken too long.
    TooLate,
}

/// What the bus asks for.
pub(crate) enum Call {
    Dictate(Hold, Options, Caller, Reply<OwnedObjectPath>),
    /// The key of this action went down, or repeats.
    Press(String, Options, Caller, Reply<OwnedObjectPath>),
    /// It came up.
    Release(String, Reply<()>),
    Shortcuts(Reply<Listed>),
    Cancel(Reply<()>),
    Transcribe(File, Options, Caller, Reply<OwnedObjectPath>),
    Sources(Reply<Vec<Dict<'static>>>),
    SetLanguages(Vec<String>, Reply<()>),
    End(Id, Ending, Reply<()>),
    Import(String, PathBuf, Reply<OwnedObjectPath>),
    Model(String, ModelCall, Reply<()>),
    Window(WindowCall),
}

/// How a dictation is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Until `Stop`, or until its caller leaves.
    Start,
    /// Until the next `Toggle`.
    Toggle,
}

/// Why a session ends before its source does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stopped,
    OwnerVanished,
    Cancelled,
    /// There will be no model.
    Failed,
}

impl Ending {
    /// What was said is still delivered.
    pub(crate) fn still_says(self) -> bool {
        matches!(self, Self::Stopped | Self::OwnerVanished)
    }
}

/// What the bus asks of a model.
pub(crate) enum ModelCall {
    Download,
    CancelDownload,
    Import(PathBuf),
    Remove,
    Use,
}

/// All state of the program.
pub(crate) struct Daemon {
    pub config: Config,
    pub parts: Parts,
    pub connection: Connection,
    pub service: InterfaceRef<Service>,
    pub board: Board<Shown>,
    pub desk: Desk,
    pub events: Receiver<Event>,
    pub pipeline: Pipeline,
    pub microphones: Microphones,
    /// Keeps the machine from sleeping until what was said is delivered.
    pub awake: Option<Awake>,
    pub delivery: delivery::Handle,
    pub feedback: Feedback,
    pub permission: Permission,
    pub sessions: Sessions,
    pub shelf: Shelf,
    pub languages: Vec<String>,
    pub keys: Keys,
    /// The way into windows, once one was looked for.
    pub way: &'static str,
    pub last_error: (String, String),
    /// Samples lost by sessions that have ended.
    pub overruns: u64,
    pub leaving: bool,
    /// The system has asked for that. Asked again, nothing is waited for.
    pub asked_to_leave: bool,
    /// The bus is gone, and what is not finished by then is given up.
    pub deadline: Option<Instant>,
}

impl Daemon {
    /// Runs until the system ends it, or the end of the bus.
    pub(crate) async fn run(mut self, mut owners: MessageStream, stop: Receiver<()>) {
        self.load_model();
        loop {
            self.hand_out_model();
            self.settle_keys();
            self.settle_feedback();
            self.let_sleep();
            self.publish().await;
            if self.leaving && self.sessions.all.is_empty() {
                return;
            }
            match self.next(&mut owners, &stop).await {
                Event::Call(call) => self.call(call).await,
                Event::Report(id, report) => self.report(id, report).await,
                Event::Delivered(of, id, delivered) => self.delivered(of, id, &delivered).await,
                Event::Secret(of) => self.secret(of),
                Event::Way(way) => self.way = way,
                // Shown as soon as it happens.
                Event::Microphone => {}
                Event::Sleep(awake) => self.fall_asleep(awake),
                Event::Woke => self.wake_up(),
                Event::Key(event) => self.key_event(event).await,
                Event::KeysDue => self.keys_due().await,
                Event::Warming(attempt, done, of) => self.warming(attempt, done, of),
                Event::Loaded(attempt, result) => self.loaded(attempt, result),
                Event::Replaced(failed, why, by) => self.replaced(&failed, &why, by),
                Event::Fetching(id, progress) => self.fetching(&id, progress),
                Event::Fetched(id, result) => self.fetched(&id, result),
                Event::Vanished(name) => self.vanished(&name),
                Event::Leave if self.asked_to_leave => return,
                Event::Leave => self.asked_to_leave(),
                Event::BusClosed => self.bus_closed(),
                Event::TooLate => return warn!("what was said last took too long to finish"),
            }
        }
    }

    async fn next(&self, owners: &mut MessageStream, stop: &Receiver<()>) -> Event {
        // Never fails: the desk holds a sender.
        let events = async { self.events.recv().await.unwrap_or(Event::Leave) };
        let vanished = async {
            loop {
                match owners.next().await {
                    Some(Ok(message)) => {
                        if let Ok((name, ..)) =
                            message.body().deserialize::<(OwnedUniqueName, String, String)>()
                        {
                            return Event::Vanished(name);
                        }
                    }
                    Some(Err(_)) => {}
                    None => return future::pending().await,
                }
            }
        };
        let leave = async {
            match stop.recv().await {
                Ok(()) => Event::Leave,
                // Nobody can ask any more.
                Err(_) => future::pending().await,
            }
        };
        let closed = async {
            let Some(deadline) = self.deadline else {
                self.connection.closed().await;
                return Event::BusClosed;
            };
            if let Ok(runtime) = SharedRuntime::current() {
                runtime.sleep_until(deadline).await;
            }
            Event::TooLate
        };
        let due = async {
            match (self.keys.due(), SharedRuntime::current()) {
                (Some(due), Ok(runtime)) => runtime.sleep(due).await,
                _ => future::pending().await,
            }
            Event::KeysDue
        };
        let rare = future::or(future::or(leave, closed), due);
        future::or(future::or(events, vanished), rare).await
    }

    fn asked_to_leave(&mut self) {
        self.asked_to_leave = true;
        self.leave();
    }

    /// Nobody hears of it any more, but what was said still goes into its window and the history.
    fn bus_closed(&mut self) {
        info!("the session bus is gone");
        self.deadline = Some(Instant::now() + LAST_WORDS);
        self.leave();
    }

    /// Ends all sessions, delivering what was said, and then the daemon.
    fn leave(&mut self) {
        if std::mem::replace(&mut self.leaving, true) {
            return;
        }
        info!(sessions = self.sessions.all.len(), "leaving");
        // A model that still loads is waited for; without one, nothing can become text any more.
        let ending =
            if self.shelf.can_serve().is_ok() { Ending::Stopped } else { Ending::Cancelled };
        for session in &mut self.sessions.all {
            session.end(ending);
        }
    }

    fn vanished(&mut self, name: &OwnedUniqueName) {
        for session in &mut self.sessions.all {
            if !session.linger && session.is_active() && session.owner.as_ref() == Some(name) {
                debug!(session = session.id(), "its caller has left the bus");
                session.end(Ending::OwnerVanished);
            }
        }
    }

    /// Gives the model to every session whose turn it is.
    fn hand_out_model(&mut self) {
        let Some(model) = self.shelf.model() else { return };
        for session in self.sessions.waiting() {
            session.has_model = true;
            // A reader that is gone needs no model.
            drop(session.control.try_send(crate::pipeline::Control::Ready(model.clone())));
        }
    }

    fn state(&self) -> &'static str {
        match self.sessions.state() {
            Some(State::Arming) => "arming",
            Some(State::Listening) => "listening",
            Some(State::Finalizing) => "finalizing",
            None if self.shelf.failure().is_some() => "error",
            None => "idle",
        }
    }

    fn shown(&self) -> Shown {
        let lost: u64 = self.sessions.all.iter().map(|session| session.overruns()).sum();
        Shown {
            state: self.state(),
            model_state: self.shelf.state(),
            model: self.shelf.chosen().to_owned(),
            backend: self.shelf.model().map(|model| model.backend().to_owned()).unwrap_or_default(),
            languages: self.languages.clone(),
            output_backend: self.way,
            microphone_open: self.microphones.is_any_open(),
            overruns: self.overruns + lost,
            last_error: self.last_error.clone(),
        }
    }

    /// Tells the bus what has changed since it was told last.
    pub(crate) async fn publish(&mut self) {
        let now = self.shown();
        let was = self.board.replace(now.clone());
        if now != was {
            self.publish_changes(&was, &now).await;
        }
        for session in &self.sessions.all {
            let (now, was) = (session.shown(), session.board.get());
            if now != was {
                session.board.replace(now.clone());
                let server = self.connection.object_server();
                let Ok(object) = server.interface::<_, SessionObject>(&session.path).await else {
                    continue;
                };
                let (object, to) = (object.get().await, object.signal_emitter());
                if now.state != was.state {
                    sent(object.state_changed(to).await);
                }
                if now.source != was.source {
                    sent(object.source_changed(to).await);
                }
            }
        }
        self.shelf.publish(&self.connection).await;
    }

    async fn publish_changes(&self, was: &Shown, now: &Shown) {
        let (service, to) = (self.service.get().await, self.service.signal_emitter());
        if now.state != was.state {
            sent(service.state_changed(to).await);
        }
        if now.model_state != was.model_state {
            sent(service.model_state_changed(to).await);
        }
        if now.model != was.model {
            sent(service.model_changed(to).await);
        }
        if now.backend != was.backend {
            sent(service.backend_changed(to).await);
        }
        if now.output_backend != was.output_backend {
            sent(service.output_backend_changed(to).await);
        }
        if now.microphone_open != was.microphone_open {
            sent(service.microphone_open_changed(to).await);
        }
        if now.overruns != was.overruns {
            sent(service.overruns_changed(to).await);
        }
        if now.last_error != was.last_error {
            sent(service.last_error_changed(to).await);
        }
        // `Languages` is announced by its own setter.
    }

    /// Keeps an error for `LastError` and the log.
    pub(crate) fn note(&mut self, error: &Error) {
        self.last_error = error.pair();
        tracing::warn!(name = self.last_error.0, "{}", self.last_error.1);
    }
}

/// A signal that cannot be sent has no reader: the loop learns from the connection that it closed.
pub(crate) fn sent(result: zbus::Result<()>) {
    if let Err(error) = result {
        debug!(%error, "signal not sent");
    }
}
