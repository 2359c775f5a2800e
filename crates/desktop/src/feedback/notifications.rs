//! Messages in the corner of the screen: `org.freedesktop.Notifications`.
//!
//! Source: <https://specifications.freedesktop.org/notification-spec/latest/>. Servers keep what they
//! have shown, some on disk: a text that was dictated must never be given to one.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use futures_lite::{Stream, StreamExt as _};
use zbus::{Connection, Variant};

use super::within;

/// How long the server may take. The bus may have to start it.
const ANSWER: Duration = Duration::from_secs(5);
/// The desktop file by which the server knows who speaks.
const DESKTOP_ENTRY: &str = "org.scriven.Scriven";
/// A name of the icon theme that every desktop has.
const ICON: &str = "audio-input-microphone";
/// Our button. A click on the message itself is no request to type somewhere.
const BUTTON: &str = "again";
/// The server decides how long it is seen.
const AS_USUAL: i32 = -1;

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Server {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
    #[allow(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;
    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
}

/// A message. None of it may quote what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// What has happened, in a few words.
    pub summary: &'a str,
    /// Why, and what to do; plain text.
    pub body: &'a str,
    /// What a button says, if the server has buttons.
    pub button: Option<&'a str>,
}

/// The numbers of the messages whose button was pressed.
pub type Pressed = Pin<Box<dyn Stream<Item = u32> + Send>>;

/// The server, whether there is one or not.
#[derive(Debug)]
pub struct Notifications {
    server: ServerProxy<'static>,
}

impl Notifications {
    /// A client on this connection. Nobody is called yet.
    ///
    /// # Errors
    ///
    /// The connection is closed.
    pub async fn new(connection: &Connection) -> zbus::Result<Self> {
        Ok(Self { server: ServerProxy::new(connection).await? })
    }

    /// Shows a message in place of the one that `replaces` names, 0 for none, and tells its number.
    ///
    /// # Errors
    ///
    /// There is no server, or it has not answered for five seconds.
    pub async fn show(&self, replaces: u32, message: &Notification<'_>) -> zbus::Result<u32> {
        within(ANSWER, async {
            let can = self.server.get_capabilities().await?;
            let can = |what: &str| can.iter().any(|can| can == what);
            let marked = can("body-markup").then(|| escaped(message.body));
            let body = marked.as_deref().unwrap_or(message.body);
            let button = message.button.filter(|_| can("actions"));
            let actions = button.map_or(vec![], |label| vec![BUTTON, label]);
            let hints = HashMap::from([("desktop-entry", Variant::from(DESKTOP_ENTRY))]);
            let Notification { summary, .. } = message;
            let server = &self.server;
            server.notify("Scriven", replaces, ICON, summary, body, &actions, hints, AS_USUAL).await
        })
        .await
    }

    /// Takes a message away.
    ///
    /// # Errors
    ///
    /// It is gone already, or so is the server.
    pub async fn close(&self, id: u32) -> zbus::Result<()> {
        within(ANSWER, self.server.close_notification(id)).await
    }

    /// Hears of buttons, of those of other programs too: numbers are the server's.
    ///
    /// # Errors
    ///
    /// The bus does not take the subscription.
    pub async fn pressed(&self) -> zbus::Result<Pressed> {
        let invoked = within(ANSWER, self.server.receive_action_invoked()).await?;
        let ours = |signal: ActionInvoked| {
            let invoked = signal.args().ok()?;
            (invoked.action_key == BUTTON).then_some(invoked.id)
        };
        Ok(Box::pin(invoked.filter_map(ours)))
    }
}

/// A body is a little HTML where the server has markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
