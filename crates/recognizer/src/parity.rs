//! Our numbers against those of openai-whisper, with the same weights and the same sound.
//!
//! The numbers are made by `tests/golden/make_parity.py`; its README says what they hold. Needs the
//! real weights, which `tests/scripts/setup.sh` fetches; without them each test says that it is
//! skipped.

mod decoding;
mod live;
mod tasks;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use burn::tensor::FloatDType;
use serde::Deserialize;

use crate::kernels::Kernels;
use crate::search::{Ended, Hypothesis, Request, Rules, Timestamps, greedy};
use crate::text_decoder::read;
use crate::window::{MAX_POSITIONS, Padding, loudest};
use crate::{Compute, Model, Options, Outcome, Precision, Recognizer, weights, words};

/// What `make_parity.py` wrote.
#[derive(Deserialize)]
struct Golden {
    encoder: Features,
    encoder_truncated: Features,
    forced: Logits,
    forced_truncated: Logits,
    greedy: Greedy,
    aligned: Vec<Aligned>,
    transcribe: Vec<Phrase>,
    /// Those of base.
    #[serde(default)]
    languages: BTreeMap<String, f32>,
}

/// Text, tokens, start and end in seconds, probability.
type Aligned = (String, Vec<u32>, f32, f32, f32);

#[derive(Deserialize)]
struct Features {
    positions: Vec<usize>,
    values: Vec<Vec<f32>>,
    norms: Vec<f32>,
}

#[derive(Deserialize)]
struct Logits {
    tokens: Vec<u32>,
    top_ids: Vec<Vec<usize>>,
    top_values: Vec<Vec<f32>>,
    logsumexp: Vec<f32>,
}

#[derive(Debug, Deserialize)]
struct Phrase {
    text: String,
    /// Between timestamps.
    tokens: Vec<u32>,
}

#[derive(Deserialize)]
struct Greedy {
    timestamps: Decoded,
    without_timestamps: Decoded,
    translate_german: Option<Decoded>,
}

#[derive(Deserialize)]
struct Decoded {
    tokens: Vec<u32>,
    avg_logprob: f32,
    no_speech_prob: f32,
}

/// Says by name that a test could not run, past the harness, which keeps what a test prints.
pub(crate) fn skipped(what: &str) {
    drop(writeln!(std::io::stderr(), "SKIPPED: {what}"));
}

/// A real model in 32 bits and its numbers, or `None` where the weights have not been fetched.
fn real(name: &str) -> Option<(Model, Golden)> {
    let cache = fetched(name)?;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = golden.join(format!("tests/golden/parity_{name}.json"));
    let golden = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    Some((load(&cache, Precision::F32), golden))
}

fn load(cache: &Path, precision: Precision) -> Model {
    Model::load(cache, &Compute::Cpu, precision).unwrap()
}

/// The folder of real weights in our format, or `None` where they have not been fetched.
fn fetched(name: &str) -> Option<PathBuf> {
    static CONVERT: Mutex<()> = Mutex::new(());
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = crate_dir.join("../../tests/data/cache").join(name);
    if !source.join("model.bin").exists() {
        skipped(&format!("parity with openai-whisper, {name} — no weights; run make test"));
        return None;
    }
    let cache: PathBuf = source.join("converted");
    let one_at_a_time = CONVERT.lock().unwrap_or_else(PoisonError::into_inner);
    if !weights::is_cache(&cache) {
        weights::convert(&source, &cache, &mut |_, _| ()).unwrap();
    }
    drop(one_at_a_time);
    Some(cache)
}

/// JFK's eleven seconds as raw columns, `[1104, 80]`, computed by openai-whisper.
fn jfk() -> Vec<f32> {
    let bytes = include_bytes!("../tests/golden/jfk_columns.f32");
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The largest deviation between two rows of numbers.
fn deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn check_encoder(model: &Model, golden: &Features, n_ctx: usize) {
    let columns = jfk();
    let features = model.encode(&columns, n_ctx, loudest(&columns), Padding::Silence);
    let [_, _, n_state] = features.dims();
    let features = read(features).unwrap();
    let rows: Vec<&[f32]> = features.chunks_exact(n_state).collect();
    for (&position, values) in golden.positions.iter().zip(&golden.values) {
        let off = deviation(&rows[position][..values.len()], values);
        assert!(off < 2e-3, "position {position} is off by {off}");
    }
    let norms: Vec<f32> =
        rows.iter().map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
    assert_eq!(norms.len(), golden.norms.len());
    let off = deviation(&norms, &golden.norms);
    assert!(off < 5e-3, "norms are off by {off}");
}

fn check_logits(model: &Model, golden: &Logits, n_ctx: usize) {
    let columns = jfk();
    let features = model.encode(&columns, n_ctx, loudest(&columns), Padding::Silence);
    let mut cache = model.decoder().start(&features, &[]);
    let output = model.decoder().forward(&golden.tokens, &mut cache);
    let logits = model.decoder().logits(output.hidden).unwrap();
    for (i, row) in logits.chunks_exact(model.dims().n_vocab).enumerate() {
        let ours: Vec<f32> = golden.top_ids[i].iter().map(|&id| row[id]).collect();
        let off = deviation(&ours, &golden.top_values[i]);
        assert!(off < 5e-3, "row {i} is off by {off}");
        let off = (crate::kernels::log_sum_exp(row) - golden.logsumexp[i]).abs();
        assert!(off < 5e-3, "the sum of row {i} is off by {off}");
    }
}

/// Greedy search over JFK in a window of `n_ctx` positions, with a draft.
fn search(model: &Model, n_ctx: usize, timestamps: Timestamps, draft: &[u32]) -> Hypothesis {
    let columns = jfk();
    let features = model.encode(&columns, n_ctx, loudest(&columns), Padding::Silence);
    let cache = model.decoder().start(&features, model.alignment_heads());
    let tokenizer = model.tokenizer();
    let mut prompt = tokenizer.sot_sequence(Some("en"), crate::Task::Transcribe);
    if timestamps == Timestamps::Without {
        prompt.push(tokenizer.no_timestamps);
    }
    let rules = Rules::new(tokenizer, timestamps);
    let request = Request {
        prompt: &prompt,
        prefix: &[],
        draft,
        bias: 0.0,
        rules: &rules,
        budget: 224,
        is_wary: false,
        align: Some(columns.len() / model.n_mels() / 2),
    };
    greedy(model, cache, &request).unwrap()
}

fn check_greedy(model: &Model, golden: &Greedy) {
    for (timestamps, golden) in
        [(Timestamps::With, &golden.timestamps), (Timestamps::Without, &golden.without_timestamps)]
    {
        let found = search(model, MAX_POSITIONS, timestamps, &[]);
        assert_eq!(found.tokens, golden.tokens);
        assert_eq!(found.ended, Ended::EndOfText);
        assert!((found.mean_log_prob(0) - golden.avg_logprob).abs() < 2e-3);
        assert!((found.no_speech - golden.no_speech_prob).abs() < 1e-3);
    }
}

/// Whatever the draft, tokens and probabilities are those of plain greedy search, to the bit.
fn check_drafts(model: &Model) {
    let plain = search(model, 640, Timestamps::Without, &[]);
    let n = plain.tokens.len();
    let mut wrong = plain.tokens.clone();
    wrong[n / 2] += 1;
    for draft in [&plain.tokens[..], &plain.tokens[..n / 3], &wrong, &[500; 30]] {
        let found = search(model, 640, Timestamps::Without, draft);
        assert_eq!(found.tokens, plain.tokens);
        assert_eq!(found.log_probs, plain.log_probs);
        assert_eq!(found.attention.len(), plain.attention.len());
        for (ours, theirs) in found.attention.iter().zip(&plain.attention) {
            assert!(deviation(ours, theirs) < 1e-3);
        }
    }
    assert_eq!(search(model, 640, Timestamps::Without, &plain.tokens).accepted, n);
    assert_eq!(search(model, 640, Timestamps::Without, &wrong).accepted, n / 2);
}

#[test]
fn tiny_en_computes_what_openai_computes() {
    let Some((model, golden)) = real("tiny.en") else { return };
    check_encoder(&model, &golden.encoder, MAX_POSITIONS);
    check_encoder(&model, &golden.encoder_truncated, 576);
    check_logits(&model, &golden.forced, MAX_POSITIONS);
    check_logits(&model, &golden.forced_truncated, 576);
    check_greedy(&model, &golden.greedy);
    check_words(&model, &golden.aligned);
}

#[test]
fn base_computes_what_openai_computes() {
    let Some((model, golden)) = real("base") else { return };
    check_encoder(&model, &golden.encoder, MAX_POSITIONS);
    check_encoder(&model, &golden.encoder_truncated, 576);
    check_logits(&model, &golden.forced, MAX_POSITIONS);
    check_logits(&model, &golden.forced_truncated, 576);
    check_greedy(&model, &golden.greedy);
    check_words(&model, &golden.aligned);
}

#[test]
fn a_draft_never_changes_the_words() {
    for name in ["tiny.en", "base"] {
        let Some(cache) = fetched(name) else { return };
        for precision in [Precision::F32, Precision::Int8] {
            check_drafts(&load(&cache, precision));
        }
    }
}

#[test]
fn burns_own_operations_compute_what_openai_computes() {
    let Some((_, golden)) = real("tiny.en") else { return };
    let Some(cache) = fetched("tiny.en") else { return };
    for kernels in [Kernels::Plain, Kernels::Static(FloatDType::F32)] {
        let model = Model::with_kernels(&cache, kernels).unwrap();
        check_encoder(&model, &golden.encoder_truncated, 576);
        check_logits(&model, &golden.forced_truncated, 576);
    }
}

#[test]
fn sixteen_bits_hear_the_words_of_32() {
    let Some((model, _)) = real("tiny.en") else { return };
    let Some(cache) = fetched("tiny.en") else { return };
    let half = Model::with_kernels(&cache, Kernels::Static(FloatDType::F16)).unwrap();
    let [ours, theirs] = [&half, &model].map(|m| search(m, 640, Timestamps::Without, &[]));
    // A comma may come or go with the processor's rounding.
    let words = |found: &Hypothesis| plain(&model.tokenizer().decode(&found.tokens));
    assert_eq!(words(&ours), words(&theirs));
    assert_eq!(half.float(), FloatDType::F16);
    assert!((ours.mean_log_prob(0) - theirs.mean_log_prob(0)).abs() < 0.02);
    assert!((ours.no_speech - theirs.no_speech).abs() < 0.01);
}

#[test]
fn eight_bits_hear_the_words_of_32() {
    for name in ["tiny.en", "base"] {
        let Some((model, _)) = real(name) else { return };
        let Some(cache) = fetched(name) else { return };
        let heard = |model: &Model| {
            let found = search(model, MAX_POSITIONS, Timestamps::Without, &[]);
            plain(&model.tokenizer().decode(&found.tokens))
        };
        assert_eq!(heard(&load(&cache, Precision::Int8)), heard(&model));
    }
}

/// The words of a text, without marks and capitals.
fn plain(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    words.map(|word| word.to_lowercase().replace([',', '.'], "")).collect()
}

fn check_words(model: &Model, golden: &[Aligned]) {
    let columns = jfk();
    let features = model.encode(&columns, MAX_POSITIONS, loudest(&columns), Padding::Silence);
    let cache = model.decoder().start(&features, model.alignment_heads());
    let mut prompt = model.tokenizer().sot_sequence(Some("en"), crate::Task::Transcribe);
    prompt.push(model.tokenizer().no_timestamps);
    let request = Request {
        prompt: &prompt,
        prefix: &[],
        draft: &[],
        bias: 0.0,
        rules: &Rules::new(model.tokenizer(), Timestamps::Without),
        budget: 224,
        is_wary: false,
        align: Some(550),
    };
    let found = greedy(model, cache, &request).unwrap();
    let ours = words::words(model, &found, 0, 550, "en", 0.0);
    assert_eq!(ours.len(), golden.len());
    let mut off = 0.0;
    for (ours, (text, _, start, end, _)) in ours.iter().zip(golden) {
        assert_eq!(&ours.text, text);
        off += (ours.start - start).abs() + (ours.end - end).abs();
    }
    // OpenAI's normalization sees one row more, that of the end of text.
    let off = off / (2 * golden.len()) as f32;
    assert!(off < 0.03, "word borders are off by {off} s on average");
}

#[test]
fn a_recording_is_cut_into_segments_with_times() {
    let Some((model, _)) = real("tiny.en") else { return };
    let (columns, mut reached) = (jfk(), 0);
    let transcript = model
        .transcribe(
            &columns,
            std::slice::from_ref(&(0..1100)),
            &Options::default(),
            &mut |column, _| {
                reached = column;
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    assert_eq!(transcript.language, "en");
    assert!(reached >= 1000);
    let text: Vec<&str> = transcript.segments.iter().map(|s| s.text.as_str()).collect();
    assert!(text.join(" ").starts_with("And so my fellow Americans ask not what your country"));
    assert!(transcript.segments.is_sorted_by(|a, b| a.start < a.end && a.end <= b.start + 0.01));
    let silent =
        model.transcribe(&columns, &[], &Options::default(), &mut |_, _| ControlFlow::Continue(()));
    assert!(silent.unwrap().segments.is_empty());
}

/// Software Vulkan compiles and tunes for minutes, so only where `SLOW` is 1.
#[cfg(feature = "gpu")]
#[test]
fn vulkan_hears_in_16_bits_what_the_cpu_hears_in_32() {
    if std::env::var("SLOW").as_deref() != Ok("1") {
        return skipped("tiny.en on Vulkan in 16 bits — slow; SLOW=1 runs it");
    }
    let Some((cpu, _)) = real("tiny.en") else { return };
    let Some(cache) = fetched("tiny.en") else { return };
    let compute = Compute::Named("llvmpipe".into());
    let gpu = Model::load(&cache, &compute, Precision::F16).unwrap();
    if let Some(reason) = gpu.fallback() {
        return skipped(&format!("tiny.en on Vulkan in 16 bits — {reason}"));
    }
    if gpu.float() != FloatDType::F16 {
        return skipped("tiny.en on Vulkan in 16 bits — this Vulkan has no 16-bit numbers");
    }
    let heard = |model: &Model| {
        let found = search(model, MAX_POSITIONS, Timestamps::Without, &[]);
        model.tokenizer().decode(&found.tokens)
    };
    assert_eq!(heard(&gpu), heard(&cpu));
}
