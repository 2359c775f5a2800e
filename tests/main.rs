//! End to end, on real parts: PipeWire, a D-Bus daemon, Whisper's weights, recorded speech.
//!
//! The two programs are run as a user's machine runs them; nothing of ours is linked here. Build
//! them first (`cargo build --workspace`), and let `tests/scripts/setup.sh` fetch the parts. A part
//! that is missing is named on a line `SKIPPED: what — why`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]
#![allow(unreachable_pub, reason = "nobody links a test")]

mod activation;
mod contract;
mod dictation;
mod failures;
mod feedback;
mod files;
mod fixture;
mod gpu;
mod hearing;
mod installation;
mod inventions;
mod measuring;
mod microphone;
mod models;
mod sessions;
mod sleep;
mod speech;
mod status;
#[allow(dead_code, reason = "the tests of the ways into windows use more of it")]
#[path = "../crates/desktop/tests/wayland/sway.rs"]
mod sway;
mod tidy;
mod vocabulary;
#[allow(dead_code, reason = "the tests of the ways into windows use more of it")]
#[path = "../crates/desktop/tests/wayland/window.rs"]
mod window;
mod windows;
