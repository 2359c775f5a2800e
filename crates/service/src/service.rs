//! The root interface `org.scriven.Dictation1`: methods in, signals out.
//!
//! Nothing is decided here. A method becomes a [`Call`] to `main` and waits for the answer without
//! holding anything up; a property is read from what `main` last published.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::object_server::SignalEmitter;
use zbus::{ObjectPath, OwnedObjectPath, Variant, interface};

use crate::daemon::{Call, Caller, Event, Hold, Reply};
use crate::deliveries::WindowCall;
use crate::delivery::Focus;
use crate::error::Error;
use crate::options::{self, DICTATION, FILE, Options, Raw};

/// Name on the session bus, and of the root interface.
pub const NAME: &str = "org.scriven.Dictation1";
/// Path of the root object.
pub const PATH: &str = "/org/scriven/Dictation1";
/// Grows when something is added to the interface; what is taken away changes the name.
pub const VERSION: u32 = 2;

/// An `a{sv}` on its way out.
pub(crate) type Dict<'a> = BTreeMap<&'a str, Variant<'a>>;

/// The way from the bus to `main`.
#[derive(Clone)]
pub(crate) struct Desk(pub async_channel::Sender<Event>);

impl Desk {
    /// Hands a call over and waits for the answer.
    pub(crate) async fn ask<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> Result<T, Error> {
        let (reply, answer) = async_channel::bounded(1);
        self.0.send(Event::Call(call(reply))).await.map_err(|_| Error::leaving())?;
        answer.recv().await.unwrap_or_else(|_| Err(Error::leaving()))
    }
}

/// What the properties say. Never holds a word of what was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub state: &'static str,
    pub model_state: &'static str,
    pub model: String,
    pub backend: String,
    pub languages: Vec<String>,
    pub output_backend: &'static str,
    pub microphone_open: bool,
    pub overruns: u64,
    pub last_error: (String, String),
}

/// Shared by `main`, which writes it, and the interface, which reads it.
#[derive(Clone, Default)]
pub(crate) struct Board<T>(Arc<Mutex<T>>);

impl<T: Clone> Board<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    pub(crate) fn get(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts up `value` and takes down what was there.
    pub(crate) fn replace(&self, value: T) -> T {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), value)
    }
}

/// The object at [`PATH`].
pub(crate) struct Service {
    desk: Desk,
    board: Board<Shown>,
    models: Board<Vec<OwnedObjectPath>>,
}

impl Service {
    pub(crate) fn new(
        desk: Desk,
        board: Board<Shown>,
        models: Board<Vec<OwnedObjectPath>>,
    ) -> Self {
        Self { desk, board, models }
    }

    async fn window<T>(&self, call: impl FnOnce(Reply<T>) -> WindowCall) -> Result<T, Error> {
        self.desk.ask(|reply| Call::Window(call(reply))).await
    }
}

/// The peer that calls. On a connection without a bus nobody has a name.
fn caller(header: &Header<'_>) -> Caller {
    header.sender().map(|name| OwnedUniqueName::from(name.to_owned()))
}

#[interface(name = "org.scriven.Dictation1", introspection_docs = false)]
impl Service {
    #[zbus(out_args("session"))]
    async fn start_session(
        &self,
        options: Raw,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<OwnedObjectPath, Error> {
        let (options, caller) = (Options::parse(&options, DICTATION)?, caller(&header));
        self.desk.ask(|reply| Call::Dictate(Hold::Start, options, caller, reply)).await
    }

    #[zbus(out_args("session"))]
    async fn toggle(
        &self,
        options: Raw,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<OwnedObjectPath, Error> {
        let (options, caller) = (Options::parse(&options, DICTATION)?, caller(&header));
        self.desk.ask(|reply| Call::Dictate(Hold::Toggle, options, caller, reply)).await
    }

    async fn press(
        &self,
        action: String,
        options: Raw,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(), Error> {
        let (options, caller) = (Options::parse(&options, DICTATION)?, caller(&header));
        self.desk.ask(|reply| Call::Press(action, options, caller, reply)).await?;
        Ok(())
    }

    async fn release(&self, action: String) -> Result<(), Error> {
        self.desk.ask(|reply| Call::Release(action, reply)).await
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.desk.ask(Call::Cancel).await
    }

    #[zbus(out_args("session"))]
    async fn transcribe_file(
        &self,
        file: zbus::OwnedFd,
        options: Raw,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<OwnedObjectPath, Error> {
        let (options, caller) = (Options::parse(&options, FILE)?, caller(&header));
        let file = File::from(OwnedFd::from(file));
        self.desk.ask(|reply| Call::Transcribe(file, options, caller, reply)).await
    }

    #[zbus(out_args("sources"))]
    async fn list_sources(&self) -> Result<Vec<Dict<'static>>, Error> {
        self.desk.ask(Call::Sources).await
    }

    #[zbus(out_args("models"))]
    fn list_models(&self) -> Vec<OwnedObjectPath> {
        self.models.get()
    }

    #[zbus(out_args("model"))]
    async fn import_model(&self, id: String, path: String) -> Result<OwnedObjectPath, Error> {
        self.desk.ask(|reply| Call::Import(id, PathBuf::from(path), reply)).await
    }

    #[zbus(out_args("texts"))]
    async fn get_history(
        &self,
        limit: u32,
        options: Raw,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<Vec<Dict<'static>>, Error> {
        options::check_names(&options, &[])?;
        let caller = caller(&header);
        self.window(|reply| WindowCall::History(limit, caller, reply)).await
    }

    async fn clear_history(&self) -> Result<(), Error> {
        self.window(WindowCall::ClearHistory).await
    }

    #[zbus(out_args("backend"))]
    async fn redeliver(&self, options: Raw) -> Result<String, Error> {
        let id = options::history_id(&options)?;
        self.window(|reply| WindowCall::Redeliver(id, reply)).await
    }

    async fn undo_last(&self) -> Result<(), Error> {
        self.window(WindowCall::Undo).await
    }

    #[zbus(out_args("backend"))]
    async fn insert_text(&self, text: String, options: Raw) -> Result<String, Error> {
        options::check_names(&options, &[])?;
        self.window(|reply| WindowCall::Insert(text, reply)).await
    }

    #[zbus(out_args("keys", "ways"))]
    async fn list_shortcuts(&self) -> Result<(Vec<Dict<'static>>, Vec<Dict<'static>>), Error> {
        self.desk.ask(Call::Shortcuts).await
    }

    #[zbus(out_args("outputs"))]
    async fn list_outputs(&self) -> Result<Vec<Dict<'static>>, Error> {
        self.window(WindowCall::Outputs).await
    }

    #[zbus(out_args("focus"))]
    async fn describe_focus(&self) -> Result<Dict<'static>, Error> {
        let Focus { app, profile } = self.window(WindowCall::Focus).await?;
        Ok(Dict::from([("app", app.into()), ("profile", profile.into())]))
    }

    async fn permit_typing(&self, options: Raw) -> Result<(), Error> {
        let forget = options::forget(&options)?;
        self.window(|reply| WindowCall::Permit(!forget, reply)).await
    }

    #[zbus(signal)]
    pub(crate) async fn partial(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        utterance: u32,
        revision: u32,
        committed: &str,
        tentative: &str,
        info: Dict<'_>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn r#final(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        utterance: u32,
        text: &str,
        info: Dict<'_>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn discarded(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        utterance: u32,
        reason: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn delivered(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        utterance: u32,
        backend: &str,
        ok: bool,
        detail: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn session_started(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        info: Dict<'_>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn session_ended(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        reason: &str,
        stats: Dict<'_>,
    ) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> u32 {
        VERSION
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.board.get().state.into()
    }

    #[zbus(property)]
    fn model_state(&self) -> String {
        self.board.get().model_state.into()
    }

    #[zbus(property)]
    fn model(&self) -> String {
        self.board.get().model
    }

    #[zbus(property)]
    fn backend(&self) -> String {
        self.board.get().backend
    }

    #[zbus(property)]
    fn languages(&self) -> Vec<String> {
        self.board.get().languages
    }

    #[zbus(property)]
    async fn set_languages(&self, languages: Vec<String>) -> Result<(), Error> {
        self.desk.ask(|reply| Call::SetLanguages(languages, reply)).await
    }

    #[zbus(property)]
    fn output_backend(&self) -> String {
        self.board.get().output_backend.into()
    }

    #[zbus(property)]
    fn microphone_open(&self) -> bool {
        self.board.get().microphone_open
    }

    #[zbus(property)]
    fn overruns(&self) -> u64 {
        self.board.get().overruns
    }

    #[zbus(property)]
    fn last_error(&self) -> (String, String) {
        self.board.get().last_error
    }
}
