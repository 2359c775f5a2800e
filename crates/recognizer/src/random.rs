//! A small model of random numbers, for what must hold with any weights.

#[cfg(feature = "gpu")]
mod gpu;

use std::path::Path;

use burn::tensor::FloatDType;

use crate::kernels::Kernels;
use crate::search::{Ended, Hypothesis, Request, Rules, Timestamps, greedy};
use crate::text_decoder::{WAITS, read};
use crate::warm_up::WarmUp;
pub(crate) use crate::weights::noise;
use crate::window::Padding;
use crate::{Compute, Model, ModelDimensions, Precision, weights};

pub(crate) const DIMS: ModelDimensions = ModelDimensions {
    n_mels: 80,
    n_audio_ctx: 1500,
    n_audio_state: 128,
    n_audio_head: 2,
    n_audio_layer: 2,
    n_vocab: 51_864,
    n_text_ctx: 448,
    n_text_state: 128,
    n_text_head: 2,
    n_text_layer: 2,
};

/// A model of random numbers as `compute` and 32 bits have it.
pub(crate) fn model(compute: &Compute) -> Model {
    write(&DIMS, |folder| Model::load(folder, compute, Precision::F32).unwrap())
}

/// Writes a model of random numbers and of these sizes, and loads it.
pub(crate) fn write<T>(dims: &ModelDimensions, load: impl Fn(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    weights::write_random(dims, folder.path()).unwrap();
    load(folder.path())
}

/// Three seconds of noise as columns, `[300, 80]`.
fn columns() -> Vec<f32> {
    let mut next = noise(99);
    (0..300 * DIMS.n_mels).map(|_| 3.0 * next() - 2.0).collect()
}

/// As a GPU computes, in 32 bits.
const FIXED: Kernels = Kernels::Static(FloatDType::F32);

const TOKENS: [u32; 8] = [50257, 50362, 11, 843, 523, 616, 5891, 3399];

/// Logits of [`TOKENS`], taken in steps of these lengths.
fn logits(model: &Model, steps: &[usize]) -> Vec<f32> {
    let features = model.encode(&columns(), 256, 2.0, Padding::Silence);
    let mut cache = model.decoder().start(&features, &[]);
    let mut rest = &TOKENS[..];
    let mut logits = Vec::new();
    for &step in steps {
        let (now, later) = rest.split_at(step);
        let output = model.decoder().forward(now, &mut cache);
        logits.extend(model.decoder().logits(output.hidden).unwrap());
        rest = later;
    }
    logits
}

fn deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().all(|x| x.is_finite()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn search(model: &Model, draft: &[u32]) -> Hypothesis {
    let features = model.encode(&columns(), 256, 2.0, Padding::Silence);
    let request = Request {
        prompt: &TOKENS[..2],
        prefix: &[],
        draft,
        bias: 0.0,
        rules: &Rules::new(model.tokenizer(), Timestamps::Without),
        budget: 24,
        is_wary: false,
        align: Some(150),
    };
    greedy(model, model.decoder().start(&features, &[(1, 0), (1, 1)]), &request).unwrap()
}

#[test]
fn a_model_with_less_room_than_whisper_is_refused() {
    for dims in
        [ModelDimensions { n_audio_ctx: 24, ..DIMS }, ModelDimensions { n_text_ctx: 1, ..DIMS }]
    {
        let load = |folder: &Path| Model::load(folder, &Compute::Cpu, Precision::Int8);
        let error = write(&dims, load).err().expect("it cannot hear");
        assert!(error.to_string().contains("positions"), "{error}");
    }
}

#[test]
fn tokens_one_by_one_give_what_they_give_together() {
    let model = model(&Compute::Cpu);
    let together = logits(&model, &[8]);
    for steps in [&[1; 8][..], &[3, 4, 1], &[1, 7]] {
        let off = deviation(&logits(&model, steps), &together);
        assert!(off < 1e-3, "steps of {steps:?} are off by {off}");
    }
}

#[test]
fn several_texts_at_once_give_what_each_gives_alone() {
    for kernels in
        [Kernels::Fast(Precision::Int8), Kernels::Fast(Precision::F32), Kernels::Plain, FIXED]
    {
        let model = write(&DIMS, |folder| Model::with_kernels(folder, kernels).unwrap());
        let features = model.encode(&columns(), 256, 2.0, Padding::Silence);
        let decoder = model.decoder();
        let begin = |token: u32| {
            let mut cache = decoder.start(&features, &[]);
            decoder.forward(&[TOKENS[0], token], &mut cache);
            cache
        };
        let mut caches = [begin(11), begin(843), begin(523)];
        let mut alone = caches.clone();
        for tokens in [[1, 2, 3], [7, 7, 900]] {
            let rows = decoder.step(&tokens, &mut caches.each_mut()).unwrap();
            for ((row, token), cache) in rows.iter().zip(tokens).zip(&mut alone) {
                let one = decoder.logits(decoder.forward(&[token], cache).hidden).unwrap();
                let off = deviation(row, &one);
                let is_exact = kernels != Kernels::Plain;
                assert!(off == 0.0 || !is_exact && off < 1e-3, "{kernels:?}: off by {off}");
            }
        }
    }
}

#[test]
fn a_cache_cut_back_gives_what_a_new_one_gives() {
    let model = model(&Compute::Cpu);
    let features = model.encode(&columns(), 256, 2.0, Padding::Silence);
    let mut cache = model.decoder().start(&features, &[]);
    model.decoder().forward(&TOKENS[..3], &mut cache);
    model.decoder().forward(&[7, 8, 9], &mut cache);
    cache.truncate(3);
    let output = model.decoder().forward(&TOKENS[3..], &mut cache);
    let ours = read(output.hidden).unwrap();
    let mut cache = model.decoder().start(&features, &[]);
    let output = model.decoder().forward(&TOKENS, &mut cache);
    let theirs = read(output.hidden.narrow(1, 3, 5)).unwrap();
    assert!(deviation(&ours, &theirs) < 1e-3);
}

#[test]
fn fixed_shapes_give_what_growing_ones_give() {
    let [growing, fixed] = [Kernels::Plain, FIXED]
        .map(|kernels| write(&DIMS, |folder| Model::with_kernels(folder, kernels).unwrap()));
    for steps in [&[8][..], &[1; 8], &[3, 4, 1], &[1, 7]] {
        let off = deviation(&logits(&fixed, steps), &logits(&growing, steps));
        assert!(off < 1e-4, "steps of {steps:?} are off by {off}");
    }
    let [fixed, growing] = [&fixed, &growing].map(|model| search(model, &[]));
    assert_eq!(fixed.tokens, growing.tokens);
    assert!(deviation(&fixed.log_probs, &growing.log_probs) < 1e-4);
    for (ours, theirs) in fixed.attention.iter().zip(&growing.attention) {
        assert!(deviation(ours, theirs) < 1e-4);
    }
}

#[test]
fn a_device_is_waited_for_once_a_step() {
    let model = write(&DIMS, |folder| Model::with_kernels(folder, FIXED).unwrap());
    let before = WAITS.get();
    let found = search(&model, &[]);
    assert!(!matches!(found.ended, Ended::Loop { .. }) && found.tokens.len() > 1);
    // The prompt, and what follows each token.
    assert_eq!(WAITS.get() - before, 1 + found.tokens.len());
}

#[test]
fn fixed_shapes_can_be_cut_back_and_filled_up() {
    let [growing, fixed] = [Kernels::Plain, FIXED]
        .map(|kernels| write(&DIMS, |folder| Model::with_kernels(folder, kernels).unwrap()));
    // 5 + 20 are computed as 16 + 64 rows; the last pass has no room to be filled up.
    let outputs = [&growing, &fixed].map(|model| {
        let mut next = (0..500).map(|n| 1000 + 7 * n);
        let mut take = |n: usize| next.by_ref().take(n).collect::<Vec<u32>>();
        let features = model.encode(&columns(), 256, 2.0, Padding::Silence);
        let mut cache = model.decoder().start(&features, &[]);
        let mut hidden = Vec::new();
        for (n, cut) in [(5, 3), (20, 10), (430, 440), (6, 446)] {
            let (tokens, mut other) = (take(n), cache.clone());
            let first = read(model.decoder().forward(&tokens, &mut cache).hidden).unwrap();
            let again = read(model.decoder().forward(&tokens, &mut other).hidden).unwrap();
            assert_eq!(deviation(&first, &again), 0.0, "a clone has been written to");
            hidden.extend(first);
            cache.truncate(cut);
        }
        hidden
    });
    let off = deviation(&outputs[0], &outputs[1]);
    assert!(off < 1e-4, "off by {off}");
}

#[test]
fn sixteen_bits_compute_nearly_what_32_do() {
    let [full, half] = [FIXED, Kernels::Static(FloatDType::F16)]
        .map(|kernels| write(&DIMS, |folder| Model::with_kernels(folder, kernels).unwrap()));
    let (full, half) = (logits(&full, &[5, 1, 2]), logits(&half, &[5, 1, 2]));
    let largest = full.iter().fold(0.0, |max: f32, x| max.max(x.abs()));
    let off = deviation(&half, &full);
    // Ten bits behind the point: 2⁻¹¹ of a value, summed up over four layers.
    assert!(off > 0.0 && off < largest / 100.0, "16 bits are off by {off} of {largest}");
}

#[test]
fn a_warm_up_goes_through_all_shapes() {
    let model = write(&DIMS, |folder| Model::with_kernels(folder, FIXED).unwrap());
    let mut heard = Vec::new();
    model.warm_up(WarmUp::Everything, &mut |done, of| heard.push((done, of))).unwrap();
    assert_eq!(heard, (0..=15).map(|done| (done, 15)).collect::<Vec<_>>());
}

/// One layer each of what large-v3 and turbo have: 128 bands, 1280 numbers a position, 51,866 tokens.
const LARGE: ModelDimensions = ModelDimensions {
    n_mels: 128,
    n_audio_state: 1280,
    n_audio_head: 20,
    n_audio_layer: 1,
    n_vocab: 51_866,
    n_text_state: 1280,
    n_text_head: 20,
    n_text_layer: 1,
    ..DIMS
};

#[test]
fn the_largest_sizes_compute_what_burns_own_operations_do() {
    let kernels = [Kernels::Plain, Kernels::Fast(Precision::F32), Kernels::Fast(Precision::Int8)];
    let models = write(&LARGE, |folder| {
        kernels.map(|kernels| Model::with_kernels(folder, kernels).unwrap())
    });
    let mut next = noise(99);
    let columns: Vec<f32> = (0..50 * LARGE.n_mels).map(|_| 3.0 * next() - 2.0).collect();
    let [plain, fast, rounded] = models.map(|model| {
        let features = model.encode(&columns, 64, 2.0, Padding::Silence);
        let mut cache = model.decoder().start(&features, &[(0, 19)]);
        let prompt = model.tokenizer().sot_sequence(Some("yue"), crate::Task::Transcribe);
        let output = model.decoder().forward(&prompt, &mut cache);
        assert_eq!(output.alignment[0].dims(), [1, prompt.len(), 64]);
        let logits = model.decoder().logits(output.hidden).unwrap();
        assert_eq!(logits.len(), prompt.len() * LARGE.n_vocab);
        logits
    });
    let largest = plain.iter().fold(0.0, |max: f32, x| max.max(x.abs()));
    let off = deviation(&fast, &plain);
    assert!(off < largest / 1e4, "off by {off} of {largest}");
    let off = deviation(&rounded, &plain);
    // With random weights nothing stands out from the rounding.
    assert!(off < largest / 4.0, "8 bits are off by {off} of {largest}");
}

#[test]
fn a_search_verifies_its_own_result() {
    let model = model(&Compute::Cpu);
    let plain = search(&model, &[]);
    let again = search(&model, &plain.tokens);
    assert_eq!(again.tokens, plain.tokens);
    assert_eq!(again.accepted, plain.tokens.len());
}
