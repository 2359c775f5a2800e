//! Token ids ↔ text, and the special tokens by name.
//!
//! OpenAI's two vocabularies are part of the program, so that any file of weights will do. The
//! ids run: text, end of text, start of transcript, one for each language, tasks and marks,
//! timestamps every 20 ms. Which vocabulary a model was trained with is told by its size.
//!
//! Source: `Tokenizer` in openai/whisper, `whisper/tokenizer.py` at c0d2f62.

mod bpe;
mod languages;
mod words;

use std::fmt::Write;

use bpe::Bpe;
use languages::LANGUAGES;

use crate::{Error, ModelDimensions, Task};

/// Seconds between two timestamps.
const TIMESTAMP_STEP: f32 = 0.02;
/// `<|0.00|>` to `<|30.00|>`.
const N_TIMESTAMPS: u32 = 1501;

/// What Whisper writes for sounds that are not speech: speaker tags, notes, brackets, rules.
const NON_SPEECH: &str = "\" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 \
                          << >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪";
/// As above. Where these are several tokens the first is suppressed, which only such signs have.
const MUSIC: &str = "♩ ♪ ♫ ♬ ♭ ♮ ♯";

/// The vocabulary of one model.
pub(crate) struct Tokenizer {
    bpe: Bpe,
    languages: &'static [(&'static str, &'static str)],
    is_multilingual: bool,
    /// End of text, and the first id that is not text.
    pub(crate) eot: u32,
    /// Start of transcript.
    pub(crate) sot: u32,
    pub(crate) translate: u32,
    pub(crate) transcribe: u32,
    /// Start of a language-model text; unused by OpenAI.
    pub(crate) sot_lm: u32,
    /// Start of the previous text, which may be given as a prompt.
    pub(crate) sot_prev: u32,
    pub(crate) no_speech: u32,
    pub(crate) no_timestamps: u32,
    /// `<|0.00|>`; all from here on are timestamps.
    pub(crate) timestamp_begin: u32,
}

impl Tokenizer {
    /// Builds the vocabulary of a model: English, 99 languages, or the 100 of large-v3.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownVocabulary`] for a size that is none of OpenAI's.
    pub(crate) fn for_dims(dims: &ModelDimensions) -> Result<Self, Error> {
        let n_vocab = dims.n_vocab;
        let (merges, eot, n_languages) = match n_vocab {
            51864 => (bpe::GPT2, 50256, 99),
            51865 => (bpe::MULTILINGUAL, 50257, 99),
            51866 => (bpe::MULTILINGUAL, 50257, 100),
            _ => return Err(Error::UnknownVocabulary { n_vocab }),
        };
        let bpe = Bpe::new(merges, eot as usize).ok_or(Error::UnknownVocabulary { n_vocab })?;
        let task = eot + 2 + n_languages;
        Ok(Self {
            bpe,
            languages: &LANGUAGES[..n_languages as usize],
            is_multilingual: n_vocab > 51864,
            eot,
            sot: eot + 1,
            translate: task,
            transcribe: task + 1,
            sot_lm: task + 2,
            sot_prev: task + 3,
            no_speech: task + 4,
            no_timestamps: task + 5,
            timestamp_begin: task + 6,
        })
    }

    /// Whether the model knows other languages than English.
    pub(crate) fn is_multilingual(&self) -> bool {
        self.is_multilingual
    }

    /// Reads text as tokens. Names of special tokens in it are text like any other.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        self.bpe.encode(text)
    }

    /// Writes the text of the tokens; special ones and timestamps are left out. Bytes that are
    /// not (or not yet) a character become U+FFFD.
    pub(crate) fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.bpe.bytes(id)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes the tokens with special ones and timestamps by name, as in `<|1.08|>`.
    pub(crate) fn decode_with_timestamps(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        for run in ids.chunk_by(|&a, &b| !self.is_special(a) && !self.is_special(b)) {
            match run {
                &[id] if self.is_special(id) => self.write_special(&mut text, id),
                _ => text.push_str(&self.decode(run)),
            }
        }
        text
    }

    fn write_special(&self, text: &mut String, id: u32) {
        let name = match id {
            id if id == self.eot => "endoftext",
            id if id == self.sot => "startoftranscript",
            id if id == self.translate => "translate",
            id if id == self.transcribe => "transcribe",
            id if id == self.sot_lm => "startoflm",
            id if id == self.sot_prev => "startofprev",
            id if id == self.no_speech => "nospeech",
            id if id == self.no_timestamps => "notimestamps",
            _ => self.language_of(id).unwrap_or(""),
        };
        // Writing to a string cannot fail.
        let _ = match self.timestamp_seconds(id) {
            Some(seconds) => write!(text, "<|{seconds:.2}|>"),
            None => write!(text, "<|{name}|>"),
        };
    }

    /// Whether `id` stands for no text.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        id >= self.eot
    }

    /// Whether `id` is a time within the window.
    pub(crate) fn is_timestamp(&self, id: u32) -> bool {
        id >= self.timestamp_begin
    }

    /// The time that `id` stands for, in seconds from the start of the window.
    pub(crate) fn timestamp_seconds(&self, id: u32) -> Option<f32> {
        let step = id.checked_sub(self.timestamp_begin).filter(|&step| step < N_TIMESTAMPS)?;
        Some(step as f32 * TIMESTAMP_STEP)
    }

    /// Code and English name of each language that has a token, in the order of the tokens.
    pub(crate) fn languages(&self) -> &'static [(&'static str, &'static str)] {
        self.languages
    }

    /// The token of a language given by its code.
    pub(crate) fn language_token(&self, code: &str) -> Option<u32> {
        let at = self.languages.iter().position(|&(known, _)| known == code)?;
        Some(self.sot + 1 + at as u32)
    }

    /// The code of the language that `id` stands for.
    pub(crate) fn language_of(&self, id: u32) -> Option<&'static str> {
        let at = id.checked_sub(self.sot + 1)?;
        Some(self.languages.get(at as usize)?.0)
    }

    /// What every decoding starts with: start of transcript, language, task. English-only models
    /// know neither languages nor tasks.
    pub(crate) fn sot_sequence(&self, language: Option<&str>, task: Task) -> Vec<u32> {
        let mut sequence = vec![self.sot];
        if self.is_multilingual {
            sequence.extend(language.and_then(|code| self.language_token(code)));
            sequence.push(match task {
                Task::Transcribe => self.transcribe,
                Task::Translate => self.translate,
            });
        }
        sequence
    }

    /// What is never to be written: signs that are not spoken, and marks that only ever stand in
    /// the prompt. Sorted. OpenAI's `suppress_tokens="-1"`.
    pub(crate) fn suppressed(&self) -> Vec<u32> {
        // Hyphens and quotes may stand inside a word, not before it.
        let mut ids = vec![self.encode(" -")[0], self.encode(" '")[0]];
        for symbol in NON_SPEECH.split(' ') {
            for text in [symbol.to_owned(), format!(" {symbol}")] {
                if let [id] = self.encode(&text)[..] {
                    ids.push(id);
                }
            }
        }
        for symbol in MUSIC.split(' ') {
            ids.extend(self.encode(symbol).first());
            ids.extend(self.encode(&format!(" {symbol}")).first());
        }
        ids.extend([self.transcribe, self.translate, self.sot]);
        ids.extend([self.sot_prev, self.sot_lm, self.no_speech]);
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What a text must not begin with: a space alone, or its end.
    pub(crate) fn blank(&self) -> [u32; 2] {
        [self.encode(" ")[0], self.eot]
    }
}

#[cfg(test)]
mod tests;
