//! The connection to the session bus, and the daemon seen through it.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use futures_lite::{Stream, StreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zbus::fdo::{DBusProxy, ObjectManagerProxy, PropertiesProxy};
use zbus::names::{BusName, InterfaceName};
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, Variant, connection, message};

use crate::cli::{DecodingOptions, Output, Scope, SessionOptions, SpeechOptions};
use crate::event::Event;
use crate::proxy::{
    DaemonProperties, DictationProxy, Dictionary, ModelProxy, NAME, Options, PATH, SessionProxy,
};

/// Patience with a method call. Starting the daemon through the bus is the slowest of them; bus
/// daemons give up on that after 25 s or later.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to the session bus.
pub(crate) struct Bus {
    connection: Connection,
    /// Where the daemon's properties are read.
    daemon: BusName<'static>,
}

/// What a follower of the daemon has to expect.
#[derive(Debug)]
pub(crate) enum Happening {
    Event(Event),
    /// The daemon came to the bus.
    Appeared,
    /// The daemon left the bus; its sessions are gone.
    Vanished,
}

impl Bus {
    pub(crate) async fn connect() -> zbus::Result<Self> {
        let connection = connection::Builder::session().method_timeout(TIMEOUT).build().await?;
        Ok(Self { connection, daemon: bus_name() })
    }

    /// The daemon that runs now and no other, if one does. Reading from it starts none.
    pub(crate) async fn running(&self) -> zbus::Result<Option<Self>> {
        use zbus::fdo::Error::NameHasNoOwner;
        match self.driver().await?.get_name_owner(bus_name()).await {
            Ok(owner) => {
                let connection = self.connection.clone();
                Ok(Some(Self { connection, daemon: owner.into() }))
            }
            Err(NameHasNoOwner(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the daemon that was found [`running`](Self::running) still does.
    pub(crate) async fn is_there(&self) -> zbus::Result<bool> {
        Ok(self.driver().await?.name_has_owner(self.daemon.clone()).await?)
    }

    /// The daemon; a call starts it if need be.
    pub(crate) async fn daemon(&self) -> zbus::Result<DictationProxy<'static>> {
        DictationProxy::builder(&self.connection)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }

    pub(crate) async fn session(&self, path: &OwnedObjectPath) -> zbus::Result<SessionProxy<'_>> {
        SessionProxy::builder(&self.connection)
            .path(path.clone())
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }

    pub(crate) async fn model(&self, path: &OwnedObjectPath) -> zbus::Result<ModelProxy<'_>> {
        ModelProxy::builder(&self.connection)
            .path(path.clone())
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }

    /// The bus itself.
    pub(crate) async fn driver(&self) -> zbus::Result<DBusProxy<'_>> {
        DBusProxy::new(&self.connection).await
    }

    /// Whether the daemon runs. Does not start it.
    pub(crate) async fn is_running(&self) -> zbus::Result<bool> {
        Ok(self.driver().await?.name_has_owner(bus_name()).await?)
    }

    /// The process of the running daemon.
    pub(crate) async fn daemon_pid(&self) -> zbus::Result<u32> {
        Ok(self.driver().await?.get_connection_unix_process_id(bus_name()).await?)
    }

    pub(crate) async fn daemon_properties(&self) -> anyhow::Result<DaemonProperties> {
        let path = PATH.try_into()?;
        self.properties(path, NAME).await
    }

    /// Reads all properties of an interface, as a struct of [`crate::proxy`].
    pub(crate) async fn properties<T: DeserializeOwned>(
        &self,
        path: OwnedObjectPath,
        interface: &'static str,
    ) -> anyhow::Result<T> {
        let interface = InterfaceName::from_static_str(interface)?;
        let values = self.property_proxy(path).await?.get_all(interface).await?;
        read(object(&values))
    }

    /// An item whenever properties of an object have changed.
    pub(crate) async fn property_changes(
        &self,
        path: OwnedObjectPath,
        interface: &'static str,
    ) -> zbus::Result<impl Stream<Item = ()> + Unpin + use<>> {
        let proxy = self.property_proxy(path).await?;
        let changes = proxy.receive_properties_changed_with_args(&[(0, interface)]).await?;
        Ok(changes.map(drop))
    }

    async fn property_proxy(&self, path: OwnedObjectPath) -> zbus::Result<PropertiesProxy<'_>> {
        let destination = self.daemon.clone();
        PropertiesProxy::builder(&self.connection).destination(destination).path(path).build().await
    }

    /// An item when the daemon leaves the bus.
    pub(crate) async fn departures(&self) -> zbus::Result<impl Stream<Item = ()> + Unpin + use<>> {
        let owners = self.daemon().await?.inner().receive_owner_changed().await?;
        Ok(owners.filter_map(|owner| owner.is_none().then_some(())))
    }

    /// Every object of the daemon with this interface, in the order of their paths.
    pub(crate) async fn objects<T: DeserializeOwned>(
        &self,
        interface: &'static str,
    ) -> anyhow::Result<Vec<(OwnedObjectPath, T)>> {
        let manager = ObjectManagerProxy::builder(&self.connection);
        let manager = manager.destination(self.daemon.clone()).path(PATH);
        let objects = manager.build().await?.get_managed_objects().await?;
        let mut found = Vec::new();
        for (path, interfaces) in objects {
            let values = interfaces.iter().find(|(name, _)| name.as_str() == interface);
            if let Some((_, values)) = values {
                found.push((path, read(object(values))?));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        Ok(found)
    }

    /// All the daemon's signals from now on, in the order in which they were sent, and its comings
    /// and goings. Does not start it.
    ///
    /// One match rule for all of them: with one a signal, the last `Partial` could be read after
    /// its `Final`.
    pub(crate) async fn happenings(
        &self,
    ) -> zbus::Result<impl Stream<Item = Happening> + Unpin + use<>> {
        let daemon = self.daemon().await?;
        let owners = daemon.inner().receive_owner_changed().await?.map(|owner| match owner {
            Some(_) => Happening::Appeared,
            None => Happening::Vanished,
        });
        let events = daemon.inner().receive_all_signals().await?;
        // A signal of a later version is none of ours.
        let events =
            events.filter_map(|message| Event::from_message(&message)).map(Happening::Event);
        // Signals first: what a daemon said before it left is read before its leaving.
        Ok(stream::or(events, owners))
    }

    /// An item whenever something about the daemon or its objects may have changed.
    pub(crate) async fn changes(&self) -> zbus::Result<impl Stream<Item = ()> + Unpin + use<>> {
        let properties = self.signals("org.freedesktop.DBus.Properties").await?;
        let objects = self.signals("org.freedesktop.DBus.ObjectManager").await?;
        let owner = self.daemon().await?.inner().receive_owner_changed().await?.map(drop);
        Ok(stream::or(stream::or(properties.map(drop), objects.map(drop)), owner))
    }

    /// Signals of a standard interface, from all objects of the daemon.
    async fn signals(&self, interface: &'static str) -> zbus::Result<MessageStream> {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(NAME)
            .interface(interface)
            .path_namespace(PATH)
            .build()?;
        MessageStream::for_match_rule(rule, &self.connection, None).await
    }
}

/// The daemon's name, for calls to the bus itself.
pub(crate) fn bus_name() -> BusName<'static> {
    BusName::WellKnown(zbus::names::WellKnownName::from_static_str_unchecked(NAME))
}

/// Options of `StartSession` and its kin. With `linger` the session outlives this program.
pub(crate) fn session_options(options: &SessionOptions, linger: bool) -> Options<'_> {
    let mut dictionary = speech_options(&options.speech);
    if let Some(source) = &options.source {
        dictionary.insert("source", source.as_str().into());
    }
    if let Some(scope) = options.scope {
        dictionary.insert("scope", scope_name(scope).into());
    }
    if let Some(output) = options.output {
        let word = match output {
            Output::Type => "type",
            Output::Clipboard => "clipboard",
            Output::Copy => "copy",
            Output::None => "none",
        };
        dictionary.insert("output", word.into());
    }
    dictionary.insert("linger", linger.into());
    dictionary
}

/// The options that dictation and files have in common; what is not said is left to the daemon.
pub(crate) fn speech_options(options: &SpeechOptions) -> Options<'_> {
    let mut dictionary = HashMap::new();
    if !options.languages.is_empty() {
        dictionary.insert("languages", options.languages.clone().into());
    }
    if options.translate {
        dictionary.insert("task", "translate".into());
    }
    if !options.hotwords.is_empty() {
        dictionary.insert("hotwords", options.hotwords.clone().into());
    }
    if let Some(boost) = options.hotword_boost {
        dictionary.insert("hotword_boost", boost.into());
    }
    dictionary
}

/// The options of a recording that is transcribed as a whole, as far as they are given.
pub(crate) fn decoding_options(
    options: &DecodingOptions,
) -> impl Iterator<Item = (&'static str, Variant<'_>)> {
    let DecodingOptions { beam_size, temperature, best_of, prompt, prefix, .. } = options;
    [
        ("beam_size", beam_size.map(Variant::from)),
        ("temperature", temperature.map(Variant::from)),
        ("best_of", best_of.map(Variant::from)),
        ("prompt", prompt.as_deref().map(Variant::from)),
        ("prefix", prefix.as_deref().map(Variant::from)),
        (
            "condition_on_previous_text",
            options.condition_on_previous_text.then_some(true).map(Variant::from),
        ),
        ("words", options.words.then_some(true).map(Variant::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

pub(crate) fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Broadcast => "broadcast",
        Scope::Owner => "owner",
    }
}

/// Reads properties into a struct of [`crate::proxy`]; unknown ones are left alone.
fn read<T: DeserializeOwned>(properties: Map<String, Value>) -> anyhow::Result<T> {
    serde_json::from_value(Value::Object(properties)).context(
        "the daemon speaks another version of the interface; restart it with: \
         systemctl --user restart scriven",
    )
}

/// An `a{sv}` as a JSON object.
pub(crate) fn object(dictionary: &Dictionary) -> Map<String, Value> {
    dictionary.iter().map(|(key, value)| (key.clone(), json(value))).collect()
}

/// Any value of the bus as JSON: structs become arrays, dictionaries objects.
fn json(value: &Variant<'_>) -> Value {
    match value {
        Variant::U8(n) => (*n).into(),
        Variant::Bool(b) => (*b).into(),
        Variant::I16(n) => (*n).into(),
        Variant::U16(n) => (*n).into(),
        Variant::I32(n) => (*n).into(),
        Variant::U32(n) => (*n).into(),
        Variant::I64(n) => (*n).into(),
        Variant::U64(n) => (*n).into(),
        Variant::F64(x) => (*x).into(),
        Variant::Str(text) => text.as_str().into(),
        Variant::ObjectPath(path) => path.as_str().into(),
        Variant::Signature(signature) => signature.to_string().into(),
        Variant::Variant(inner) => json(inner),
        Variant::Array(items) => items.inner().iter().map(json).collect(),
        Variant::Structure(fields) => fields.fields().iter().map(json).collect(),
        Variant::Dict(entries) => {
            let key = |key: &Variant<'_>| match json(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(entries.iter().map(|(k, v)| (key(k), json(v))).collect())
        }
        // A descriptor means nothing outside of its process.
        Variant::Fd(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_final_become_arrays() {
        let words = vec![("hello", 0u64, 400_000u64, 0.5f64)];
        assert_eq!(json(&Variant::new(words)), serde_json::json!([["hello", 0, 400_000, 0.5]]));
    }

    #[test]
    fn what_the_user_did_not_say_is_left_to_the_daemon() {
        let options = SessionOptions::default();
        let names: Vec<_> = session_options(&options, true).into_keys().collect();
        assert_eq!(names, ["linger"]);
    }
}
