//! One pass over the window: columns → what the model makes of them.

use super::{Recognizer, seconds};
use crate::search::{Ended, Hypothesis, Request, greedy};
use crate::text_decoder::Cache;
use crate::transcript::Word;
use crate::window::{
    COLUMNS_PER_POSITION, COLUMNS_PER_SECOND, MAX_COLUMNS, MAX_POSITIONS, Padding,
};
use crate::{Error, language, words};

/// Tokens that a second of speech may have. English has 3 or 4; writings of which the vocabulary has few pieces, as the
/// Bengali or the Georgian, have 20 to 40.
const TOKENS_PER_SECOND: usize = 40;
/// Tokens that any sound may have.
const MIN_BUDGET: usize = 12;
/// Tokens of text that fit behind the prompt.
const MAX_BUDGET: usize = 440;
/// Seconds of sound from which on a language is taken as detected.
const LANGUAGE_SECONDS: usize = 2;
/// Probability from which on a language is taken as detected.
const LANGUAGE_BELIEF: f32 = 0.8;

/// What the last pass came to.
pub(super) struct Pass {
    /// Whether it was one in a pause: its words are then all there is to know about what was heard.
    pub(super) in_pause: bool,
    pub(super) is_silence: bool,
    pub(super) ended: Ended,
    /// The words of a text that found no end; others are in the buffer.
    pub(super) unfinished: Vec<Word>,
}

impl Pass {
    /// Whether its words are those of the final text, if nobody goes on.
    pub(super) fn is_whole(&self) -> bool {
        self.in_pause && self.ended == Ended::EndOfText && !self.is_silence
    }
}

impl Recognizer {
    /// One pass over the window.
    pub(super) fn hear(&mut self, pad: usize, go_on: bool) -> Result<(), Error> {
        let (hypothesis, mut heard) = self.decode(pad, go_on)?;
        let (ended, is_silence) = (hypothesis.ended, self.is_silence(&hypothesis));
        if is_silence {
            heard.clear();
        }
        let mut unfinished = Vec::new();
        if ended == Ended::EndOfText {
            let paused = self.quiet_since.is_some() && self.has_heard_all();
            self.buffer.revise(heard, seconds(self.seen), paused, &self.tuning.commit);
        } else {
            // It confirms nothing and corrects nothing.
            unfinished = heard;
        }
        self.last = Some(Pass { in_pause: !go_on, is_silence, ended, unfinished });
        Ok(())
    }

    /// Tokens that the next hypothesis has to begin with: of the committed, those for which there is room.
    pub(super) fn prefix(&self) -> Vec<u32> {
        let mut tokens = self.buffer.prefix();
        tokens.split_off(tokens.len().saturating_sub(MAX_BUDGET - MIN_BUDGET))
    }

    /// Decodes the window with at least `pad` positions of silence behind it; the words behind the
    /// committed ones.
    ///
    /// While somebody speaks on, the text is to be steady. In a pause and at the end it is to be
    /// right, and the model may begin as it likes: where it takes back a committed word, what it
    /// says behind that word is still better than what it says when it has to go on from a mistake.
    fn decode(&mut self, pad: usize, go_on: bool) -> Result<(Hypothesis, Vec<Word>), Error> {
        if go_on {
            return self.decode_behind(self.prefix().len(), pad, self.tuning.draft_bias);
        }
        let (found, heard) = self.decode_behind(0, pad, 0.0)?;
        Ok((found, self.buffer.behind_committed(heard)))
    }

    /// Decodes the window; the words behind the first `n_given` tokens, which are not to be changed.
    fn decode_behind(
        &mut self,
        n_given: usize,
        pad: usize,
        bias: f32,
    ) -> Result<(Hypothesis, Vec<Word>), Error> {
        let model = self.model.clone();
        let sound = self.sound().min(MAX_COLUMNS);
        (self.seen, self.pad) = (self.origin + sound, pad);
        let n_ctx = model.bucket(sound, pad).next_multiple_of(self.tuning.bucket);
        let n_ctx = n_ctx.min(MAX_POSITIONS);
        let columns = &self.columns[..sound * model.n_mels()];
        let features = model.encode(columns, n_ctx, self.loudest, Padding::Silence);
        let cache = model.decoder().start(&features, model.alignment_heads());
        let language = match self.language {
            // Of what is committed already, it stays.
            "" if !self.has_committed_none() => self.guess,
            "" => self.detect_language(&cache, sound)?,
            language => language,
        };
        let mut prompt = model.tokenizer().sot_sequence(Some(language), self.options.task);
        prompt.push(model.tokenizer().no_timestamps);
        let committed = self.prefix();
        let budget = budget(sound, committed.len());
        let known = [committed, self.buffer.draft()].concat();
        let (prefix, draft) = known.split_at(n_given);
        let n_content = sound.div_ceil(COLUMNS_PER_POSITION).max(1);
        let request = Request {
            prompt: &prompt,
            prefix,
            draft,
            bias,
            rules: &self.rules,
            budget,
            is_wary: n_ctx < MAX_POSITIONS,
            align: Some(n_content),
        };
        let found = greedy(&model, cache, &request)?;
        let origin = seconds(self.origin);
        let heard = words::words(&model, &found, n_given, n_content, language, origin);
        self.guess = language;
        Ok((found, heard))
    }

    /// The likeliest language; kept for the utterance once it is sure enough.
    fn detect_language(&mut self, cache: &Cache, sound: usize) -> Result<&'static str, Error> {
        let (language, belief) = language::detect(&self.model, cache, &self.options)?;
        if sound >= LANGUAGE_SECONDS * COLUMNS_PER_SECOND && belief >= LANGUAGE_BELIEF {
            self.language = language;
        }
        Ok(language)
    }
}

/// The most tokens that so many columns may have, of which some are committed.
pub(super) fn budget(n_columns: usize, n_committed: usize) -> usize {
    let fresh = n_columns * TOKENS_PER_SECOND / COLUMNS_PER_SECOND;
    (fresh.max(n_committed) + MIN_BUDGET).min(MAX_BUDGET)
}
