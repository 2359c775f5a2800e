//! When nobody dictates the ways into windows rest: a seat has one input method, and the user's own
//! wants it.

use std::time::{Duration, Instant};

use super::Delivery;
use crate::clock;

/// Long enough for the pause between two sentences, short enough not to be in anybody's way.
const IDLE: Duration = Duration::from_secs(3);

impl Delivery {
    /// How long nothing may be asked before there is something to do: texts become too old, or the
    /// ways may rest.
    pub(super) fn patience(&self) -> Option<Duration> {
        let expiry = self.history.with(|h| h.next_expiry(clock::wall_unsigned()));
        let rests_at = self.rests_at.filter(|_| self.turn.is_none());
        let rest = rests_at.map(|at| at.saturating_duration_since(Instant::now()));
        expiry.into_iter().chain(rest).min()
    }

    /// Something was asked: the ways are wanted for a while.
    pub(super) fn rest_later(&mut self) {
        self.rests_at = Some(Instant::now() + IDLE);
    }

    /// Nothing was asked.
    pub(super) fn rest_if_idle(&mut self) {
        if self.turn.is_none() && self.rests_at.is_some_and(|at| at <= Instant::now()) {
            self.rests_at = None;
            self.ways.rest();
        }
    }
}
