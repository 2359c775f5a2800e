//! The daemon seen from the bus, with a scripted recognizer and microphone.

mod calls;
mod contract;
mod dictation;
mod files;
mod fixture;
mod models;
