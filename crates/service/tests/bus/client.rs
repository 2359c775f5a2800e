//! A client of the daemon, and what it hears.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use futures_lite::{StreamExt as _, future};
use zbus::{Connection, Message, MessageStream, OwnedObjectPath, OwnedVariant, Variant};
use zruntime::SharedRuntime;

use crate::fixture::{NAME, PATH};

/// A client of the daemon.
pub struct Client {
    pub connection: Connection,
    pub signals: MessageStream,
}

/// One signal.
#[derive(Debug)]
pub struct Signal {
    pub member: String,
    pub session: String,
    pub message: Message,
}

impl Signal {
    pub fn body<T>(&self) -> T
    where
        T: for<'d> serde::Deserialize<'d> + zbus::Type,
    {
        self.message.body().deserialize().unwrap()
    }

    /// `(utterance, text, info)` of a `Final`.
    pub fn text(&self) -> (u32, String, HashMap<String, OwnedVariant>) {
        assert_eq!(self.member, "Final");
        let (_, utterance, text, info): (OwnedObjectPath, u32, String, _) = self.body();
        (utterance, text, info)
    }

    /// `(reason, stats)` of a `SessionEnded`.
    pub fn ended(&self) -> (String, HashMap<String, OwnedVariant>) {
        assert_eq!(self.member, "SessionEnded");
        let (_, reason, stats): (OwnedObjectPath, String, _) = self.body();
        (reason, stats)
    }
}

pub type Dict<'a> = HashMap<&'a str, Variant<'a>>;

/// Anything that hangs is a failure.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    let late = async {
        SharedRuntime::current().unwrap().sleep(Duration::from_secs(60)).await;
        panic!("nothing happened for 60 s");
    };
    future::or(future, late).await
}

impl Client {
    pub async fn call<B, T>(&self, path: &str, member: &str, body: &B) -> zbus::Result<T>
    where
        B: serde::Serialize + zbus::DynamicType,
        T: for<'d> serde::Deserialize<'d> + zbus::Type,
    {
        let interface = match path {
            path if path.contains("/session/") => format!("{NAME}.Session"),
            path if path.contains("/model/") => format!("{NAME}.Model"),
            _ => NAME.into(),
        };
        let interface = Some(interface.as_str());
        let reply =
            soon(self.connection.call_method(Some(NAME), path, interface, member, body)).await?;
        reply.body().deserialize()
    }

    pub async fn start(&self, options: Dict<'_>) -> zbus::Result<String> {
        let path: OwnedObjectPath = self.call(PATH, "StartSession", &(options,)).await?;
        Ok(path.to_string())
    }

    pub async fn property<T>(&self, path: &str, interface: &str, name: &str) -> T
    where
        T: TryFrom<OwnedVariant>,
        T::Error: std::fmt::Debug,
    {
        let properties = Some("org.freedesktop.DBus.Properties");
        let body = (interface, name);
        let get = self.connection.call_method(Some(NAME), path, properties, "Get", &body);
        let value: OwnedVariant = soon(get).await.unwrap().body().deserialize().unwrap();
        value.try_into().unwrap()
    }

    pub async fn state(&self) -> String {
        self.property(PATH, NAME, "State").await
    }

    /// Waits for a property of the root object to be `wanted`.
    pub async fn until(&self, name: &str, wanted: &str) {
        soon(async {
            while self.property::<String>(PATH, NAME, name).await != wanted {
                thread::sleep(Duration::from_millis(2));
            }
        })
        .await;
    }

    /// The next signal.
    pub async fn signal(&mut self) -> Signal {
        let message = soon(self.signals.next()).await.unwrap().unwrap();
        let member = message.header().member().unwrap().to_string();
        let body = message.body();
        let fields: zbus::Structure<'_> = body.deserialize().unwrap();
        let session = fields.fields()[0].downcast_ref::<zbus::ObjectPath<'_>>().unwrap();
        let session = session.to_string();
        Signal { member, session, message }
    }

    /// All signals up to one of this kind.
    pub async fn signals_until(&mut self, member: &str) -> Vec<Signal> {
        let mut signals = Vec::new();
        loop {
            signals.push(self.signal().await);
            if signals.last().unwrap().member == member {
                return signals;
            }
        }
    }
}

/// The name of a D-Bus error, without its prefix.
pub fn error_name<T: std::fmt::Debug>(result: zbus::Result<T>) -> String {
    match result.unwrap_err() {
        zbus::Error::MethodError(name, ..) => {
            name.as_str().trim_start_matches("org.scriven.Dictation1.Error.").to_owned()
        }
        error => panic!("not an error of the bus: {error}"),
    }
}
