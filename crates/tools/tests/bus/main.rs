//! The real program against a scripted daemon on a private bus.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod contract;
mod daemon;
mod dictation;
mod doctor;
mod files;
mod fixture;
mod models;
