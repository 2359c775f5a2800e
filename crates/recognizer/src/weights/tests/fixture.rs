//! One small model in every format that we read. The `.pt` ones are in `tests/golden/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::super::names;
use super::super::parameters::parameters;
use crate::dims::ModelDimensions;

pub(super) const DIMS: ModelDimensions = ModelDimensions {
    n_mels: 80,
    n_audio_ctx: 24,
    n_audio_state: 64,
    n_audio_head: 1,
    n_audio_layer: 1,
    n_vocab: 100,
    n_text_ctx: 16,
    n_text_state: 64,
    n_text_head: 1,
    n_text_layer: 1,
};

/// Name → shape and values.
pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f16>)>;

/// The tensors as `tests/golden/make_checkpoint.py` makes them.
pub(super) fn model() -> Tensors {
    let shapes: BTreeMap<_, _> = parameters(&DIMS).into_iter().collect();
    let tensors = shapes.into_iter().enumerate().map(|(n, (name, shape))| {
        let strides = &[5, 3, 1][3 - shape.len()..];
        let value = |mut at: usize| {
            let mut k = 11 * n % 200;
            for (size, stride) in shape.iter().zip(strides).rev() {
                k += at % size * stride;
                at /= size;
            }
            // `make fuzz` writes its inputs in short, which takes values that repeat.
            let k = if cfg!(fuzzing) { 125 } else { 37 * k % 251 };
            f16::from_f32((k as f32 - 125.0) / 64.0)
        };
        let values = (0..shape.iter().product()).map(value).collect();
        (name, (shape, values))
    });
    tensors.collect()
}

pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The bytes of a safetensors file.
pub(super) fn safetensors(
    tensors: &Tensors,
    dtype: Dtype,
    name: impl Fn(&str) -> String,
) -> Vec<u8> {
    let bytes: Vec<(String, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(ours, (shape, values))| {
            let bytes = values.iter().flat_map(|x| match dtype {
                Dtype::F32 => x.to_f32().to_le_bytes().to_vec(),
                Dtype::F64 => x.to_f64().to_le_bytes().to_vec(),
                Dtype::BF16 => bf16::from_f32(x.to_f32()).to_le_bytes().to_vec(),
                _ => x.to_le_bytes().to_vec(),
            });
            (name(ours), &shape[..], bytes.collect())
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(dtype, shape.to_vec(), bytes).unwrap()));
    serialize(views, None).unwrap()
}

/// Writes the model in two shards with Hugging Face's names into `folder`.
pub(super) fn write_shards(folder: &Path) {
    let name = |ours: &str| format!("model.{}", names::hugging_face(ours));
    let mut map = BTreeMap::new();
    for (half, file) in
        [("encoder", "model-00001.safetensors"), ("decoder", "model-00002.safetensors")]
    {
        let part: Tensors =
            model().into_iter().filter(|(name, _)| name.starts_with(half)).collect();
        map.extend(part.keys().map(|ours| (name(ours), file)));
        fs::write(folder.join(file), safetensors(&part, Dtype::F16, name)).unwrap();
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

/// The bytes of a whisper.cpp file; `q8_0` where it can be.
pub(super) fn ggml(quantize: bool) -> Vec<u8> {
    let mut file = b"lmgg".to_vec();
    numbers(&mut file, &[1; 11]);
    // Mel filters of two by three, and a vocabulary of two tokens.
    numbers(&mut file, &[2, 3]);
    file.extend([0; 4 * 6]);
    numbers(&mut file, &[2]);
    for token in ["a", "the"] {
        numbers(&mut file, &[token.len()]);
        file.extend(token.as_bytes());
    }
    for (name, (mut shape, values)) in model() {
        let is_matrix = name.ends_with("weight") && shape.len() == 2;
        if name.contains("conv") && name.ends_with("bias") {
            shape.push(1);
        }
        let kind = if quantize && is_matrix { 8 } else { usize::from(is_matrix) };
        numbers(&mut file, &[shape.len(), name.len(), kind]);
        numbers(&mut file, &shape.iter().rev().copied().collect::<Vec<_>>());
        file.extend(name.as_bytes());
        match kind {
            0 => file.extend(values.iter().flat_map(|x| x.to_f32().to_le_bytes())),
            1 => file.extend(values.iter().flat_map(|x| x.to_le_bytes())),
            _ => values.chunks(32).for_each(|block| {
                file.extend(f16::from_f32(1.0 / 64.0).to_le_bytes());
                file.extend(block.iter().map(|x| (x.to_f32() * 64.0) as i8 as u8));
            }),
        }
    }
    file
}

/// How CTranslate2's converter stores what it may quantize.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ctranslate2 {
    F16,
    I8,
}

/// The bytes of a `model.bin`: fused projections, and one alias.
pub(super) fn ctranslate2(kind: Ctranslate2) -> Vec<u8> {
    let (mut table, mut n_variables) = (Vec::new(), 1u32);
    variable(&mut table, "decoder/num_heads", &[], 2, &[1, 0]);
    for (name, (shape, values)) in &fused() {
        n_variables += 1;
        if kind == Ctranslate2::I8 && shape.len() > 1 && name.ends_with("weight") {
            // A power of two, so that nothing is lost: our values are multiples of 1/64.
            let scales: Vec<_> = (0..shape[0]).flat_map(|_| 64f32.to_le_bytes()).collect();
            let quantized: Vec<_> =
                values.iter().map(|x| (x.to_f32() * 64.0) as i8 as u8).collect();
            variable(&mut table, name, shape, 1, &quantized);
            variable(&mut table, &format!("{name}_scale"), &shape[..1], 0, &scales);
            n_variables += 1;
        } else {
            let bytes: Vec<_> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            variable(&mut table, name, shape, 4, &bytes);
        }
    }
    let mut file = 6u32.to_le_bytes().to_vec();
    string(&mut file, "WhisperSpec");
    file.extend(3u32.to_le_bytes());
    file.extend(n_variables.to_le_bytes());
    file.extend(table);
    file.extend(1u32.to_le_bytes());
    string(&mut file, "decoder/projection/weight");
    string(&mut file, "decoder/embeddings/weight");
    file
}

/// The model as CTranslate2 names and fuses it. The biases that Whisper has not are zero.
fn fused() -> Tensors {
    let (tensors, mut variables) = (model(), Tensors::new());
    for (name, shape) in parameters(&DIMS) {
        let (native, rows) = names::ctranslate2(&name);
        let length: usize = shape.iter().product();
        let (_, values) = variables.entry(native).or_insert_with(|| {
            let whole = [&[shape[0] * rows.of], &shape[1..]].concat();
            (whole, vec![f16::ZERO; length * rows.of])
        });
        values[rows.part * length..][..length].copy_from_slice(&tensors[&name].1);
    }
    variables
}

fn numbers(file: &mut Vec<u8>, numbers: &[usize]) {
    numbers.iter().for_each(|&n| file.extend((n as u32).to_le_bytes()));
}

fn variable(file: &mut Vec<u8>, name: &str, shape: &[usize], type_id: u8, bytes: &[u8]) {
    string(file, name);
    file.push(shape.len() as u8);
    shape.iter().for_each(|&n| file.extend((n as u32).to_le_bytes()));
    file.push(type_id);
    file.extend((bytes.len() as u32).to_le_bytes());
    file.extend(bytes);
}

fn string(file: &mut Vec<u8>, text: &str) {
    file.extend((text.len() as u16 + 1).to_le_bytes());
    file.extend(text.as_bytes());
    file.push(0);
}
