//! From speech to writing: what was said, as it is to stand in the window.

/// What is to be done to the window for an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Insert this at the cursor.
    Insert(String),
    /// Take away what the last utterance inserted ("scratch that").
    Undo,
}
