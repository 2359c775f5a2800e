//! What each language calls its marks and commands, and which of its words are never names.
//!
//! The words are those that the dictation of desktops and phones has made common in each language:
//! "new line" where the line ends, "punto y aparte", "à la ligne", 改行. For what was dictated last
//! there is no such word outside of English ("scratch that"); there stands what people say to
//! somebody who writes for them. Left out is what cannot be told from plain text, such as まる.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod nl;
mod pl;
mod pt;
mod ru;
mod zh;

use super::Command;

/// On which sides a mark stands close to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// To the word before: `,`.
    Before,
    /// To the word behind: `(`.
    Behind,
    /// To both: `-`.
    Both,
    /// To none: `–`.
    Neither,
}

/// A mark that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) text: &'static str,
    pub(super) side: Side,
}

const fn close(text: &'static str) -> Mark {
    Mark { text, side: Side::Before }
}

const fn open(text: &'static str) -> Mark {
    Mark { text, side: Side::Behind }
}

const fn join(text: &'static str) -> Mark {
    Mark { text, side: Side::Both }
}

const fn apart(text: &'static str) -> Mark {
    Mark { text, side: Side::Neither }
}

/// One language. Lists of words are separated by spaces, in small letters.
#[derive(Debug)]
pub(super) struct Language {
    /// ISO codes, as the recognizer gives them.
    pub(super) codes: &'static [&'static str],
    pub(super) commands: &'static [(&'static str, Command)],
    pub(super) marks: &'static [(&'static str, Mark)],
    /// Phrases with the words of a mark in them that mean none: "grace period".
    pub(super) plain: &'static [&'static str],
    /// Words that a noun has to follow, so that behind them a mark's word is one: "the period".
    /// None that may also end a clause: "I know that comma".
    determiners: &'static str,
    /// Words that begin a sentence and cannot stand behind a noun or "that": what they follow was a
    /// sentence, or a command.
    openers: &'static str,
    /// Words that are never names: small inside of a sentence, whatever follows.
    small: &'static str,
    /// Words that are always written with a capital.
    capital: &'static str,
    /// Words that end in a period, without it.
    abbreviations: &'static str,
    /// All nouns have capitals, so that only what stands in `small` is ever made small.
    pub(super) nouns_are_capital: bool,
    /// Articles grow into the word behind them: "l'Europe".
    pub(super) elides: bool,
    /// The small letter of I is ı.
    pub(super) is_turkic: bool,
}

/// What is known of a language that has no table.
const OTHER: Language = Language {
    codes: &[],
    commands: &[],
    marks: &[],
    plain: &[],
    determiners: "",
    openers: "",
    small: "",
    capital: "",
    abbreviations: "",
    nouns_are_capital: false,
    elides: false,
    is_turkic: false,
};

/// Those whose capitals follow rules of their own, and that have no words here.
const LUXEMBOURGISH: Language = Language { codes: &["lb"], nouns_are_capital: true, ..OTHER };
const CATALAN: Language = Language { codes: &["ca"], elides: true, ..OTHER };
const TURKIC: Language = Language { codes: &["tr", "az"], is_turkic: true, ..OTHER };

static ALL: [Language; 14] = [
    de::GERMAN,
    en::ENGLISH,
    es::SPANISH,
    fr::FRENCH,
    it::ITALIAN,
    ja::JAPANESE,
    nl::DUTCH,
    pl::POLISH,
    pt::PORTUGUESE,
    ru::RUSSIAN,
    zh::CHINESE,
    LUXEMBOURGISH,
    CATALAN,
    TURKIC,
];

impl Language {
    pub(super) fn all() -> &'static [Self] {
        &ALL
    }

    /// The language with an ISO code, which may be followed by a country: `en`, `pt-BR`.
    pub(super) fn of(code: &str) -> &'static Self {
        const UNKNOWN: &Language = &OTHER;
        let code = code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        ALL.iter().find(|language| language.codes.contains(&code.as_str())).unwrap_or(UNKNOWN)
    }

    pub(super) fn determines(&self, key: &str) -> bool {
        holds(self.determiners, key)
    }

    pub(super) fn opens(&self, key: &str) -> bool {
        holds(self.openers, key)
    }

    pub(super) fn is_small(&self, key: &str) -> bool {
        holds(self.small, key)
    }

    pub(super) fn is_capital(&self, key: &str) -> bool {
        holds(self.capital, key)
    }

    pub(super) fn abbreviates(&self, key: &str) -> bool {
        holds(self.abbreviations, key)
    }
}

/// The lists have a hundred words and are asked once or twice an utterance.
fn holds(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::key;
    use super::*;

    #[test]
    fn a_country_makes_no_difference() {
        assert_eq!(Language::of("pt-BR").codes, ["pt"]);
        assert_eq!(Language::of("EN_us").codes, ["en"]);
        assert!(Language::of("").codes.is_empty());
        assert!(Language::of("xx").codes.is_empty());
    }

    /// A word in another form would never be found.
    #[test]
    fn the_lists_hold_words_as_they_are_compared() {
        for language in Language::all() {
            let lists = [language.determiners, language.openers, language.small, language.capital];
            for word in lists.iter().flat_map(|list| list.split_ascii_whitespace()) {
                assert_eq!(key(word), word, "{:?}", language.codes);
            }
        }
    }

    #[test]
    fn no_language_says_the_same_for_two_things() {
        for language in Language::all() {
            let commands = language.commands.iter().map(|(spoken, _)| spoken);
            let marks = language.marks.iter().map(|(spoken, _)| spoken);
            let mut all: Vec<String> = commands.chain(marks).map(|spoken| key(spoken)).collect();
            let n_phrases = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), n_phrases, "{:?}", language.codes);
        }
    }

    /// The languages that dictation users expect to find.
    #[test]
    fn eleven_languages_have_lines_paragraphs_undo_and_the_common_marks() {
        for code in ["en", "de", "fr", "es", "it", "pt", "nl", "ru", "pl", "ja", "zh"] {
            let language = Language::of(code);
            for command in [Command::NewLine, Command::NewParagraph, Command::Undo] {
                assert!(
                    language.commands.iter().any(|(_, is)| *is == command),
                    "{code} {command:?}"
                );
            }
            let has = |signs: &[&str]| {
                language.marks.iter().any(|(_, mark)| signs.contains(&mark.text.trim()))
            };
            for signs in
                [[",", "、"], [".", "。"], ["?", "？"], ["!", "！"], [":", "："], ["(", "（"]]
            {
                assert!(has(&signs), "{code} {signs:?}");
            }
        }
    }

    #[test]
    fn the_documentation_shows_every_command() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
        let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let pages = pages.filter(|page| page.extension().is_some_and(|end| end == "md"));
        let text: String = pages.map(|page| std::fs::read_to_string(page).unwrap()).collect();
        for (spoken, _) in Language::all().iter().flat_map(|language| language.commands) {
            assert!(text.contains(spoken), "docs: {spoken}");
        }
    }
}
