//! The configuration file, and what a start of the daemon makes of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| scriven_service::fuzzing::config(text));
