//! `sources`: what can be listened to.

use serde_json::Value;

use crate::Outcome;
use crate::bus::{Bus, object};
use crate::terminal::{plain, write, write_json};

pub(crate) async fn sources(json: bool) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    let sources = bus.daemon().await?.list_sources().await?;
    let sources: Vec<Value> = sources.iter().map(|source| Value::Object(object(source))).collect();
    if json {
        write_json(&Value::Array(sources))?;
        return Ok(Outcome::Success);
    }
    let width = sources.iter().map(|source| text(source, "id").len()).max().unwrap_or(0);
    for source in &sources {
        let mark = if is_default(source) { '*' } else { ' ' };
        let (id, kind) = (text(source, "id"), text(source, "kind"));
        write(&format!("{mark} {id:width$}  {kind:10}  {}\n", text(source, "description")))?;
    }
    if sources.is_empty() {
        anyhow::bail!(
            "there is nothing to listen to; is a microphone plugged in, and does PipeWire run?"
        );
    }
    Ok(Outcome::Success)
}

/// Whether this is what `--source default` listens to.
pub(crate) fn is_default(source: &Value) -> bool {
    source["default"].as_bool().unwrap_or(false)
}

/// A text of a source; empty if the daemon does not say it.
pub(crate) fn text(source: &Value, key: &str) -> String {
    plain(source[key].as_str().unwrap_or_default())
}
