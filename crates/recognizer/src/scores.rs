//! Logits → what a greedy search needs of them.
//!
//! A row has a logit for each of 51,865 tokens, and a search wants the best one and two
//! probabilities. A GPU keeps its rows: the filters of [`Rules`] lie there as masks, and four
//! numbers a row come back. On the CPU the rows themselves are filtered, as they are where the rules
//! depend on more of the text than whether there is any: with timestamps, and with hotwords.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::kernels::log_sum_exp;
use crate::search::{Rules, Timestamps};
use crate::shapes::HIDDEN;
use crate::text_decoder::{Output, attention_rows, cut_rows, read, read_all};
use crate::tokenizer::Tokenizer;
use crate::{Error, Model};

/// The rules without timestamps, on a device.
pub(crate) struct Filters {
    /// One row for each [`Filter`], `[3, n_vocab]`: 0 or [`HIDDEN`].
    masks: Tensor<2>,
}

/// What a row is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    filter: Filter,
    /// A token that may be kept though it is not the best.
    guess: u32,
}

impl Ask {
    /// Whether anybody speaks.
    pub(crate) const NO_SPEECH: Self = Self { filter: Filter::None, guess: 0 };

    /// The token behind `n` tokens of text, and whether it is `guess`.
    pub(crate) fn behind(n: usize, guess: Option<u32>) -> Self {
        let filter = if n == 0 { Filter::First } else { Filter::Later };
        Self { filter, guess: guess.unwrap_or_default() }
    }
}

/// Which rules a row is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    /// None: it tells of speech and silence.
    None,
    /// Those for the first token of the text.
    First,
    /// Those for all others.
    Later,
}

impl Filters {
    /// Lays the rules out on a device.
    pub(crate) fn new(tokenizer: &Tokenizer, n_vocab: usize, device: &Device) -> Self {
        let rules = Rules::new(tokenizer, Timestamps::Without);
        let mut masks = vec![0.0; 3 * n_vocab];
        rules.apply(&mut masks[n_vocab..2 * n_vocab], &[]);
        rules.apply(&mut masks[2 * n_vocab..], &[0]);
        masks.iter_mut().for_each(|x| *x = x.max(HIDDEN));
        Self { masks: Tensor::from_data(TensorData::new(masks, [3, n_vocab]), device) }
    }

    /// What [`best`](Self::best) says of the successors of some rows, and of rows that fill the shape.
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`
    /// - output: `[at least n, 4]`
    fn ask(&self, model: &Model, hidden: Tensor<3>, asked: &[Ask]) -> Tensor<2> {
        let logits = model.decoder().scores(hidden).squeeze_dim::<2>(0);
        self.best(logits, asked, model.tokenizer().no_speech)
    }

    /// The best token of each row, its log-probability, that of the guess and that of `other`, one
    /// behind the other.
    ///
    /// # Shapes
    ///
    /// - logits: `[n, n_vocab]`
    /// - output: `[n, 4]`
    fn best(&self, logits: Tensor<2>, asked: &[Ask], other: u32) -> Tensor<2> {
        let [n, _] = logits.dims();
        // Rows that only fill the shape are asked for nothing.
        let asked = || asked.iter().copied().chain(std::iter::repeat(Ask::NO_SPEECH)).take(n);
        let column = |numbers: Vec<i32>| -> Tensor<1, Int> {
            Tensor::from_data(TensorData::new(numbers, [n]), &self.masks.device())
        };
        let filters = column(asked().map(|ask| ask.filter as i32).collect());
        let guesses = column(asked().map(|ask| ask.guess as i32).collect());
        let logits = logits + self.masks.clone().select(0, filters);
        let (max, token) = logits.clone().max_dim_with_indices(1);
        let sum = (logits.clone() - max.clone()).exp().sum_dim(1).log() + max.clone();
        let guess = logits.clone().gather(1, guesses.reshape([n, 1])) - sum.clone();
        let other = logits.narrow(1, other as usize, 1) - sum.clone();
        // Exact: every token is below 2²⁴.
        Tensor::cat(vec![token.float(), max - sum, guess, other], 1)
    }
}

/// Rows of logits, or what is known of them.
pub(crate) enum Scores {
    /// `[n][n_vocab]`, row after row.
    Rows { logits: Vec<f32>, n_vocab: usize },
    /// One entry a row, filtered.
    Best(Vec<Best>),
}

/// What is known of one row.
pub(crate) struct Best {
    token: u32,
    log_prob: f32,
    /// Log-probability of the token that was guessed.
    guess: f32,
    /// Log-probability that there is no speech.
    no_speech: f32,
}

impl Scores {
    /// Scores the successors of some rows, each of which will be asked one thing.
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`
    pub(crate) fn of(
        model: &Model,
        rules: &Rules,
        hidden: Tensor<3>,
        asked: &[Ask],
    ) -> Result<Self, Error> {
        let n_vocab = model.dims().n_vocab;
        let Some(known) = model.filters().filter(|_| rules.look_at_the_beginning_only()) else {
            return Ok(Self::Rows { logits: model.decoder().logits(hidden)?, n_vocab });
        };
        Ok(Self::of_best(&read(known.ask(model, hidden, asked))?, asked.len()))
    }

    /// As [`of`](Self::of), and where the tokens of `output` look among the first `align` positions, if that
    /// is wanted. A device is waited for once.
    pub(crate) fn and_looks(
        model: &Model,
        rules: &Rules,
        output: &Output,
        hidden: Tensor<3>,
        asked: &[Ask],
        align: Option<usize>,
    ) -> Result<(Self, Vec<Vec<f32>>), Error> {
        let known = model.filters().filter(|_| rules.look_at_the_beginning_only());
        let (Some(known), Some(n_content)) = (known, align) else {
            let scores = Self::of(model, rules, hidden, asked)?;
            let looks = align.map(|n_content| attention_rows(output, n_content)).transpose()?;
            return Ok((scores, looks.unwrap_or_default()));
        };
        let best = known.ask(model, hidden, asked);
        let mut read = read_all(best, &output.alignment)?;
        let scores = Self::of_best(&read.remove(0), asked.len());
        // One layer behind the other, as their heads are counted.
        let n_head = output.alignment.iter().map(|heads| heads.dims()[0]).sum();
        let [_, n, n_ctx] = output.alignment.first().map_or([0, 0, 1], Tensor::dims);
        Ok((scores, cut_rows(&read.concat(), [n_head, n, n_ctx], n_content)))
    }

    /// The first `n` rows of what a device has found.
    fn of_best(rows: &[f32], n: usize) -> Self {
        let rows = rows.as_chunks().0.iter().map(|&[token, log_prob, guess, no_speech]| Best {
            token: token as u32,
            log_prob,
            guess,
            no_speech,
        });
        Self::Best(rows.take(n).collect())
    }

    /// The token that may best follow `text`, and its log-probability.
    pub(crate) fn best(&mut self, row: usize, rules: &Rules, text: &[u32]) -> (u32, f32) {
        match self {
            Self::Rows { logits, n_vocab } => {
                // Where it is done twice, the second time changes nothing.
                let row = &mut logits[row * *n_vocab..][..*n_vocab];
                rules.apply(row, text);
                let token = rules.likeliest(row, text);
                (token, row[token as usize] - log_sum_exp(row))
            }
            Self::Best(rows) => (rows[row].token, rows[row].log_prob),
        }
    }

    /// The log-probability of the token that a row was asked about, once its best is known.
    pub(crate) fn guess(&self, row: usize, token: u32) -> f32 {
        match self {
            Self::Rows { logits, n_vocab } => {
                let row = &logits[row * n_vocab..][..*n_vocab];
                row[token as usize] - log_sum_exp(row)
            }
            Self::Best(rows) => rows[row].guess,
        }
    }

    /// By how much the best token of a row is ahead of the one that it was asked about, with what is preferred.
    pub(crate) fn lead(
        &self,
        row: usize,
        rules: &Rules,
        text: &[u32],
        best: u32,
        other: u32,
    ) -> f32 {
        match self {
            Self::Rows { logits, n_vocab } => {
                let scores = rules.preferred(&logits[row * n_vocab..][..*n_vocab], text);
                scores[best as usize] - scores[other as usize]
            }
            Self::Best(rows) => rows[row].log_prob - rows[row].guess,
        }
    }

    /// The probability that there is no speech, of a row under no filter.
    pub(crate) fn no_speech(&self, row: usize, tokenizer: &Tokenizer) -> f32 {
        match self {
            Self::Rows { logits, n_vocab } => {
                let row = &logits[row * n_vocab..][..*n_vocab];
                (row[tokenizer.no_speech as usize] - log_sum_exp(row)).exp()
            }
            Self::Best(rows) => rows[row].no_speech.exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{DIMS, noise};

    #[test]
    fn a_device_finds_what_the_rules_leave() {
        let (n_vocab, tokenizer) = (DIMS.n_vocab, Tokenizer::for_dims(&DIMS).unwrap());
        let rules = Rules::new(&tokenizer, Timestamps::Without);
        let mut next = noise(5);
        let mut logits: Vec<f32> = (0..4 * n_vocab).map(|_| 8.0 * next()).collect();
        // What must not come first, or never.
        for row in logits.chunks_exact_mut(n_vocab) {
            (row[tokenizer.eot as usize], row[tokenizer.no_timestamps as usize]) = (20.0, 30.0);
        }
        let asked = [Ask::NO_SPEECH, Ask::behind(0, Some(300)), Ask::behind(1, Some(300))];
        let rows =
            Tensor::from_data(TensorData::new(logits.clone(), [4, n_vocab]), &Device::flex());
        let known = Filters::new(&tokenizer, n_vocab, &Device::flex());
        let found = read(known.best(rows, &asked, tokenizer.no_speech)).unwrap();
        let mut scores = Scores::Rows { logits, n_vocab };
        assert!((found[3].exp() - scores.no_speech(0, &tokenizer)).abs() < 1e-6);
        assert_eq!(found[0], tokenizer.no_timestamps as f32);
        for (row, text) in [(1, &[][..]), (2, &[11])] {
            let (token, log_prob) = scores.best(row, &rules, text);
            assert_eq!(found[4 * row], token as f32);
            assert!((found[4 * row + 1] - log_prob).abs() < 1e-4);
            let guess = scores.guess(row, 300);
            assert!((found[4 * row + 2] - guess).abs() < 1e-4);
            assert_eq!(token == tokenizer.eot, row == 2);
        }
    }
    #[test]
    fn a_hotword_leads_by_its_bonus() {
        let tokenizer = Tokenizer::for_dims(&DIMS).unwrap();
        let rules = Rules::new(&tokenizer, Timestamps::Without);
        let rules = rules.prefer(&tokenizer, &["Scriven".into()], 2.0);
        let [hot, other] = [" Scriven", " Script"].map(|word| tokenizer.encode(word)[0]);
        let mut logits = vec![0.0; DIMS.n_vocab];
        (logits[hot as usize], logits[other as usize]) = (5.0, 6.5);
        let mut scores = Scores::Rows { logits, n_vocab: DIMS.n_vocab };
        let text = tokenizer.encode(" This is");
        let (best, log_prob) = scores.best(0, &rules, &text);
        assert_eq!(best, hot);
        assert_eq!(scores.lead(0, &rules, &text, best, other), 0.5);
        // Probabilities are those of the model.
        assert!(scores.guess(0, other) > log_prob);
    }
}
