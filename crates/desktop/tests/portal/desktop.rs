//! A portal that the test plays: it gives permissions as version 2 of `RemoteDesktop` does, each
//! token good for one session, and lends a real libei keyboard.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard};

use zbus::connection::Builder;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, interface};

use crate::keyboard::{self, Keys};

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SESSION: &str = "/org/freedesktop/portal/desktop/session/test";
const STORE: &str = "org.freedesktop.impl.portal.PermissionStore";
const STORE_PATH: &str = "/org/freedesktop/impl/portal/PermissionStore";

type Dictionary = HashMap<String, OwnedVariant>;
type Results = HashMap<&'static str, Variant<'static>>;

/// What the user says in the dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    #[default]
    Yes,
    /// Yes, but it is not to be remembered.
    Once,
    No,
    /// Nothing: the dialog stays.
    Nothing,
}

/// What the desktop knows, and what has happened.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) answer: Answer,
    /// Tokens that start a session without a question.
    pub(crate) tokens: Vec<String>,
    /// How often a dialog was shown.
    pub(crate) dialogs: usize,
    pub(crate) sessions: usize,
    pub(crate) closed: usize,
    pub(crate) keyboard: keyboard::State,
    pub(crate) keys: Keys,
    n_tokens: usize,
    wanted: Option<String>,
}

impl Desk {
    /// Starts a session, and gives the code and results of the answer; none while it is open.
    fn start(&mut self) -> Option<(u32, Results)> {
        let known =
            self.wanted.take().and_then(|token| self.tokens.iter().position(|held| *held == token));
        let answer = match known {
            Some(index) => {
                self.tokens.remove(index);
                Answer::Yes
            }
            None => {
                self.dialogs += 1;
                self.answer
            }
        };
        let mut results = Results::from([("devices", 1_u32.into())]);
        match answer {
            Answer::Yes => {
                self.n_tokens += 1;
                let token = format!("token-{}", self.n_tokens);
                self.tokens.push(token.clone());
                results.insert("restore_token", token.into());
            }
            Answer::Once => {}
            Answer::No => return Some((1, Results::new())),
            Answer::Nothing => return None,
        }
        Some((0, results))
    }
}

type Shared = Arc<Mutex<Desk>>;

/// The desktop, on a bus.
pub(crate) struct Desktop {
    desk: Shared,
    _connection: Connection,
}

impl Desktop {
    pub(crate) fn start(address: &str) -> Self {
        let desk = Shared::default();
        let connection = Builder::address(address)
            .serve_at(PATH, RemoteDesktop(Arc::clone(&desk)))
            .serve_at(SESSION, Closable(Arc::clone(&desk)))
            .serve_at(STORE_PATH, Store(Arc::clone(&desk)))
            .name(NAME)
            .name(STORE);
        let connection = zbus::block_on(connection.build()).unwrap();
        Self { desk, _connection: connection }
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// The keys since the last time, and forgets them.
    pub(crate) fn typed(&self) -> Vec<(u32, bool)> {
        std::mem::take(&mut self.desk().keys.lock().unwrap())
    }
}

struct RemoteDesktop(Shared);

/// Answers on the path that the token and the caller make.
async fn respond(
    options: &Dictionary,
    header: &Header<'_>,
    connection: &Connection,
    answer: Option<(u32, Results)>,
) -> OwnedObjectPath {
    let caller = header.sender().unwrap().as_str();
    let sender = caller.trim_start_matches(':').replace('.', "_");
    let token = <&str>::try_from(&options["handle_token"]).unwrap();
    let path = OwnedObjectPath::try_from(format!("{PATH}/request/{sender}/{token}")).unwrap();
    if let Some(answer) = answer {
        let interface = "org.freedesktop.portal.Request";
        let emitted =
            connection.emit_signal(Some(caller), &path, interface, "Response", &answer).await;
        emitted.unwrap();
    }
    path
}

#[interface(name = "org.freedesktop.portal.RemoteDesktop")]
impl RemoteDesktop {
    async fn create_session(
        &self,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        self.0.lock().unwrap().sessions += 1;
        let results = Results::from([("session_handle", Variant::from(SESSION))]);
        respond(&options, &header, connection, Some((0, results))).await
    }

    async fn select_devices(
        &self,
        _session: OwnedObjectPath,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        let token = options.get("restore_token").map(|token| <&str>::try_from(token).unwrap());
        self.0.lock().unwrap().wanted = token.map(str::to_owned);
        respond(&options, &header, connection, Some((0, Results::new()))).await
    }

    async fn start(
        &self,
        _session: OwnedObjectPath,
        _parent_window: String,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        let answer = self.0.lock().unwrap().start();
        respond(&options, &header, connection, answer).await
    }

    #[zbus(name = "ConnectToEIS")]
    fn connect_to_eis(&self, _session: OwnedObjectPath, _options: Dictionary) -> zbus::OwnedFd {
        let (theirs, ours) = UnixStream::pair().unwrap();
        let desk = self.0.lock().unwrap();
        keyboard::serve(ours, desk.keyboard, Arc::clone(&desk.keys));
        OwnedFd::from(theirs).into()
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        2
    }

    #[zbus(property)]
    fn available_device_types(&self) -> u32 {
        7
    }
}

struct Closable(Shared);

#[interface(name = "org.freedesktop.portal.Session")]
impl Closable {
    fn close(&self) {
        self.0.lock().unwrap().closed += 1;
    }
}

struct Store(Shared);

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.portal.Error")]
enum StoreError {
    NotFound(String),
    #[zbus(error)]
    ZBus(zbus::Error),
}

#[interface(name = "org.freedesktop.impl.portal.PermissionStore")]
impl Store {
    fn lookup(
        &self,
        table: &str,
        id: &str,
    ) -> Result<(HashMap<String, Vec<String>>, OwnedVariant), StoreError> {
        let desk = self.0.lock().unwrap();
        if table != "remote-desktop" || !desk.tokens.iter().any(|token| token == id) {
            return Err(StoreError::NotFound(format!("No entry for {id}")));
        }
        let permissions = HashMap::from([("org.scriven.Scriven".into(), vec!["yes".into()])]);
        Ok((permissions, Variant::from(0_u32).try_into().unwrap()))
    }
}
