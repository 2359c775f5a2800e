//! Features and tokens → logits, one token or many at a time.
//!
//! Runs on the `recognition` thread. What has been computed for earlier tokens stays in a
//! [`Cache`]; a cache can be cut back to any length, which is what makes it cheap to verify the
//! previous hypothesis and to go on from its first mistake.
//!
//! Source: `TextDecoder` in openai/whisper, `whisper/model.py` at c0d2f62.

#[cfg(test)]
use std::cell::Cell;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, FloatDType, Tensor, Transaction};

use crate::Error;
use crate::attention::{D_HEAD, Mlp, MultiHeadAttention};
use crate::dims::ModelDimensions;
use crate::kernels::{self, Embedding, Kernels, KeyValue, LayerNorm, Seen};
use crate::loader::Loader;
use crate::shapes;

/// The decoder half of Whisper.
pub(crate) struct TextDecoder {
    kernels: Kernels,
    device: Device,
    n_ctx: usize,
    n_head: usize,
    /// `[n_vocab, n_state]`; its transpose gives the logits.
    token_embedding: Embedding,
    /// Learned, `[n_text_ctx, n_state]`.
    positional_embedding: Tensor<2>,
    blocks: Vec<ResidualAttentionBlock>,
    ln: LayerNorm,
}

/// What a sequence of tokens over one window has left behind.
#[derive(Clone)]
pub(crate) struct Cache {
    /// One for each layer, over the window.
    cross: Vec<KeyValue>,
    /// One for each layer, over the tokens so far. In fixed shapes there is room for all tokens
    /// from the start, and behind `n_tokens` lies what nobody may see.
    own: Vec<Option<KeyValue>>,
    /// Heads that follow the speech, and their keys: `[n_head, D_HEAD, n_ctx]`.
    alignment: Vec<Option<(Vec<usize>, Tensor<3>)>>,
    n_tokens: usize,
}

/// What [`TextDecoder::forward`] gives.
pub(crate) struct Output {
    /// One row a token, `[1, n, n_state]`; [`TextDecoder::logits`] takes it on.
    pub(crate) hidden: Tensor<3>,
    /// Where each token looks in the window, `[n_head, n, n_ctx]`, one entry for each layer that
    /// has alignment heads; softmax not yet taken.
    pub(crate) alignment: Vec<Tensor<3>>,
    /// Whether a softmax over a length that is new to the device would hold it up.
    is_static: bool,
}

impl TextDecoder {
    /// Loads the parameters below `decoder.`.
    pub(crate) fn load(loader: &Loader, dims: &ModelDimensions) -> Result<Self, Error> {
        let n_state = dims.n_text_state;
        let blocks = (0..dims.n_text_layer)
            .map(|i| ResidualAttentionBlock::load(loader, &format!("decoder.blocks.{i}"), n_state))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            kernels: loader.kernels,
            device: loader.device.clone(),
            n_ctx: dims.n_text_ctx,
            n_head: dims.n_text_head,
            token_embedding: loader
                .embedding("decoder.token_embedding.weight", [dims.n_vocab, n_state])?,
            positional_embedding: loader
                .weight("decoder.positional_embedding", [dims.n_text_ctx, n_state])?,
            blocks,
            ln: loader.layer_norm("decoder.ln", n_state)?,
        })
    }

    /// The type of its weights.
    pub(crate) fn float(&self) -> FloatDType {
        self.kernels.float()
    }

    /// Starts a sequence over a window.
    ///
    /// `alignment_heads` are (layer, head): those whose attention is to be reported.
    ///
    /// # Shapes
    ///
    /// - features: `[1, n_ctx, n_state]`
    pub(crate) fn start(&self, features: &Tensor<3>, alignment_heads: &[(usize, usize)]) -> Cache {
        let (mut cross, mut alignment) = (Vec::new(), Vec::new());
        for (layer, block) in self.blocks.iter().enumerate() {
            let kv = block.cross_attn.key_value(features.clone());
            let heads: Vec<_> =
                alignment_heads.iter().filter(|&&(l, _)| l == layer).map(|&(_, h)| h).collect();
            alignment.push(match &kv {
                KeyValue::Growing { key, .. } if !heads.is_empty() => {
                    let keys = pick_heads(key, &heads).swap_dims(1, 2);
                    Some((heads, keys))
                }
                _ => None,
            });
            cross.push(kv.fixed(self.kernels));
        }
        let own = || {
            let padded = || KeyValue::padded(self.kernels, self.n_head, self.n_ctx, &self.device);
            self.kernels.is_static().then(padded)
        };
        Cache { alignment, own: cross.iter().map(|_| own()).collect(), cross, n_tokens: 0 }
    }

    /// Takes the next tokens of a sequence.
    ///
    /// The caller keeps the sequence within `n_text_ctx`.
    pub(crate) fn forward(&self, tokens: &[u32], cache: &mut Cache) -> Output {
        let (n, at) = (tokens.len(), cache.n_tokens);
        let is_static = self.kernels.is_static();
        let rows = if is_static { shapes::rows(n, self.n_ctx - at) } else { n };
        let mask = is_static.then(|| shapes::causal_mask(at, rows, self.n_ctx, &self.device));
        let seen = mask.as_ref().map_or(Seen::Causal, Seen::Masked);

        // Behind the tokens any one will do: it is seen by none of them, and written over later.
        let filled = [tokens, &vec![0; rows - n]].concat();
        let embedded = self.token_embedding.select(&filled);
        let positions = self.positional_embedding.clone().narrow(0, at, rows);
        let mut x = (embedded + positions).unsqueeze::<3>();
        let mut alignment = Vec::new();
        for (layer, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, layer, cache, seen, &mut alignment);
        }
        cache.n_tokens += n;
        let mut hidden = self.ln.forward(x);
        if rows > n {
            hidden = hidden.narrow(1, 0, n);
            alignment = alignment.into_iter().map(|heads| heads.narrow(1, 0, n)).collect();
        }
        Output { hidden, alignment, is_static }
    }

    /// Takes one more token of each of several sequences of one length over one window, and scores what
    /// follows. The weights are read once for all of them.
    ///
    /// # Shapes
    ///
    /// - output: `[n][n_vocab]`, one row a sequence
    pub(crate) fn step(
        &self,
        tokens: &[u32],
        caches: &mut [&mut Cache],
    ) -> Result<Vec<Vec<f32>>, Error> {
        if self.kernels.is_static() {
            // Another number of rows would be another shape.
            let steps = tokens.iter().zip(caches);
            return steps
                .map(|(&token, cache)| self.logits(self.forward(&[token], cache).hidden))
                .collect();
        }
        let Some(at) = caches.first().map(|cache| cache.n_tokens) else { return Ok(Vec::new()) };
        debug_assert!(caches.iter().all(|cache| cache.n_tokens == at));
        let position = self.positional_embedding.clone().narrow(0, at, 1);
        let mut x = (self.token_embedding.select(tokens) + position).unsqueeze::<3>();
        for (layer, block) in self.blocks.iter().enumerate() {
            x = block.step(x, layer, caches);
        }
        caches.iter_mut().for_each(|cache| cache.n_tokens += 1);
        let scores = self.logits(self.ln.forward(x))?;
        Ok(scores.chunks_exact(scores.len() / tokens.len()).map(<[f32]>::to_vec).collect())
    }

    /// Scores every token of the vocabulary as the successor of each row.
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`
    /// - output: `[n][n_vocab]`, row after row
    pub(crate) fn logits(&self, hidden: Tensor<3>) -> Result<Vec<f32>, Error> {
        let [_, n, _] = hidden.dims();
        let scores = self.scores(hidden);
        match self.kernels.is_static() {
            true => read(scores.narrow(1, 0, n)),
            false => read(scores),
        }
    }

    /// As [`TextDecoder::logits`], left on the device, and with rows behind that fill the shape.
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`
    /// - output: `[1, at least n, n_vocab]`
    pub(crate) fn scores(&self, hidden: Tensor<3>) -> Tensor<3> {
        let [_, n, _] = hidden.dims();
        let hidden = match self.kernels.is_static() {
            true => shapes::fill(hidden, shapes::rows(n, self.n_ctx.max(n))),
            false => hidden,
        };
        self.token_embedding.scores(hidden).cast(FloatDType::F32)
    }
}

impl Cache {
    /// Forgets all but the first `n_tokens` tokens.
    pub(crate) fn truncate(&mut self, n_tokens: usize) {
        if n_tokens < self.n_tokens {
            for own in &mut self.own {
                *own = own.take().map(|kv| kv.truncate(n_tokens));
            }
            self.n_tokens = n_tokens;
        }
    }
}

/// Attention of the tokens to themselves, to the window, then the two linear layers.
struct ResidualAttentionBlock {
    attn: MultiHeadAttention,
    cross_attn: MultiHeadAttention,
    mlp: Mlp,
}

impl ResidualAttentionBlock {
    fn load(loader: &Loader, name: &str, n_state: usize) -> Result<Self, Error> {
        Ok(Self {
            attn: MultiHeadAttention::load(loader, &format!("{name}.attn"), n_state)?,
            cross_attn: MultiHeadAttention::load(loader, &format!("{name}.cross_attn"), n_state)?,
            mlp: Mlp::load(loader, name, n_state)?,
        })
    }

    fn forward(
        &self,
        x: Tensor<3>,
        layer: usize,
        cache: &mut Cache,
        seen: Seen,
        alignment: &mut Vec<Tensor<3>>,
    ) -> Tensor<3> {
        let (queries, next) = self.attn.project(&x);
        let own = match cache.own[layer].take() {
            Some(own) => own.append(next, cache.n_tokens),
            None => next,
        };
        let x = self.attn.attend(x, queries, &own, seen);
        cache.own[layer] = Some(own);

        let queries = self.cross_attn.queries(&x);
        if let Some((heads, keys)) = &cache.alignment[layer] {
            let scores = pick_heads(&queries, heads).matmul(keys.clone());
            alignment.push(scores / (D_HEAD as f32).sqrt());
        }
        let x = self.cross_attn.attend(x, queries, &cache.cross[layer], Seen::All);
        self.mlp.forward(x)
    }

    /// One row each of several sequences over one window.
    fn step(&self, x: Tensor<3>, layer: usize, caches: &mut [&mut Cache]) -> Tensor<3> {
        let (queries, next) = self.attn.project(&x);
        let own: Vec<KeyValue> = (0..)
            .zip(caches.iter_mut())
            .map(|(i, cache)| {
                let next = next.position(i);
                match cache.own[layer].take() {
                    Some(own) => own.append(next, cache.n_tokens),
                    None => next,
                }
            })
            .collect();
        let x = self.attn.attend_each(x, queries, &own);
        for (cache, own) in caches.iter_mut().zip(own) {
            cache.own[layer] = Some(own);
        }
        let queries = self.cross_attn.queries(&x);
        let x = self.cross_attn.attend(x, queries, &caches[0].cross[layer], Seen::All);
        self.mlp.forward(x)
    }
}

/// The named heads of `[1, n, n_state]`, in their order: `[n_head, n, D_HEAD]`.
fn pick_heads(x: &Tensor<3>, heads: &[usize]) -> Tensor<3> {
    Tensor::cat(heads.iter().map(|&head| kernels::head(x, head)).collect(), 0)
}

#[cfg(test)]
thread_local! {
    /// How often this thread has waited for a device.
    pub(crate) static WAITS: Cell<usize> = const { Cell::new(0) };
}

/// Waits for the device and copies a tensor back.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    #[cfg(test)]
    WAITS.set(WAITS.get() + 1);
    tensor.try_into_vec_as::<f32>().map_err(|error| Error::Device(error.to_string()))
}

/// The same of several tensors, and waits once.
pub(crate) fn read_all<const A: usize, const B: usize>(
    first: Tensor<A>,
    others: &[Tensor<B>],
) -> Result<Vec<Vec<f32>>, Error> {
    #[cfg(test)]
    WAITS.set(WAITS.get() + 1);
    let reading = others
        .iter()
        .cloned()
        .fold(Transaction::default().register(first), |r, tensor| r.register(tensor));
    let numbers = reading.try_execute().map_err(|error| Error::Device(error.to_string()))?;
    let numbers = numbers.into_iter().map(|data| data.try_into_vec_as::<f32>());
    numbers.collect::<Result<_, _>>().map_err(|error| Error::Device(error.to_string()))
}

/// Where each token looks among the first `n_content` positions: one row a token, which holds the
/// weights of one head behind those of another, for [`crate::timing::token_starts`].
pub(crate) fn attention_rows(output: &Output, n_content: usize) -> Result<Vec<Vec<f32>>, Error> {
    let heads = Tensor::cat(output.alignment.clone(), 0);
    let shape = heads.dims();
    if output.is_static {
        return Ok(cut_rows(&read(heads)?, shape, n_content));
    }
    let [n_head, n, n_ctx] = shape;
    let n_content = n_content.min(n_ctx);
    let weights = read(softmax(heads.narrow(2, 0, n_content), 2))?;
    Ok(by_token(&weights, [n_head, n, n_content]))
}

/// The same of whole rows of scores, `[n_head, n, n_ctx]`, that came back: a device would compile for
/// parts of them.
pub(crate) fn cut_rows(
    scores: &[f32],
    [n_head, n, n_ctx]: [usize; 3],
    n_content: usize,
) -> Vec<Vec<f32>> {
    let n_content = n_content.min(n_ctx);
    let rows = scores.chunks_exact(n_ctx).map(|row| {
        let mut row = row[..n_content].to_vec();
        kernels::softmax(&mut row);
        row
    });
    by_token(&rows.flatten().collect::<Vec<_>>(), [n_head, n, n_content])
}

/// `[n_head, n, n_content]` → one row a token that holds all heads after another
fn by_token(weights: &[f32], [n_head, n, n_content]: [usize; 3]) -> Vec<Vec<f32>> {
    (0..n)
        .map(|token| {
            (0..n_head)
                .flat_map(|head| {
                    let at = (head * n + token) * n_content;
                    weights[at..at + n_content].iter().copied()
                })
                .collect()
        })
        .collect()
}
