//! A session of the RemoteDesktop portal, over D-Bus.
//!
//! Source: `org.freedesktop.portal.RemoteDesktop` and `.Request` of xdg-desktop-portal 1.20.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use futures_lite::StreamExt as _;
use zbus::connection::Builder;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd, OwnedObjectPath, OwnedVariant, Variant};
use zruntime::SharedRuntime;

use super::{ADVICE, NAME, Token, unavailable};
use crate::Error;

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const REMOTE_DESKTOP: &str = "org.freedesktop.portal.RemoteDesktop";
const REQUEST: &str = "org.freedesktop.portal.Request";
/// Where every portal keeps the permissions, in tables. Not meant for programs, but a token that is
/// not known there makes the portal ask the user, and there is no other way to learn that before.
const STORE: &str = "org.freedesktop.impl.portal.PermissionStore";
const STORE_PATH: &str = "/org/freedesktop/impl/portal/PermissionStore";
const TABLE: &str = "remote-desktop";
const GRANTED: &str = "yes";
/// Who asks, as the desktop shows it; there is a .desktop file of this name.
const APP_ID: &str = "org.scriven.Scriven";
/// `KEYBOARD` of `AvailableDeviceTypes`.
const KEYBOARD: u32 = 1;
/// `persist_mode`: until the user takes the permission back.
const UNTIL_REVOKED: u32 = 2;

type Options = HashMap<&'static str, Variant<'static>>;
type Results = HashMap<String, OwnedVariant>;

/// A session that types; it ends with its connection.
pub(super) struct Session {
    connection: Connection,
    responses: MessageStream,
    path: OwnedObjectPath,
    n_requests: u32,
}

/// Who gives the permission.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// The user, in a dialog.
    User,
    /// Nobody: it was given before.
    Nobody(&'a Token),
}

/// Opens a session. Gives it, the socket of the emulated keyboard, and the token for the next time.
pub(super) async fn open(
    bus: Option<&str>,
    ask: Ask<'_>,
    end: Instant,
) -> Result<(Session, UnixStream, Option<Token>), Error> {
    let runtime = SharedRuntime::current().map_err(|error| gone(&error))?;
    let opened = async {
        let mut session = Session::create(bus).await?;
        session.select(ask).await?;
        let token = session.start().await?;
        let socket = session.socket().await?;
        Ok((session, socket, token))
    };
    runtime.timeout_at(end, opened).await.unwrap_or_else(|_| {
        Err(unavailable(match ask {
            Ask::User => "nobody has answered the desktop's question in time; ask again".into(),
            Ask::Nobody(_) => {
                format!("the desktop asks although it was permitted to type; {ADVICE}")
            }
        }))
    })
}

/// Whether the portal still knows `token`, so that it will not ask.
pub(super) async fn verify(bus: Option<&str>, token: &Token, end: Instant) -> Result<(), Error> {
    let runtime = SharedRuntime::current().map_err(|error| gone(&error))?;
    let looked_up = async {
        let connection = connect(bus).await?;
        let body = (TABLE, token.0.as_str());
        let call = connection.call_method(Some(STORE), STORE_PATH, Some(STORE), "Lookup", &body);
        let void = || unavailable(format!("the permission to type has expired; {ADVICE}"));
        let reply = call.await.map_err(|error| match error {
            zbus::Error::MethodError(name, ..) if name.ends_with(".NotFound") => void(),
            error => gone(&error),
        })?;
        let found = reply.body().deserialize::<(HashMap<String, Vec<String>>, OwnedVariant)>();
        let (permissions, _) = found.map_err(|error| gone(&error))?;
        let holds = permissions.into_values().flatten().any(|word| word == GRANTED);
        holds.then_some(()).ok_or_else(void)
    };
    let late = |_| Err(gone(&"the store of permissions does not answer"));
    runtime.timeout_at(end, looked_up).await.unwrap_or_else(late)
}

/// Whether there is a portal that emulates a keyboard.
pub(super) async fn probe(bus: Option<&str>, end: Instant) -> Result<(), Error> {
    let runtime = SharedRuntime::current().map_err(|error| gone(&error))?;
    let probed = async {
        let connection = connect(bus).await?;
        let version: u32 = property(&connection, "version").await?;
        let types: u32 = property(&connection, "AvailableDeviceTypes").await?;
        match (version, types & KEYBOARD) {
            (..2, _) => Err(unavailable("this portal has no libei; a newer desktop has".into())),
            (_, 0) => Err(unavailable("this desktop emulates no keyboard".into())),
            _ => Ok(()),
        }
    };
    let late = |_| Err(unavailable("the portal does not answer".into()));
    runtime.timeout_at(end, probed).await.unwrap_or_else(late)
}

impl Session {
    async fn create(bus: Option<&str>) -> Result<Self, Error> {
        let connection = connect(bus).await?;
        let registry = "org.freedesktop.host.portal.Registry";
        let who = (APP_ID, Options::new());
        // A portal that does not know it takes the systemd unit's name instead.
        let registered =
            connection.call_method(Some(PORTAL), PATH, Some(registry), "Register", &who).await;
        if let Err(error) = registered {
            tracing::debug!(%error, "the portal takes no application id");
        }
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(REQUEST);
        let rule = rule.member("Response").build().map_err(|error| gone(&error))?;
        let responses = MessageStream::for_match_rule(rule, &connection, None).await;
        let responses = responses.map_err(|error| gone(&error))?;
        let path = OwnedObjectPath::default();
        let mut session = Self { connection, responses, path, n_requests: 0 };
        let mut options = session.options();
        options.insert("session_handle_token", "scriven".into());
        let mut results = session.request("CreateSession", &(&options,), &options).await?;
        let handle = results.remove("session_handle").map(String::try_from);
        let handle = handle.and_then(Result::ok).unwrap_or_default();
        session.path = OwnedObjectPath::try_from(handle).map_err(|error| gone(&error))?;
        Ok(session)
    }

    async fn select(&mut self, ask: Ask<'_>) -> Result<(), Error> {
        let mut options = self.options();
        options.insert("types", KEYBOARD.into());
        options.insert("persist_mode", UNTIL_REVOKED.into());
        if let Ask::Nobody(Token(token)) = ask {
            options.insert("restore_token", token.clone().into());
        }
        let path = self.path.clone();
        self.request("SelectDevices", &(&path, &options), &options).await.map(|_| ())
    }

    async fn start(&mut self) -> Result<Option<Token>, Error> {
        let options = self.options();
        let path = self.path.clone();
        let mut results = self.request("Start", &(&path, "", &options), &options).await?;
        let token = results.remove("restore_token").map(String::try_from);
        Ok(token.and_then(Result::ok).map(Token))
    }

    async fn socket(&self) -> Result<UnixStream, Error> {
        let body = (&self.path, Options::new());
        let call = self.connection.call_method(
            Some(PORTAL),
            PATH,
            Some(REMOTE_DESKTOP),
            "ConnectToEIS",
            &body,
        );
        let reply = call.await.map_err(|error| gone(&error))?;
        let fd: OwnedFd = reply.body().deserialize().map_err(|error| gone(&error))?;
        Ok(std::os::fd::OwnedFd::from(fd).into())
    }

    /// Gives the keyboard back.
    pub(super) async fn close(self) {
        let interface = "org.freedesktop.portal.Session";
        let call =
            self.connection.call_method(Some(PORTAL), &self.path, Some(interface), "Close", &());
        if let Err(error) = call.await {
            tracing::debug!(%error, "the session was closed already");
        }
    }

    fn options(&mut self) -> Options {
        self.n_requests += 1;
        Options::from([("handle_token", format!("scriven{}", self.n_requests).into())])
    }

    /// Calls a method that answers by a signal.
    async fn request<B>(
        &mut self,
        method: &str,
        body: &B,
        options: &Options,
    ) -> Result<Results, Error>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let call =
            self.connection.call_method(Some(PORTAL), PATH, Some(REMOTE_DESKTOP), method, body);
        call.await.map_err(|error| gone(&error))?;
        let handle = match options.get("handle_token") {
            Some(Variant::Str(token)) => format!("/{token}"),
            _ => String::new(),
        };
        while let Some(message) = self.responses.next().await {
            let message = message.map_err(|error| gone(&error))?;
            if !message.header().path().is_some_and(|path| path.as_str().ends_with(&handle)) {
                continue;
            }
            let body = message.body();
            let (code, results) = body.deserialize().map_err(|error| gone(&error))?;
            return match code {
                0u32 => Ok(results),
                1 => Err(unavailable(format!("the permission to type was refused; {ADVICE}"))),
                _ => Err(unavailable(format!("the desktop gave no permission to type; {ADVICE}"))),
            };
        }
        Err(gone(&"the session bus has hung up"))
    }
}

async fn connect(bus: Option<&str>) -> Result<Connection, Error> {
    let connected = match bus {
        Some(address) => Builder::address(address).build().await,
        None => Connection::session().await,
    };
    connected.map_err(|error| gone(&error))
}

async fn property(connection: &Connection, name: &str) -> Result<u32, Error> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let body = (REMOTE_DESKTOP, name);
    let reply = connection.call_method(Some(PORTAL), PATH, properties, "Get", &body).await;
    let value: Result<OwnedVariant, _> = reply.and_then(|reply| reply.body().deserialize());
    let missing = || unavailable("this desktop has no RemoteDesktop portal".into());
    value.ok().and_then(|value| u32::try_from(value).ok()).ok_or_else(missing)
}

fn gone(error: &dyn std::fmt::Display) -> Error {
    Error::Gone { backend: NAME, reason: error.to_string() }
}
