//! Phrases that are looked for in a text: whole words, in any case, the longest first.

use std::collections::HashMap;

use super::tokens::{Kind, Token, tokens};

/// What each of some phrases stands for.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    /// By the first word; of those the longest first.
    by_first: HashMap<String, Vec<Phrase<T>>>,
}

#[derive(Debug)]
struct Phrase<T> {
    /// Keys of the words behind the first.
    rest: Vec<String>,
    meaning: T,
}

impl<T> Default for Phrases<T> {
    fn default() -> Self {
        Self { by_first: HashMap::new() }
    }
}

impl<T> Phrases<T> {
    /// Takes a phrase up, in place of one that is the same but for case. Gives false, and does
    /// nothing, where no word or sign is in it.
    pub(super) fn insert(&mut self, spoken: &str, meaning: T) -> bool {
        let mut keys = keys(&tokens(spoken)).into_iter();
        let Some(first) = keys.next() else { return false };
        let rest: Vec<String> = keys.collect();
        let same_first = self.by_first.entry(first).or_default();
        same_first.retain(|phrase| phrase.rest != rest);
        let shorter = same_first.iter().position(|phrase| phrase.rest.len() < rest.len());
        same_first.insert(shorter.unwrap_or(same_first.len()), Phrase { rest, meaning });
        true
    }

    /// The longest phrase that begins with the token `at`: the token behind it, and its meaning.
    pub(super) fn longest(&self, tokens: &[Token<'_>], at: usize) -> Option<(usize, &T)> {
        let same_first = self.by_first.get(&tokens[at].key)?;
        same_first
            .iter()
            .find_map(|phrase| Some((end(tokens, at + 1, &phrase.rest)?, &phrase.meaning)))
    }
}

/// The token behind `rest`, if these words stand from `at` on.
fn end(tokens: &[Token<'_>], mut at: usize, rest: &[String]) -> Option<usize> {
    for key in rest {
        while tokens.get(at)?.kind == Kind::Space || tokens[at].is_hyphen() {
            at += 1;
        }
        if tokens[at].key != *key {
            return None;
        }
        at += 1;
    }
    Some(at)
}

/// What a phrase is compared by. Spaces and hyphens are no part of it.
pub(super) fn keys(tokens: &[Token<'_>]) -> Vec<String> {
    let parts = tokens.iter().filter(|token| token.kind != Kind::Space && !token.is_hyphen());
    parts.map(|token| token.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrases: &[&'static str], text: &str) -> Option<&'static str> {
        let mut all = Phrases::default();
        for phrase in phrases {
            assert!(all.insert(phrase, *phrase));
        }
        all.longest(&tokens(text), 0).map(|(_, meaning)| *meaning)
    }

    #[test]
    fn the_longest_is_found() {
        let phrases = ["new", "new york city", "New York"];
        assert_eq!(found(&phrases, "new york city hall"), Some("new york city"));
        assert_eq!(found(&phrases, "NEW-YORK times"), Some("New York"));
        assert_eq!(found(&phrases, "new, york"), Some("new"));
        assert_eq!(found(&phrases, "news"), None);
    }

    #[test]
    fn signs_are_words_as_well() {
        assert_eq!(found(&["c++", "c"], "C++ code"), Some("c++"));
        assert_eq!(found(&["c++", "c"], "C+ code"), Some("c"));
    }

    #[test]
    fn a_phrase_without_a_word_is_none() {
        assert!(!Phrases::default().insert(" - ", ()));
    }
}
