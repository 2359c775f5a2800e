//! What can go wrong between a text and a window, or a key and its press.

/// An error of this crate: each variant says what the user can do about it. Never holds text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no way of this kind on this desktop.
    #[error("{backend}: {reason}")]
    Unavailable {
        /// Name of the way.
        backend: &'static str,
        /// Why, and what would help.
        reason: String,
    },
    /// The display server or the portal went away, or does not answer.
    #[error("{backend} is gone: {reason}; it is tried again with the next text")]
    Gone {
        /// Name of the way.
        backend: &'static str,
        /// What the connection said.
        reason: String,
    },
    /// Nothing that takes text is in focus.
    #[error("no window takes text; click into one and dictate again")]
    NoTarget,
    /// The field in focus takes passwords.
    #[error("the field in focus is for passwords; nothing is typed there")]
    SecretTarget,
    /// The window in which the utterance began is no longer in focus.
    #[error("the focus has moved; \"scriven redeliver\" types the text where the cursor is now")]
    TargetMoved,
    /// The window does not take what was typed.
    #[error("{backend}: the window takes no text; \"scriven redeliver\" types it again")]
    NotTaken {
        /// Name of the way.
        backend: &'static str,
    },
    /// What the configuration calls a shortcut is none.
    #[error("shortcut \"{trigger}\": {reason}")]
    BadTrigger {
        /// As it was written.
        trigger: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// Another program has this shortcut.
    #[error(
        "shortcut {trigger} ({action}) belongs to another program; choose another one, or take it away there"
    )]
    TriggerTaken {
        /// The shortcut, in canonical notation.
        trigger: String,
        /// Name of its action.
        action: String,
    },
}
