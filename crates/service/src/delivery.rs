//! Final text → the window in focus. Thread `delivery`, one.
//!
//! Owns the ways into windows, the rules of writing and the history on disk. A text is written to
//! disk before it is delivered. One utterance has the window at a time; the next one waits for its
//! end, so that no text goes where another began. `main` never waits for this thread, and hears of
//! each text what has become of it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use scriven_desktop::insertion::Target;

use crate::clock;
use crate::config::{Config, Mode};
use crate::daemon::{Event, Reply};
use crate::history::Shared;
use crate::history::journal::Journal;
use crate::parts::{Parts, Rung, Wanted};
use crate::permission::TokenFile;
use crate::pipeline::{Id, spawn};

mod finals;
mod handle;
mod mailbox;
mod record;
mod requests;
mod rest;
mod shown;
mod ways;
mod writer;

use self::finals::{Copied, Partly, too_much};
pub(crate) use self::handle::Handle;
use self::mailbox::{Found, Receiver, mailbox};
use self::record::Trails;
use self::ways::Ways;
use self::writer::Writer;

/// An utterance of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Of {
    pub session: Id,
    pub utterance: u32,
}

/// A final text on its way. Never to be logged.
pub(crate) struct Text {
    pub of: Of,
    /// Its number in the history.
    pub id: u64,
    pub mode: Mode,
    pub profile: Option<Arc<str>>,
    pub text: String,
    pub language: Option<String>,
}

/// An utterance that begins.
#[derive(Clone)]
pub(crate) struct Beginning {
    pub of: Of,
    pub mode: Mode,
    /// The user holds a key down.
    pub held: bool,
    /// It is heard later than it was said: what is in focus now need not be what was in focus then.
    pub late: bool,
    /// The rules of writing, if not those for the program in focus.
    pub profile: Option<Arc<str>>,
}

/// `main` → `delivery`.
pub(crate) enum Task {
    /// What this session says before it can be heard is meant for what is in focus now.
    Expect(Id, Mode),
    Begin(Beginning),
    Show {
        of: Of,
        committed: String,
        tentative: String,
        language: Option<String>,
    },
    Finish(Text),
    /// It came to nothing.
    Discard(Of),
    /// The key of this session has been let go.
    Released(Id),
    /// Nothing more comes from this session.
    Ended(Id),
    /// Only the history takes it.
    Keep(u64),
    Redeliver(Option<u64>, Reply<String>),
    Undo(Reply<()>),
    Insert(String, Reply<String>),
    Clear(Reply<()>),
    Rungs(Reply<Vec<Rung>>),
    Focus(Reply<Focus>),
}

/// The program in focus, as profiles know it.
pub(crate) struct Focus {
    /// Empty where the desktop does not tell.
    pub app: String,
    /// The profile for it; empty for none.
    pub profile: String,
}

impl Task {
    fn is_show(&self) -> bool {
        matches!(self, Self::Show { .. })
    }

    /// Takes hardly any room, and must be known.
    fn is_short(&self) -> bool {
        matches!(
            self,
            Self::Expect(..)
                | Self::Begin(_)
                | Self::Discard(_)
                | Self::Released(_)
                | Self::Ended(_)
                | Self::Keep(_)
        )
    }

    /// The utterance whose text this is or makes old.
    fn utterance(&self) -> Option<Of> {
        match self {
            Self::Show { of, .. } | Self::Discard(of) => Some(*of),
            Self::Finish(text) => Some(text.of),
            _ => None,
        }
    }
}

/// The utterance that has the window.
struct Turn {
    beginning: Beginning,
    target: Option<Target>,
    /// It is meant for a field for passwords, which need not be in focus any more.
    secret: bool,
}

impl Turn {
    fn origin(&self) -> Origin {
        Origin { secret: self.secret, ..Origin::of(self.target.as_ref()) }
    }
}

/// What was in focus when an utterance began.
#[derive(Clone)]
struct Origin {
    target: Option<String>,
    /// A field for passwords.
    secret: bool,
}

impl Origin {
    fn of(target: Option<&Target>) -> Self {
        let secret = target.is_some_and(|target| target.secret);
        Self { target: target.map(|target| target.id.clone()), secret }
    }
}

/// An utterance that began while another had the window, or before it could be heard.
struct Queued {
    beginning: Beginning,
    origin: Origin,
}

struct Delivery {
    tasks: Receiver,
    events: async_channel::Sender<Event>,
    ways: Ways,
    writer: Writer,
    history: Shared,
    journal: Journal,
    turn: Option<Turn>,
    next: VecDeque<Queued>,
    /// Where the sessions began that had no model then.
    origins: HashMap<Id, Origin>,
    /// The session whose key is down.
    held: Option<Id>,
    /// Texts that wait until the key is let go, all for the window of the turn.
    waiting: Vec<Text>,
    copied: Copied,
    trails: Trails,
    /// The text that was delivered last, if not all of it is there.
    partly: Option<Partly>,
    /// The way as `main` knows it.
    way: Option<&'static str>,
    /// When the ways may rest, if nothing is asked of them before.
    rests_at: Option<Instant>,
}

/// Starts the thread. It ends with its handle.
pub(crate) fn start(
    config: &Config,
    folders: &crate::config::Folders,
    parts: &Parts,
    events: async_channel::Sender<Event>,
) -> anyhow::Result<Handle> {
    let writer = Writer::new(config.styles()?);
    let path = folders.state.join("history.jsonl");
    let (journal, history) = Journal::open(path, config.history.limits(), clock::wall_unsigned());
    let history = Shared::new(history);
    let (sender, tasks) = mailbox();
    let handle = Handle::new(sender, history.clone());
    let way = (config.output.way != "auto").then(|| config.output.way.clone());
    let wanted =
        Wanted { way, live: config.output.live, copy: false, token: TokenFile::of(folders) };
    let make = parts.output.clone();
    let run = move || {
        Delivery {
            tasks,
            events,
            ways: Ways::new(make, wanted),
            writer,
            history,
            journal,
            turn: None,
            next: VecDeque::new(),
            origins: HashMap::new(),
            held: None,
            waiting: Vec::new(),
            copied: Copied::default(),
            trails: Trails::default(),
            partly: None,
            way: None,
            rests_at: None,
        }
        .run();
    };
    spawn("delivery", run).context("no thread could be started")?;
    Ok(handle)
}

impl Delivery {
    fn run(mut self) {
        loop {
            self.forget_what_is_old();
            match self.tasks.next(self.patience()) {
                Found::Task(task) => self.serve(task),
                Found::Nothing => self.rest_if_idle(),
                Found::Closed => return,
            }
        }
    }

    fn serve(&mut self, task: Task) {
        match task {
            Task::Expect(session, mode) => {
                let origin = self.focus_of(mode);
                self.origins.insert(session, origin);
            }
            Task::Begin(beginning) => self.begin(beginning),
            Task::Show { of, committed, tentative, language } => {
                self.show(of, &committed, &tentative, language.as_deref().unwrap_or_default());
            }
            Task::Finish(text) => self.finish(text),
            Task::Discard(of) => self.discard(of),
            Task::Released(session) => self.released(session),
            Task::Ended(session) => self.ended(session),
            Task::Keep(id) => self.keep(id),
            Task::Redeliver(id, reply) => self.redeliver(id, &reply),
            Task::Undo(reply) => self.undo(&reply),
            Task::Insert(text, reply) => self.insert(&text, &reply),
            Task::Clear(reply) => self.clear(&reply),
            Task::Rungs(reply) => self.list_rungs(&reply),
            Task::Focus(reply) => self.tell_focus(&reply),
        }
        self.rest_later();
        self.tell_way();
    }

    fn begin(&mut self, beginning: Beginning) {
        if beginning.held {
            self.held = Some(beginning.of.session);
        }
        let known = self.origins.get(&beginning.of.session).filter(|_| beginning.late).cloned();
        match &self.turn {
            Some(turn) if turn.beginning.of == beginning.of => {}
            None if known.is_none() => self.take_turn(beginning),
            _ => {
                let origin = known.unwrap_or_else(|| self.focus_of(beginning.mode));
                self.queue(beginning, origin);
            }
        }
    }

    fn focus_of(&mut self, mode: Mode) -> Origin {
        let target = match mode {
            Mode::Copy => None,
            mode => self.ways.of(mode).focus(),
        };
        Origin::of(target.as_ref())
    }

    /// Waits for the window, if another utterance has it.
    fn queue(&mut self, beginning: Beginning, origin: Origin) {
        if origin.secret {
            // Told now: when it has the window, something else may be in focus.
            self.report(Event::Secret(beginning.of));
        }
        self.next.push_back(Queued { beginning: beginning.clone(), origin });
        if self.turn.is_none() {
            self.take_turn(beginning);
        }
    }

    fn take_turn(&mut self, beginning: Beginning) {
        let at = self.next.iter().position(|next| next.beginning.of == beginning.of);
        let began = at.and_then(|at| self.next.remove(at)).map(|next| next.origin);
        // The key may have been let go since.
        let held = self.held == Some(beginning.of.session);
        let target = match (beginning.mode, &began) {
            (Mode::Copy, _) => Some(self.clipboard_of(beginning.of.session)),
            (mode, Some(origin)) => {
                // Where nothing was in focus, nothing that is in focus now is meant.
                let id = origin.target.as_deref().unwrap_or_default();
                self.ways.of(mode).begin_in(id, held)
            }
            (mode, None) => self.ways.of(mode).begin(held),
        };
        self.writer.turn_to(target.as_ref(), beginning.profile.as_deref());
        let mut secret = target.as_ref().is_some_and(|target| target.secret);
        if secret {
            self.report(Event::Secret(beginning.of));
        }
        secret |= began.is_some_and(|origin| origin.secret);
        self.turn = Some(Turn { beginning, target, secret });
    }

    /// The clipboard is written on as a field is that begins empty with each session.
    fn clipboard_of(&mut self, session: Id) -> Target {
        if self.copied.turn_to(session) {
            self.ways.of(Mode::Copy).forget();
            self.trails.forget(Mode::Copy);
        }
        let before = Some(self.copied.text());
        Target { id: format!("clipboard of {session}"), before, ..Target::default() }
    }

    /// The turn is over: the window is the next one's.
    fn end_turn(&mut self) {
        self.turn = None;
        if let Some(next) = self.next.front() {
            self.take_turn(next.beginning.clone());
        }
    }

    fn discard(&mut self, of: Of) {
        self.next.retain(|next| next.beginning.of != of);
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.beginning.of == of) else { return };
        let mode = turn.beginning.mode;
        self.ways.of(mode).discard();
        self.end_turn();
    }

    fn released(&mut self, session: Id) {
        if self.held == Some(session) {
            self.held = None;
            let texts = std::mem::take(&mut self.waiting);
            if !texts.is_empty() {
                self.deliver(&texts);
            }
        }
    }

    fn ended(&mut self, session: Id) {
        self.origins.remove(&session);
        self.released(session);
        self.next.retain(|next| next.beginning.of.session != session);
        if let Some(turn) = &self.turn
            && turn.beginning.of.session == session
        {
            self.discard(turn.beginning.of);
        }
    }

    fn tell_way(&mut self) {
        let way = self.ways.name();
        if way != self.way {
            self.way = way;
            self.report(Event::Way(way.unwrap_or_default()));
        }
    }

    fn report(&self, event: Event) {
        // A closed channel means that the daemon is gone, and this thread soon will be.
        drop(self.events.send_blocking(event));
    }
}
