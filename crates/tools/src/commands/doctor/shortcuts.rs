//! The keys, for `doctor`: which of them work, and how they are watched.

use serde_json::Value;

use super::{Check, failed};
use crate::bus::{Bus, object};
use crate::commands::sources::text;

/// One check a key, and one for the way.
pub(super) async fn shortcuts(bus: &Bus) -> Vec<Check> {
    let list = async { bus.daemon().await?.list_shortcuts().await };
    match list.await {
        Ok((keys, ways)) => {
            let value = |entry| Value::Object(object(entry));
            let ways: Vec<Value> = ways.iter().map(value).collect();
            let mut checks = vec![watching(&ways)];
            checks.extend(keys.iter().map(|entry| key(&value(entry))));
            checks
        }
        Err(error) => vec![failed("shortcuts", &error.into())],
    }
}

/// By which way keys are watched, and why by none of those before it.
fn watching(ways: &[Value]) -> Check {
    let words = |way: &Value| format!("{}: {}", text(way, "name"), text(way, "reason"));
    Check::ok("shortcuts", ways.iter().map(words).collect::<Vec<_>>().join("; "))
}

fn key(key: &Value) -> Check {
    let (action, trigger) = (text(key, "action"), text(key, "trigger"));
    let (mode, problem) = (text(key, "mode"), text(key, "problem"));
    match (trigger.as_str(), problem.as_str()) {
        ("", _) => Check::ok(
            "  key",
            format!(
                "none for {action}: bind one to scriven press {action}, scriven release {action}"
            ),
        ),
        (trigger, "") => Check::ok("  key", format!("{trigger}: {action}, {mode}")),
        (trigger, problem) => {
            let (found, fix) = problem.split_once("; ").unwrap_or((problem, "name another key"));
            Check::warning("  key", format!("{trigger}: {action}: {found}"), fix)
        }
    }
}
