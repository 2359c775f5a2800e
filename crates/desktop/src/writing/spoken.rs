//! What in a text is more than a word: replacements, marks that are spoken, commands.
//!
//! Against false hits:
//!
//! - A command counts only where punctuation of the model, or an edge of the utterance, sets it off
//!   on both sides, since that is where the speaker paused: "Dear John, new line, how are you" but
//!   not "we need a new line of products". Behind it a word that cannot follow a noun will do, since
//!   Whisper writes "that is all, new paragraph the next topic" after a short pause. Directly behind
//!   a spoken mark it counts whatever follows.
//! - "Scratch that" counts only at the beginning or the end of an utterance: what is in the middle
//!   of a story is told. "Scratch that itch" is not set off.
//! - A word that a noun has to follow makes a mark's word one, "the period", and so do phrases such
//!   as "grace period". A mark that would begin a sentence is a word: "Period drama is back".
//! - Where the utterance is nothing but a command and the text before the cursor ends in "a", the
//!   speaker only paused inside of a sentence.

use std::ops::Range;
use std::sync::LazyLock;

use super::Command;
use super::languages::{Language, Mark, Side};
use super::phrases::Phrases;
use super::place::{Place, place};
use super::rules::{Rules, Written};
use super::tokens::{Kind, Token, tokens};

/// What stands for some tokens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'r> {
    Write(&'r Written),
    Mark(Mark),
    Command(Command),
}

#[derive(Debug)]
pub(super) struct Hit<'r> {
    /// Which tokens.
    pub(super) tokens: Range<usize>,
    pub(super) action: Action<'r>,
}

/// What a phrase of a language means.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    Mark(Mark),
    Command(Command),
    /// Only words.
    Plain,
}

/// The phrases of each language, in the order of [`Language::all`].
static PHRASES: LazyLock<Vec<Phrases<Meaning>>> =
    LazyLock::new(|| Language::all().iter().map(phrases_of).collect());

fn phrases_of(language: &Language) -> Phrases<Meaning> {
    let mut phrases = Phrases::default();
    let marks = language.marks.iter().map(|(spoken, mark)| (*spoken, Meaning::Mark(*mark)));
    let commands = language.commands.iter().map(|(spoken, is)| (*spoken, Meaning::Command(*is)));
    let plain = language.plain.iter().map(|words| (*words, Meaning::Plain));
    for (spoken, meaning) in marks.chain(commands).chain(plain) {
        phrases.insert(spoken, meaning);
    }
    phrases
}

/// Commands in a row that are taken as one: bounds what a text of nothing else costs.
const MAX_RUN: usize = 32;

/// Looks through one utterance.
pub(super) struct Search<'a, 'r> {
    pub(super) tokens: &'a [Token<'a>],
    pub(super) rules: &'r Rules,
    pub(super) language: &'static Language,
    /// Text before the cursor.
    pub(super) context: &'a str,
    /// Whether commands are looked for.
    pub(super) commands: bool,
}

impl<'r> Search<'_, 'r> {
    /// All hits, in the order of the text; none overlaps another.
    pub(super) fn hits(&self) -> Vec<Hit<'r>> {
        let mut hits: Vec<Hit<'r>> = Vec::new();
        // The end of the last phrase that is only words.
        let mut plain_until = 0;
        let mut at = 0;
        while at < self.tokens.len() {
            let mut found = Vec::new();
            if let Some(hit) = self.replacement(at) {
                found.push(hit);
            } else if let Some((end, meaning)) = self.meaning(at).filter(|_| at >= plain_until) {
                match meaning {
                    Meaning::Mark(mark) if self.is_mark(at..end, mark) => {
                        found.push(Hit { tokens: at..end, action: Action::Mark(mark) });
                    }
                    Meaning::Mark(_) => {}
                    Meaning::Command(_) => found = self.commands_from(at, hits.last()),
                    Meaning::Plain => plain_until = end,
                }
            }
            at = found.last().map_or(at + 1, |hit| hit.tokens.end);
            hits.append(&mut found);
        }
        hits
    }

    /// The user's longest phrase from `at` on, unless something longer stands there.
    fn replacement(&self, at: usize) -> Option<Hit<'r>> {
        let (end, written) = self.rules.replacements.longest(self.tokens, at)?;
        let is_longest = match self.meaning(at) {
            Some((_, Meaning::Plain)) | None => true,
            Some((other, _)) => other <= end,
        };
        is_longest.then_some(Hit { tokens: at..end, action: Action::Write(written) })
    }

    /// The longest phrase from `at` on that is not a replacement.
    fn meaning(&self, at: usize) -> Option<(usize, Meaning)> {
        let own = self.rules.own_commands.longest(self.tokens, at).filter(|_| self.commands);
        let own = own.map(|(end, command)| (end, Meaning::Command(*command)));
        let settings = &self.rules.settings;
        let index = Language::all().iter().position(|known| std::ptr::eq(known, self.language));
        let known = index.and_then(|index| PHRASES[index].longest(self.tokens, at));
        let known =
            known.map(|(end, meaning)| (end, *meaning)).filter(|(_, meaning)| match meaning {
                Meaning::Mark(_) => settings.spoken_punctuation,
                Meaning::Command(_) => self.commands && settings.commands,
                Meaning::Plain => true,
            });
        match (own, known) {
            (Some(own), Some(known)) if known.0 > own.0 => Some(known),
            (own, known) => own.or(known),
        }
    }

    /// The command at `at`, and those that follow with nothing but punctuation between; none if
    /// they are not meant as such. `last` is the hit before them.
    fn commands_from(&self, from: usize, last: Option<&Hit<'_>>) -> Vec<Hit<'r>> {
        let mut run: Vec<Hit<'r>> = Vec::new();
        let mut at = from;
        while at < self.tokens.len() && run.len() < MAX_RUN {
            if let Some((end, Meaning::Command(command))) = self.meaning(at) {
                run.push(Hit { tokens: at..end, action: Action::Command(command) });
                at = end;
            } else if self.is_pause(at) {
                at += 1;
            } else {
                break;
            }
        }
        let end = run.last().map_or(from, |hit| hit.tokens.end);
        if !self.is_command(&run, from..end, last) {
            run.clear();
        }
        run
    }

    /// Whether a run of commands in `words` is meant as such, behind the hit `last`.
    fn is_command(&self, run: &[Hit<'_>], words: Range<usize>, last: Option<&Hit<'_>>) -> bool {
        let begins = self.first_word() == Some(words.start);
        let ends = (words.end..self.tokens.len()).all(|at| self.is_pause(at));
        let undoes = |hit: &Hit<'_>| matches!(hit.action, Action::Command(Command::Undo));
        if run.iter().any(undoes) && !begins && !ends {
            return false;
        }
        if begins && ends && self.is_awaited() {
            return false;
        }
        let follows_mark = last.is_some_and(|hit| {
            matches!(hit.action, Action::Mark(_))
                && (hit.tokens.end..words.start).all(|at| self.is_pause(at))
        });
        let behind = self.word_behind(words.end);
        let opens = behind.is_some_and(|at| self.language.opens(&self.tokens[at].key));
        follows_mark
            || (begins || self.is_separator(self.word_before(words.start)))
                && (opens || self.is_separator(behind))
    }

    /// Whether there is punctuation, or an edge of the utterance.
    fn is_separator(&self, at: Option<usize>) -> bool {
        at.is_none_or(|at| self.tokens[at].is_separator())
    }

    fn word_before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|&at| self.tokens[at].kind != Kind::Space)
    }

    fn word_behind(&self, at: usize) -> Option<usize> {
        (at..self.tokens.len()).find(|&at| self.tokens[at].kind != Kind::Space)
    }

    /// Whether the `words` of a mark are meant as such.
    fn is_mark(&self, words: Range<usize>, mark: Mark) -> bool {
        let before = self.word_before(words.start);
        if before.is_some_and(|at| self.language.determines(&self.tokens[at].key)) {
            return false;
        }
        if self.first_word() != Some(words.start) {
            return true;
        }
        let goes_on =
            || !self.context.is_empty() && place(self.context, self.language) == Place::Middle;
        !self.is_awaited()
            && (mark.side == Side::Behind
                || self.is_separator(self.word_behind(words.end))
                || goes_on())
    }

    /// Whether a noun has to follow the text before the cursor.
    fn is_awaited(&self) -> bool {
        let line = self.context.rsplit(['\n', '\r']).next().unwrap_or_default();
        let last = tokens(line).into_iter().rev().find(|token| token.kind != Kind::Space);
        last.is_some_and(|word| self.language.determines(&word.key))
    }

    fn first_word(&self) -> Option<usize> {
        (0..self.tokens.len()).find(|&at| !self.is_pause(at))
    }

    fn is_pause(&self, at: usize) -> bool {
        self.tokens[at].kind == Kind::Space || self.tokens[at].is_separator()
    }
}
