//! Every shape that a GPU will be asked for, once, before anybody speaks.
//!
//! The first time a GPU sees a shape it compiles kernels for it, and tries out which of several is
//! the fastest; that takes from milliseconds to minutes. What does not work at all fails here.

use crate::search::{Request, Rules, Timestamps, greedy};
use crate::shapes;
use crate::text_decoder::Cache;
use crate::window::{COLUMNS_PER_POSITION, GPU_BUCKETS, Padding, loudest};
use crate::{Error, Model, Task};

/// Any token of text.
const A_TOKEN: u32 = 11;

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WarmUp {
    /// All that may be asked for.
    Everything,
    /// Enough to see that it works: for software Vulkan, which takes minutes for each shape and is
    /// there to be tested.
    Shortest,
}

impl Model {
    /// Runs through `what`. `progress` is told how many of how many shapes are done.
    ///
    /// # Errors
    ///
    /// A GPU that fails.
    pub(crate) fn warm_up(
        &self,
        what: WarmUp,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), Error> {
        let lengths: Vec<usize> = shapes::all_rows(self.dims().n_text_ctx).collect();
        let (windows, lengths) = match what {
            WarmUp::Everything => (&GPU_BUCKETS[..], &lengths[..]),
            WarmUp::Shortest => (&GPU_BUCKETS[..1], &lengths[..2]),
        };
        let of = windows.len() * lengths.len();
        let mut done = 0;
        progress(done, of);
        for &n_ctx in windows {
            for &rows in lengths {
                // One less, so that it is filled up as a search's passes are.
                self.decode_once(n_ctx, rows.saturating_sub(1).max(1))?;
                done += 1;
                progress(done, of);
            }
        }
        Ok(())
    }

    /// A search over a window as live recognition makes it, from the columns on: a pass of `n` tokens, all of
    /// which are kept, and one step behind it. A single token is that which detects the language; behind it
    /// comes a search that has been given nothing.
    fn decode_once(&self, n_ctx: usize, n: usize) -> Result<(), Error> {
        let tokenizer = self.tokenizer();
        let mut prompt = tokenizer.sot_sequence(None, Task::Transcribe);
        prompt.push(tokenizer.no_timestamps);
        let cache = self.listen(n_ctx);
        if n == 1 {
            let mut other = cache.clone();
            let output = self.decoder().forward(&[tokenizer.sot], &mut other);
            self.decoder().logits(output.hidden)?;
            drop(other);
            self.search_once(cache, n_ctx, &prompt, &[])?;
            return self.search_once(self.listen(n_ctx), n_ctx, &prompt, &[]);
        }
        let draft = vec![A_TOKEN; n.saturating_sub(prompt.len())];
        self.search_once(cache, n_ctx, &prompt, &draft)
    }

    /// Encodes a window of silence. Anew for each search: a GPU computes what waits for it together, so
    /// that the first pass over a window compiles what a later one does not.
    fn listen(&self, n_ctx: usize) -> Cache {
        let columns = vec![-1.0; n_ctx * COLUMNS_PER_POSITION * self.n_mels()];
        let features = self.encode(&columns, n_ctx, loudest(&columns), Padding::Silence);
        self.decoder().start(&features, self.alignment_heads())
    }

    fn search_once(
        &self,
        cache: Cache,
        n_ctx: usize,
        prompt: &[u32],
        draft: &[u32],
    ) -> Result<(), Error> {
        let request = Request {
            prompt,
            prefix: &[],
            draft,
            bias: f32::INFINITY,
            rules: &Rules::new(self.tokenizer(), Timestamps::Without),
            budget: draft.len() + 1,
            is_wary: false,
            align: Some(n_ctx - 1),
        };
        greedy(self, cache, &request).map(drop)
    }
}
