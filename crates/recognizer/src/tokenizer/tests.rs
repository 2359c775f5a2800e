use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// What openai-whisper's own tokenizers give; `tests/golden/make_tokenizer.py` wrote it.
#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    vocabularies: Vec<Vocabulary>,
}

#[derive(Deserialize)]
struct Vocabulary {
    n_vocab: usize,
    special: Special,
    languages: Vec<(String, u32)>,
    sot_sequence: Vec<u32>,
    suppressed: Vec<u32>,
    blank: [u32; 2],
    encoded: Vec<Vec<u32>>,
    decoded: Vec<(Vec<u32>, String)>,
    with_timestamps: String,
    words: Vec<Words>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Special {
    eot: u32,
    sot: u32,
    translate: u32,
    transcribe: u32,
    sot_lm: u32,
    sot_prev: u32,
    no_speech: u32,
    no_timestamps: u32,
    timestamp_begin: u32,
}

#[derive(Deserialize)]
struct Words {
    language: String,
    ids: Vec<u32>,
    words: Vec<String>,
    tokens: Vec<Vec<u32>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/tokenizer.json")).unwrap()
}

fn tokenizer(n_vocab: usize) -> Result<Tokenizer, Error> {
    Tokenizer::for_dims(&ModelDimensions {
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
    })
}

/// Runs `check` on each vocabulary beside OpenAI's numbers for it.
fn for_each_vocabulary(check: impl Fn(&Tokenizer, &Vocabulary, &Golden)) {
    let golden = golden();
    for vocabulary in &golden.vocabularies {
        check(&tokenizer(vocabulary.n_vocab).unwrap(), vocabulary, &golden);
    }
}

#[test]
fn special_tokens_and_languages_are_openais() {
    for_each_vocabulary(|ours, theirs, _| {
        let special = Special {
            eot: ours.eot,
            sot: ours.sot,
            translate: ours.translate,
            transcribe: ours.transcribe,
            sot_lm: ours.sot_lm,
            sot_prev: ours.sot_prev,
            no_speech: ours.no_speech,
            no_timestamps: ours.no_timestamps,
            timestamp_begin: ours.timestamp_begin,
        };
        assert_eq!(special, theirs.special);
        assert_eq!(ours.languages().len(), theirs.languages.len());
        for (&(code, _), (their_code, id)) in ours.languages().iter().zip(&theirs.languages) {
            assert_eq!(code, their_code);
            assert_eq!(ours.language_token(code), Some(*id));
            assert_eq!(ours.language_of(*id), Some(code));
        }
        assert_eq!(ours.sot_sequence(Some("de"), Task::Transcribe), theirs.sot_sequence);
        assert_eq!(ours.timestamp_begin as usize + N_TIMESTAMPS as usize, theirs.n_vocab);
        assert_eq!(ours.blank(), theirs.blank);
    });
}

#[test]
fn the_suppressed_tokens_are_openais() {
    for_each_vocabulary(|ours, theirs, _| assert_eq!(ours.suppressed(), theirs.suppressed));
}

#[test]
fn difficult_texts_are_encoded_as_by_tiktoken() {
    for_each_vocabulary(|ours, theirs, golden| {
        for (text, ids) in golden.texts.iter().zip(&theirs.encoded) {
            assert_eq!(&ours.encode(text), ids, "{text:?}");
            assert_eq!(&ours.decode(ids), text);
        }
    });
}

#[test]
fn cut_characters_are_decoded_as_by_python() {
    for_each_vocabulary(|ours, theirs, _| {
        for (ids, text) in &theirs.decoded {
            assert_eq!(&ours.decode(ids), text, "{ids:?}");
        }
        let ids = [&[ours.sot, ours.timestamp_begin + 54][..], &ours.encode(" a"), &[ours.eot]];
        assert_eq!(ours.decode_with_timestamps(&ids.concat()), theirs.with_timestamps);
        assert_eq!(ours.decode(&ids.concat()), " a");
    });
}

#[test]
fn words_are_cut_as_by_openai() {
    for_each_vocabulary(|ours, theirs, _| {
        for case in &theirs.words {
            // English-only models know no other way than spaces.
            let language = if ours.is_multilingual() { &case.language } else { "en" };
            let (words, tokens): (Vec<_>, Vec<_>) =
                ours.split_to_words(&case.ids, language).into_iter().unzip();
            assert_eq!(words, case.words, "{}", case.language);
            assert_eq!(tokens, case.tokens, "{}", case.language);
        }
    });
}

#[test]
fn timestamps_are_twenty_milliseconds_apart() {
    let english = tokenizer(51864).unwrap();
    assert_eq!(english.timestamp_seconds(50363), Some(0.0));
    assert_eq!(english.timestamp_seconds(51863), Some(30.0));
    assert_eq!(english.timestamp_seconds(50362), None);
    assert_eq!(english.timestamp_seconds(51864), None);
    assert!(english.is_timestamp(50363) && !english.is_timestamp(50362));
}

#[test]
fn another_vocabulary_is_refused() {
    assert!(matches!(tokenizer(32000), Err(Error::UnknownVocabulary { n_vocab: 32000 })));
}

#[test]
fn any_text_comes_back_and_any_ids_can_be_written() {
    let ours = tokenizer(51866).unwrap();
    proptest!(|(text in any::<String>())| {
        prop_assert_eq!(ours.decode(&ours.encode(&text)), text);
    });
    proptest!(|(ids in prop::collection::vec(0..60_000u32, 0..40))| {
        let words = ours.split_to_words(&ids, "en");
        let kept: Vec<u32> = words.into_iter().flat_map(|(_, ids)| ids).collect();
        prop_assert_eq!(&kept, &ids);
        ours.decode(&[&ids[..], &[u32::MAX]].concat());
    });
}
