//! What `main` has to do with windows: texts on their way there, what became of them, and the
//! history. The work is done by the thread [`crate::delivery`].

use zbus::Variant;

use crate::calls::answer;
use crate::config::Mode as Output;
use crate::daemon::{Caller, Daemon, Ending, Reply, sent};
use crate::delivery::{Beginning, Focus, Handle, Of, Task, Text};
use crate::error::Error;
use crate::feedback::Notice;
use crate::history::{Access, Entry, Fate};
use crate::options::Scope;
use crate::parts::{Delivered, Rung};
use crate::pipeline::{Id, Report, spawn};
use crate::reports::emitter;
use crate::service::{Dict, Service};
use crate::sessions::{Mode, Session};

/// What the bus asks about windows and the history.
pub(crate) enum WindowCall {
    History(u32, Caller, Reply<Vec<Dict<'static>>>),
    ClearHistory(Reply<()>),
    Redeliver(Option<u64>, Reply<String>),
    Undo(Reply<()>),
    Insert(String, Reply<String>),
    Outputs(Reply<Vec<Dict<'static>>>),
    Focus(Reply<Focus>),
    /// Ask for the permission to type, or forget it.
    Permit(bool, Reply<()>),
}

/// The longest text that a client may have inserted, in bytes: more is no dictation, and would keep
/// the window from everybody else for minutes.
const MAX_INSERT: usize = 64 << 10;

pub(crate) fn of(session: Id, utterance: u32) -> Of {
    Of { session, utterance }
}

/// Puts a final text into the history, and makes of it what the window gets.
pub(crate) fn remember(
    delivery: &Handle,
    session: &mut Session,
    report: Report,
) -> (Report, Option<Text>) {
    let Report::Final { utterance, text, said } = &report else { return (report, None) };
    if session.mode != Mode::Dictation {
        return (report, None);
    }
    if session.hides(*utterance) {
        delivery.remember(text, said.language.as_deref(), Access::Nobody, Fate::Undelivered);
        return (Report::Discarded { utterance: *utterance, reason: "secret".into() }, None);
    }
    let access = match session.scope {
        Scope::Broadcast => Access::All,
        Scope::Owner => Access::Owner(session.owner.clone()),
    };
    let mode = session.delivering.mode;
    let fate = if session.delivering.is_on() { Fate::Undelivered } else { Fate::Unasked };
    let id = delivery.remember(text, said.language.as_deref(), access, fate);
    let (of, text, language) = (of(session.id(), *utterance), text.clone(), said.language.clone());
    let profile = session.delivering.profile.clone();
    (report, Some(Text { of, id, mode, profile, text, language }))
}

impl Session {
    /// Whether nobody is to hear the text of this utterance: it is meant for a field for passwords,
    /// and would be told to every program on the bus.
    pub(crate) fn hides(&self, utterance: u32) -> bool {
        self.scope == Scope::Broadcast && self.delivering.secret.contains(&utterance)
    }
}

impl Daemon {
    /// The field in focus is for passwords.
    pub(crate) fn secret(&mut self, of: Of) {
        if let Some(session) = self.sessions.find(of.session) {
            session.delivering.secret.insert(of.utterance);
        }
    }

    /// A session begins. As long as the model loads nobody can tell when something is said: it goes
    /// to the window that is in focus now.
    pub(crate) fn expect(&mut self, id: Id) {
        if self.shelf.model().is_some() {
            return;
        }
        if let Some(session) = self.sessions.find(id).filter(|s| s.delivering.is_on()) {
            self.delivery.expect(id, session.delivering.mode);
        }
    }

    /// The utterance of a session begins: the window that is in focus now is the one it goes to. One
    /// that is heard `late` goes to the one that was in focus when the session began.
    pub(crate) fn take_window(&mut self, id: Id, utterance: u32, late: bool) {
        let Some(session) = self.sessions.find(id) else { return };
        let cancelled = session.ending == Some(Ending::Cancelled);
        let delivering = &mut session.delivering;
        if !delivering.is_on() || cancelled || delivering.begun >= utterance {
            return;
        }
        delivering.begun = utterance;
        let (mode, held) = (delivering.mode, delivering.held);
        let profile = delivering.profile.clone();
        self.delivery.begin(Beginning { of: of(id, utterance), mode, held, late, profile });
    }

    /// The key is up.
    pub(crate) fn let_go(&mut self) {
        for session in self.sessions.all.iter_mut().filter(|session| session.delivering.held) {
            session.delivering.held = false;
            self.delivery.released(session.id());
        }
    }

    /// Sends a final text on its way. It has been told on the bus.
    pub(crate) async fn deliver(&mut self, text: Text) {
        if text.mode == Output::None {
            return self.delivery.keep(text.id);
        }
        let (of, id) = (text.of, text.id);
        if let Some(session) = self.sessions.find(of.session) {
            session.delivering.pending += 1;
        }
        if let Some(delivered) = self.delivery.finish(text) {
            self.delivered(of, id, &delivered).await;
        }
    }

    /// Tells what has become of a text.
    pub(crate) async fn delivered(&mut self, of: Of, text: u64, delivered: &Delivered) {
        let Some(session) = self.sessions.find(of.session) else { return };
        session.delivering.pending = session.delivering.pending.saturating_sub(1);
        let is_over = session.delivering.done && session.delivering.pending == 0;
        let (path, to) = (session.path.clone(), emitter(&self.connection, session));
        let Delivered { backend, ok, detail, .. } = delivered;
        let signal =
            Service::delivered(&to, path.as_ref(), of.utterance, backend, *ok, detail).await;
        sent(signal);
        if !ok {
            self.note(&Error::NotDelivered(detail.clone()));
            self.feedback.wrong(Notice::Undelivered { text, why: detail.clone() });
        }
        if is_over {
            self.done(of.session).await;
        }
    }

    /// Nothing more is said in a session; it ends when its last text has been delivered.
    pub(crate) async fn threads_done(&mut self, id: Id) {
        let Some(session) = self.sessions.find(id) else { return };
        session.delivering.done = true;
        self.delivery.ended(id);
        if session.delivering.pending == 0 {
            self.done(id).await;
        }
    }

    pub(crate) fn window_call(&mut self, call: WindowCall) {
        match call {
            WindowCall::History(limit, caller, reply) => {
                answer(&reply, Ok(self.list_history(limit as usize, &caller)));
            }
            WindowCall::ClearHistory(reply) => self.pass(Task::Clear(reply)),
            WindowCall::Redeliver(id, reply) => self.pass(Task::Redeliver(id, reply)),
            WindowCall::Undo(reply) => self.pass(Task::Undo(reply)),
            WindowCall::Insert(text, reply) if text.len() > MAX_INSERT => {
                let error = "the text is longer than 64 KiB; insert it in parts";
                answer(&reply, Err(Error::InvalidArgument(error.into())));
            }
            WindowCall::Insert(text, reply) => self.pass(Task::Insert(text, reply)),
            WindowCall::Outputs(reply) => self.list_outputs(reply),
            WindowCall::Focus(reply) => self.pass(Task::Focus(reply)),
            WindowCall::Permit(true, reply) => self.permission.ask(reply),
            WindowCall::Permit(false, reply) => answer(&reply, self.permission.forget()),
        }
    }

    /// Newest first; 0 for all.
    fn list_history(&self, limit: usize, caller: &Caller) -> Vec<Dict<'static>> {
        let limit = if limit == 0 { usize::MAX } else { limit };
        self.delivery.history.with(|history| {
            history.latest().take(limit).map(|entry| shown(entry, caller)).collect()
        })
    }

    fn list_outputs(&self, reply: Reply<Vec<Dict<'static>>>) {
        let (rungs, found) = async_channel::bounded(1);
        self.pass(Task::Rungs(rungs));
        let (way, failed) = (self.way, reply.clone());
        // Asking the desktop takes its time.
        let asked = spawn("outputs", move || {
            let rungs = found.recv_blocking().unwrap_or_else(|_| Err(Error::leaving()));
            answer(&reply, rungs.map(|rungs| rungs.iter().map(|rung| listed(rung, way)).collect()));
        });
        if let Err(error) = asked {
            answer(&failed, Err(Error::Overloaded(error.to_string())));
        }
    }

    fn pass(&self, task: Task) {
        let Err(task) = self.delivery.ask(task) else { return };
        let error = || Error::Overloaded("too many texts wait for a window; try again".into());
        match *task {
            Task::Redeliver(_, reply) | Task::Insert(_, reply) => answer(&reply, Err(error())),
            Task::Undo(reply) | Task::Clear(reply) => answer(&reply, Err(error())),
            Task::Rungs(reply) => answer(&reply, Err(error())),
            Task::Focus(reply) => answer(&reply, Err(error())),
            _ => {}
        }
    }
}

/// A text of the history for `caller`.
fn shown(entry: &Entry, caller: &Caller) -> Dict<'static> {
    let mut shown: Dict<'static> = Dict::from([
        ("id", entry.id.into()),
        ("time", i64::try_from(entry.id).unwrap_or(i64::MAX).into()),
        ("state", entry.fate.word().into()),
        ("backend", entry.backend.clone().into()),
        ("detail", entry.detail.clone().into()),
    ]);
    let readable = match &entry.access {
        Access::All => true,
        Access::Owner(owner) => owner == caller,
        Access::Nobody => false,
    };
    if readable {
        shown.insert("text", entry.text.clone().into());
    }
    if let Some(language) = &entry.language {
        shown.insert("language", language.clone().into());
    }
    shown
}

/// A way into windows, as the bus lists it.
fn listed(rung: &Rung, way: &str) -> Dict<'static> {
    let can = rung.verdict.as_ref().copied().unwrap_or_default();
    let verdict = rung.verdict.as_ref().err().cloned().unwrap_or_default();
    Dict::from([
        ("name", Variant::from(rung.name)),
        ("usable", rung.verdict.is_ok().into()),
        ("chosen", (rung.name == way && rung.verdict.is_ok()).into()),
        ("reason", verdict.into()),
        ("preedit", can.preedit.into()),
        ("surrounding", can.surrounding.into()),
        ("purpose", can.purpose.into()),
        ("keyless", can.keyless.into()),
        ("focus", can.focus.into()),
    ])
}
