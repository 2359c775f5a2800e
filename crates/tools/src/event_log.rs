//! A log of every change of what is shown, from which latency, flicker and accuracy are measured.
//!
//! One JSON object a line: `now` and `audio_end` in seconds since the first sample of the session,
//! `wall_ms` from the sound being there to the text being here, `cpu_ms` that the daemon has used
//! since the line before, `committed` and, behind it, `partial`. The last line sums up.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::event::{Event, Kind, seconds};

/// Writes the log of one session.
pub(crate) struct EventLog<W> {
    out: W,
    /// Seconds of CPU that the daemon had used when the session started.
    cpu_start: f64,
    /// The same at the line before.
    cpu_before: f64,
    /// The session followed; `None` until one starts.
    session: Option<String>,
    /// CLOCK_MONOTONIC of the first sample, in microseconds.
    origin: u64,
    /// The utterances that are final.
    finals: String,
    shown: (String, String),
    updates: u64,
}

impl<W: Write> EventLog<W> {
    /// Logs `session`, or the next one to start.
    pub(crate) fn new(out: W, session: Option<String>) -> Self {
        Self {
            out,
            cpu_start: 0.0,
            cpu_before: 0.0,
            session,
            origin: 0,
            finals: String::new(),
            shown: Default::default(),
            updates: 0,
        }
    }

    /// Takes a signal; returns whether the session has ended with it.
    ///
    /// - cpu: seconds of CPU that the daemon has used so far
    pub(crate) fn push(&mut self, event: &Event, cpu: f64) -> io::Result<bool> {
        if let (None, Kind::Started { .. }) = (&self.session, &event.kind) {
            self.session = Some(event.session.clone());
        }
        if self.session.as_ref() != Some(&event.session) {
            return Ok(false);
        }
        match &event.kind {
            Kind::Started { info } => {
                self.origin =
                    info.get("monotonic").and_then(Value::as_u64).unwrap_or(event.received);
                (self.cpu_start, self.cpu_before) = (cpu, cpu);
            }
            Kind::Partial { committed, tentative, info, .. } => {
                let shown = (joined(&self.finals, committed), tentative.clone());
                self.show(event.received, info, shown, cpu)?;
            }
            Kind::Final { text, info, .. } => {
                self.finals = joined(&self.finals, text);
                let shown = (self.finals.clone(), String::new());
                self.show(event.received, info, shown, cpu)?;
            }
            Kind::Discarded { .. } => {
                // It carries no times.
                let shown = (self.finals.clone(), String::new());
                self.show(event.received, &Map::new(), shown, cpu)?;
            }
            // It changes no text.
            Kind::Delivered { .. } => {}
            Kind::Ended { stats, .. } => {
                self.sum_up(stats)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn show(
        &mut self,
        received: u64,
        info: &Map<String, Value>,
        shown: (String, String),
        cpu: f64,
    ) -> io::Result<()> {
        if shown == self.shown {
            return Ok(());
        }
        self.shown = shown;
        self.updates += 1;
        let now = received.saturating_sub(self.origin) as f64 / 1e6;
        let audio_end = seconds(info, "audio-end").unwrap_or(now);
        let line = json!({
            "now": now,
            "audio_end": audio_end,
            "wall_ms": (now - audio_end).max(0.0) * 1e3,
            "cpu_ms": (cpu - self.cpu_before) * 1e3,
            "committed": self.shown.0,
            "partial": self.shown.1,
        });
        self.cpu_before = cpu;
        self.line(&line)
    }

    fn sum_up(&mut self, stats: &Map<String, Value>) -> io::Result<()> {
        let line = json!({
            "summary": 1,
            "audio": seconds(stats, "audio"),
            "updates": self.updates,
            // The daemon counts from its own start, the log from that of the session.
            "cpu_s": seconds(stats, "cpu").map(|cpu| cpu - self.cpu_start),
            "rss_mb": stats.get("rss").and_then(Value::as_f64).map(|bytes| bytes / 1e6),
            "drops": stats.get("overruns"),
        });
        self.line(&line)
    }

    fn line(&mut self, line: &Value) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

/// Two pieces of text, with a space between them if both have something to say.
fn joined(before: &str, text: &str) -> String {
    let text = text.trim_start();
    match before.is_empty() || text.is_empty() {
        true => format!("{before}{text}"),
        false => format!("{before} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(received: u64, kind: Kind) -> Event {
        Event { session: "/a".into(), received, kind }
    }

    fn info(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn partial(received: u64, committed: &str, tentative: &str, audio_end: u64) -> Event {
        let info = info(json!({ "audio-end": audio_end }));
        let (committed, tentative) = (committed.into(), tentative.into());
        event(received, Kind::Partial { utterance: 1, revision: 1, committed, tentative, info })
    }

    fn log(events: &[Event]) -> Vec<Value> {
        let mut out = Vec::new();
        let mut log = EventLog::new(&mut out, None);
        for (i, event) in events.iter().enumerate() {
            log.push(event, i as f64 * 0.25).unwrap();
        }
        let out = String::from_utf8(out).unwrap();
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn session() -> Vec<Event> {
        let text = "one two".to_owned();
        let stats = info(json!({ "audio": 3_000_000, "cpu": 500_000, "rss": 2_000_000 }));
        vec![
            event(1_400_000, Kind::Started { info: info(json!({ "monotonic": 1_000_000 })) }),
            partial(2_500_000, "one", " too", 1_250_000),
            partial(2_600_000, "one", " too", 1_350_000),
            event(
                3_000_000,
                Kind::Final { utterance: 1, text, info: info(json!({ "audio-end": 1_900_000 })) },
            ),
            partial(3_500_000, "", "three", 2_400_000),
            event(3_600_000, Kind::Discarded { utterance: 2, reason: "loop".into() }),
            event(4_000_000, Kind::Ended { reason: "done".into(), stats }),
        ]
    }

    #[test]
    fn times_count_from_the_first_sample() {
        let line = &log(&session())[0];
        assert_eq!((&line["now"], &line["audio_end"]), (&json!(1.5), &json!(1.25)));
        assert_eq!((&line["wall_ms"], &line["cpu_ms"]), (&json!(250.0), &json!(250.0)));
    }

    #[test]
    fn committed_text_holds_the_utterances_before() {
        let shown: Vec<_> = log(&session())
            .iter()
            .filter(|line| line["summary"].is_null())
            .map(|line| format!("{}|{}", line["committed"], line["partial"]))
            .collect();
        let expected =
            [r#""one"|" too""#, r#""one two"|"""#, r#""one two"|"three""#, r#""one two"|"""#];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_last_line_sums_up_what_the_daemon_counted() {
        let summary = log(&session()).pop().unwrap();
        assert_eq!((&summary["audio"], &summary["updates"]), (&json!(3.0), &json!(4)));
        assert_eq!((&summary["cpu_s"], &summary["rss_mb"]), (&json!(0.5), &json!(2.0)));
    }

    #[test]
    fn only_one_session_is_followed() {
        let mut events = session();
        let mut other = partial(2_550_000, "not ours", "", 0);
        other.session = "/b".into();
        events.insert(2, other);
        let texts = |log: Vec<Value>| -> Vec<Value> {
            log.into_iter().map(|line| line["committed"].clone()).collect()
        };
        assert_eq!(texts(log(&events)), texts(log(&session())));
    }
}
