//! The portal on the bus: calls that answer later, and signals.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use futures_lite::{Stream, StreamExt, stream};
use zbus::connection::Builder;
use zbus::message::Type;
use zbus::names::OwnedUniqueName;
use zbus::{
    Connection, DBusError, MatchRule, Message, MessageStream, ObjectPath, OwnedObjectPath,
    OwnedVariant, Variant,
};

use super::{APP_ID, unavailable, within};
use crate::Error;

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
pub(super) const SHORTCUTS: &str = "org.freedesktop.portal.GlobalShortcuts";
pub(super) const SESSION: &str = "org.freedesktop.portal.Session";
const REQUEST: &str = "org.freedesktop.portal.Request";
const REGISTRY: &str = "org.freedesktop.host.portal.Registry";

/// How long a call may take. The portal may have to be started for the first.
const ANSWER: Duration = Duration::from_secs(4);

pub(super) type Dictionary = HashMap<String, OwnedVariant>;
pub(super) type Options<'a> = HashMap<&'static str, Variant<'a>>;

/// A connection of its own to the portal: an application is known by its connection.
pub(super) struct Portal {
    connection: Connection,
    owner: OwnedUniqueName,
    version: u32,
    news: Pin<Box<dyn Stream<Item = zbus::Result<Message>> + Send>>,
    /// Makes the names of requests differ.
    requests: u32,
}

impl Portal {
    pub(super) async fn open(bus: Option<&str>) -> Result<Self, Error> {
        let builder = bus.map_or_else(Builder::session, Builder::address);
        let connected = within(ANSWER, builder.method_timeout(ANSWER).build()).await;
        let connection = connected
            .ok_or_else(|| unavailable("the session bus does not answer"))?
            .map_err(|error| unavailable(format!("no session bus: {error}")))?;
        register(&connection).await;
        let version = version(&connection).await.map_err(|error| unavailable(missing(&error)))?;
        let listened = listened(&connection).await;
        let (owner, news) = listened.map_err(|error| unavailable(error.to_string()))?;
        Ok(Self { connection, owner, version, news, requests: 0 })
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// A name that no other request of this connection has.
    pub(super) fn token(&mut self) -> String {
        self.requests += 1;
        format!("scriven{}", self.requests)
    }

    /// Calls a method of the shortcuts; gives the path of the answer to come.
    pub(super) async fn call<B>(&self, method: &str, body: &B) -> zbus::Result<OwnedObjectPath>
    where
        B: zbus::export::serde::Serialize + zbus::wire::DynamicType,
    {
        let call = self.connection.call_method(Some(NAME), PATH, Some(SHORTCUTS), method, body);
        call.await?.body().deserialize()
    }

    /// The next signal of the portal; none if the portal or the bus is gone.
    pub(super) async fn signal(&mut self) -> Option<Message> {
        loop {
            let message = self.news.next().await?.ok()?;
            let header = message.header();
            if header.sender() == Some(&*self.owner) {
                drop(header);
                return Some(message);
            }
            // The bus says that another owns the name now, or nobody.
            if header.member().is_some_and(|member| member.as_str() == "NameOwnerChanged") {
                return None;
            }
        }
    }
}

/// Tells the portal who we are. Portals before 1.19 do not ask, and find out by themselves.
async fn register(connection: &Connection) {
    let body = (APP_ID, Options::new());
    let call = connection.call_method(Some(NAME), PATH, Some(REGISTRY), "Register", &body);
    if let Err(error) = call.await {
        tracing::debug!(%error, "the portal keeps no registry of applications");
    }
}

async fn version(connection: &Connection) -> zbus::Result<u32> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let body = (SHORTCUTS, "version");
    let reply = connection.call_method(Some(NAME), PATH, properties, "Get", &body).await?;
    let value: OwnedVariant = reply.body().deserialize()?;
    u32::try_from(value)
}

/// Why there are no shortcuts at this portal.
fn missing(error: &zbus::Error) -> String {
    let is = |names: &[&str]| error_name(error).is_some_and(|name| names.contains(&name.as_str()));
    if is(&["ServiceUnknown", "NameHasNoOwner"]) {
        "there is no xdg-desktop-portal on the session bus".to_owned()
    } else if is(&["UnknownInterface", "UnknownProperty", "UnknownObject", "InvalidArgs"]) {
        "the portal of this desktop keeps no shortcuts; GNOME 48, KDE Plasma 6 and Hyprland do"
            .to_owned()
    } else {
        format!("the portal does not answer: {error}")
    }
}

/// The last part of an error's name on the bus.
fn error_name(error: &zbus::Error) -> Option<String> {
    let name = match error {
        zbus::Error::MethodError(name, ..) => name.to_string(),
        zbus::Error::FDO(error) => error.name().to_string(),
        _ => return None,
    };
    name.rsplit('.').next().map(str::to_owned)
}

type News = Pin<Box<dyn Stream<Item = zbus::Result<Message>> + Send>>;

/// The owner of the portal's name, all that it says, and whether it is still the owner.
async fn listened(connection: &Connection) -> zbus::Result<(OwnedUniqueName, News)> {
    let rule = || MatchRule::builder().msg_type(Type::Signal);
    let owners = rule()
        .sender("org.freedesktop.DBus")
        .interface("org.freedesktop.DBus")
        .member("NameOwnerChanged")
        .arg(0, NAME)
        .build()?;
    let signals = rule().sender(NAME).build()?;
    let owners = MessageStream::for_match_rule(owners, connection, None).await?;
    let signals = MessageStream::for_match_rule(signals, connection, None).await?;
    let bus = Some("org.freedesktop.DBus");
    let path = "/org/freedesktop/DBus";
    let reply = connection.call_method(bus, path, bus, "GetNameOwner", &NAME).await?;
    let owner: OwnedUniqueName = reply.body().deserialize()?;
    // The first of two that are ready is what the portal said before it went.
    Ok((owner, Box::pin(stream::or(signals, owners))))
}

/// An answer of the portal: 0 granted, 1 the user did not want it, 2 it ended otherwise.
pub(super) type Answer = (u32, Dictionary);

/// The answer in this signal, if it is the one to the request at `path`.
pub(super) fn answer(message: &Message, path: &ObjectPath<'_>) -> Option<Answer> {
    is(message, REQUEST, "Response", Some(path)).then(|| message.body().deserialize().ok())?
}

/// Is this that signal?
pub(super) fn is(
    message: &Message,
    interface: &str,
    member: &str,
    path: Option<&ObjectPath<'_>>,
) -> bool {
    let header = message.header();
    header.interface().is_some_and(|given| given.as_str() == interface)
        && header.member().is_some_and(|given| given.as_str() == member)
        && (path.is_none() || header.path() == path)
}
