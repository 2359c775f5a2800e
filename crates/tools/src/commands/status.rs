//! `status`: what the daemon does, once or at each change.

use futures_lite::StreamExt as _;
use serde_json::{Value, json};

use crate::Outcome;
use crate::bus::Bus;
use crate::cli::StatusArgs;
use crate::error::explain_named;
use crate::proxy::{DaemonProperties, SESSION_INTERFACE, SessionProperties};
use crate::terminal::{note, write};

/// What is known of a running daemon.
#[derive(Debug, Clone, PartialEq)]
struct Status {
    daemon: DaemonProperties,
    sessions: Vec<(String, SessionProperties)>,
}

pub(crate) async fn status(args: &StatusArgs) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    if !args.follow {
        let status = read(&bus).await?;
        if status.is_none() && !args.json {
            note("the daemon does not run; it starts by itself with: scriven start");
            return Ok(Outcome::Failure);
        }
        show(status.as_ref(), args.json)?;
        return Ok(if status.is_some() { Outcome::Success } else { Outcome::Failure });
    }
    let mut changes = bus.changes().await?;
    let mut shown = None;
    loop {
        let status = read(&bus).await?;
        // Much of what changes is not shown here, such as the progress of a download.
        if shown.as_ref() != Some(&status) {
            if shown.is_some() && !args.json {
                write("\n")?;
            }
            show(status.as_ref(), args.json)?;
            shown = Some(status);
        }
        if changes.next().await.is_none() {
            anyhow::bail!("the session bus is gone");
        }
    }
}

/// Reads the status; `None` if the daemon does not run. Does not start it.
async fn read(bus: &Bus) -> anyhow::Result<Option<Status>> {
    while let Some(daemon) = bus.running().await? {
        match read_from(&daemon).await {
            // It has left in the middle, and perhaps another one has come.
            Err(_) if !daemon.is_there().await? => {}
            status => return status.map(Some),
        }
    }
    Ok(None)
}

async fn read_from(bus: &Bus) -> anyhow::Result<Status> {
    let daemon = bus.daemon_properties().await?;
    let sessions = bus.objects::<SessionProperties>(SESSION_INTERFACE).await?;
    let sessions = sessions.into_iter().map(|(path, session)| (path.as_str().to_owned(), session));
    Ok(Status { daemon, sessions: sessions.collect() })
}

fn show(status: Option<&Status>, json: bool) -> std::io::Result<()> {
    match (status, json) {
        (status, true) => write(&format!("{}\n", to_json(status))),
        (Some(status), false) => write(&to_text(status)),
        (None, false) => write("the daemon does not run\n"),
    }
}

fn to_text(status: &Status) -> String {
    let daemon = &status.daemon;
    let mut lines = vec![
        ("state", daemon.state.clone()),
        ("model", model(daemon)),
        ("backend", or_dash(&daemon.backend)),
        ("languages", languages(daemon)),
        ("output", or_dash(&daemon.output_backend)),
        ("microphone", if daemon.microphone_open { "open" } else { "closed" }.into()),
        ("overruns", daemon.overruns.to_string()),
    ];
    for (path, session) in &status.sessions {
        let SessionProperties { mode, state, source, .. } = session;
        lines.push(("session", format!("{mode}, {state}, {source}  {path}")));
    }
    let (name, message) = &daemon.last_error;
    if !name.is_empty() {
        lines.push(("last error", explain_named(name, message)));
    }
    lines.iter().map(|(name, value)| format!("{name:10}  {value}\n")).collect()
}

/// The status for programs, with what bars show: `text`, `alt`, `class`, `tooltip`.
fn to_json(status: Option<&Status>) -> Value {
    let Some(Status { daemon, sessions }) = status else {
        return json!({
            "running": false, "text": "off", "alt": "off", "class": "off",
            "tooltip": "scriven does not run",
        });
    };
    let (name, message) = &daemon.last_error;
    let last_error = (!name.is_empty()).then(|| json!({ "name": name, "message": message }));
    let loading = daemon.model_state == "loading" && daemon.state == "idle";
    let shown = if idle_but_open(daemon) { "open" } else { &daemon.state };
    let mut tooltip = format!("{}, {}, {}", daemon.state, model(daemon), or_dash(&daemon.backend));
    if daemon.microphone_open {
        tooltip.push_str(", microphone open");
    }
    json!({
        "running": true,
        "version": daemon.version,
        "state": daemon.state,
        "model": daemon.model,
        "model_state": daemon.model_state,
        "backend": daemon.backend,
        "languages": daemon.languages,
        "output_backend": daemon.output_backend,
        "microphone_open": daemon.microphone_open,
        "overruns": daemon.overruns,
        "last_error": last_error,
        "sessions": sessions.iter().map(|(path, session)| json!({
            "path": path, "mode": session.mode, "state": session.state,
            "source": session.source, "started_at": session.started_at,
        })).collect::<Vec<_>>(),
        "text": if loading { "loading" } else { shown },
        "alt": shown,
        "class": shown,
        "tooltip": tooltip,
    })
}

/// Nobody dictates, and a microphone is open all the same: that of the pre-roll.
fn idle_but_open(daemon: &DaemonProperties) -> bool {
    daemon.state == "idle" && daemon.microphone_open
}

fn model(daemon: &DaemonProperties) -> String {
    match daemon.model.as_str() {
        "" => "none; fetch one with: scriven model pull base".into(),
        model => format!("{model} ({})", daemon.model_state),
    }
}

fn languages(daemon: &DaemonProperties) -> String {
    if daemon.languages.is_empty() { "any".into() } else { daemon.languages.join(", ") }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening() -> Status {
        let daemon = DaemonProperties {
            state: "listening".into(),
            model: "base".into(),
            model_state: "ready".into(),
            backend: "cpu".into(),
            ..Default::default()
        };
        let session = SessionProperties {
            mode: "dictation".into(),
            state: "listening".into(),
            source: "default".into(),
            started_at: 1,
        };
        Status { daemon, sessions: vec![("/s".into(), session)] }
    }

    #[test]
    fn a_bar_finds_what_it_shows() {
        let json = to_json(Some(&listening()));
        assert_eq!((&json["text"], &json["class"]), (&json!("listening"), &json!("listening")));
        assert_eq!(json["alt"], "listening");
        assert_eq!(json["tooltip"], "listening, base (ready), cpu");
        assert_eq!(json["last_error"], Value::Null);
        assert_eq!(json["microphone_open"], false);
        assert_eq!(to_json(None)["class"], "off");
    }

    #[test]
    fn a_microphone_that_is_open_while_nobody_dictates_is_shown() {
        let mut status = listening();
        status.daemon.microphone_open = true;
        assert_eq!(to_json(Some(&status))["class"], "listening");
        status.daemon.state = "idle".into();
        let json = to_json(Some(&status));
        assert_eq!((&json["text"], &json["alt"]), (&json!("open"), &json!("open")));
        assert_eq!((&json["class"], &json["state"]), (&json!("open"), &json!("idle")));
        assert_eq!(json["tooltip"], "idle, base (ready), cpu, microphone open");
        assert!(to_text(&status).contains("microphone  open\n"));
    }

    #[test]
    fn people_read_one_fact_a_line() {
        let expected = "\
state       listening
model       base (ready)
backend     cpu
languages   any
output      -
microphone  closed
overruns    0
session     dictation, listening, default  /s
";
        assert_eq!(to_text(&listening()), expected);
    }
}
