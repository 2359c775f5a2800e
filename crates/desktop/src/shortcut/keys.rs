//! The actions whose keys are down: what turns presses as a way reports them into strokes.

use std::fmt;
use std::time::Duration;

use super::{Board, CANCEL, Event, Stroke};

/// The time of strokes: `CLOCK_MONOTONIC`, since the machine was started.
#[must_use]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Repeats become one press, releases without a press none, and what is down when the way is lost
/// is released.
pub(crate) struct Keys {
    way: &'static str,
    sink: Box<dyn Fn(Event) + Send>,
    board: Board,
    down: Vec<String>,
    /// Why the shortcuts do not work, as it was told.
    lost: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("way", &self.way)
            .field("down", &self.down)
            .finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(way: &'static str, sink: Box<dyn Fn(Event) + Send>, board: Board) -> Self {
        Self { way, sink, board, down: Vec::new(), lost: None }
    }

    pub(crate) fn pressed(&mut self, action: &str) {
        if self.down.iter().any(|down| down == action) {
            return;
        }
        self.down.push(action.to_owned());
        self.stroke(if action == CANCEL {
            Stroke::Cancelled
        } else {
            Stroke::Pressed { action: action.to_owned() }
        });
    }

    pub(crate) fn released(&mut self, action: &str) {
        let Some(at) = self.down.iter().position(|down| down == action) else { return };
        let action = self.down.remove(at);
        if action != CANCEL {
            self.stroke(Stroke::Released { action });
        }
    }

    pub(crate) fn cancelled(&self) {
        self.stroke(Stroke::Cancelled);
    }

    pub(crate) fn release_all(&mut self) {
        for action in self.down.clone() {
            self.released(&action);
        }
    }

    /// Said once for each reason.
    pub(crate) fn lost(&mut self, reason: &str) {
        self.release_all();
        self.trouble(reason);
    }

    /// Some shortcuts do not work, while others may be held. Said once for each reason.
    pub(crate) fn trouble(&mut self, reason: &str) {
        if self.lost.as_deref() != Some(reason) {
            tracing::warn!(way = self.way, reason, "shortcuts do not work");
            self.lost = Some(reason.to_owned());
            (self.sink)(Event::Lost { way: self.way, reason: reason.to_owned() });
        }
    }

    /// Said once after something was lost.
    pub(crate) fn restored(&mut self, reason: &str) {
        if self.lost.take().is_some() {
            self.works(reason);
        }
    }

    /// Said always.
    pub(crate) fn works(&mut self, reason: &str) {
        self.lost = None;
        tracing::info!(way = self.way, reason, "shortcuts work");
        (self.sink)(Event::Restored { way: self.way, reason: reason.to_owned() });
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    fn stroke(&self, stroke: Stroke) {
        (self.sink)(Event::Stroke { stroke, at: now() });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn keys() -> (Keys, mpsc::Receiver<Event>) {
        let (sender, events) = mpsc::channel();
        let sink = Box::new(move |event| sender.send(event).unwrap());
        (Keys::new("test", sink, Board::default()), events)
    }

    /// What was said, without its time.
    fn said(events: &mpsc::Receiver<Event>) -> Vec<String> {
        let short = |event| match event {
            Event::Stroke { stroke: Stroke::Pressed { action }, .. } => format!("+{action}"),
            Event::Stroke { stroke: Stroke::Released { action }, .. } => format!("-{action}"),
            Event::Stroke { stroke: Stroke::Cancelled, .. } => "!".to_owned(),
            Event::Lost { reason, .. } => format!("lost {reason}"),
            Event::Restored { reason, .. } => format!("restored {reason}"),
        };
        events.try_iter().map(short).collect()
    }

    #[test]
    fn repeats_are_one_press_and_a_release_needs_one() {
        let (mut keys, events) = keys();
        keys.released("a");
        keys.pressed("a");
        keys.pressed("a");
        keys.pressed("b");
        keys.released("a");
        keys.released("a");
        assert_eq!(said(&events), ["+a", "+b", "-a"]);
    }

    #[test]
    fn what_is_lost_is_released_first_and_told_once() {
        let (mut keys, events) = keys();
        keys.restored("nothing was lost");
        keys.pressed("a");
        keys.lost("gone");
        keys.lost("gone");
        keys.lost("still gone");
        keys.released("a");
        keys.restored("back");
        keys.restored("back");
        assert_eq!(said(&events), ["+a", "-a", "lost gone", "lost still gone", "restored back"]);
    }

    #[test]
    fn an_action_called_cancel_cancels() {
        let (mut keys, events) = keys();
        keys.pressed(CANCEL);
        keys.pressed(CANCEL);
        keys.released(CANCEL);
        keys.pressed(CANCEL);
        assert_eq!(said(&events), ["!", "!"]);
    }
}
