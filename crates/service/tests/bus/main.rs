//! The daemon seen from the bus, with a scripted recognizer and microphone.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(unreachable_pub, reason = "nobody links a test")]

mod calls;
mod client;
mod contract;
mod delivery;
mod dictation;
mod feedback;
mod files;
mod fixture;
mod focus;
mod gpu;
mod history;
mod keys;
mod microphone;
mod models;
mod permission;
mod script;
#[allow(dead_code, reason = "the tests of the store use all of it")]
#[path = "../../src/models/tests/server.rs"]
mod server;
mod window;
