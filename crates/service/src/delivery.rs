//! Final text → the window in focus. Thread `delivery`, one.
//!
//! Owns the ways into windows, the rules of writing and the history on disk. A text is written to
//! disk before it is delivered. One utterance has the window at a time; the next one waits for its
//! end, so that no text goes where another began. `main` never waits for this thread, and hears of
//! each text what has become of it.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::Context as _;
use scriven_desktop::insertion::Target;
use scriven_desktop::writing::Edit;
use tracing::debug;

use crate::clock;
use crate::config::{Config, Live, Mode};
use crate::daemon::{Event, Reply};
use crate::history::journal::Journal;
use crate::history::{Access, Shared};
use crate::parts::{Delivered, MakeOutput, Output, Parts, Rung, Wanted};
use crate::permission::TokenFile;
use crate::pipeline::{Id, spawn};

mod handle;
mod mailbox;
mod record;
mod requests;
mod writer;

pub(crate) use self::handle::Handle;
use self::mailbox::{Found, ROOM, Receiver, mailbox};
use self::writer::{Writer, joined};

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
    /// The rules of writing, if not those for the program in focus.
    pub profile: Option<Arc<str>>,
}

/// `main` → `delivery`.
pub(crate) enum Task {
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
}

impl Task {
    fn is_show(&self) -> bool {
        matches!(self, Self::Show { .. })
    }

    /// Takes hardly any room, and must be known.
    fn is_short(&self) -> bool {
        matches!(self, Self::Released(_) | Self::Ended(_) | Self::Keep(_))
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
}

struct Delivery {
    tasks: Receiver,
    events: async_channel::Sender<Event>,
    make: Arc<MakeOutput>,
    wanted: Wanted,
    /// Made when they are first needed: asking a desktop what it can do takes its time.
    typing: Option<Box<dyn Output>>,
    clipboard: Option<Box<dyn Output>>,
    writer: Writer,
    history: Shared,
    journal: Journal,
    turn: Option<Turn>,
    /// Utterances that have begun while another had the window.
    next: VecDeque<Beginning>,
    /// The session whose key is down.
    held: Option<Id>,
    /// Texts that wait until the key is let go, all for the window of the turn.
    waiting: Vec<Text>,
    /// The way as `main` knows it.
    way: Option<&'static str>,
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
    let wanted = Wanted { way, live: config.output.live, token: TokenFile::of(folders) };
    let make = parts.output.clone();
    let run = move || {
        Delivery {
            tasks,
            events,
            make,
            wanted,
            typing: None,
            clipboard: None,
            writer,
            history,
            journal,
            turn: None,
            next: VecDeque::new(),
            held: None,
            waiting: Vec::new(),
            way: None,
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
            let patience = self.history.with(|h| h.next_expiry(clock::wall_unsigned()));
            match self.tasks.next(patience) {
                Found::Task(task) => self.serve(task),
                Found::Nothing => {}
                Found::Closed => return,
            }
        }
    }

    fn serve(&mut self, task: Task) {
        match task {
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
        }
        self.tell_way();
    }

    /// The way into the window for this mode.
    fn output(&mut self, mode: Mode) -> &mut dyn Output {
        let (output, wanted) = match mode {
            Mode::Clipboard => {
                let way = Some("clipboard".into());
                (&mut self.clipboard, Wanted { way, live: Live::Final, ..self.wanted.clone() })
            }
            _ => (&mut self.typing, self.wanted.clone()),
        };
        &mut **output.get_or_insert_with(|| (self.make)(&wanted))
    }

    fn begin(&mut self, beginning: Beginning) {
        if beginning.held {
            self.held = Some(beginning.of.session);
        }
        match &self.turn {
            Some(turn) if turn.beginning.of == beginning.of => {}
            Some(_) => self.next.push_back(beginning),
            None => self.take_turn(beginning),
        }
    }

    fn take_turn(&mut self, beginning: Beginning) {
        self.next.retain(|next| next.of != beginning.of);
        let target = self.output(beginning.mode).begin(beginning.held);
        self.writer.turn_to(target.as_ref(), beginning.profile.as_deref());
        if target.as_ref().is_some_and(|target| target.secret) {
            self.report(Event::Secret(beginning.of));
        }
        self.turn = Some(Turn { beginning, target });
    }

    /// The turn is over: the window is the next one's.
    fn end_turn(&mut self) {
        self.turn = None;
        if let Some(next) = self.next.pop_front() {
            self.take_turn(next);
        }
    }

    fn show(&mut self, of: Of, committed: &str, tentative: &str, language: &str) {
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.beginning.of == of) else { return };
        if !self.waiting.is_empty() || self.wanted.live == Live::Final {
            return;
        }
        let before = turn.target.as_ref().and_then(|target| target.before.as_deref());
        let mode = turn.beginning.mode;
        let sure = self.writer.preview(committed, language, before);
        let all = self.writer.preview(&format!("{committed}{tentative}"), language, before);
        let (sure, rest) = all.split_at(common(&sure, &all));
        self.output(mode).show(sure, rest);
    }

    fn finish(&mut self, text: Text) {
        let is_held = self.held == Some(text.of.session);
        let joins = !self.waiting.is_empty() && is_held;
        if !joins {
            self.turn_of(&text, is_held);
        }
        let target = self.turn.as_ref().and_then(|turn| turn.target.as_ref());
        if target.is_some_and(|target| target.secret) {
            self.history.with(|h| h.get_mut(text.id).map(|entry| entry.access = Access::Nobody));
        }
        self.keep(text.id);
        if !is_held || self.output(text.mode).is_keyless() {
            return self.deliver(vec![text]);
        }
        // Keys that are typed while another is held would disturb it, and be taken for shortcuts.
        match self.waiting.len() < ROOM {
            true => self.waiting.push(text),
            false => self.settle(&text, &too_much(), false),
        }
    }

    /// Sees to it that the utterance has the window.
    fn turn_of(&mut self, text: &Text, held: bool) {
        let profile = text.profile.clone();
        let beginning = Beginning { of: text.of, mode: text.mode, held, profile };
        match &self.turn {
            Some(turn) if turn.beginning.of == text.of => {}
            Some(turn) => {
                // Its own end is late, as that of a session that still finishes may be.
                let other = turn.beginning.clone();
                self.output(other.mode).discard();
                self.next.push_front(other);
                self.take_turn(beginning);
            }
            None => self.take_turn(beginning),
        }
    }

    /// Puts texts into the window of the turn, and ends it.
    fn deliver(&mut self, texts: Vec<Text>) {
        let Some(turn) = &self.turn else { return };
        let mode = turn.beginning.mode;
        let mut before = turn.target.as_ref().and_then(|target| target.before.as_deref());
        let mut edits = Vec::new();
        for text in &texts {
            let language = text.language.as_deref().unwrap_or_default();
            // The writer knows what it has just written itself.
            edits.extend(self.writer.write(&text.text, language, before.take()));
        }
        let edits = joined(edits);
        let delivered = self.output(mode).finish(&edits);
        debug!(backend = delivered.backend, ok = delivered.ok, texts = texts.len(), "delivered");
        if !delivered.ok {
            // Nobody knows what stands there now.
            self.writer.forget();
        }
        if delivered.ok && edits.contains(&Edit::Undo) {
            self.note_undone();
        }
        let is_written = edits.iter().any(|edit| matches!(edit, Edit::Insert(_)));
        for text in &texts {
            self.next.retain(|next| next.of != text.of);
            self.settle(text, &delivered, is_written);
        }
        self.end_turn();
    }

    fn discard(&mut self, of: Of) {
        self.next.retain(|next| next.of != of);
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.beginning.of == of) else { return };
        let mode = turn.beginning.mode;
        self.output(mode).discard();
        self.end_turn();
    }

    fn released(&mut self, session: Id) {
        if self.held == Some(session) {
            self.held = None;
            let texts = std::mem::take(&mut self.waiting);
            if !texts.is_empty() {
                self.deliver(texts);
            }
        }
    }

    fn ended(&mut self, session: Id) {
        self.released(session);
        self.next.retain(|next| next.of.session != session);
        if let Some(turn) = &self.turn
            && turn.beginning.of.session == session
        {
            self.discard(turn.beginning.of);
        }
    }

    fn tell_way(&mut self) {
        let way = self.typing.as_ref().and_then(|output| output.way());
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

fn too_much() -> Delivered {
    let detail = "too much is waiting; \"scriven redeliver\" types it later".into();
    Delivered { backend: String::new(), ok: false, detail, inserted: String::new() }
}

/// Bytes that two texts have in common at their beginning, whole characters only.
fn common(a: &str, b: &str) -> usize {
    let same = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
    same.last().map_or(0, |((at, c), _)| at + c.len_utf8())
}
