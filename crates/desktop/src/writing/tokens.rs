//! A text → its words, spaces and signs.
//!
//! Words are those of Unicode (UAX #29): "can't", "3.5" and "foo_bar" are one each, a Chinese
//! character is one, and no token begins or ends inside a grapheme cluster.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Has a letter or a digit in it.
    Word,
    Space,
    /// All else: punctuation, symbols, emoji.
    Sign,
}

#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// What it is compared by.
    pub(super) key: String,
}

impl Token<'_> {
    /// Whether it joins two words into one: `e-mail` is heard as `e mail` is.
    pub(super) fn is_hyphen(&self) -> bool {
        matches!(self.text, "-" | "\u{2010}" | "\u{2011}")
    }

    /// Punctuation that the model sets where the speaker pauses.
    pub(super) fn is_separator(&self) -> bool {
        const SEPARATORS: &str = ",.;:!?…—–·،؛؟।，。、；：！？";
        self.kind == Kind::Sign && self.text.chars().all(|sign| SEPARATORS.contains(sign))
    }

    /// A separator inside of a sentence.
    pub(super) fn is_comma(&self) -> bool {
        matches!(self.text, "," | "，" | "、" | "،")
    }

    /// A separator that does not end a sentence and announces nothing.
    pub(super) fn is_soft(&self) -> bool {
        self.is_comma() || matches!(self.text, "…" | "—" | "–" | ";" | "；" | "؛")
    }

    pub(super) fn ends_sentence(&self) -> bool {
        matches!(self.text, "." | "!" | "?" | "。" | "！" | "？" | "।" | "؟")
    }
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    // Thai and Lao have letters that a word border may divide and that stand in one cluster.
    let clusters: HashSet<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let borders = text.split_word_bound_indices().map(|(at, _)| at);
    let mut borders: Vec<usize> = borders.filter(|at| clusters.contains(at)).collect();
    borders.push(text.len());
    borders.windows(2).map(|pair| token(&text[pair[0]..pair[1]])).collect()
}

fn token(text: &str) -> Token<'_> {
    let kind = match text {
        text if text.chars().all(char::is_whitespace) => Kind::Space,
        text if text.chars().any(char::is_alphanumeric) => Kind::Word,
        _ => Kind::Sign,
    };
    let key = if kind == Kind::Space { String::new() } else { key(text) };
    Token { text, kind, key }
}

/// What two spellings of a word have in common, whatever their case, apostrophe and composition.
pub(super) fn key(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let fold = |letter| match letter {
        '\u{2019}' => '\'',
        'ς' => 'σ',
        // Turkish: the small letter of I has no dot, and nothing else tells which I was meant.
        'ı' => 'i',
        other => other,
    };
    let lower: String = word.nfc().flat_map(char::to_lowercase).map(fold).collect();
    lower.replace("i\u{307}", "i").nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn words_are_those_of_unicode() {
        assert_eq!(texts("I can't, e-mail"), ["I", " ", "can't", ",", " ", "e", "-", "mail"]);
        assert_eq!(texts("3.5 換行"), ["3.5", " ", "換", "行"]);
        assert_eq!(texts("wait..."), ["wait", ".", ".", "."]);
    }

    #[test]
    fn no_cluster_is_divided() {
        assert_eq!(texts("นำ"), ["นำ"]);
        assert_eq!(texts("👩‍👩‍👧🇩🇪e\u{301}"), ["👩‍👩‍👧", "🇩🇪", "e\u{301}"]);
    }

    #[test]
    fn spellings_of_a_word_have_one_key() {
        assert_eq!(key("É"), key("e\u{301}"));
        assert_eq!(key("DON\u{2019}T"), key("don't"));
        assert_eq!(key("ΣΟΦΟΣ"), key("σοφός").replace('ό', "ο"));
        assert_eq!(key("İstanbul"), key("istanbul"));
    }
}
