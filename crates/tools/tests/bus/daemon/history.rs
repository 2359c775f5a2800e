//! What the scripted daemon remembers, its ways into windows, and its keys.

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
            ("focus", (name != "portal").into()),
        ])
    };
    vec![
        way("input-method", false, false, "no Wayland compositor; start one"),
        way("x11", true, true, ""),
        way("portal", true, false, ""),
        way("clipboard", true, false, ""),
        way("copy", true, false, ""),
    ]
}

pub(super) fn shortcuts() -> (Vec<Info<'static>>, Vec<Info<'static>>) {
    let key = |action: &'static str, trigger: &'static str, problem: &'static str| {
        HashMap::from([
            ("action", action.into()),
            ("trigger", trigger.into()),
            ("mode", "hold".into()),
            ("problem", problem.into()),
        ])
    };
    let way = |name: &'static str, chosen: bool, reason: &'static str| {
        HashMap::from([("name", name.into()), ("chosen", chosen.into()), ("reason", reason.into())])
    };
    let keys = vec![
        key("dictate", "F9", ""),
        key("note", "F10", "another program has it; take another key"),
    ];
    (keys, vec![way("portal", false, "no portal runs"), way("x11", true, "2 keys")])
}
