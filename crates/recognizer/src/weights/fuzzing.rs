//! For `make fuzz`: a cache read to its end, and a small model in each format to begin with.

// Not all of it is needed here.
#[allow(dead_code)]
#[path = "tests/fixture.rs"]
mod fixture;

use std::fs;
use std::path::Path;

use safetensors::tensor::Dtype;

use self::fixture::{Ctranslate2, golden, model};
use super::parameters::parameters;
use super::{Weights, names};
use crate::Error;

/// Reads all that a start of the daemon reads of the cache in `dir`.
///
/// # Errors
///
/// As [`Weights::open`] and [`Weights::f32`].
pub fn read_cache(dir: &Path) -> Result<(), Error> {
    let weights = Weights::open(dir)?;
    assert!(!weights.alignment_heads().is_empty());
    for (name, shape) in parameters(weights.dims()) {
        weights.f32(&name, &shape)?;
        if let [rows, width] = shape[..] {
            weights.rows(&name, [rows, width], rows / 2..rows)?;
        }
    }
    Ok(())
}

/// Files of the same small model, with a name for each.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let read = |name| fs::read(golden(name)).expect("it is part of the tree");
    let hugging_face = |name: &str| format!("model.{}", names::hugging_face(name));
    let openai = |name: &str| name.to_owned();
    vec![
        ("pytorch", read("checkpoint.pt")),
        ("pytorch-legacy", read("checkpoint_legacy.pt")),
        ("ctranslate2", fixture::ctranslate2(Ctranslate2::F16)),
        ("ctranslate2-int8", fixture::ctranslate2(Ctranslate2::I8)),
        ("ggml", fixture::ggml(false)),
        ("ggml-q8", fixture::ggml(true)),
        ("safetensors", fixture::safetensors(&model(), Dtype::F16, openai)),
        ("safetensors-bf16", fixture::safetensors(&model(), Dtype::BF16, hugging_face)),
    ]
}

/// The index of a model in two files, and those, by the names that the index has.
pub fn shards() -> [Vec<u8>; 3] {
    let folder = std::env::temp_dir().join(format!("scriven-shards-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("room");
    fixture::write_shards(&folder);
    let names =
        ["model.safetensors.index.json", "model-00001.safetensors", "model-00002.safetensors"];
    let files = names.map(|name| fs::read(folder.join(name)).expect("it was written just now"));
    fs::remove_dir_all(&folder).ok();
    files
}
