//! What stands before the cursor → whether a sentence begins there, and whether a space is needed.

use super::languages::Language;
use super::tokens::key;

/// Where in a sentence the next word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A sentence or a line begins.
    Start,
    /// A sentence goes on.
    Middle,
    /// Nobody knows: the word stays as the model wrote it.
    Open,
}

const OPENING: &str = "([{<«‹“‘„‚「『（【《〈¿¡";
const CLOSING: &str = ")]}>»›”’」』）】》〉";
/// Signs that stand close to the word in front of them.
const ATTACHED: &str = ",.;:!?…%،؛؟।，。、；：！？";

/// Where the word behind `before` stands.
pub(super) fn place(before: &str, language: &Language) -> Place {
    let line = before.trim_end_matches(|sign: char| sign.is_whitespace() && !is_line_end(sign));
    let Some(last) = line.chars().next_back() else { return Place::Start };
    if is_line_end(last) {
        return Place::Start;
    }
    if opens(line) {
        return Place::Open;
    }
    let inner = line.trim_end_matches(|sign| CLOSING.contains(sign) || is_straight_quote(sign));
    match inner.chars().next_back() {
        Some('.') if is_abbreviated(inner, language) => Place::Open,
        Some('.' | '!' | '?' | '。' | '！' | '？' | '।' | '؟') => Place::Start,
        Some(',' | ';' | '，' | '、' | '；' | '،' | '؛' | '–' | '—') => Place::Middle,
        Some(sign) if sign.is_alphanumeric() => Place::Middle,
        _ => Place::Open,
    }
}

/// Whether the period at the end of `text` ends no sentence, or not surely: `e.g.`, `J.`, `3.`,
/// `...`.
fn is_abbreviated(text: &str, language: &Language) -> bool {
    let word = text.rsplit(|sign: char| sign.is_whitespace() || OPENING.contains(sign)).next();
    let Some(word) = word.and_then(|word| word.strip_suffix('.')) else { return false };
    word.ends_with('.')
        || word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
        || !word.is_empty() && word.chars().all(|sign| sign.is_ascii_digit())
        || language.abbreviates(&key(word))
}

/// Whether `text` is to be set off from `before` by a space.
pub(super) fn needs_space(before: &str, text: &str) -> bool {
    let (Some(last), Some(first)) = (before.chars().next_back(), text.chars().next()) else {
        return false;
    };
    let is_close = last.is_whitespace()
        || first.is_whitespace()
        || opens(before)
        || "/\\@#_~-\u{2010}\u{2011}".contains(last)
        || ATTACHED.contains(first)
        || CLOSING.contains(first)
        || is_dash(last) && !ends_with_spaced_dash(before)
        || is_unspaced(last)
        || is_unspaced(first);
    !is_close
}

/// Whether what follows `before` stands inside of the bracket or quotation mark at its end.
fn opens(before: &str) -> bool {
    let mut signs = before.chars().rev();
    match signs.next() {
        Some(last) if is_straight_quote(last) => {
            signs.next().is_none_or(|sign| sign.is_whitespace() || OPENING.contains(sign))
        }
        Some(last) => OPENING.contains(last),
        None => false,
    }
}

fn ends_with_spaced_dash(before: &str) -> bool {
    before.chars().rev().nth(1).is_some_and(char::is_whitespace)
}

fn is_dash(sign: char) -> bool {
    matches!(sign, '–' | '—')
}

fn is_straight_quote(sign: char) -> bool {
    matches!(sign, '"' | '\'')
}

fn is_line_end(sign: char) -> bool {
    matches!(sign, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Whether the script of `sign` puts no spaces between words: Chinese, Japanese, Thai, Lao, Khmer,
/// Burmese, Tibetan. Korean does put them.
pub(super) fn is_unspaced(sign: char) -> bool {
    matches!(sign,
        '\u{0E00}'..='\u{0EFF}' | '\u{0F00}'..='\u{0FFF}' | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}' | '\u{2E80}'..='\u{312F}' | '\u{3190}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english(before: &str) -> Place {
        place(before, Language::of("en"))
    }

    #[test]
    fn a_sentence_begins_behind_its_end_and_on_a_new_line() {
        for before in ["", "  ", "Done.", "Done. ", "Really?!", "He said \"no.\"", "(Yes.)", "a\n"]
        {
            assert_eq!(english(before), Place::Start, "{before:?}");
        }
    }

    #[test]
    fn a_sentence_goes_on_behind_a_word_or_a_comma() {
        for before in ["and", "and ", "yes,", "one; ", "it – ", "the \"best\"", "(now)", "in 1999"]
        {
            assert_eq!(english(before), Place::Middle, "{before:?}");
        }
    }

    #[test]
    fn where_nobody_knows_nothing_is_claimed() {
        for before in
            ["Dr.", "e.g. ", "J.", "3.", "well...", "so…", "Note:", "a (", "\"", "$ ", "😀"]
        {
            assert_eq!(english(before), Place::Open, "{before:?}");
        }
    }

    #[test]
    fn a_space_stands_between_words_and_behind_punctuation() {
        for (before, text) in [("a", "b"), ("a.", "B"), ("a,", "b"), ("\"a\"", "b"), ("a", "\"b\"")]
        {
            assert!(needs_space(before, text), "{before:?} {text:?}");
        }
        for (before, text) in [("a –", "b"), ("a", "(b"), ("안녕", "하세요"), ("a", "— b")]
        {
            assert!(needs_space(before, text), "{before:?} {text:?}");
        }
    }

    #[test]
    fn no_space_stands_where_none_belongs() {
        for (before, text) in [("", "a"), ("a ", "b"), ("a\n", "b"), ("(", "b"), ("a \"", "b")] {
            assert!(!needs_space(before, text), "{before:?} {text:?}");
        }
        for (before, text) in [("a", ", b"), ("a", ") b"), ("well-", "known"), ("a—", "b")] {
            assert!(!needs_space(before, text), "{before:?} {text:?}");
        }
        for (before, text) in [("你好", "世界"), ("你好。", "Hi"), ("นะ", "ครับ"), ("http://", "a")]
        {
            assert!(!needs_space(before, text), "{before:?} {text:?}");
        }
    }
}
