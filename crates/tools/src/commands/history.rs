//! `redeliver`, `history`, `undo`, `insert`, `permit`: what was said lately, and text into windows.

use std::io::Read as _;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::Outcome;
use crate::bus::{Bus, object};
use crate::cli::HistoryArgs;
use crate::proxy::Options;
use crate::terminal::{note, plain, write, write_json};

/// Types a text again, and says which way it took.
pub(crate) async fn redeliver(id: Option<u64>) -> anyhow::Result<Outcome> {
    let options: Options<'_> = id.map(|id| ("id", id.into())).into_iter().collect();
    let way = Bus::connect().await?.daemon().await?.redeliver(&options).await?;
    note(&format!("typed by {way}"));
    Ok(Outcome::Success)
}

pub(crate) async fn undo() -> anyhow::Result<Outcome> {
    Bus::connect().await?.daemon().await?.undo_last().await?;
    Ok(Outcome::Success)
}

pub(crate) async fn insert(mut text: String) -> anyhow::Result<Outcome> {
    if text == "-" {
        text.clear();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.context("standard input is no text")?;
    }
    Bus::connect().await?.daemon().await?.insert_text(&text, &Options::new()).await?;
    Ok(Outcome::Success)
}

/// Lets the desktop ask for the permission to type, and waits for the answer; or gives it up.
pub(crate) async fn permit(forget: bool) -> anyhow::Result<Outcome> {
    let daemon = Bus::connect().await?.daemon().await?;
    if !forget {
        note("the desktop asks you now; answer its dialog within a minute");
    }
    let options: Options<'_> = forget.then_some(("forget", true.into())).into_iter().collect();
    daemon.permit_typing(&options).await?;
    note(if forget { "the permission is given up" } else { "permitted; it is remembered" });
    Ok(Outcome::Success)
}

pub(crate) async fn history(args: &HistoryArgs) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    let daemon = bus.daemon().await?;
    if args.clear {
        daemon.clear_history().await?;
        return Ok(Outcome::Success);
    }
    let texts = daemon.get_history(args.limit, &Options::new()).await?;
    for text in texts.iter().rev().map(object) {
        match args.json {
            true => write_json(&Value::Object(text))?,
            false => write(&line(&text))?,
        }
    }
    Ok(Outcome::Success)
}

/// A text for people: when, what became of it, and on a line of its own why it is not there.
fn line(text: &Map<String, Value>) -> String {
    let word = |key: &str| plain(text.get(key).and_then(Value::as_str).unwrap_or_default());
    let id = text.get("id").and_then(Value::as_u64).unwrap_or_default();
    let said = match text.contains_key("text") {
        true => word("text"),
        false => "(private)".into(),
    };
    let mut line = format!("{id}  {:11}  {}\n", word("state"), said.trim());
    if !word("detail").is_empty() {
        line.push_str(&format!("{:31}→ {}\n", "", word("detail")));
    }
    line
}
