//! Which tensors make up a Whisper model, and of which shapes.
//!
//! Source: `AudioEncoder` and `TextDecoder` in openai/whisper, `whisper/model.py` at c0d2f62.

use std::path::Path;

use super::Checkpoint;
use crate::dims::ModelDimensions;
use crate::error::Error;

/// Width of an attention head in every Whisper model; no format but OpenAI's own says it.
const D_HEAD: usize = 64;
/// More layers than this is no model but an attack: large has 32.
const MAX_LAYERS: usize = 256;

/// The name and shape of each tensor, in OpenAI's order.
pub(crate) fn parameters(dims: &ModelDimensions) -> Vec<(String, Vec<usize>)> {
    let d = dims.n_audio_state;
    let mut list = vec![
        ("encoder.positional_embedding".into(), vec![dims.n_audio_ctx, d]),
        ("encoder.conv1.weight".into(), vec![d, dims.n_mels, 3]),
        ("encoder.conv1.bias".into(), vec![d]),
        ("encoder.conv2.weight".into(), vec![d, d, 3]),
        ("encoder.conv2.bias".into(), vec![d]),
    ];
    for layer in 0..dims.n_audio_layer {
        block(&mut list, &format!("encoder.blocks.{layer}"), d, &["attn"]);
    }
    affine(&mut list, "encoder.ln_post", vec![d]);
    let d = dims.n_text_state;
    list.push(("decoder.token_embedding.weight".into(), vec![dims.n_vocab, d]));
    list.push(("decoder.positional_embedding".into(), vec![dims.n_text_ctx, d]));
    for layer in 0..dims.n_text_layer {
        block(&mut list, &format!("decoder.blocks.{layer}"), d, &["attn", "cross_attn"]);
    }
    affine(&mut list, "decoder.ln", vec![d]);
    list
}

/// One `ResidualAttentionBlock` of width `d`.
fn block(list: &mut Vec<(String, Vec<usize>)>, at: &str, d: usize, attentions: &[&str]) {
    for attention in attentions {
        affine(list, &format!("{at}.{attention}.query"), vec![d, d]);
        // A bias on the keys would add the same to every score of a row: Whisper has none.
        list.push((format!("{at}.{attention}.key.weight"), vec![d, d]));
        affine(list, &format!("{at}.{attention}.value"), vec![d, d]);
        affine(list, &format!("{at}.{attention}.out"), vec![d, d]);
        affine(list, &format!("{at}.{attention}_ln"), vec![d]);
    }
    affine(list, &format!("{at}.mlp.0"), vec![4 * d, d]);
    affine(list, &format!("{at}.mlp.2"), vec![d, 4 * d]);
    affine(list, &format!("{at}.mlp_ln"), vec![d]);
}

/// A weight of the given shape and its bias.
fn affine(list: &mut Vec<(String, Vec<usize>)>, at: &str, weight: Vec<usize>) {
    let bias = vec![weight[0]];
    list.push((format!("{at}.weight"), weight));
    list.push((format!("{at}.bias"), bias));
}

/// Reads the sizes off the tensors' shapes and checks every tensor against them.
pub(super) fn derive(path: &Path, checkpoint: &dyn Checkpoint) -> Result<ModelDimensions, Error> {
    let [n_audio_state, n_mels, _] = shape(path, checkpoint, "encoder.conv1.weight")?;
    let [n_audio_ctx, _] = shape(path, checkpoint, "encoder.positional_embedding")?;
    let [n_vocab, n_text_state] = shape(path, checkpoint, "decoder.token_embedding.weight")?;
    let [n_text_ctx, _] = shape(path, checkpoint, "decoder.positional_embedding")?;
    let dims = ModelDimensions {
        n_mels,
        n_audio_ctx,
        n_audio_state,
        n_audio_head: n_audio_state / D_HEAD,
        n_audio_layer: layers(checkpoint, "encoder"),
        n_vocab,
        n_text_ctx,
        n_text_state,
        n_text_head: n_text_state / D_HEAD,
        n_text_layer: layers(checkpoint, "decoder"),
    };
    check(path, &dims)?;
    for (name, expected) in parameters(&dims) {
        let found = checkpoint.shape(&name).ok_or_else(|| missing(path, &name))?;
        if found != expected {
            return Err(Error::Shape { path: path.into(), name, found, expected });
        }
    }
    Ok(dims)
}

/// Refuses sizes that no Whisper model has, before anything is computed from them.
pub(super) fn check(path: &Path, dims: &ModelDimensions) -> Result<(), Error> {
    let d = dims.n_audio_state;
    let what = if !matches!(dims.n_mels, 80 | 128) {
        format!("it takes {} Mel bands, Whisper 80 or 128", dims.n_mels)
    } else if d == 0 || !d.is_multiple_of(D_HEAD) || d > 1 << 16 || dims.n_text_state != d {
        format!("it is {d} wide and its decoder {}", dims.n_text_state)
    } else if dims.n_audio_head != d / D_HEAD || dims.n_text_head != d / D_HEAD {
        format!("it has {} and {} attention heads", dims.n_audio_head, dims.n_text_head)
    } else if [dims.n_audio_layer, dims.n_text_layer].iter().any(|n| !(1..=MAX_LAYERS).contains(n))
    {
        format!("it has {} and {} layers", dims.n_audio_layer, dims.n_text_layer)
    } else if [dims.n_audio_ctx, dims.n_text_ctx].iter().any(|n| !(1..=1 << 16).contains(n)) {
        format!("it sees {} positions and writes {}", dims.n_audio_ctx, dims.n_text_ctx)
    } else if !(1..=1 << 20).contains(&dims.n_vocab) {
        format!("it knows {} tokens", dims.n_vocab)
    } else {
        return Ok(());
    };
    Err(Error::Unsupported { path: path.into(), what })
}

fn layers(checkpoint: &dyn Checkpoint, half: &str) -> usize {
    let is_there = |layer: &usize| {
        checkpoint.shape(&format!("{half}.blocks.{layer}.attn_ln.weight")).is_some()
    };
    (0..=MAX_LAYERS).take_while(is_there).count()
}

fn shape<const D: usize>(
    path: &Path,
    checkpoint: &dyn Checkpoint,
    name: &str,
) -> Result<[usize; D], Error> {
    let found = checkpoint.shape(name).ok_or_else(|| missing(path, name))?;
    found.try_into().map_err(|found: Vec<usize>| Error::Damaged {
        path: path.into(),
        what: format!("tensor {name} has {} dimensions in place of {D}", found.len()),
    })
}

fn missing(path: &Path, name: &str) -> Error {
    Error::MissingTensor { path: path.into(), name: name.into() }
}
