//! Byte-pair encoding with OpenAI's vocabularies.

use std::iter;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{Model as _, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

/// Merges of the English models, best first; assets/README.md says where they are from.
pub(super) const GPT2: &str = include_str!("../../assets/gpt2.merges.txt");
/// Merges of all other models.
pub(super) const MULTILINGUAL: &str = include_str!("../../assets/multilingual.merges.txt");

/// Text ↔ ids, special tokens left aside.
pub(super) struct Bpe {
    model: BPE,
    /// Bytes of every token, one after the other, and where each one ends.
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Bpe {
    /// Builds a vocabulary of `n_tokens`: the bytes, then a token for each merge, and empty ones
    /// up to the end. `None` only if the merges are not such.
    pub(super) fn new(merges: &str, n_tokens: usize) -> Option<Self> {
        let alphabet = alphabet();
        let merges: Vec<(String, String)> = merges
            .lines()
            .map(|line| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())))
            .collect::<Option<_>>()?;
        let bytes_as_tokens = alphabet.iter().map(|&(_, c)| c.to_string());
        let tokens = bytes_as_tokens.chain(merges.iter().map(|(a, b)| format!("{a}{b}")));

        let mut vocab = Vocab::with_capacity(n_tokens);
        let (mut bytes, mut ends) = (Vec::with_capacity(400_000), Vec::with_capacity(n_tokens));
        let byte_of = byte_of(&alphabet);
        for (id, token) in tokens.enumerate() {
            for c in token.chars() {
                bytes.push(*byte_of.get(c as usize)?);
            }
            ends.push(bytes.len() as u32);
            vocab.insert(token, id as u32);
        }
        ends.resize(n_tokens, bytes.len() as u32);
        let model = BPE::builder().vocab_and_merges(vocab, merges).build().ok()?;
        Some(Self { model, bytes, ends })
    }

    /// The bytes of a token: a part of a text, which need not be whole characters. None for an id
    /// that is not text.
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else { return &[] };
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start as usize..end as usize]
    }

    /// Cuts text into words by GPT-2's pattern and each of them into tokens.
    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        let mut text = PreTokenizedString::from(text);
        // Neither can fail: the pattern matches whatever there is, and every byte is a token.
        let words = ByteLevel::new(false, false, true).pre_tokenize(&mut text);
        debug_assert!(words.is_ok(), "{words:?}");
        let words = text.get_splits(OffsetReferential::Original, OffsetType::None);
        let tokens = words.into_iter().flat_map(|(word, ..)| self.model.tokenize(word));
        tokens.flatten().map(|token| token.id).collect()
    }
}

/// GPT-2's printable character for each byte, in the order of the first 256 tokens: what is
/// visible stands for itself, the rest for what follows Latin-1.
fn alphabet() -> Vec<(u8, char)> {
    let is_visible = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let visible = (0..=255).filter(is_visible).map(|byte| (byte, char::from(byte)));
    let others = (0..=255).filter(|byte| !is_visible(byte)).zip('\u{100}'..);
    visible.chain(others).collect()
}

/// The byte for each character of the alphabet, by the character's number.
fn byte_of(alphabet: &[(u8, char)]) -> Vec<u8> {
    let last = alphabet.iter().map(|&(_, c)| c as usize).max().unwrap_or(0);
    let mut bytes: Vec<u8> = iter::repeat_n(0, last + 1).collect();
    for &(byte, c) in alphabet {
        bytes[c as usize] = byte;
    }
    bytes
}
