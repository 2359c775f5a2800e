//! The desktop behind the portal, as GNOME and KDE are it: it keeps the shortcuts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::connection::Builder;
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Variant, block_on, interface};

const NAME: &str = "org.freedesktop.impl.portal.desktop.scriventest";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SHORTCUTS: &str = "org.freedesktop.impl.portal.GlobalShortcuts";
const SESSION: &str = "org.freedesktop.impl.portal.Session";

/// How the portal finds it.
pub(super) const DESCRIPTION: &str = "[portal]\nDBusName=org.freedesktop.impl.portal.desktop.scriventest\n\
                                      Interfaces=org.freedesktop.impl.portal.GlobalShortcuts;\n\
                                      UseIn=ScrivenTest\n";

type Dictionary = HashMap<String, OwnedVariant>;
type Shortcuts = Vec<(String, HashMap<&'static str, Variant<'static>>)>;

/// What the desktop knows and does.
#[derive(Default)]
pub(super) struct Desk {
    /// What was asked for at last.
    pub(super) asked: Vec<(String, HashMap<String, String>)>,
    /// What the user does not allow.
    pub(super) withheld: Vec<String>,
    /// The answer to binding; 0 is that all is well.
    pub(super) answer: u32,
    pub(super) sessions: usize,
    pub(super) closed: usize,
    session: Option<OwnedObjectPath>,
}

impl Desk {
    fn granted(&self) -> Shortcuts {
        let allowed = self.asked.iter().filter(|(id, _)| !self.withheld.contains(id));
        let shown = |about: &HashMap<String, String>| {
            Variant::from(format!("Shown {}", about["preferred_trigger"]))
        };
        let of = |(id, about): &(String, HashMap<String, String>)| {
            (id.clone(), HashMap::from([("trigger_description", shown(about))]))
        };
        allowed.map(of).collect()
    }
}

struct Shortcutter(Arc<Mutex<Desk>>);

#[interface(name = "org.freedesktop.impl.portal.GlobalShortcuts")]
impl Shortcutter {
    async fn create_session(
        &self,
        _handle: OwnedObjectPath,
        session: OwnedObjectPath,
        _app_id: String,
        _options: Dictionary,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> zbus::fdo::Result<(u32, Dictionary)> {
        server.at(session.clone(), Closable(Arc::clone(&self.0))).await?;
        let mut desk = self.0.lock().unwrap();
        desk.session = Some(session);
        desk.sessions += 1;
        Ok((0, Dictionary::new()))
    }

    async fn bind_shortcuts(
        &self,
        _handle: OwnedObjectPath,
        _session: OwnedObjectPath,
        shortcuts: Vec<(String, Dictionary)>,
        _parent_window: String,
        _options: Dictionary,
    ) -> (u32, HashMap<&'static str, Variant<'static>>) {
        let text = |(key, value): (String, OwnedVariant)| {
            (key, String::try_from(value).unwrap_or_default())
        };
        let mut desk = self.0.lock().unwrap();
        desk.asked = shortcuts
            .into_iter()
            .map(|(id, about)| (id, about.into_iter().map(text).collect()))
            .collect();
        (desk.answer, HashMap::from([("shortcuts", Variant::from(desk.granted()))]))
    }

    async fn list_shortcuts(
        &self,
        _handle: OwnedObjectPath,
        _session: OwnedObjectPath,
    ) -> (u32, HashMap<&'static str, Variant<'static>>) {
        let granted = self.0.lock().unwrap().granted();
        (0, HashMap::from([("shortcuts", Variant::from(granted))]))
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        1
    }
}

/// A session, which the portal closes when its application is gone.
struct Closable(Arc<Mutex<Desk>>);

#[interface(name = "org.freedesktop.impl.portal.Session")]
impl Closable {
    fn close(&self) {
        self.0.lock().unwrap().closed += 1;
    }
}

/// The desktop, and what its user does.
pub(super) struct Desktop {
    connection: Connection,
    pub(super) desk: Arc<Mutex<Desk>>,
}

impl Desktop {
    pub(super) async fn start(address: &str) -> Self {
        let desk = Arc::new(Mutex::new(Desk::default()));
        let connection = Builder::address(address)
            .serve_at(PATH, Shortcutter(Arc::clone(&desk)))
            .name(NAME)
            .build()
            .await
            .unwrap();
        Self { connection, desk }
    }

    pub(super) fn activate(&self, action: &str) {
        self.tell("Activated", action);
    }

    pub(super) fn deactivate(&self, action: &str) {
        self.tell("Deactivated", action);
    }

    fn tell(&self, what: &str, action: &str) {
        let body = (self.session(), action, 0_u64, Dictionary::new());
        self.emit(PATH, SHORTCUTS, what, &body);
    }

    pub(super) fn tell_changes(&self) {
        let granted = self.desk.lock().unwrap().granted();
        self.emit(PATH, SHORTCUTS, "ShortcutsChanged", &(self.session(), granted));
    }

    pub(super) fn close_session(&self) {
        self.emit(self.session().as_str(), SESSION, "Closed", &());
    }

    fn session(&self) -> OwnedObjectPath {
        self.desk.lock().unwrap().session.clone().expect("a session has been made")
    }

    fn emit<B>(&self, path: &str, interface: &str, signal: &str, body: &B)
    where
        B: zbus::export::serde::Serialize + zbus::wire::DynamicType,
    {
        let path = ObjectPath::try_from(path).unwrap();
        block_on(self.connection.emit_signal(None::<&str>, path, interface, signal, body)).unwrap();
    }

    /// Kills the portal as a crash does.
    pub(super) fn kill_portal(&self) {
        let bus = Some("org.freedesktop.DBus");
        let name = "org.freedesktop.portal.Desktop";
        let path = "/org/freedesktop/DBus";
        let call = self.connection.call_method(bus, path, bus, "GetConnectionUnixProcessID", &name);
        let reply = block_on(call).unwrap();
        let id: u32 = reply.body().deserialize().unwrap();
        let id = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    }
}
