//! What a client on the bus hears and reads: the signals with the time they came, the properties.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use futures_lite::StreamExt;
use zbus::message::{Message, Type};
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

use crate::fixture::{NAME, PATIENCE, now};

pub(crate) const PATH: &str = "/org/scriven/Dictation1";
pub(crate) type Info = HashMap<String, OwnedVariant>;
pub(crate) type Options<'a> = HashMap<&'a str, Variant<'a>>;

/// A signal of the daemon, or what the bus says of it.
#[derive(Debug)]
pub(crate) enum Signal {
    Started {
        info: Info,
    },
    Partial {
        utterance: u32,
        revision: u32,
        committed: String,
        tentative: String,
        info: Info,
    },
    Final {
        utterance: u32,
        text: String,
        info: Info,
    },
    Discarded {
        utterance: u32,
        reason: String,
    },
    Delivered {
        utterance: u32,
        backend: String,
        ok: bool,
        detail: String,
    },
    Ended {
        reason: String,
        stats: Info,
    },
    /// Properties of the root object that changed.
    Changed(Info),
    /// Who owns the daemon's name now.
    Owner(Option<String>),
}

/// A signal and when it reached us, in µs of `CLOCK_MONOTONIC`.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) at: u64,
    /// The path of the session it is about; empty where it is about none.
    pub(crate) session: String,
    pub(crate) signal: Signal,
}

/// Hears all signals from its making on.
pub(crate) struct Ear {
    heard: Receiver<Heard>,
}

impl Ear {
    pub(crate) fn new(connection: &Connection) -> Self {
        let rules = [
            MatchRule::builder().msg_type(Type::Signal).path_namespace(PATH),
            MatchRule::builder().msg_type(Type::Signal).member("NameOwnerChanged").add_arg(NAME),
        ];
        let (heard_tx, heard) = channel();
        for rule in rules {
            let rule = rule.build().unwrap();
            let stream = MessageStream::for_match_rule(rule, connection, None);
            let mut stream = zbus::block_on(stream).unwrap();
            let heard_tx = heard_tx.clone();
            let listen = move || {
                zbus::block_on(async {
                    while let Some(Ok(message)) = stream.next().await {
                        let Some((session, signal)) = parse(&message) else { continue };
                        if heard_tx.send(Heard { at: now(), session, signal }).is_err() {
                            return;
                        }
                    }
                });
            };
            std::thread::Builder::new().name("ear".into()).spawn(listen).unwrap();
        }
        Self { heard }
    }

    /// The next signal that `wanted` accepts; those before it are dropped.
    pub(crate) fn within(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&Signal) -> bool,
    ) -> Option<Heard> {
        let until = Instant::now() + patience;
        loop {
            match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(heard) if wanted(&heard.signal) => return Some(heard),
                Ok(_) => (),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// As [`Ear::within`], for what has to come.
    pub(crate) fn wait(&self, what: &str, wanted: impl FnMut(&Signal) -> bool) -> Heard {
        self.within(PATIENCE, wanted).unwrap_or_else(|| panic!("not heard: {what}"))
    }

    /// All signals up to the first that `wanted` accepts, that one included.
    pub(crate) fn until(&self, what: &str, mut wanted: impl FnMut(&Signal) -> bool) -> Vec<Heard> {
        let mut all = Vec::new();
        while !all.last().is_some_and(|heard: &Heard| wanted(&heard.signal)) {
            all.push(self.wait(what, |_| true));
        }
        all
    }

    /// All signals up to the end of a session.
    pub(crate) fn until_ended(&self) -> Vec<Heard> {
        self.until("the session ended", |signal| matches!(signal, Signal::Ended { .. }))
    }
}

/// The text of all finals, in order.
pub(crate) fn finals(heard: &[Heard]) -> String {
    let texts = heard.iter().filter_map(|heard| match &heard.signal {
        Signal::Final { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Why the session ended, and its figures.
pub(crate) fn ending(heard: &[Heard]) -> (&str, &Info) {
    match &heard.last().expect("something was heard").signal {
        Signal::Ended { reason, stats, .. } => (reason, stats),
        other => panic!("not an end: {other:?}"),
    }
}

/// A number of a signal's `info` or `stats`.
pub(crate) fn number(info: &Info, key: &str) -> u64 {
    let value = info.get(key).unwrap_or_else(|| panic!("no `{key}` in {:?}", info.keys()));
    u64::try_from(value).unwrap_or_else(|error| panic!("`{key}`: {error}"))
}

/// The session a signal is about, and the signal.
fn parse(message: &Message) -> Option<(String, Signal)> {
    let header = message.header();
    let body = message.body();
    let (session, signal): (Option<OwnedObjectPath>, _) = match header.member()?.as_str() {
        "SessionStarted" => {
            let (session, info) = body.deserialize().unwrap();
            (Some(session), Signal::Started { info })
        }
        "Partial" => {
            let (session, utterance, revision, committed, tentative, info) =
                body.deserialize().unwrap();
            (Some(session), Signal::Partial { utterance, revision, committed, tentative, info })
        }
        "Final" => {
            let (session, utterance, text, info) = body.deserialize().unwrap();
            (Some(session), Signal::Final { utterance, text, info })
        }
        "Discarded" => {
            let (session, utterance, reason) = body.deserialize().unwrap();
            (Some(session), Signal::Discarded { utterance, reason })
        }
        "Delivered" => {
            let (session, utterance, backend, ok, detail) = body.deserialize().unwrap();
            (Some(session), Signal::Delivered { utterance, backend, ok, detail })
        }
        "SessionEnded" => {
            let (session, reason, stats) = body.deserialize().unwrap();
            (Some(session), Signal::Ended { reason, stats })
        }
        "PropertiesChanged" if header.path()?.as_str() == PATH => {
            let (_, changed, _): (String, Info, Vec<String>) = body.deserialize().unwrap();
            (None, Signal::Changed(changed))
        }
        "NameOwnerChanged" => {
            let (_, _, owner): (String, String, String) = body.deserialize().unwrap();
            (None, Signal::Owner((!owner.is_empty()).then_some(owner)))
        }
        _ => return None,
    };
    Some((session.map(|path| path.to_string()).unwrap_or_default(), signal))
}

/// Calls a method of the daemon's root object.
pub(crate) fn call<B>(connection: &Connection, method: &str, body: &B) -> zbus::Result<Message>
where
    B: serde::Serialize + zbus::DynamicType,
{
    call_on(connection, PATH, NAME, method, body)
}

/// Calls a method of one of the daemon's objects.
pub(crate) fn call_on<B>(
    connection: &Connection,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
) -> zbus::Result<Message>
where
    B: serde::Serialize + zbus::DynamicType,
{
    zbus::block_on(connection.call_method(Some(NAME), path, Some(interface), method, body))
}

/// A property of the root object.
pub(crate) fn property(connection: &Connection, name: &str) -> OwnedVariant {
    let reply = call_on(connection, PATH, "org.freedesktop.DBus.Properties", "Get", &(NAME, name));
    reply.unwrap().body().deserialize().unwrap()
}

/// Starts a session and tells its path.
pub(crate) fn start(connection: &Connection, options: &Options<'_>) -> zbus::Result<String> {
    let reply = call(connection, "StartSession", &(options,))?;
    Ok(reply.body().deserialize::<OwnedObjectPath>()?.to_string())
}

/// The D-Bus name and the text of the error that a call ended with.
pub(crate) fn refusal<T>(result: zbus::Result<T>) -> (String, String) {
    match result {
        Ok(_) => panic!("the call was accepted"),
        Err(zbus::Error::MethodError(name, text, _)) => {
            (name.to_string(), text.unwrap_or_default())
        }
        Err(zbus::Error::FDO(error)) => {
            use zbus::DBusError as _;
            (error.name().to_string(), error.to_string())
        }
        Err(other) => panic!("{other}"),
    }
}
