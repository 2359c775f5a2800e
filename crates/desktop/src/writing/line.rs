//! Words, marks and lines put together: spaces between them, and the case of what stands where a
//! sentence may begin.

use super::Command;
use super::languages::{Language, Side};
use super::letters;
use super::phrases::keys;
use super::place::{Place, is_unspaced, needs_space, place};
use super::rules::{Capitals, Rules, Written};
use super::tokens::{Kind, Token, tokens};

/// What stands between the last piece and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap<'a> {
    /// A space, if the two need one.
    Fit,
    /// What the model wrote.
    AsHeard(&'a str),
    Nothing,
}

/// What has been written of an utterance.
pub(super) struct Line<'a> {
    rules: &'a Rules,
    language: &'static Language,
    /// The text before the cursor, and behind it what is to be inserted.
    text: String,
    /// Where the latter begins.
    start: usize,
    gap: Gap<'a>,
    /// Where the next word stands, unless the model has decided its case.
    place: Option<Place>,
}

impl<'a> Line<'a> {
    /// Begins behind `before`; `None` where nobody knows what stands there.
    pub(super) fn new(rules: &'a Rules, language: &'static Language, before: Option<&str>) -> Self {
        let mut line =
            Self { rules, language, text: String::new(), start: 0, gap: Gap::Fit, place: None };
        line.restart(before);
        line
    }

    /// Forgets all that was to be inserted, and begins behind `before`.
    pub(super) fn restart(&mut self, before: Option<&str>) {
        self.text = before.unwrap_or_default().into();
        self.start = self.text.len();
        self.gap = Gap::Fit;
        self.place = Some(before.map_or(Place::Open, |before| place(before, self.language)));
    }

    /// What is to be inserted so far.
    pub(super) fn own(&self) -> &str {
        &self.text[self.start..]
    }

    /// Takes the token `at` over from the model.
    pub(super) fn token(&mut self, tokens: &'a [Token<'a>], at: usize) {
        let token = &tokens[at];
        match token.kind {
            Kind::Space if self.gap == Gap::Fit || self.gap == Gap::Nothing => {}
            Kind::Space => {
                let is_plain = token.text.chars().all(|sign| sign == ' ');
                self.gap = Gap::AsHeard(if is_plain { " " } else { token.text });
            }
            Kind::Sign => self.push(token.text, Gap::AsHeard("")),
            Kind::Word => {
                let word = self.cased(tokens, at);
                self.push(&word, Gap::AsHeard(""));
            }
        }
    }

    /// A word in the case that its place asks for.
    fn cased(&mut self, tokens: &[Token<'_>], at: usize) -> String {
        let word = tokens[at].text;
        let place = self.place.take();
        match (self.rules.settings.capitals, place) {
            (Capitals::None, _) => letters::small(word, self.language),
            (Capitals::Fit, Some(Place::Start))
                if self.spelled(tokens, at).as_deref() != Some(word) =>
            {
                letters::capitalized(word, self.language)
            }
            (Capitals::Fit, Some(Place::Middle)) => {
                self.spelled(tokens, at).unwrap_or_else(|| self.inside(tokens, at))
            }
            _ => word.into(),
        }
    }

    /// The word as the user's vocabulary spells it, if it begins a phrase of that.
    fn spelled(&self, tokens: &[Token<'_>], at: usize) -> Option<String> {
        let (_, spelled) = self.rules.vocabulary.longest(tokens, at)?;
        let words = words_of(spelled);
        let first = words.iter().find(|word| word.key == tokens[at].key)?;
        Some(first.text.into())
    }

    /// A word inside of a sentence.
    fn inside(&self, tokens: &[Token<'_>], at: usize) -> String {
        let word = tokens[at].text;
        let next = match tokens.get(at + 1..at + 3) {
            Some([space, next]) if space.kind == Kind::Space => Some(next.text),
            _ => None,
        };
        letters::inside_sentence(word, next, self.language)
    }

    /// Writes what stands for the `heard` tokens.
    pub(super) fn written(&mut self, written: &Written, heard: &[Token<'_>]) {
        if let Some(side) = written.side {
            return self.mark(&written.text, side, heard);
        }
        if written.text.is_empty() {
            return self.nothing(heard);
        }
        let is_capital = is_capitalized(heard);
        let at = self.place.take();
        let begins = match at {
            Some(Place::Start) => true,
            Some(Place::Open) => is_capital,
            Some(Place::Middle) => false,
            None => is_capital && place(&self.text, self.language) == Place::Start,
        };
        let is_free = self.rules.settings.capitals == Capitals::Fit && !written.is_exact;
        match begins && is_free && !self.is_in_vocabulary(&written.text) {
            true => self.push(&capitalized(&written.text, self.language), Gap::AsHeard("")),
            false => self.push(&written.text, Gap::AsHeard("")),
        }
        if written.text.ends_with(char::is_whitespace) {
            self.gap = Gap::Fit;
            self.place = Some(place(&self.text, self.language));
        }
    }

    /// Something was left out: what follows may begin the sentence in its place.
    fn nothing(&mut self, heard: &[Token<'_>]) {
        let at = self.place.unwrap_or_else(|| place(&self.text, self.language));
        if is_capitalized(heard) && at != Place::Middle {
            self.place = Some(Place::Start);
        }
        if self.gap != Gap::Nothing {
            self.gap = Gap::Fit;
        }
    }

    fn is_in_vocabulary(&self, text: &str) -> bool {
        let words = tokens(text);
        let known = (!words.is_empty()).then(|| self.rules.vocabulary.longest(&words, 0)).flatten();
        known.is_some_and(|(_, spelled)| keys(&tokens(spelled)) == keys(&words))
    }

    /// Writes a mark that was heard.
    pub(super) fn mark(&mut self, mark: &str, side: Side, heard: &[Token<'_>]) {
        let begins = match self.place.take() {
            Some(Place::Open) => is_capitalized(heard),
            place => place == Some(Place::Start),
        };
        match side {
            Side::Before | Side::Both => {
                self.drop_spaces();
                self.gap = Gap::Nothing;
            }
            Side::Behind | Side::Neither => self.gap = Gap::Fit,
        }
        let gap = match side {
            Side::Before => Gap::Fit,
            Side::Behind | Side::Both => Gap::Nothing,
            Side::Neither => Gap::AsHeard(" "),
        };
        self.push(mark, gap);
        self.place = Some(match side {
            Side::Behind if begins => Place::Start,
            Side::Behind | Side::Both => Place::Open,
            Side::Before | Side::Neither => place(&self.text, self.language),
        });
    }

    /// Begins a line or a paragraph.
    pub(super) fn line_end(&mut self, command: Command) {
        self.drop_spaces();
        self.text.push_str(if command == Command::NewParagraph { "\n\n" } else { "\n" });
        self.gap = Gap::Fit;
        self.place = Some(Place::Start);
    }

    fn push(&mut self, piece: &str, gap: Gap<'a>) {
        let between = match self.gap {
            Gap::Fit if needs_space(&self.text, piece) => " ",
            Gap::AsHeard(space) if !piece.starts_with(char::is_whitespace) => space,
            _ => "",
        };
        if !self.text.ends_with(char::is_whitespace) {
            self.text.push_str(between);
        }
        self.text.push_str(piece);
        self.gap = gap;
    }

    /// Takes back the spaces at the end of what is to be inserted.
    fn drop_spaces(&mut self) {
        let kept = self.own().trim_end_matches(' ').len();
        self.text.truncate(self.start + kept);
    }

    /// All that is to be inserted, with the space behind it that the settings ask for.
    pub(super) fn finish(mut self) -> String {
        self.drop_spaces();
        let last = self.own().chars().next_back();
        let is_spaced = |sign: char| !sign.is_whitespace() && !is_unspaced(sign);
        if self.rules.settings.trailing_space && last.is_some_and(is_spaced) {
            self.text.push(' ');
        }
        self.text.split_off(self.start)
    }
}

/// Whether the model began what was heard with a capital letter.
fn is_capitalized(heard: &[Token<'_>]) -> bool {
    heard.first().is_some_and(|word| letters::is_capitalized(word.text))
}

/// The words and signs of a phrase of the user.
fn words_of(phrase: &str) -> Vec<Token<'_>> {
    tokens(phrase)
}

/// A phrase with a capital letter in front.
fn capitalized(phrase: &str, language: &Language) -> String {
    let first = tokens(phrase).first().map_or("", |word| word.text);
    letters::capitalized(first, language) + &phrase[first.len()..]
}
