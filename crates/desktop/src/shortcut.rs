//! A held key into press and release: one file a way, and the gestures behind all of them.

pub mod gesture;
pub mod trigger;

/// What a shortcut has done. `action` is the name that the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// The key went down; never a repeat.
    Pressed {
        /// Name of the action.
        action: String,
    },
    /// The key went up.
    Released {
        /// Name of the action.
        action: String,
    },
    /// What is being dictated is to be dropped.
    Cancelled,
}

/// A key that stands for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Name of the action.
    pub action: String,
    /// `CTRL+ALT+space`, in the notation of the freedesktop shortcuts specification.
    pub trigger: String,
    /// What the desktop shows to the user in its settings.
    pub description: String,
}
