//! What becomes of work in the middle of which a GPU fails: the CPU takes it over.
//!
//! Runs on the thread `recognition`, which loads the model again and hears once more what was said
//! behind the committed words. `main` is told, and gives the new model to later sessions.

mod before;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use scriven_recognizer::Error::Device;
use scriven_recognizer::{self as recognizer, Options, Outcome, Partial};

use self::before::Before;
use crate::daemon::Event;
use crate::error::Error;
use crate::live::MAX_UNHEARD;
use crate::parts::{Model, Recognize};
use crate::pipeline::WORK_QUEUE;

/// The one processor that nothing can take over from.
const CPU: &str = "cpu";
/// Most that is kept, five minutes of columns without a committed word: 10 MB. An utterance that has
/// more is given up when the GPU fails.
const MAX_TOLD: usize = WORK_QUEUE;

/// Which model has taken over from which.
pub(crate) struct Fallback {
    events: async_channel::Sender<Event>,
    replaced: RefCell<Option<Replaced>>,
}

/// Neither is kept in memory for this: whoever computes with the new one holds it.
struct Replaced {
    failed: Weak<dyn Model>,
    by: Weak<dyn Model>,
}

impl Fallback {
    pub(crate) fn new(events: async_channel::Sender<Event>) -> Self {
        Self { events, replaced: RefCell::new(None) }
    }

    /// The model that has taken over from `model`, if its GPU has failed.
    pub(crate) fn of(&self, model: &Arc<dyn Model>) -> Option<Arc<dyn Model>> {
        let replaced = self.replaced.borrow();
        let Replaced { failed, by } = replaced.as_ref()?;
        Weak::ptr_eq(failed, &Arc::downgrade(model)).then(|| by.upgrade()).flatten()
    }

    /// Loads a model whose GPU has failed on the CPU, and tells `main`.
    ///
    /// # Errors
    ///
    /// `error` itself, if it was no GPU that failed; or the model does not load any more.
    pub(crate) fn take_over(
        &self,
        failed: &Arc<dyn Model>,
        error: recognizer::Error,
    ) -> Result<Arc<dyn Model>, recognizer::Error> {
        let reason = match error {
            Device(reason) if failed.backend() != CPU => reason,
            error => return Err(error),
        };
        // Somebody else may have been the first to notice.
        if let Some(by) = self.of(failed) {
            return Ok(by);
        }
        let why = Error::GpuUnavailable(format!(
            "{} failed: {reason}; the CPU has taken over. If it happens again set compute = \
             \"cpu\", or see: scriven doctor",
            failed.backend()
        ));
        let result = failed.on_cpu();
        if let Ok(by) = &result {
            let (failed, by) = (Arc::downgrade(failed), Arc::downgrade(by));
            self.replaced.replace(Some(Replaced { failed, by }));
        }
        let by = result.as_ref().map(Arc::clone).map_err(Error::recognizing);
        drop(self.events.send_blocking(Event::Replaced(failed.clone(), why, by)));
        result
    }
}

/// What a recognizer was told.
enum Told {
    Column(Box<[f32]>),
    Quiet,
    Voice,
}

/// A recognizer that outlives its GPU.
pub(crate) struct Steady {
    fallback: Rc<Fallback>,
    model: Arc<dyn Model>,
    options: Options,
    recognizer: Box<dyn Recognize>,
    /// What was told of the utterance behind the words committed. `None` where there is no GPU to
    /// fail, or where it is too much.
    told: Option<Vec<Told>>,
    /// The words committed, and not told any more.
    committed: Before,
    /// What was committed before the recognizer's first column.
    before: Before,
}

impl Steady {
    /// A recognizer of `model`, or of the one that has taken over from it.
    ///
    /// # Errors
    ///
    /// Options that the model cannot serve.
    pub(crate) fn new(
        fallback: Rc<Fallback>,
        model: Arc<dyn Model>,
        options: Options,
    ) -> Result<Self, recognizer::Error> {
        let model = fallback.of(&model).unwrap_or(model);
        let recognizer = model.recognizer(options.clone())?;
        let (committed, before) = Default::default();
        let mut steady =
            Self { fallback, model, options, recognizer, told: None, committed, before };
        steady.forget();
        Ok(steady)
    }

    /// The utterance is over.
    fn forget(&mut self) {
        self.told = (self.model.backend() != CPU).then(Vec::new);
        (self.committed, self.before) = Default::default();
    }

    /// What is committed need not be heard again.
    fn let_go(&mut self, partial: &Partial) {
        let Some(told) = &mut self.told else { return };
        let committed = Before::of(partial.clone());
        let mut n_gone = committed.columns().saturating_sub(self.committed.columns());
        told.retain(|what| match what {
            Told::Column(_) if n_gone > 0 => {
                n_gone -= 1;
                false
            }
            _ => true,
        });
        self.committed = committed;
    }

    fn tell(&mut self, what: Told) {
        what.pass_on(&mut *self.recognizer);
        self.told = self.told.take().filter(|told| told.len() < MAX_TOLD);
        if let Some(told) = &mut self.told {
            told.push(what);
        }
    }

    /// Computes, and where the GPU fails, computes the same on the CPU.
    fn compute<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Recognize) -> Result<T, recognizer::Error>,
    ) -> Result<T, recognizer::Error> {
        // Where another session was the first to notice.
        if let Some(model) = self.fallback.of(&self.model) {
            self.move_to(model)?;
        }
        match work(&mut *self.recognizer) {
            Err(error) => {
                let model = self.fallback.take_over(&self.model, error)?;
                self.move_to(model)?;
                work(&mut *self.recognizer)
            }
            result => result,
        }
    }

    /// Lets `model` hear what is not committed.
    fn move_to(&mut self, model: Arc<dyn Model>) -> Result<(), recognizer::Error> {
        self.recognizer = model.recognizer(self.options.clone())?;
        self.model = model;
        let too_long = || Device("the utterance was too long to be heard again".into());
        let told = self.told.take().ok_or_else(too_long)?;
        self.before = std::mem::take(&mut self.committed);
        let mut columns = 0;
        for what in told {
            what.pass_on(&mut *self.recognizer);
            columns += u64::from(matches!(what, Told::Column(_)));
            if columns == MAX_UNHEARD {
                columns = 0;
                self.recognizer.step()?;
            }
        }
        Ok(())
    }
}

impl Told {
    fn pass_on(&self, recognizer: &mut dyn Recognize) {
        match self {
            Self::Column(column) => recognizer.push(column),
            Self::Quiet => recognizer.quiet(),
            Self::Voice => recognizer.voice(),
        }
    }
}

impl Recognize for Steady {
    fn push(&mut self, column: &[f32]) {
        self.tell(Told::Column(column.into()));
    }

    fn quiet(&mut self) {
        self.tell(Told::Quiet);
    }

    fn voice(&mut self) {
        self.tell(Told::Voice);
    }

    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error> {
        let partial = self.compute(|recognizer| recognizer.step())?;
        if let Some(partial) = &partial {
            self.let_go(partial);
        }
        Ok(partial.map(|partial| self.before.partial(partial)))
    }

    fn finish(&mut self) -> Result<Outcome, recognizer::Error> {
        let outcome = self.compute(|recognizer| recognizer.finish());
        let outcome = outcome.map(|outcome| self.before.outcome(outcome));
        self.forget();
        outcome
    }
}

#[cfg(test)]
mod tests;
