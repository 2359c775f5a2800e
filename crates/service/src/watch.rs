//! What becomes of a panic: the end of the process. systemd starts it anew, and state is rebuilt;
//! a daemon that lost one of its threads would only look alive.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracing::error;

/// How a process that panicked exits.
const PANICKED: i32 = 101;

/// While a model loads, a panic may be a GPU driver's way to say no, on any of its threads; the
/// recognizer catches it and takes the CPU.
static TRYING: AtomicBool = AtomicBool::new(false);

/// From now on a panic in any thread ends the process.
///
/// The message may quote what was said, so it stays out of the log of a release.
pub fn end_on_panic() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current();
        let message = cfg!(debug_assertions).then(|| panic.payload_as_str()).flatten();
        error!(thread = thread.name(), at, message, "panic");
        if !TRYING.load(Ordering::Relaxed) {
            std::process::exit(PANICKED);
        }
    }));
}

/// Runs `load`, during which panics are not the end.
pub(crate) fn trying<T>(load: impl FnOnce() -> T) -> T {
    TRYING.store(true, Ordering::Relaxed);
    let loaded = load();
    TRYING.store(false, Ordering::Relaxed);
    loaded
}
