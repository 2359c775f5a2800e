//! What becomes of a panic: the end of the process. systemd starts it anew, and state is rebuilt;
//! a daemon that lost one of its threads would only look alive.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tracing::error;

/// How a process that panicked exits.
const PANICKED: i32 = 101;

/// How many models are being loaded. Meanwhile a panic may be a GPU driver's way to say no, on any of its
/// threads; the recognizer catches it and takes the CPU.
static TRYING: AtomicUsize = AtomicUsize::new(0);

/// From now on a panic in any thread ends the process.
///
/// The message may quote what was said, so it stays out of the log of a release.
pub fn end_on_panic() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current();
        let message = cfg!(debug_assertions).then(|| panic.payload_as_str()).flatten();
        error!(thread = thread.name(), at, message, "panic");
        if TRYING.load(Ordering::Relaxed) == 0 {
            std::process::exit(PANICKED);
        }
    }));
}

/// Runs a thread of ours. Whatever is being loaded meanwhile, a panic in it is the end.
pub(crate) fn watched(run: impl FnOnce()) {
    if panic::catch_unwind(AssertUnwindSafe(run)).is_err() {
        std::process::exit(PANICKED);
    }
}

/// Runs `load`, during which panics are not the end.
///
/// # Errors
///
/// One that `load` did not catch.
pub(crate) fn trying<T>(load: impl FnOnce() -> T) -> thread::Result<T> {
    TRYING.fetch_add(1, Ordering::Relaxed);
    let loaded = panic::catch_unwind(AssertUnwindSafe(load));
    TRYING.fetch_sub(1, Ordering::Relaxed);
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_panics_is_an_error_and_leaves_nothing_behind() {
        for panics in [true, false] {
            let loaded = trying(|| {
                assert!(TRYING.load(Ordering::Relaxed) > 0);
                assert!(!panics, "a driver that says no");
            });
            assert_eq!(loaded.is_err(), panics);
            assert_eq!(TRYING.load(Ordering::Relaxed), 0);
        }
    }
}
