//! A portal that the test plays: version 2, with the registry of applications that Debian 12's
//! portal does not have yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::connection::Builder;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, interface};

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SESSION: &str = "/org/freedesktop/portal/desktop/session/test";

type Dictionary = HashMap<String, OwnedVariant>;
type Results = HashMap<&'static str, Variant<'static>>;
type Calls = Arc<Mutex<Vec<String>>>;

pub(super) struct Served {
    pub(super) calls: Calls,
    _connection: Connection,
}

impl Served {
    pub(super) async fn start(address: &str) -> Self {
        let calls = Calls::default();
        let connection = Builder::address(address)
            .serve_at(PATH, Registry(Arc::clone(&calls)))
            .serve_at(PATH, Shortcuts { calls: Arc::clone(&calls), bound: Mutex::default() })
            .name(NAME)
            .build()
            .await
            .unwrap();
        Self { calls, _connection: connection }
    }
}

/// A portal without shortcuts.
pub(super) async fn empty(address: &str) -> Connection {
    let registry = Registry(Calls::default());
    Builder::address(address).serve_at(PATH, registry).name(NAME).build().await.unwrap()
}

/// A portal that takes calls and answers none.
pub(super) async fn mute(address: &str) -> Connection {
    Builder::address(address).name(NAME).build().await.unwrap()
}

struct Registry(Calls);

#[interface(name = "org.freedesktop.host.portal.Registry")]
impl Registry {
    fn register(&self, app_id: String, _options: Dictionary) {
        self.0.lock().unwrap().push(format!("Register {app_id}"));
    }
}

struct Shortcuts {
    calls: Calls,
    bound: Mutex<Vec<String>>,
}

impl Shortcuts {
    /// Notes a call, and answers it on the path that its token and caller make.
    async fn answer(
        &self,
        call: &str,
        options: &Dictionary,
        header: &Header<'_>,
        connection: &Connection,
        results: Results,
    ) -> OwnedObjectPath {
        self.calls.lock().unwrap().push(call.to_owned());
        let caller = header.sender().unwrap().as_str();
        let sender = caller.trim_start_matches(':').replace('.', "_");
        let token = <&str>::try_from(&options["handle_token"]).unwrap();
        let path = OwnedObjectPath::try_from(format!("{PATH}/request/{sender}/{token}")).unwrap();
        // Before the call returns, as a desktop may that need not ask.
        let interface = "org.freedesktop.portal.Request";
        connection
            .emit_signal(Some(caller), &path, interface, "Response", &(2_u32, results))
            .await
            .unwrap();
        path
    }
}

#[interface(name = "org.freedesktop.portal.GlobalShortcuts")]
impl Shortcuts {
    async fn create_session(
        &self,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        let results = Results::from([("session_handle", Variant::from(SESSION))]);
        self.answer("CreateSession", &options, &header, connection, results).await
    }

    async fn bind_shortcuts(
        &self,
        _session: OwnedObjectPath,
        shortcuts: Vec<(String, Dictionary)>,
        _parent_window: String,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        *self.bound.lock().unwrap() = shortcuts.into_iter().map(|(id, _)| id).collect();
        self.answer("BindShortcuts", &options, &header, connection, Results::new()).await
    }

    async fn list_shortcuts(
        &self,
        _session: OwnedObjectPath,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> OwnedObjectPath {
        let bound = self.bound.lock().unwrap().clone();
        let listed: Vec<(String, Results)> =
            bound.into_iter().map(|id| (id, Results::new())).collect();
        let results = Results::from([("shortcuts", Variant::from(listed))]);
        self.answer("ListShortcuts", &options, &header, connection, results).await
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        2
    }
}
