//! The files that the daemon keeps for itself: anybody who can write there may have changed them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scriven_service::fuzzing::{history, state};

/// November 2023, in µs.
const NOW: u64 = 1_700_000_000_000_002;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("room");
    history(folder.path(), bytes, NOW);
    state(folder.path(), bytes);
});
