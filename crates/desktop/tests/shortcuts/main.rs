//! Shortcuts on real parts: X servers, a portal on a bus of its own, pipes of input events.
//!
//! Each test starts its own display or bus, so that they do not know of each other.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]

mod evdev;
mod fixture;
mod portal;
mod snippets;
mod x11;
mod xserver;
