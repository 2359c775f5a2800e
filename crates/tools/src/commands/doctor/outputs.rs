//! How text gets into windows, for `doctor`: every way, and why it is or is not the one.

use serde_json::Value;

use super::{Check, failed};
use crate::bus::{Bus, object};
use crate::commands::sources::text;
use crate::error::explain;

/// The way to the clipboard, which goes into no window.
const COPY: &str = "copy";

/// One check a way, and one for the whole.
pub(super) async fn outputs(bus: &Bus) -> Vec<Check> {
    let list = async { bus.daemon().await?.list_outputs().await };
    match list.await {
        Ok(ways) => {
            let ways = ways.iter().map(|way| Value::Object(object(way)));
            let ways: Vec<Value> = ways.collect();
            let mut checks = vec![typing(&ways)];
            checks.extend(ways.iter().map(way));
            checks.push(focus(bus).await);
            checks
        }
        Err(error) => vec![failed("typing", &error.into())],
    }
}

/// The program in focus, as profiles match it: most often the terminal that this is called in.
async fn focus(bus: &Bus) -> Check {
    let described = async { bus.daemon().await?.describe_focus().await };
    let found = match described.await {
        Ok(focus) => {
            let focus = Value::Object(object(&focus));
            match (&*text(&focus, "app"), &*text(&focus, "profile")) {
                ("", _) => "the desktop does not tell of which program the window is".into(),
                (app, "") => format!("{app}, no profile"),
                (app, profile) => format!("{app}, profile {profile}"),
            }
        }
        // Not wrong by itself: nothing may be in focus.
        Err(error) => explain(&error.into()),
    };
    Check::ok("focus", found)
}

fn is(way: &Value, key: &str) -> bool {
    way[key].as_bool().unwrap_or(false)
}

/// Whether text gets into windows at all.
fn typing(ways: &[Value]) -> Check {
    let chosen = ways.iter().find(|way| is(way, "chosen"));
    let types = |way: &&Value| is(way, "usable") && text(way, "name") != COPY;
    match chosen.or(ways.iter().find(types)) {
        Some(way) => Check::ok("typing", format!("into windows, by {}", text(way, "name"))),
        None => Check::warning(
            "typing",
            "there is no way into windows",
            "each way says below what it lacks; in KDE and GNOME an input method helps: set up IBus; where \
             scrivend was started outside of the desktop: systemctl --user restart scriven",
        ),
    }
}

/// A way that is not usable is no fault of itself: what would help stands with it.
fn way(way: &Value) -> Check {
    let name = text(way, "name");
    let found = match is(way, "usable") {
        true => abilities(way),
        false => format!("not usable: {}", text(way, "reason")),
    };
    let chosen = if is(way, "chosen") { ", chosen" } else { "" };
    Check::ok("  way", format!("{name}{chosen}: {found}"))
}

/// What it can do, in words.
fn abilities(way: &Value) -> String {
    let known = [
        ("preedit", "shows text while you speak"),
        ("keyless", "types while a key is held"),
        ("surrounding", "fits the text before the cursor"),
        ("purpose", "knows fields for passwords"),
    ];
    if text(way, "name") == COPY {
        return "leaves text on the clipboard".into();
    }
    let can: Vec<_> = known.iter().filter(|(key, _)| is(way, key)).map(|(_, does)| *does).collect();
    let can = if can.is_empty() { "types".into() } else { can.join(", ") };
    match is(way, "focus") {
        true => can,
        false => format!("{can}, but does not see which window gets it"),
    }
}
