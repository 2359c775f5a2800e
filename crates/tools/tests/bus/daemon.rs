//! A daemon that speaks the contract and follows a script instead of a voice.

mod history;
mod model;
mod recording;

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use zbus::object_server::SignalEmitter;
use zbus::{Connection, Fd, OwnedObjectPath, OwnedVariant, Variant, fdo, message::Header};

use self::model::Model;
use crate::fixture::Bus;

pub(crate) const NAME: &str = "org.scriven.Dictation1";
pub(crate) const PATH: &str = "/org/scriven/Dictation1";
const SESSION: &str = "/org/scriven/Dictation1/session/1_1/t";

type Dictionary = HashMap<String, OwnedVariant>;
type Info<'a> = HashMap<&'a str, Variant<'a>>;

/// What clients have called, `Method key=value …`, keys sorted.
pub(crate) type Calls = Arc<Mutex<Vec<String>>>;

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.scriven.Dictation1.Error")]
enum Error {
    #[zbus(error)]
    ZBus(zbus::Error),
    NoModel(String),
    InvalidFile(String),
    NotDelivered(String),
    NotPermitted(String),
}

/// A running daemon.
pub(crate) struct Daemon {
    connection: Connection,
    pub(crate) calls: Calls,
}

impl Daemon {
    pub(crate) fn start(bus: &Bus) -> Self {
        Self::start_with(bus, "ready", ("", ""))
    }

    pub(crate) fn start_with(bus: &Bus, model_state: &str, last_error: (&str, &str)) -> Self {
        let calls = Calls::default();
        let dictation = Dictation {
            calls: calls.clone(),
            model_state: model_state.to_owned(),
            last_error: (last_error.0.to_owned(), last_error.1.to_owned()),
        };
        let builder = zbus::connection::Builder::address(bus.address.as_str())
            .serve_at(PATH, fdo::ObjectManager)
            .serve_at(PATH, dictation)
            .serve_at(format!("{PATH}/model/base"), Model::new("base", "installed"))
            .serve_at(format!("{PATH}/model/tiny"), Model::new("tiny", "absent"))
            .serve_at(format!("{PATH}/model/large_v3"), Model::new("large-v3", "absent"))
            .name(NAME);
        let connection = zbus::block_on(builder.build()).unwrap();
        Self { connection, calls }
    }

    /// Leaves the bus.
    pub(crate) fn stop(self) {
        zbus::block_on(self.connection.close()).unwrap();
    }

    /// What it says to the whole bus.
    pub(crate) fn say(&self, utterance: u32, text: &str) {
        zbus::block_on(async {
            let emitter = SignalEmitter::new(&self.connection, PATH).unwrap();
            emitter.final_text(path(SESSION), utterance, text, info(900_000)).await.unwrap();
        });
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

fn path(path: &str) -> OwnedObjectPath {
    path.to_owned().try_into().unwrap()
}

fn record(calls: &Calls, method: &str, options: &Dictionary) {
    let mut call = vec![method.to_owned()];
    call.extend(options.iter().map(|(key, value)| format!("{key}={}", **value)));
    call[1..].sort();
    calls.lock().unwrap().push(call.join(" "));
}

fn info(end: u64) -> Info<'static> {
    let words = vec![("ask", 100_000u64, 300_000u64, 0.9f64)];
    HashMap::from([
        ("language", "en".into()),
        ("start", 100_000u64.into()),
        ("end", end.into()),
        ("audio-end", end.into()),
        ("confidence", 0.75f64.into()),
        ("words", words.into()),
    ])
}

struct Dictation {
    calls: Calls,
    model_state: String,
    last_error: (String, String),
}

#[zbus::interface(name = "org.scriven.Dictation1")]
impl Dictation {
    #[zbus(out_args("session"))]
    async fn start_session(
        &self,
        options: Dictionary,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<OwnedObjectPath, Error> {
        record(&self.calls, "StartSession", &options);
        if self.model_state == "failed" {
            return Err(Error::NoModel("no model is installed".into()));
        }
        let session = Session { calls: self.calls.clone() };
        connection.object_server().at(SESSION, session).await?;
        let started = HashMap::from([("source", "default".into()), ("monotonic", 1_000u64.into())]);
        emitter.session_started(path(SESSION), started).await?;
        emitter.partial(path(SESSION), 1, 1, "", "ask nut", info(400_000)).await?;
        emitter.partial(path(SESSION), 1, 2, "ask", " not", info(600_000)).await?;
        Ok(path(SESSION))
    }

    #[zbus(out_args("session"))]
    async fn toggle(&self, options: Dictionary) -> OwnedObjectPath {
        record(&self.calls, "Toggle", &options);
        path(SESSION)
    }

    async fn press(&self, action: &str, options: Dictionary) {
        record(&self.calls, &format!("Press({action})"), &options);
    }

    async fn release(&self, action: &str) {
        record(&self.calls, &format!("Release({action})"), &Dictionary::new());
    }

    async fn cancel(&self) {
        record(&self.calls, "Cancel", &Dictionary::new());
    }

    /// A "recording" of this daemon is text: a line is a segment of a second and a half.
    #[zbus(out_args("session"))]
    async fn transcribe_file(
        &self,
        file: Fd<'_>,
        options: Dictionary,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<OwnedObjectPath, Error> {
        record(&self.calls, "TranscribeFile", &options);
        let mut text = String::new();
        let fd = std::os::fd::OwnedFd::try_from(file)?;
        std::fs::File::from(fd)
            .read_to_string(&mut text)
            .map_err(|_| Error::InvalidFile("this is no recording".into()))?;
        let caller = header.sender().unwrap().to_owned();
        let emitter = emitter.set_destination(caller.into());
        let session = path("/org/scriven/Dictation1/session/1_1/file");
        emitter.session_started(session.clone(), HashMap::new()).await?;
        for (n, line) in text.lines().enumerate() {
            let at = |n: usize| n as u64 * 1_500_000;
            let mut info = info(at(n + 1));
            info.insert("start", at(n).into());
            emitter.final_text(session.clone(), n as u32, line, info).await?;
        }
        let (reason, stats) = recording::ending(&text);
        emitter.session_ended(session.clone(), reason, stats).await?;
        Ok(session)
    }

    #[zbus(out_args("sources"))]
    async fn list_sources(&self) -> Vec<Info<'static>> {
        vec![
            HashMap::from([
                ("id", "alsa_input.usb".into()),
                ("description", "A microphone".into()),
                ("kind", "microphone".into()),
                ("default", true.into()),
            ]),
            HashMap::from([("id", "monitor:speakers".into()), ("kind", "monitor".into())]),
        ]
    }

    #[zbus(out_args("models"))]
    async fn list_models(&self) -> Vec<OwnedObjectPath> {
        Vec::new()
    }

    #[zbus(out_args("model"))]
    async fn import_model(
        &self,
        id: &str,
        path: &str,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<OwnedObjectPath, Error> {
        if !path.ends_with(".pt") {
            return Err(Error::InvalidFile(format!("{path} is no model")));
        }
        let object = format!("{PATH}/model/{}", id.replace('-', "_"));
        let server = connection.object_server();
        // In place of the one there, if there is one.
        drop(server.remove::<Model, _>(object.as_str()).await);
        server.at(object.as_str(), Model::new(id, "installed")).await?;
        Ok(self::path(&object))
    }

    #[zbus(out_args("texts"))]
    async fn get_history(&self, limit: u32, options: Dictionary) -> Vec<Info<'static>> {
        record(&self.calls, &format!("GetHistory({limit})"), &options);
        history::texts()
    }

    async fn clear_history(&self) {
        record(&self.calls, "ClearHistory", &Dictionary::new());
    }

    #[zbus(out_args("backend"))]
    async fn redeliver(&self, options: Dictionary) -> Result<String, Error> {
        record(&self.calls, "Redeliver", &options);
        match options.is_empty() {
            true => Ok("x11".into()),
            false => Err(Error::NotDelivered("x11: the window takes no text".into())),
        }
    }

    async fn undo_last(&self) {
        record(&self.calls, "UndoLast", &Dictionary::new());
    }

    #[zbus(out_args("backend"))]
    async fn insert_text(&self, text: &str, options: Dictionary) -> String {
        record(&self.calls, &format!("InsertText({text})"), &options);
        "x11".into()
    }

    async fn permit_typing(&self, options: Dictionary) -> Result<(), Error> {
        record(&self.calls, "PermitTyping", &options);
        match options.is_empty() {
            true => Err(Error::NotPermitted("portal: the permission to type was refused".into())),
            false => Ok(()),
        }
    }

    #[zbus(out_args("outputs"))]
    async fn list_outputs(&self) -> Vec<Info<'static>> {
        history::outputs()
    }

    #[zbus(out_args("focus"))]
    async fn describe_focus(&self) -> Info<'static> {
        HashMap::from([("app", "foot".into()), ("profile", "terminal".into())])
    }

    #[zbus(out_args("keys", "ways"))]
    async fn list_shortcuts(&self) -> (Vec<Info<'static>>, Vec<Info<'static>>) {
        history::shortcuts()
    }

    #[zbus(signal)]
    async fn delivered(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        utterance: u32,
        backend: &str,
        ok: bool,
        detail: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn partial(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        utterance: u32,
        revision: u32,
        committed: &str,
        tentative: &str,
        info: Info<'_>,
    ) -> zbus::Result<()>;
    #[zbus(signal, name = "Final")]
    async fn final_text(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        utterance: u32,
        text: &str,
        info: Info<'_>,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    async fn discarded(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        utterance: u32,
        reason: &str,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    async fn session_started(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        info: Info<'_>,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    async fn session_ended(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        reason: &str,
        stats: Info<'_>,
    ) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> u32 {
        2
    }
    #[zbus(property)]
    fn state(&self) -> &str {
        "idle"
    }
    #[zbus(property)]
    fn model_state(&self) -> &str {
        &self.model_state
    }
    #[zbus(property)]
    fn model(&self) -> &str {
        "base"
    }
    #[zbus(property)]
    fn backend(&self) -> &str {
        "cpu"
    }
    #[zbus(property)]
    fn languages(&self) -> Vec<String> {
        vec!["en".into(), "de".into()]
    }
    #[zbus(property)]
    fn set_languages(&self, _languages: Vec<String>) {}
    #[zbus(property)]
    fn output_backend(&self) -> &str {
        "x11"
    }
    #[zbus(property)]
    fn microphone_open(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn overruns(&self) -> u64 {
        0
    }
    #[zbus(property)]
    fn last_error(&self) -> (String, String) {
        self.last_error.clone()
    }
}

struct Session {
    calls: Calls,
}

#[zbus::interface(name = "org.scriven.Dictation1.Session")]
impl Session {
    async fn stop(&self, #[zbus(connection)] connection: &Connection) -> fdo::Result<()> {
        record(&self.calls, "Session.Stop", &Dictionary::new());
        let emitter = SignalEmitter::new(connection, PATH)?;
        emitter.final_text(path(SESSION), 1, "ask not what", info(900_000)).await?;
        let stats = HashMap::from([("audio", 1_000_000u64.into()), ("cpu", 250_000u64.into())]);
        Ok(emitter.session_ended(path(SESSION), "stopped", stats).await?)
    }

    async fn cancel(&self) {}

    #[zbus(property(emits_changed_signal = "const"))]
    fn mode(&self) -> &str {
        "dictation"
    }
    #[zbus(property)]
    fn state(&self) -> &str {
        "listening"
    }
    #[zbus(property)]
    fn source(&self) -> &str {
        "default"
    }
    #[zbus(property(emits_changed_signal = "const"))]
    fn started_at(&self) -> i64 {
        0
    }
}
