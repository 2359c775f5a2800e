//! What was inserted where the cursor is now, for windows that do not tell what stands before it.

use std::collections::VecDeque;
use std::fmt;

/// Utterances that can be taken back one after the other.
const KEPT: usize = 16;
/// Of the text before the cursor, how much is looked at, in bytes: more than the longest word.
const LOOKED_AT: usize = 400;

/// The last insertions into one window.
#[derive(Default)]
pub(super) struct Memory {
    inserted: VecDeque<String>,
}

/// Without the text: what was said is in no log.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("n_inserted", &self.inserted.len()).finish()
    }
}

impl Memory {
    /// What stands before the cursor once `undone` insertions have been taken back: as the window
    /// `told` before that, else as remembered. `None` where nobody knows.
    pub(super) fn before<'a>(&'a self, told: Option<&'a str>, undone: usize) -> Option<&'a str> {
        let last = self.inserted.iter().rev();
        let strip = |text: &'a str, end: &String| text.strip_suffix(end.as_str());
        let known = match told {
            _ if undone > self.inserted.len() => None,
            Some(told) => last.clone().take(undone).try_fold(told, strip),
            None => None,
        };
        known.or_else(|| last.skip(undone).map(String::as_str).next()).map(tail)
    }

    /// Takes note of what an utterance has done.
    pub(super) fn note(&mut self, undone: usize, inserted: &str) {
        self.inserted.truncate(self.inserted.len().saturating_sub(undone));
        if !inserted.is_empty() {
            self.inserted.push_back(inserted.into());
        }
        if self.inserted.len() > KEPT {
            self.inserted.pop_front();
        }
    }

    pub(super) fn forget(&mut self) {
        self.inserted.clear();
    }
}

fn tail(text: &str) -> &str {
    let mut from = text.len().saturating_sub(LOOKED_AT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        let mut memory = Memory::default();
        memory.note(0, "One.");
        memory.note(0, " Two.");
        memory
    }

    #[test]
    fn what_the_window_tells_comes_first() {
        assert_eq!(memory().before(Some("Zero. One. Two."), 0), Some("Zero. One. Two."));
        assert_eq!(memory().before(Some(""), 0), Some(""));
        assert_eq!(memory().before(None, 0), Some(" Two."));
        assert_eq!(Memory::default().before(None, 0), None);
    }

    #[test]
    fn what_is_taken_back_stands_before_the_cursor_no_more() {
        assert_eq!(memory().before(Some("Zero. One. Two."), 1), Some("Zero. One."));
        assert_eq!(memory().before(Some("Zero. One. Two."), 2), Some("Zero. "));
        assert_eq!(memory().before(Some("else"), 1), Some("One."));
        assert_eq!(memory().before(None, 1), Some("One."));
        assert_eq!(memory().before(None, 2), None);
        assert_eq!(memory().before(Some("Zero. One. Two."), 3), None);
    }

    #[test]
    fn only_the_end_of_a_long_text_is_looked_at() {
        let long = "é".repeat(1000);
        assert_eq!(memory().before(Some(&long), 0).map(str::len), Some(LOOKED_AT));
    }

    #[test]
    fn only_the_last_insertions_are_kept() {
        let mut memory = Memory::default();
        (0..100).for_each(|_| memory.note(0, "again"));
        assert_eq!(memory.inserted.len(), KEPT);
        memory.note(100, "");
        assert_eq!(memory.before(None, 0), None);
    }
}
