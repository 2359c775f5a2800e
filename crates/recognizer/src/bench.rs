//! What the programs that measure may touch: `make bench` takes a model apart here, `cargo bench`
//! its kernels. No part of the interface; it changes as the insides do.

mod kernels;
mod processor;
mod sizes;

use burn::tensor::Tensor;

use crate::scores::{Ask, Scores};
use crate::search::{Request, Rules, Timestamps, greedy};
use crate::text_decoder::{Cache, read};
use crate::window::{Padding, loudest};
use crate::{Error, Model, Task};

pub use kernels::{Kernel, Version, all as kernels};
pub use processor::{bytes_a_second, operations_a_second};
pub use sizes::{Work, dimensions, names, write_random};

/// The features of a window, `[1, n_ctx, n_state]`.
pub struct Features(Tensor<3>);

impl Features {
    /// Waits until they are computed.
    ///
    /// # Errors
    ///
    /// A GPU that fails.
    pub fn wait(&self) -> Result<(), Error> {
        read(self.0.clone().slice([0..1, 0..1, 0..1])).map(drop)
    }
}

/// A window that is ready to be written down.
pub struct Window<'a> {
    model: &'a Model,
    cache: Cache,
    prompt: Vec<u32>,
    rules: Rules,
}

/// Runs the encoder over `n_ctx` positions.
///
/// # Shapes
///
/// - columns: `[n_frames, n_mels]`, log₁₀ energy; what is missing is silence
pub fn encode(model: &Model, columns: &[f32], n_ctx: usize) -> Features {
    Features(model.encode(columns, n_ctx, loudest(columns), Padding::Silence))
}

impl<'a> Window<'a> {
    /// Computes the keys and values that the decoder looks at.
    pub fn new(model: &'a Model, features: &Features) -> Self {
        let tokenizer = model.tokenizer();
        let mut prompt = tokenizer.sot_sequence(Some("en"), Task::Transcribe);
        prompt.push(tokenizer.no_timestamps);
        Self {
            model,
            cache: model.decoder().start(&features.0, &[]),
            prompt,
            rules: Rules::new(tokenizer, Timestamps::Without),
        }
    }

    /// The tokens of the greedy search in English, `draft` verified first, `budget` at most. What
    /// was searched before is forgotten.
    ///
    /// # Errors
    ///
    /// A GPU that fails.
    pub fn search(&self, draft: &[u32], budget: usize) -> Result<Vec<u32>, Error> {
        let request = Request {
            prompt: &self.prompt,
            prefix: &[],
            draft,
            bias: 0.0,
            rules: &self.rules,
            budget,
            is_wary: false,
            align: None,
        };
        Ok(greedy(self.model, self.cache.clone(), &request)?.tokens)
    }

    /// Verifies a draft whatever the model thinks of it, and goes on with its last token `n` times: the work of
    /// a search without its luck.
    ///
    /// # Errors
    ///
    /// A GPU that fails.
    pub fn work(&self, draft: &[u32], n: usize) -> Result<(), Error> {
        let (decoder, mut cache) = (self.model.decoder(), self.cache.clone());
        let given = [&self.prompt, draft].concat();
        let mut taken = &given[..];
        for i in 0..=n {
            let output = decoder.forward(taken, &mut cache);
            let asked: Vec<Ask> = (0..taken.len()).map(|_| Ask::behind(1 + i, None)).collect();
            let hidden = output.hidden.clone();
            Scores::and_looks(self.model, &self.rules, &output, hidden, &asked, None)?;
            taken = &given[given.len() - 1..];
        }
        Ok(())
    }

    /// The text of tokens.
    pub fn text(&self, tokens: &[u32]) -> String {
        self.model.tokenizer().decode(tokens)
    }
}
