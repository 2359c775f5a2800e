//! Words into the focused window, and a held key into press and release.
//!
//! ```text
//! final text ─writing→ edits ─insertion→ the window in focus
//! key ─shortcut→ press, release, cancel
//! what is heard and seen ─feedback→ notifications, players
//! ```
//!
//! Knows neither sound nor models nor the bus of the daemon, and reads no configuration: the
//! service says what to do.

pub mod delivery;
pub mod error;
pub mod feedback;
pub mod insertion;
pub mod profiles;
pub mod shortcut;
pub mod writing;

pub use error::Error;
