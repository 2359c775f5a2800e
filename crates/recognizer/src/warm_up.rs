//! Every shape that a GPU will be asked for, once, before anybody speaks.
//!
//! The first time a GPU sees a shape it compiles kernels for it, and tries out which of several is
//! the fastest; that takes from milliseconds to minutes. What does not work at all fails here.

use crate::scores::{Ask, Scores};
use crate::search::{Rules, Timestamps};
use crate::shapes;
use crate::text_decoder::{Cache, attention_rows};
use crate::window::{COLUMNS_PER_POSITION, GPU_BUCKETS, Padding, loudest};
use crate::{Error, Model};

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
            let columns = vec![-1.0; n_ctx * COLUMNS_PER_POSITION * self.n_mels()];
            let features = self.encode(&columns, n_ctx, loudest(&columns), Padding::Silence);
            let cache = self.decoder().start(&features, self.alignment_heads());
            for &rows in lengths {
                self.decode_once(cache.clone(), n_ctx, rows)?;
                done += 1;
                progress(done, of);
            }
        }
        Ok(())
    }

    /// A pass of `rows` tokens over a window, and one step behind it.
    fn decode_once(&self, mut cache: Cache, n_ctx: usize, rows: usize) -> Result<(), Error> {
        let room = self.dims().n_text_ctx - rows;
        for n in [rows, room.min(1)] {
            if n == 0 {
                continue;
            }
            let output = self.decoder().forward(&vec![self.tokenizer().sot; n], &mut cache);
            if !output.alignment.is_empty() {
                drop(attention_rows(&output, n_ctx - 1)?);
            }
            // Where the rows themselves are read, with timestamps, it is the same product.
            let asked = vec![Ask::behind(1, None); n];
            let rules = Rules::new(self.tokenizer(), Timestamps::Without);
            drop(Scores::of(self, &rules, output.hidden, &asked)?);
        }
        Ok(())
    }
}
