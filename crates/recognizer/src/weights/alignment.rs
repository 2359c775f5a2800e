//! Which attention heads of the decoder follow the audio: what word times are read from.
//!
//! Source: `_ALIGNMENT_HEADS` in openai/whisper, `whisper/__init__.py` at c0d2f62.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::dims::ModelDimensions;

/// Configuration files are a few kilobytes.
const MAX_CONFIG: u64 = 1 << 20;

/// (layer, head) pairs, as OpenAI chose them for one model.
type Heads = &'static [(usize, usize)];

const TINY_EN: Heads = &[(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)];
const TINY: Heads = &[(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)];
const BASE_EN: Heads = &[(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)];
const BASE: Heads = &[(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)];
#[rustfmt::skip]
const SMALL_EN: Heads = &[
    (6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8), (9, 10),
    (10, 0), (10, 1), (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4),
];
#[rustfmt::skip]
const SMALL: Heads = &[
    (5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5),
];
#[rustfmt::skip]
const MEDIUM_EN: Heads = &[
    (11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12), (17, 14),
    (18, 7), (18, 10), (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12),
];
const MEDIUM: Heads = &[(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)];
#[rustfmt::skip]
const LARGE_V2: Heads = &[
    (10, 12), (13, 17), (16, 11), (16, 12), (16, 13), (17, 15), (17, 16), (18, 4), (18, 11),
    (18, 19), (19, 11), (21, 2), (21, 3), (22, 3), (22, 9), (22, 12), (23, 5), (23, 7), (23, 13),
    (25, 5), (26, 1), (26, 12), (27, 15),
];
#[rustfmt::skip]
const LARGE_V3: Heads = &[
    (7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6),
];
const TURBO: Heads = &[(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)];

/// The heads for a model of these sizes: OpenAI's choice, or else every head of the upper half of
/// the decoder, as OpenAI does for a model it does not know.
pub(super) fn heads(dims: &ModelDimensions) -> Vec<(usize, usize)> {
    let known = match (dims.n_text_layer, dims.n_text_head, dims.n_vocab) {
        (4, 6, 51864) => TINY_EN,
        (4, 6, 51865) => TINY,
        (6, 8, 51864) => BASE_EN,
        (6, 8, 51865) => BASE,
        (12, 12, 51864) => SMALL_EN,
        (12, 12, 51865) => SMALL,
        (24, 16, 51864) => MEDIUM_EN,
        (24, 16, 51865) => MEDIUM,
        // large-v1 has the same sizes; nobody uses it.
        (32, 20, 51865) => LARGE_V2,
        (32, 20, 51866) => LARGE_V3,
        (4, 20, 51866) => TURBO,
        _ => &[],
    };
    if !known.is_empty() {
        return known.to_vec();
    }
    (dims.n_text_layer / 2..dims.n_text_layer)
        .flat_map(|layer| (0..dims.n_text_head).map(move |head| (layer, head)))
        .collect()
}

/// Whether the pairs name heads that a model of these sizes has.
pub(super) fn are_heads_of(dims: &ModelDimensions, heads: &[(usize, usize)]) -> bool {
    let exists = |&(layer, head): &_| layer < dims.n_text_layer && head < dims.n_text_head;
    !heads.is_empty()
        && heads.len() <= dims.n_text_layer * dims.n_text_head
        && heads.iter().all(exists)
}

/// Reads `alignment_heads` from the JSON file that stands beside a model, where there is one.
pub(super) fn read(config: &Path) -> Option<Vec<(usize, usize)>> {
    #[derive(Deserialize)]
    struct Config {
        alignment_heads: Option<Vec<(usize, usize)>>,
    }
    let mut json = Vec::new();
    File::open(config).ok()?.take(MAX_CONFIG).read_to_end(&mut json).ok()?;
    serde_json::from_slice::<Config>(&json).ok()?.alignment_heads
}
