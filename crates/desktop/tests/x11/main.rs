//! The X11 ways and the delivery, on a real X server with real windows. A part that is missing
//! is named on a line `SKIPPED: what — why`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]
#![allow(unreachable_pub, reason = "nobody links a test")]

mod clipboard;
mod delivering;
mod fixture;
mod typing;
