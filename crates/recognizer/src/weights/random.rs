//! A checkpoint of random numbers: for what holds with any weights, and for time and memory, which
//! do not depend on what a model has learned.

use std::collections::HashMap;

use half::f16;

use super::Checkpoint;
use super::parameters::parameters;
use crate::dims::ModelDimensions;
use crate::error::Error;

pub(super) struct Random {
    /// Place and shape of each tensor.
    tensors: HashMap<String, (usize, Vec<usize>)>,
}

impl Random {
    pub(super) fn new(dims: &ModelDimensions) -> Self {
        let tensors = parameters(dims).into_iter().enumerate();
        Self { tensors: tensors.map(|(n, (name, shape))| (name, (n, shape))).collect() }
    }
}

impl Checkpoint for Random {
    fn format(&self) -> String {
        "random numbers".into()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|(_, shape)| shape.clone())
    }

    fn values(&self, name: &str) -> Result<Vec<f16>, Error> {
        let Some((n, shape)) = self.tensors.get(name) else { return Ok(Vec::new()) };
        let mut next = noise(*n as u64 + 1);
        let middle = if name.contains("ln") && name.ends_with("weight") { 1.0 } else { 0.0 };
        let values = (0..shape.iter().product()).map(|_| f16::from_f32(middle + 0.2 * next()));
        Ok(values.collect())
    }
}

/// Numbers in −1..1, the same in each run.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
