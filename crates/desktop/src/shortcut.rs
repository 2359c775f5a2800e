//! A held key into press and release: one file a way, and the gestures behind all of them.
//!
//! ```text
//! a key ─portal, x11, evdev→ Event::Stroke ─gesture→ Order: start, stop, cancel
//! ```
//!
//! [`listen`] tries the ways and says which it took and why. A way has a thread of its own, which
//! reconnects by itself and ends when the [`Listening`] is dropped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Error;

mod backoff;
pub mod evdev;
pub mod gesture;
mod keys;
mod ladder;
pub mod portal;
pub mod trigger;
mod worker;
pub mod x11;

pub use keys::now;
pub use ladder::{WAYS, listen, listen_in};

/// A binding with this name of an action drops what is being dictated: [`Stroke::Cancelled`].
pub const CANCEL: &str = "cancel";

/// What a shortcut has done. `action` is the name that the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// The key went down; never a repeat.
    Pressed {
        /// Name of the action.
        action: String,
    },
    /// The key went up.
    Released {
        /// Name of the action.
        action: String,
    },
    /// What is being dictated is to be dropped.
    Cancelled,
}

/// A key that stands for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Name of the action.
    pub action: String,
    /// `CTRL+ALT+space`, in the notation of the freedesktop shortcuts specification.
    pub trigger: String,
    /// What the desktop shows to the user in its settings.
    pub description: String,
}

/// What a listener says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A shortcut has done something.
    Stroke {
        /// What.
        stroke: Stroke,
        /// When it was read: [`now`].
        at: Duration,
    },
    /// Shortcuts do not work for now, all or those that are named. Keys that were down have been
    /// released before.
    Lost {
        /// The way that is lost.
        way: &'static str,
        /// Why, and what would help.
        reason: String,
    },
    /// They work again; through the portal also the first time, which may wait for the user.
    Restored {
        /// The way that is back.
        way: &'static str,
        /// What works now.
        reason: String,
    },
}

/// Where the desktop is; empty for what the environment says.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The X display.
    pub display: Option<String>,
    /// Address of the session bus.
    pub bus: Option<String>,
    /// Folder of the input devices, instead of [`evdev::DEVICES`].
    pub devices: Option<std::path::PathBuf>,
    /// Is this a Wayland session? There, X11 sees no key of other windows.
    pub wayland: Option<bool>,
}

/// What became of one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the way.
    pub way: &'static str,
    /// Is it the one?
    pub taken: bool,
    /// Why, in words for `scriven doctor`.
    pub reason: String,
}

/// What became of one binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Name of the action.
    pub action: String,
    /// The shortcut, as the desktop shows it, or else as it was asked for.
    pub trigger: String,
    /// Why it does not work; none where it does.
    pub problem: Option<String>,
}

/// Shortcuts that are listened to, until this is dropped.
#[derive(Debug)]
pub struct Listening {
    way: Option<&'static str>,
    verdicts: Vec<Verdict>,
    board: Board,
    worker: Option<worker::Worker>,
}

impl Listening {
    /// Name of the way that was taken; none if there is none.
    #[must_use]
    pub fn way(&self) -> Option<&'static str> {
        self.way
    }

    /// What became of the ways that were tried, in order.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// What has become of each binding by now.
    #[must_use]
    pub fn bindings(&self) -> Vec<Status> {
        self.board.statuses()
    }

    /// How long a release must last to be one, for [`gesture::Gestures::set_debounce`].
    #[must_use]
    pub fn debounce(&self) -> Duration {
        if self.way == Some(portal::WAY) { gesture::DEBOUNCE } else { Duration::ZERO }
    }

    /// Escape drops the dictation from now on, or no longer. On X11 the key is taken from all
    /// windows meanwhile; evdev only sees it; a portal cannot lend it, there a binding of
    /// [`CANCEL`] serves.
    pub fn arm_cancel(&self, armed: bool) {
        if let Some(worker) = &self.worker {
            worker.arm_cancel(armed);
        }
    }
}

/// A binding whose trigger has been understood.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    action: String,
    trigger: trigger::Trigger,
    description: String,
}

/// What has become of the bindings, written by the way and read by whoever asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<Vec<Status>>>);

impl Board {
    fn statuses(&self) -> Vec<Status> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Sets what is known of an action; a trigger that is not given stays.
    fn set(&self, action: &str, trigger: Option<String>, problem: Option<String>) {
        let mut statuses = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(status) = statuses.iter_mut().find(|status| status.action == action) {
            status.problem = problem;
            if let Some(trigger) = trigger {
                status.trigger = trigger;
            }
        } else {
            let trigger = trigger.unwrap_or_default();
            statuses.push(Status { action: action.to_owned(), trigger, problem });
        }
    }
}

/// Reads the triggers. What cannot be read, or is there already, is noted on the board and left out.
fn understood(bindings: &[Binding], board: &Board) -> Vec<Bound> {
    let mut bound: Vec<Bound> = Vec::new();
    for Binding { action, trigger, description } in bindings {
        let parsed = trigger.parse().and_then(|parsed: trigger::Trigger| {
            let other =
                bound.iter().find(|other| other.trigger == parsed || other.action == *action);
            other.map_or(Ok(parsed), |other| {
                let reason = format!("{} stands for {} already", other.trigger, other.action);
                Err(Error::BadTrigger { trigger: parsed.to_string(), reason })
            })
        });
        match parsed {
            Ok(parsed) => {
                board.set(action, Some(parsed.to_string()), None);
                let (action, description) = (action.clone(), description.clone());
                bound.push(Bound { action, trigger: parsed, description });
            }
            Err(error) if bound.iter().any(|other| other.action == *action) => {
                tracing::warn!(%error, "an action has one shortcut; this one is left out");
            }
            Err(error) => board.set(action, Some(trigger.clone()), Some(error.to_string())),
        }
    }
    bound
}
