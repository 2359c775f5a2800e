//! From speech to writing: what was said, as it is to stand in the window.
//!
//! ```text
//! text ─tokens→ words, signs ─spoken→ hits ─absorb→ what is not written ─line→ text to insert
//! ```
//!
//! Pure: no display, no clock, no files; the one exception is [`hook`], which runs a program that
//! the user names. What a word stands for is in `spoken`, its words in each language in
//! `languages`, spaces in `place`, capitals in `letters`.

mod absorb;
mod compose;
pub mod hook;
mod languages;
mod letters;
mod line;
mod memory;
mod phrases;
mod place;
mod rules;
mod spoken;
mod tokens;
pub mod vocabulary;

use std::sync::Arc;

use compose::{Outcome, Utterance};
use languages::Language;
use memory::Memory;
pub use rules::{Capitals, MAX_ENTRIES, MAX_SPOKEN, MAX_WRITTEN, Rules, Settings};

/// What is to be done to the window for an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Insert this at the cursor.
    Insert(String),
    /// Take away what the last utterance inserted ("scratch that").
    Undo,
}

/// A phrase that does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins a line.
    NewLine,
    /// Leaves a line empty.
    NewParagraph,
    /// Takes the last utterance back; at the end of one, this one.
    Undo,
}

/// Turns what was said into edits. One writes into one window: see [`Writer::forget`].
#[derive(Debug)]
pub struct Writer {
    rules: Arc<Rules>,
    memory: Memory,
}

impl Writer {
    /// A writer that has written nothing yet. `rules` are [`Rules`], alone or shared.
    pub fn new(rules: impl Into<Arc<Rules>>) -> Self {
        Self { rules: rules.into(), memory: Memory::default() }
    }

    /// Text that may still change, as it would stand. No command is carried out: its words are
    /// shown. `language` is an ISO code, `before` the text before the cursor if it is known.
    pub fn preview(&self, text: &str, language: &str, before: Option<&str>) -> String {
        self.compose(text, language, before, false).text
    }

    /// The final text of an utterance. First as many [`Edit::Undo`] as there are insertions to be
    /// taken back, then at most one [`Edit::Insert`]; nothing where nothing is to be done.
    ///
    /// What it gives is remembered as inserted, in place of a `before` that nobody tells.
    pub fn write(&mut self, text: &str, language: &str, before: Option<&str>) -> Vec<Edit> {
        let Outcome { undone, text } = self.compose(text, language, before, true);
        self.memory.note(undone, &text);
        let insert = (!text.is_empty()).then_some(Edit::Insert(text));
        std::iter::repeat_n(Edit::Undo, undone).chain(insert).collect()
    }

    /// The target is another one, the cursor has moved, or what was to be inserted was not: what
    /// stands before the cursor is not what was written last.
    pub fn forget(&mut self) {
        self.memory.forget();
    }

    /// The last [`Edit::Insert`] became `inserted` on its way into the window, through a
    /// [`hook`] for example.
    pub fn corrected(&mut self, inserted: &str) {
        self.memory.note(1, inserted);
    }

    fn compose(&self, text: &str, language: &str, before: Option<&str>, commands: bool) -> Outcome {
        let (rules, memory) = (&*self.rules, &self.memory);
        let language = Language::of(language);
        Utterance { rules, language, memory, before, commands }.compose(text)
    }
}
