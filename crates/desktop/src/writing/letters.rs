//! Capital and small letters at the beginning of a word.

use super::languages::Language;
use super::tokens::key;

/// The word with a capital letter in front, unless its letters are somebody's choice: iPhone, x86.
pub(super) fn capitalized(word: &str, language: &Language) -> String {
    if is_special(word) { word.into() } else { with_first(word, |first| upper(first, language)) }
}

/// The word as it stands inside of a sentence; `next` is the word behind it.
pub(super) fn inside_sentence(word: &str, next: Option<&str>, language: &Language) -> String {
    if !is_capitalized(word) || language.is_capital(&key(word)) {
        return word.into();
    }
    let lowered = || with_first(word, |first| lower(first, language));
    if let Some((article, _)) = word.split_once(['\'', '\u{2019}'])
        && language.elides
        && !is_special(article)
    {
        return lowered();
    }
    if language.is_small(&key(word)) && !is_acronym(word) {
        return lowered();
    }
    let is_name = is_special(word)
        || word.chars().filter(|sign| sign.is_alphabetic()).count() == 1
        || language.nouns_are_capital
        || next.is_some_and(|next| is_capitalized(next) && !language.is_capital(&key(next)));
    if is_name { word.into() } else { lowered() }
}

/// The word in small letters.
pub(super) fn small(word: &str, language: &Language) -> String {
    if !language.is_turkic {
        return word.to_lowercase();
    }
    word.replace('I', "ı").replace('İ', "i").to_lowercase()
}

/// Whether the word begins with a capital letter.
pub(super) fn is_capitalized(word: &str) -> bool {
    word.chars().find(|sign| sign.is_alphabetic()).is_some_and(char::is_uppercase)
}

/// A capital behind the first letter, or a digit: nobody but the writer knows why.
fn is_special(word: &str) -> bool {
    let behind = word.chars().skip(1);
    behind.clone().any(char::is_uppercase) || word.chars().any(char::is_numeric)
}

/// Two letters or more, and all of them capitals.
fn is_acronym(word: &str) -> bool {
    word.chars().count() > 1 && !word.chars().any(char::is_lowercase)
}

fn with_first(word: &str, change: impl Fn(char) -> Option<char>) -> String {
    let mut signs = word.chars();
    match signs.next().and_then(change) {
        Some(first) => first.to_string() + signs.as_str(),
        None => word.into(),
    }
}

/// One capital for one small letter. Georgian letters have capitals, but no sentence begins with
/// one.
fn upper(letter: char, language: &Language) -> Option<char> {
    match letter {
        'i' if language.is_turkic => Some('İ'),
        '\u{10D0}'..='\u{10FF}' => None,
        _ => single(letter.to_uppercase()),
    }
}

fn lower(letter: char, language: &Language) -> Option<char> {
    match letter {
        'I' if language.is_turkic => Some('ı'),
        'İ' if language.is_turkic => Some('i'),
        _ => single(letter.to_lowercase()),
    }
}

fn single(mut letters: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if letters.len() == 1 { letters.next() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(word: &str, next: &str, language: &str) -> String {
        inside_sentence(word, Some(next).filter(|next| !next.is_empty()), Language::of(language))
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        let capital = |word, language| capitalized(word, Language::of(language));
        assert_eq!(capital("hello", "en"), "Hello");
        assert_eq!(capital("élan", "fr"), "Élan");
        assert_eq!(capital("e\u{301}lan", "fr"), "E\u{301}lan");
        assert_eq!(capital("iPhone", "en"), "iPhone");
        assert_eq!(capital("istanbul", "tr"), "İstanbul");
        assert_eq!(capital("გამარჯობა", "ka"), "გამარჯობა");
        assert_eq!(capital("ßa", "de"), "ßa");
    }

    #[test]
    fn a_word_inside_of_a_sentence_is_small() {
        assert_eq!(inside("Went", "home", "en"), "went");
        assert_eq!(inside("The", "Beatles", "en"), "the");
        assert_eq!(inside("A", "dog", "en"), "a");
        assert_eq!(inside("Isı", "", "tr"), "ısı");
        assert_eq!(inside("L'Europe", "est", "fr"), "l'Europe");
        assert_eq!(inside("Und", "Hunde", "de"), "und");
    }

    #[test]
    fn what_looks_like_a_name_stays() {
        assert_eq!(inside("I", "went", "en"), "I");
        assert_eq!(inside("I'm", "here", "en"), "I'm");
        assert_eq!(inside("I\u{2019}ll", "go", "en"), "I\u{2019}ll");
        assert_eq!(inside("NASA", "said", "en"), "NASA");
        assert_eq!(inside("IT", "people", "en"), "IT");
        assert_eq!(inside("McDonald", "said", "en"), "McDonald");
        assert_eq!(inside("New", "York", "en"), "New");
        assert_eq!(inside("Monday", "was", "en"), "Monday");
        assert_eq!(inside("Hunde", "bellen", "de"), "Hunde");
        assert_eq!(inside("B", "flat", "en"), "B");
    }

    #[test]
    fn small_letters_are_those_of_the_language() {
        assert_eq!(small("ISI", Language::of("tr")), "ısı");
        assert_eq!(small("ISI", Language::of("en")), "isi");
    }
}
