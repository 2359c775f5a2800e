//! One utterance → what it takes back, and what it inserts.

use super::Command;
use super::absorb::absorbed;
use super::languages::Language;
use super::line::Line;
use super::memory::Memory;
use super::rules::Rules;
use super::spoken::{Action, Hit, Search};
use super::tokens::{Token, tokens};

/// What an utterance does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How many of the insertions before it are taken back.
    pub(super) undone: usize,
    /// What is inserted afterwards; may be empty.
    pub(super) text: String,
}

/// An utterance and all that decides how it is written.
pub(super) struct Utterance<'a> {
    pub(super) rules: &'a Rules,
    pub(super) language: &'static Language,
    pub(super) memory: &'a Memory,
    /// The text before the cursor, where the window tells it.
    pub(super) before: Option<&'a str>,
    /// Whether commands are carried out.
    pub(super) commands: bool,
}

impl Utterance<'_> {
    pub(super) fn compose(&self, text: &str) -> Outcome {
        // A line end that nobody asked for would send a message or run a program.
        let text: String =
            text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
        let tokens = tokens(text.trim());
        let context = self.memory.before(self.before, 0);
        let search = Search {
            tokens: &tokens,
            rules: self.rules,
            language: self.language,
            context: context.unwrap_or_default(),
            commands: self.commands,
        };
        let hits = search.hits();
        let gone = absorbed(&tokens, &hits, &self.rules.settings, self.language);
        self.put_together(&tokens, &hits, &gone, text.len())
    }

    fn put_together(
        &self,
        tokens: &[Token<'_>],
        hits: &[Hit<'_>],
        gone: &[bool],
        length: usize,
    ) -> Outcome {
        let mut line = Line::new(self.rules, self.language, self.memory.before(self.before, 0));
        let mut hits = hits.iter().peekable();
        let (mut undone, mut at) = (0, 0);
        while at < tokens.len() {
            let Some(hit) = hits.next_if(|hit| hit.tokens.start == at) else {
                if !gone[at] {
                    line.token(tokens, at);
                }
                at += 1;
                continue;
            };
            let heard = hit.tokens.clone();
            at = heard.end;
            match hit.action {
                Action::Write(written) if line.own().len() + written.text.len() > room(length) => {
                    heard.for_each(|at| line.token(tokens, at));
                }
                Action::Write(written) => line.written(written, &tokens[heard]),
                Action::Mark(mark) => line.mark(mark.text, mark.side, &tokens[heard]),
                Action::Command(Command::Undo) => {
                    undone += usize::from(line.own().is_empty());
                    line.restart(self.memory.before(self.before, undone));
                }
                Action::Command(command) => line.line_end(command),
            }
        }
        Outcome { undone, text: line.finish() }
    }
}

/// How long a text may become by what is written in place of something shorter; behind that the
/// words stay as they were heard.
fn room(length: usize) -> usize {
    8 * length + 4_000
}
