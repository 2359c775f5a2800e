//! What `make fuzz` gets at besides the interface; no other build has it.

use std::sync::LazyLock;

use crate::search::{Rules, Timestamps};
use crate::tokenizer::Tokenizer;
pub use crate::weights::fuzzing::{read_cache, samples, shards};
use crate::{Decoding, ModelDimensions};

static ENGLISH: LazyLock<Tokenizer> = LazyLock::new(|| tokenizer(51_864));
static MULTILINGUAL: LazyLock<Tokenizer> = LazyLock::new(|| tokenizer(51_866));

fn tokenizer(n_vocab: usize) -> Tokenizer {
    let dims = ModelDimensions {
        n_mels: 80,
        n_audio_ctx: 1500,
        n_audio_state: 64,
        n_audio_head: 1,
        n_audio_layer: 1,
        n_vocab,
        n_text_ctx: 448,
        n_text_state: 64,
        n_text_head: 1,
        n_text_layer: 1,
    };
    Tokenizer::for_dims(&dims).expect("OpenAI's vocabularies are known")
}

/// Tokens that no model would write → words, which lose nothing.
pub fn words(ids: &[u32], language: &str, multilingual: bool) {
    let tokenizer = if multilingual { &*MULTILINGUAL } else { &*ENGLISH };
    let words = tokenizer.split_to_words(ids, language);
    let kept: Vec<u32> = words.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    assert_eq!(kept, ids);
    let text: String = words.into_iter().map(|(text, _)| text).collect();
    let whole = tokenizer.decode_with_timestamps(ids);
    // A character that stays broken may be more than one replacement, by where it was cut.
    let strip = |text: &str| text.replace(char::REPLACEMENT_CHARACTER, "");
    assert_eq!(strip(&text), strip(&whole));
}

/// Text of a user's → tokens → the same text.
pub fn encode(text: &str, multilingual: bool) {
    let tokenizer = if multilingual { &*MULTILINGUAL } else { &*ENGLISH };
    assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
    let decoding = Decoding { prompt: text.into(), prefix: text.into(), ..Decoding::default() };
    assert!(decoding.prompt(tokenizer, 223).len() <= 223);
    drop(decoding.prefix(tokenizer));
}

/// What may follow `said`, where `hotwords` are preferred: something, and never a forbidden token.
pub fn rules(said: &[u32], hotwords: &[String], multilingual: bool, timestamps: bool) {
    let tokenizer = if multilingual { &*MULTILINGUAL } else { &*ENGLISH };
    let timestamps = if timestamps { Timestamps::With } else { Timestamps::Without };
    let rules = Rules::new(tokenizer, timestamps).prefer(tokenizer, hotwords, 2.0);
    let n_vocab = if multilingual { 51_866 } else { 51_864 };
    let said: Vec<u32> = said.iter().map(|id| id % n_vocab).collect();
    let mut logits: Vec<f32> = (0..n_vocab).map(|id| (id % 251) as f32 / 16.0).collect();
    rules.apply(&mut logits, &said);
    let likeliest = rules.likeliest(&logits, &said);
    assert!(logits[likeliest as usize] > f32::NEG_INFINITY);
}
