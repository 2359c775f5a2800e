//! The ways into a window, best first, and which of them is taken.
//!
//! A way that is open may still be wrong for one window: an input method reaches only programs
//! that speak its protocol. So each utterance asks the open ways in turn, and takes the first
//! that has something in focus. A way that failed is tried again later; one that was lost, at once.

use std::time::{Duration, Instant};

use super::{Abilities, Backend, Target};
use crate::Error;

/// Opens a way.
pub type Connect = Box<dyn Fn() -> Result<Box<dyn Backend>, Error> + Send>;

/// A way that is not there is looked for no more often than this, unless no other has a target.
const RETRY: Duration = Duration::from_secs(10);

/// What was found out about a way: for people who ask why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Name of the way.
    pub name: &'static str,
    /// What it can do, or why it is not taken and what would help.
    pub verdict: Result<Abilities, String>,
}

struct Way {
    connect: Connect,
    backend: Option<Box<dyn Backend>>,
    tried: Option<Instant>,
}

/// The ways, in order.
pub struct Ladder {
    ways: Vec<Way>,
    /// One for each way.
    rungs: Vec<Rung>,
    chosen: Option<usize>,
    pin: Option<String>,
}

impl Ladder {
    /// A ladder of `ways`, the best first. Nothing is opened yet.
    pub fn new(ways: Vec<(&'static str, Connect)>) -> Self {
        let not_tried = || Err("not tried yet".to_owned());
        let rungs = ways.iter().map(|&(name, _)| Rung { name, verdict: not_tried() }).collect();
        let closed = |(_, connect)| Way { connect, backend: None, tried: None };
        let ways = ways.into_iter().map(closed).collect();
        Self { ways, rungs, chosen: None, pin: None }
    }

    /// This ladder with no way but `name`.
    #[must_use]
    pub fn pinned(mut self, name: &str) -> Self {
        self.pin = Some(name.to_owned());
        self
    }

    /// What is known about each way, best first.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The way that the last text took; before the first, the best that is open.
    pub fn way(&self) -> Option<&'static str> {
        let best = || self.rungs.iter().position(|rung| rung.verdict.is_ok());
        self.chosen.or_else(best).map(|index| self.rungs[index].name)
    }

    /// Opens all ways that can be opened.
    pub fn probe(&mut self) {
        for index in 0..self.ways.len() {
            self.open(index, true);
        }
    }

    /// Opens all ways that can be opened now, and closes those that are lost.
    pub fn look_again(&mut self) {
        for index in 0..self.ways.len() {
            if self.open(index, true) {
                // Whether anything is in focus is not the question.
                drop(self.ask(index));
            }
        }
    }

    /// Chooses the best way that has something in focus.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`]: no way has. [`Error::SecretTarget`]. [`Error::Gone`]: the one that had is lost.
    /// [`Error::Unavailable`]: there is no way at all.
    pub(crate) fn target(&mut self) -> Result<Target, Error> {
        match self.climb(0, false) {
            Err(Error::NoTarget | Error::Unavailable { .. }) => self.climb(0, true),
            found => found,
        }
    }

    /// Chooses the next best way below the one that is chosen.
    ///
    /// # Errors
    ///
    /// As [`target`](Self::target).
    pub(crate) fn next_target(&mut self) -> Result<Target, Error> {
        self.climb(self.chosen.map_or(0, |index| index + 1), true)
    }

    /// The way that is chosen.
    pub(crate) fn chosen(&mut self) -> Result<&mut (dyn Backend + 'static), Error> {
        let backend = self.chosen.and_then(|index| self.ways[index].backend.as_deref_mut());
        backend.ok_or(Error::NoTarget)
    }

    /// Takes away `characters` before the cursor: by the chosen way, or, where that cannot, by the
    /// keys of one below that does not see the focus, as long as the chosen one sees `target`.
    ///
    /// # Errors
    ///
    /// As [`Backend::delete_before`]; [`Error::TargetMoved`].
    pub(crate) fn delete_before(&mut self, characters: usize, target: &str) -> Result<(), Error> {
        if !self.abilities().focus {
            let reason = "it does not see what it would delete; take it away by hand".into();
            let backend = self.way().unwrap_or("insertion");
            return Err(Error::Unavailable { backend, reason });
        }
        let deleted = self.chosen()?.delete_before(characters);
        let (Err(Error::Unavailable { .. }), Some(chosen)) = (&deleted, self.chosen) else {
            return deleted;
        };
        let (above, below) = self.ways.split_at_mut(chosen + 1);
        let Some(eyes) = above[chosen].backend.as_mut() else { return deleted };
        let mut still = || match eyes.target()? {
            now if now.secret => Err(Error::SecretTarget),
            now if now.id != target => Err(Error::TargetMoved),
            _ => Ok(()),
        };
        let mut open = below.iter_mut().filter_map(|way| way.backend.as_mut());
        match open.find(|backend| !backend.abilities().focus) {
            Some(keys) => keys.delete_while(characters, &mut still),
            None => deleted,
        }
    }

    /// What the chosen way can do.
    pub(crate) fn abilities(&self) -> Abilities {
        let backend = self.chosen.and_then(|index| self.ways[index].backend.as_ref());
        backend.map_or_else(Abilities::default, |backend| backend.abilities())
    }

    /// Closes the chosen way if `error` says that it is lost.
    pub(crate) fn note(&mut self, error: &Error) {
        let reason = match error {
            Error::Partly { reason, .. } => reason,
            error => error,
        };
        if let (Error::Gone { .. }, Some(index)) = (reason, self.chosen) {
            self.close(index, reason);
        }
    }

    /// The number of the chosen way, to come back to it.
    pub(crate) fn place(&self) -> Option<usize> {
        self.chosen
    }

    /// Goes back to `place`.
    pub(crate) fn return_to(&mut self, place: Option<usize>) {
        self.chosen = place;
    }

    /// Lets all ways give back what other programs may need.
    pub(crate) fn rest(&mut self) {
        let open = self.ways.iter_mut().filter_map(|way| way.backend.as_mut());
        open.for_each(|backend| backend.rest());
    }

    fn climb(&mut self, first: usize, retry: bool) -> Result<Target, Error> {
        let mut best = None;
        for index in first..self.ways.len() {
            if !self.open(index, retry) {
                continue;
            }
            match self.ask(index) {
                Ok(target) => {
                    self.chosen = Some(index);
                    return Ok(target);
                }
                // A way below that cannot tell would type there.
                Err(Error::SecretTarget) => return Err(Error::SecretTarget),
                Err(err @ Error::Gone { .. }) => best = Some(err),
                Err(err) => best = best.or(Some(err)),
            }
        }
        let reason = "there is no way into a window; \"scriven doctor\" says why".to_owned();
        Err(best.unwrap_or(Error::Unavailable { backend: "insertion", reason }))
    }

    /// The target of a way that is open. One that is lost is opened again, once.
    fn ask(&mut self, index: usize) -> Result<Target, Error> {
        let mut found = Err(Error::NoTarget);
        for _ in 0..2 {
            let Some(backend) = self.ways[index].backend.as_mut() else { break };
            found = backend.target();
            let Err(err @ Error::Gone { .. }) = &found else { break };
            self.close(index, err);
            self.open(index, true);
        }
        found
    }

    fn close(&mut self, index: usize, reason: &Error) {
        self.ways[index].backend = None;
        self.ways[index].tried = None;
        self.rungs[index].verdict = Err(reason.to_string());
    }

    /// Is the way open now? `retry`: also tries one that failed a moment ago.
    fn open(&mut self, index: usize, retry: bool) -> bool {
        let (way, rung) = (&mut self.ways[index], &mut self.rungs[index]);
        if let Some(pin) = self.pin.as_ref().filter(|pin| *pin != rung.name) {
            rung.verdict = Err(format!("left out: the configuration asks for {pin}"));
            return false;
        }
        let waits = way.tried.is_some_and(|tried| tried.elapsed() < RETRY);
        if way.backend.is_none() && (retry || !waits) {
            way.tried = Some(Instant::now());
            match (way.connect)() {
                Ok(backend) => {
                    let usable = backend.takes_text().map(|()| backend.abilities());
                    rung.verdict = usable.map_err(|err| err.to_string());
                    way.backend = Some(backend);
                }
                Err(err) => rung.verdict = Err(err.to_string()),
            }
        }
        way.backend.is_some()
    }
}

#[cfg(test)]
mod tests;
