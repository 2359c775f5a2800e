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
            f16::from_f32(((37 * k % 251) as f32 - 125.0) / 64.0)
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

/// How CTranslate2's converter stores what it may quantize.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ctranslate2 {
    F16,
    I8,
}

/// The bytes of a `model.bin`: fused projections, and one alias.
pub(super) fn ctranslate2(kind: Ctranslate2) -> Vec<u8> {
    let mut variables: BTreeMap<String, (Vec<usize>, Vec<f16>)> = BTreeMap::new();
    // In OpenAI's order the parts of a fused variable come one after the other.
    let tensors = model();
    for (name, shape) in parameters(&DIMS) {
        let (native, rows) = names::ctranslate2(&name);
        let width: usize = shape[1..].iter().product();
        let fused = variables.entry(native).or_insert_with(|| {
            let mut shape = shape.clone();
            shape[0] *= rows.of;
            let n = shape.iter().product();
            (shape, vec![f16::ZERO; n])
        });
        let at = rows.part * shape[0] * width;
        fused.1[at..at + shape[0] * width].copy_from_slice(&tensors[&name].1);
    }
    let mut table = Vec::new();
    let mut n_variables = 0;
    for (name, (shape, values)) in &variables {
        if kind == Ctranslate2::I8 && shape.len() > 1 && name.ends_with("weight") {
            let width: usize = shape[1..].iter().product();
            // A power of two, so that nothing is lost: our values are multiples of 1/64.
            let scales: Vec<_> = (0..shape[0]).flat_map(|_| 64f32.to_le_bytes()).collect();
            let quantized: Vec<_> =
                values.iter().map(|x| (x.to_f32() * 64.0) as i8 as u8).collect();
            assert_eq!(quantized.len(), shape[0] * width);
            variable(&mut table, name, shape, 1, &quantized);
            variable(&mut table, &format!("{name}_scale"), &shape[..1], 0, &scales);
            n_variables += 2;
        } else {
            let bytes: Vec<_> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            variable(&mut table, name, shape, 4, &bytes);
            n_variables += 1;
        }
    }
    variable(&mut table, "decoder/num_heads", &[], 2, &[1, 0]);
    let mut file = 6u32.to_le_bytes().to_vec();
    string(&mut file, "WhisperSpec");
    file.extend(3u32.to_le_bytes());
    file.extend((n_variables + 1u32).to_le_bytes());
    file.extend(table);
    file.extend(1u32.to_le_bytes());
    string(&mut file, "decoder/projection/weight");
    string(&mut file, "decoder/embeddings/weight");
    file
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
