//! The ways into windows on wlroots, on a real compositor with real windows.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]

mod clipboard;
mod failures;
mod input_method;
mod sway;
mod typing;
mod ways;
mod window;

/// All of ASCII that prints.
pub(crate) const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`\
    abcdefghijklmnopqrstuvwxyz{|}~";
/// Other scripts, and what no keyboard has.
pub(crate) const WORLD: &str = "é ß ü ñ œ € “q” — 日本語 😀 Ω я";
