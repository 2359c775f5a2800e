//! What the scripted daemon remembers, and its ways into windows.

use std::collections::HashMap;

use super::Info;

/// Two texts, newest first.
pub(super) fn texts() -> Vec<Info<'static>> {
    let text = |id: u64, text: &'static str, state: &'static str, detail: &'static str| {
        HashMap::from([
            ("id", id.into()),
            ("time", (id as i64).into()),
            ("text", text.into()),
            ("state", state.into()),
            ("backend", "x11".into()),
            ("detail", detail.into()),
        ])
    };
    vec![
        text(1_764_000_060_000_000, "second\ttext", "undelivered", "the focus has moved"),
        text(1_764_000_000_000_000, "first text", "delivered", ""),
    ]
}

pub(super) fn outputs() -> Vec<Info<'static>> {
    let way = |name: &'static str, usable: bool, chosen: bool, reason: &'static str| {
        HashMap::from([
            ("name", name.into()),
            ("usable", usable.into()),
            ("chosen", chosen.into()),
            ("reason", reason.into()),
            ("preedit", false.into()),
            ("keyless", false.into()),
        ])
    };
    vec![
        way("input-method", false, false, "no Wayland compositor; start one"),
        way("x11", true, true, ""),
        way("clipboard", true, false, ""),
    ]
}
