//! Punctuation of the model that goes with what was heard: it sets "new line" off by commas, and
//! ends "comma" with a period.

use std::ops::Range;

use super::Command;
use super::languages::Language;
use super::rules::Settings;
use super::spoken::{Action, Hit};
use super::tokens::{Kind, Token, key};

/// Quotation marks and the like, which are punctuation as well for somebody who wants none.
const QUOTES: &str = "\"“”„«»‹›「」『』¿¡";

/// Which tokens are not written, though no hit stands for them.
pub(super) fn absorbed(
    tokens: &[Token<'_>],
    hits: &[Hit<'_>],
    settings: &Settings,
    language: &Language,
) -> Vec<bool> {
    let mut absorb = Absorb { tokens, gone: vec![false; tokens.len()] };
    for hit in hits {
        absorb.around(hit);
    }
    let free = free_of(tokens.len(), hits);
    if !settings.model_punctuation {
        for at in (0..tokens.len()).filter(|&at| free[at]) {
            let is_quote = tokens[at].text.chars().all(|sign| QUOTES.contains(sign));
            absorb.gone[at] |= tokens[at].is_separator() || is_quote;
        }
    }
    let n_words = tokens.iter().filter(|token| token.kind == Kind::Word).count();
    if (1..=settings.no_period_up_to).contains(&n_words)
        && let Some(at) = last_period(tokens, language)
        && free[at]
    {
        absorb.gone[at] = true;
    }
    absorb.gone
}

/// Which tokens no hit stands for.
fn free_of(n_tokens: usize, hits: &[Hit<'_>]) -> Vec<bool> {
    let mut free = vec![true; n_tokens];
    for hit in hits {
        free[hit.tokens.clone()].fill(false);
    }
    free
}

/// The period that ends the text, and not an abbreviation in it or three dots.
fn last_period(tokens: &[Token<'_>], language: &Language) -> Option<usize> {
    let at = tokens.iter().rposition(|token| token.kind != Kind::Space)?;
    let before = tokens[..at].last()?;
    let is_word = before.kind != Kind::Sign || !before.is_separator();
    let is_period = matches!(tokens[at].text, "." | "。") && is_word;
    (is_period && !language.abbreviates(&key(before.text))).then_some(at)
}

struct Absorb<'a> {
    tokens: &'a [Token<'a>],
    gone: Vec<bool>,
}

impl Absorb<'_> {
    fn around(&mut self, hit: &Hit<'_>) {
        let Range { start, end } = hit.tokens;
        match hit.action {
            // "Dear John, new line" and "Done. New line": only the comma is the command's.
            Action::Command(Command::NewLine | Command::NewParagraph) => {
                self.before(start, |token| token.is_soft());
                self.behind(end);
            }
            Action::Mark(_) | Action::Command(Command::Undo) => {
                self.before(start, |token| token.is_separator());
                self.behind(end);
            }
            Action::Write(written) if written.side.is_some() => {
                self.before(start, |token| token.is_separator());
                self.behind(end);
            }
            Action::Write(written) if written.text.is_empty() => self.around_nothing(start, end),
            Action::Write(_) => {}
        }
    }

    /// What is left out takes the commas along that set it off: "I, um, think", "Um, no".
    fn around_nothing(&mut self, start: usize, end: usize) {
        let word = |at: &usize| self.tokens[*at].kind != Kind::Space;
        let before = (0..start).rev().find(word);
        let behind = (end..self.tokens.len()).find(word);
        let is_comma = |at: Option<usize>| at.is_some_and(|at| self.tokens[at].is_comma());
        let ends = |at: Option<usize>| at.is_none_or(|at| self.tokens[at].ends_sentence());
        let (has_before, has_behind) = (is_comma(before), is_comma(behind));
        if has_behind && (has_before || ends(before)) {
            self.gone[behind.unwrap_or(end)] = true;
        }
        if has_before && (has_behind || ends(behind)) {
            self.gone[before.unwrap_or(start)] = true;
        }
    }

    fn before(&mut self, start: usize, goes: fn(&Token<'_>) -> bool) {
        for at in (0..start).rev() {
            match &self.tokens[at] {
                token if token.kind == Kind::Space => {}
                token if goes(token) => self.gone[at] = true,
                _ => return,
            }
        }
    }

    fn behind(&mut self, end: usize) {
        for at in end..self.tokens.len() {
            match &self.tokens[at] {
                token if token.kind == Kind::Space => {}
                token if token.is_separator() => self.gone[at] = true,
                _ => return,
            }
        }
    }
}
