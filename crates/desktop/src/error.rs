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
    /// The user holds Ctrl, Alt, Super or Shift, which would make shortcuts of the text.
    #[error(
        "Ctrl, Alt, Super or Shift is held down; let go, then \"scriven redeliver\" types the text"
    )]
    KeysHeld,
    /// Some of the text is there, the rest is not; or some of it was taken away.
    #[error("{reason}; the first {characters} characters were typed before")]
    Partly {
        /// Characters (Unicode scalar values) of the text that were typed; grapheme clusters that
        /// were taken away.
        characters: usize,
        /// What kept the rest out.
        reason: Box<Self>,
    },
    /// What was typed is no longer before the cursor.
    #[error("the text before the cursor has been changed; what was typed stays as it is")]
    Edited,
    /// Nothing was inserted that could be taken back.
    #[error("there is nothing to take back")]
    NothingToUndo,
    /// An entry of the writing rules that cannot work.
    #[error("{list}, entry {entry}: {reason}")]
    Rule {
        /// Which of the settings.
        list: &'static str,
        /// Which of its entries, from 1.
        entry: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A line of a vocabulary that cannot be read.
    #[error("the vocabulary, line {line}: {reason}")]
    Vocabulary {
        /// Which line, from 1; 0 for all of it.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The program that texts go through did not do its work.
    #[error("{program}: {reason}; the text stays as it was heard")]
    Hook {
        /// The program.
        program: String,
        /// What happened.
        reason: String,
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

impl Error {
    /// This error, after `characters` of the text were typed.
    pub(crate) fn after(self, characters: usize) -> Self {
        match self {
            error if characters == 0 => error,
            Self::Partly { characters: more, reason } => {
                Self::Partly { characters: characters + more, reason }
            }
            error => Self::Partly { characters, reason: Box::new(error) },
        }
    }
}
