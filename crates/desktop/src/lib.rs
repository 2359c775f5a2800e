//! Words into the focused window, and a held key into press and release.
//!
//! ```text
//! final text ─writing→ edits ─insertion→ the window in focus
//! key ─shortcut→ press, release, cancel
//! ```
//!
//! Knows neither sound nor models nor the bus of the daemon, and reads no configuration: the
//! service says what to do.

pub mod delivery;
pub mod error;
pub mod insertion;
pub mod profiles;
pub mod shortcut;
pub mod writing;

pub use error::Error;
