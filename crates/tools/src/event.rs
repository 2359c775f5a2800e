//! What the daemon tells: its signals as values.

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};
use zbus::message::Message;

use crate::bus::object;
use crate::proxy::{Delivered, Discarded, Final, Partial, SessionEnded, SessionStarted};

/// A signal, and when it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Object path of the session.
    pub(crate) session: String,
    /// Microseconds of CLOCK_MONOTONIC, the clock of `info.monotonic`.
    pub(crate) received: u64,
    pub(crate) kind: Kind,
}

/// The signals of the contract. `info` and `stats` hold all that the daemon said, as JSON.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Started {
        info: Map<String, Value>,
    },
    /// `committed` only grows inside an utterance; `tentative` may be replaced by the next.
    Partial {
        utterance: u32,
        revision: u32,
        committed: String,
        tentative: String,
        info: Map<String, Value>,
    },
    Final {
        utterance: u32,
        text: String,
        info: Map<String, Value>,
    },
    Discarded {
        utterance: u32,
        reason: String,
    },
    /// What has become of a final text that was to go into a window.
    Delivered {
        utterance: u32,
        backend: String,
        ok: bool,
        detail: String,
    },
    Ended {
        reason: String,
        stats: Map<String, Value>,
    },
}

impl Event {
    /// Reads a signal; `None` if it is not of this contract.
    pub(crate) fn from_message(message: &Message) -> Option<Self> {
        let received = monotonic_us();
        let (session, kind) = parse(message)?;
        Some(Self { session, received, kind })
    }

    /// The signal as `scriven listen --json` writes it.
    pub(crate) fn to_json(&self) -> Value {
        let mut value = match &self.kind {
            Kind::Started { info } => json!({ "signal": "SessionStarted", "info": info }),
            Kind::Partial { utterance, revision, committed, tentative, info } => json!({
                "signal": "Partial", "utterance": utterance, "revision": revision,
                "committed": committed, "tentative": tentative, "info": info,
            }),
            Kind::Final { utterance, text, info } => json!({
                "signal": "Final", "utterance": utterance, "text": text, "info": info,
            }),
            Kind::Discarded { utterance, reason } => json!({
                "signal": "Discarded", "utterance": utterance, "reason": reason,
            }),
            Kind::Delivered { utterance, backend, ok, detail } => json!({
                "signal": "Delivered", "utterance": utterance, "backend": backend, "ok": ok,
                "detail": detail,
            }),
            Kind::Ended { reason, stats } => json!({
                "signal": "SessionEnded", "reason": reason, "stats": stats,
            }),
        };
        value["session"] = self.session.as_str().into();
        value["received"] = self.received.into();
        value
    }
}

fn parse(message: &Message) -> Option<(String, Kind)> {
    if let Some(signal) = Partial::from_message(message.clone()) {
        let args = signal.args().ok()?;
        let kind = Kind::Partial {
            utterance: args.utterance,
            revision: args.revision,
            committed: args.committed,
            tentative: args.tentative,
            info: object(&args.info),
        };
        return Some((args.session.to_string(), kind));
    }
    if let Some(signal) = Final::from_message(message.clone()) {
        let args = signal.args().ok()?;
        let kind =
            Kind::Final { utterance: args.utterance, text: args.text, info: object(&args.info) };
        return Some((args.session.to_string(), kind));
    }
    if let Some(signal) = Discarded::from_message(message.clone()) {
        let args = signal.args().ok()?;
        let kind = Kind::Discarded { utterance: args.utterance, reason: args.reason };
        return Some((args.session.to_string(), kind));
    }
    if let Some(signal) = Delivered::from_message(message.clone()) {
        let args = signal.args().ok()?;
        let (utterance, ok) = (args.utterance, args.ok);
        let kind = Kind::Delivered { utterance, backend: args.backend, ok, detail: args.detail };
        return Some((args.session.to_string(), kind));
    }
    if let Some(signal) = SessionStarted::from_message(message.clone()) {
        let args = signal.args().ok()?;
        return Some((args.session.to_string(), Kind::Started { info: object(&args.info) }));
    }
    let signal = SessionEnded::from_message(message.clone())?;
    let args = signal.args().ok()?;
    let kind = Kind::Ended { reason: args.reason, stats: object(&args.stats) };
    Some((args.session.to_string(), kind))
}

/// Microseconds, as the daemon writes times, in seconds.
pub(crate) fn seconds(info: &Map<String, Value>, key: &str) -> Option<f64> {
    info.get(key)?.as_f64().map(|us| us / 1e6)
}

/// The error that ended a session, as (name, message).
pub(crate) fn session_error(stats: &Map<String, Value>) -> Option<(String, String)> {
    serde_json::from_value(stats.get("error")?.clone()).ok()
}

/// What was wrong in a session that went on all the same, as (name, message).
pub(crate) fn session_warning(stats: &Map<String, Value>) -> Option<(String, String)> {
    serde_json::from_value(stats.get("warning")?.clone()).ok()
}

/// CLOCK_MONOTONIC in microseconds.
fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is negative on this clock.
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1_000
}
