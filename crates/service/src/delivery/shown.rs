//! What is seen of an utterance before it is delivered.

use super::{Delivery, Of};

impl Delivery {
    pub(super) fn show(&mut self, of: Of, committed: &str, tentative: &str, language: &str) {
        let has_turn = self.turn.as_ref().is_some_and(|turn| turn.beginning.of == of);
        let joins = !self.waiting.is_empty() && self.held == Some(of.session);
        if has_turn || joins {
            self.display(committed, tentative, language);
        }
    }

    /// Shows what waits for the key to be let go, and behind it what is being said.
    pub(super) fn display(&mut self, committed: &str, tentative: &str, language: &str) {
        let Some(turn) = &self.turn else { return };
        let mode = turn.beginning.mode;
        if !self.ways.shows(mode) {
            return;
        }
        let before = turn.target.as_ref().and_then(|target| target.before.as_deref());
        let texts = self.waiting.iter().map(|text| text.text.as_str());
        let committed = texts.chain([committed]).collect::<Vec<_>>().join(" ");
        let sure = self.writer.preview(&committed, language, before);
        let all = self.writer.preview(&format!("{committed}{tentative}"), language, before);
        let (sure, rest) = all.split_at(common(&sure, &all));
        self.ways.of(mode).show(sure, rest);
    }
}

/// Bytes that two texts have in common at their beginning, whole characters only.
fn common(a: &str, b: &str) -> usize {
    let same = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
    same.last().map_or(0, |((at, c), _)| at + c.len_utf8())
}
