//! Tokens → words, each with its tokens.
//!
//! Source: `split_to_word_tokens` in openai/whisper, `whisper/tokenizer.py` at c0d2f62. We keep a
//! character that is cut off at the end as a word of its own; OpenAI drops it.

use super::Tokenizer;

/// Written without spaces: there every character is a word.
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];
/// Python's `string.punctuation`.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A word, or a part of one, and the tokens it is written with.
type Word = (String, Vec<u32>);

impl Tokenizer {
    /// Cuts tokens into words: at spaces and before punctuation, or between characters for a
    /// language that is written without spaces. Special tokens are words of their own.
    pub(crate) fn split_to_words(&self, ids: &[u32], language: &str) -> Vec<Word> {
        let parts = self.split_on_characters(ids);
        if WITHOUT_SPACES.contains(&language) {
            return parts;
        }
        let mut words: Vec<Word> = Vec::new();
        for (part, ids) in parts {
            let starts_word = part.starts_with(' ')
                || PUNCTUATION.contains(part.trim())
                || ids.first().is_some_and(|&id| self.is_special(id));
            match words.last_mut() {
                Some((word, word_ids)) if !starts_word => {
                    word.push_str(&part);
                    word_ids.extend(ids);
                }
                _ => words.push((part, ids)),
            }
        }
        words
    }

    /// Cuts wherever the tokens so far make whole characters.
    fn split_on_characters(&self, ids: &[u32]) -> Vec<Word> {
        let whole: Vec<char> = self.decode_with_timestamps(ids).chars().collect();
        let (mut parts, mut pending, mut at) = (Vec::new(), Vec::new(), 0);
        for &id in ids {
            pending.push(id);
            let part = self.decode_with_timestamps(&pending);
            let broken = part.chars().position(|c| c == char::REPLACEMENT_CHARACTER);
            // What stays broken in the whole text will not be mended by more tokens.
            let is_mended_later = broken.is_some_and(|broken| {
                whole.get(at + broken).is_none_or(|&c| c != char::REPLACEMENT_CHARACTER)
            });
            if !is_mended_later {
                at += part.chars().count();
                parts.push((part, std::mem::take(&mut pending)));
            }
        }
        if !pending.is_empty() {
            parts.push((self.decode_with_timestamps(&pending), pending));
        }
        parts
    }
}
