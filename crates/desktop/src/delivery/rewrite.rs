//! What stands in the window into what shall stand there, and never anything that others typed.

use unicode_segmentation::UnicodeSegmentation;

use super::{Delivery, Utterance};
use crate::Error;
use crate::insertion::{Proof, Target};
use crate::writing::Edit;

impl Delivery {
    /// What is in focus, if the utterance began there.
    fn at_target(&mut self, utterance: &Utterance) -> Result<Target, Error> {
        match self.ladder.chosen()?.target() {
            Ok(target) if target.id != utterance.target => Err(Error::TargetMoved),
            Ok(target) if target.secret => Err(Error::SecretTarget),
            Err(Error::NoTarget) => Err(Error::TargetMoved),
            found => found,
        }
    }

    /// Shows `text` tentatively; where the focus has moved, nothing is shown any more.
    pub(super) fn preedit(&mut self, utterance: &mut Utterance, text: &str) -> Result<(), Error> {
        if let Err(err) = self.at_target(utterance) {
            self.hide(utterance);
            return Err(err);
        }
        utterance.shown |= !text.is_empty();
        self.ladder.chosen()?.preedit(text)
    }

    /// Takes away what is shown tentatively.
    pub(super) fn hide(&mut self, utterance: &mut Utterance) {
        if !std::mem::take(&mut utterance.shown) {
            return;
        }
        let hidden = self.ladder.chosen().and_then(|backend| backend.preedit(""));
        if let Err(err) = hidden {
            tracing::debug!("delivery: the tentative text: {err}");
            self.ladder.note(&err);
        }
    }

    /// Makes what was typed of the utterance `wanted`: takes away what differs, types the rest.
    pub(super) fn rewrite(
        &mut self,
        utterance: &mut Utterance,
        wanted: &str,
    ) -> Result<Proof, Error> {
        let wanted = &typeable(wanted);
        let keep = common(&utterance.typed, wanted);
        if keep == utterance.typed.len() && keep == wanted.len() {
            return Ok(Proof::Taken);
        }
        let target = self.at_target(utterance)?;
        let surplus = &utterance.typed[keep..];
        if !surplus.is_empty() {
            stands(&target, surplus)?;
            let mut surplus = utterance.typed.split_off(keep);
            let shortened = self.take_away(&mut surplus, &target);
            utterance.typed.push_str(&surplus);
            shortened?;
        }
        let rest = &wanted[keep..];
        if rest.is_empty() {
            return Ok(Proof::Taken);
        }
        let inserted = self.insert_or_lower(utterance, rest);
        match &inserted {
            Ok(_) => utterance.typed.push_str(rest),
            Err(Error::Partly { characters, .. }) => {
                utterance.typed.extend(rest.chars().take(*characters));
            }
            Err(_) => {}
        }
        inserted
    }

    /// Inserts by the way that was chosen, or, where that cannot type this text, by the next.
    fn insert_or_lower(&mut self, utterance: &mut Utterance, text: &str) -> Result<Proof, Error> {
        loop {
            let inserted = self.ladder.chosen()?.insert(text);
            let Err(err @ Error::Unavailable { .. }) = inserted else { return inserted };
            let place = self.ladder.place();
            match self.ladder.next_target() {
                Ok(target) if target.secret => return Err(Error::SecretTarget),
                Ok(target) => utterance.target = target.id,
                Err(_) => {
                    self.ladder.return_to(place);
                    return Err(err);
                }
            }
        }
    }

    /// Carries out the edits of a final.
    pub(super) fn carry_out(
        &mut self,
        utterance: &mut Utterance,
        edits: &[Edit],
    ) -> Result<Proof, Error> {
        let (undos, texts) = sum(edits);
        let text = texts.concat();
        self.at_target(utterance)?;
        for _ in 0..undos {
            match self.undo_before(utterance) {
                // "Scratch that" before anything was said: what follows is still wanted.
                Err(Error::NothingToUndo) if !text.is_empty() => {}
                undone => {
                    undone?;
                    utterance.taken_back += 1;
                }
            }
        }
        // Text in place of the preedit takes that away by itself.
        if text.is_empty() {
            self.hide(utterance);
        }
        let proof = self.rewrite(utterance, &text)?;
        utterance.shown = false;
        Ok(proof)
    }

    /// Takes back what was inserted before the utterance, of which first all that was typed goes.
    pub(super) fn undo_before(&mut self, utterance: &mut Utterance) -> Result<(), Error> {
        self.hide(utterance);
        self.rewrite(utterance, "")?;
        let target = self.at_target(utterance)?;
        self.take_back(&target)
    }

    /// Takes the last text back, if `target` is where it was inserted.
    pub(super) fn take_back(&mut self, target: &Target) -> Result<(), Error> {
        let mut last = self.done.pop().ok_or(Error::NothingToUndo)?;
        let taken = match self.ladder.way() {
            way if target.id != last.target || way != Some(last.way) => Err(Error::TargetMoved),
            _ => stands(target, &last.text).and_then(|()| self.take_away(&mut last.text, target)),
        };
        if taken.is_err() {
            self.done.push(last);
        }
        taken
    }

    /// Takes `text` away, which stands before the cursor in `target`. Where only a part could be, the
    /// rest is left in `text`.
    fn take_away(&mut self, text: &mut String, target: &Target) -> Result<(), Error> {
        let clusters: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        let (gone, taken) = match self.ladder.delete_before(clusters.len(), &target.id) {
            Ok(()) => (clusters.len(), Ok(())),
            Err(Error::Partly { characters, reason }) => (characters, Err(*reason)),
            Err(err) => (0, Err(err)),
        };
        let kept = clusters.len().saturating_sub(gone);
        text.truncate(clusters.get(kept).copied().unwrap_or(text.len()));
        taken
    }
}

/// What of `text` can be typed: a new line and a tab are the only control characters that are.
fn typeable(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control() || matches!(sign, '\n' | '\t')).collect()
}

/// How many earlier texts the edits take back, and the texts that remain of them.
pub(super) fn sum(edits: &[Edit]) -> (usize, Vec<&str>) {
    let mut undos = 0;
    let mut texts = Vec::new();
    for edit in edits {
        match edit {
            Edit::Insert(text) => texts.push(text.as_str()),
            Edit::Undo => undos += usize::from(texts.pop().is_none()),
        }
    }
    (undos, texts)
}

/// Length in bytes of what both begin with, in whole grapheme clusters.
fn common(typed: &str, wanted: &str) -> usize {
    let pairs = typed.graphemes(true).zip(wanted.graphemes(true));
    pairs.take_while(|(typed, wanted)| typed == wanted).map(|(typed, _)| typed.len()).sum()
}

/// Does `text` stand before the cursor, as far as the window tells?
fn stands(target: &Target, text: &str) -> Result<(), Error> {
    match &target.before {
        Some(before) if !before.ends_with(text) && !text.ends_with(before.as_str()) => {
            Err(Error::Edited)
        }
        // Nothing stands there: not even the end of what was typed.
        Some(before) if before.is_empty() && !text.is_empty() => Err(Error::Edited),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_ends_between_clusters() {
        assert_eq!(common("abc", "abd"), 2);
        assert_eq!(common("e", "e\u{301}"), 0);
        assert_eq!(common("a👩", "a👩\u{200d}👧"), 1);
        assert_eq!(common("", "a"), 0);
        assert_eq!(common("日本", "日本語"), 6);
    }

    #[test]
    fn an_undo_takes_what_is_right_before_it() {
        let insert = |text: &str| Edit::Insert(text.into());
        assert_eq!(sum(&[insert("a"), insert("b"), Edit::Undo]), (0, vec!["a"]));
        assert_eq!(sum(&[Edit::Undo, insert("b")]), (1, vec!["b"]));
        assert_eq!(sum(&[Edit::Undo, Edit::Undo]), (2, vec![]));
    }
}
