//! From strokes to orders: what holding, tapping and pressing again mean.
//!
//! Pure: time comes in with each stroke, as a duration since an origin of the caller's choice. One
//! dictation runs at a time; the key that was pressed last has it.

use std::collections::HashMap;
use std::time::Duration;

use super::Stroke;

/// How long a key must be up to be up, where the desktop reports a held key as pairs of release
/// and press. GNOME does so at the pace of key repeat (30 ms); shorter, and each pair would cut the
/// dictation in two; longer, and the end of it would be noticed late.
pub const DEBOUNCE: Duration = Duration::from_millis(60);

/// What the key of an action means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dictates while the key is held.
    Hold,
    /// Starts with one press and stops with the next.
    Toggle,
    /// Held for at least this long it is [`Hold`](Self::Hold), a shorter tap is
    /// [`Toggle`](Self::Toggle).
    TapOrHold {
        /// From here on the key is held and not tapped.
        hold_after: Duration,
    },
}

/// What is to be done. Every `Start` is followed by one `Stop` or `Cancel` before the next, unless
/// [`Gestures::stopped`] has said that it ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin to dictate.
    Start {
        /// Name of the action.
        action: String,
        /// The key is down and may be held.
        held: bool,
    },
    /// Dictate to the end of what was said by then.
    Stop {
        /// Name of the action.
        action: String,
        /// When the key went up or down that ended it; earlier than now by the debounce.
        at: Duration,
    },
    /// Drop what is being dictated.
    Cancel {
        /// Name of the action.
        action: String,
    },
}

/// A key that is down.
#[derive(Clone, Copy, Debug, Default)]
struct Down {
    /// It went up then, unless it comes down again within the debounce.
    up: Option<Duration>,
}

/// What runs.
#[derive(Clone, Debug)]
struct Running {
    action: String,
    since: Duration,
    /// Goes on without the key: the release has no meaning, the next press ends it.
    latched: bool,
}

/// The keys of all actions, and what they mean together.
#[derive(Debug)]
pub struct Gestures {
    modes: HashMap<String, Mode>,
    debounce: Duration,
    down: HashMap<String, Down>,
    running: Option<Running>,
}

impl Gestures {
    /// For actions with their modes. A release counts once it has lasted `debounce`: zero where
    /// releases are true, [`DEBOUNCE`] for the portal.
    pub fn new(modes: impl IntoIterator<Item = (String, Mode)>, debounce: Duration) -> Self {
        Self { modes: modes.into_iter().collect(), debounce, down: HashMap::new(), running: None }
    }

    /// Changes how long a release must last. Also for the keys that are down already: one may have been
    /// pressed before the desktop has said which way it reports them.
    pub fn set_debounce(&mut self, debounce: Duration) {
        self.debounce = debounce;
    }

    /// Takes a stroke. Strokes of actions that have no mode mean nothing.
    pub fn stroke(&mut self, stroke: &Stroke, at: Duration) -> Vec<Order> {
        let mut orders = self.tick(at);
        match stroke {
            Stroke::Pressed { action } => self.pressed(action, at, &mut orders),
            Stroke::Released { action } => self.released(action, at),
            Stroke::Cancelled => orders.extend(
                self.running.take().map(|running| Order::Cancel { action: running.action }),
            ),
        }
        // Without a debounce the release counts at once.
        orders.extend(self.tick(at));
        orders
    }

    /// Time has passed: to be called when [`due`](Self::due) says so.
    pub fn tick(&mut self, now: Duration) -> Vec<Order> {
        let mut settled: Vec<(Duration, String)> = Vec::new();
        for (action, key) in &self.down {
            if let Some(up) = key.up.filter(|up| *up + self.debounce <= now) {
                settled.push((up, action.clone()));
            }
        }
        settled.sort();
        settled.iter().filter_map(|(up, action)| self.went_up(action, *up)).collect()
    }

    /// When [`tick`](Self::tick) has something to do next.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.down.values().filter_map(|key| key.up).min().map(|up| up + self.debounce)
    }

    /// The dictation has ended by itself, after silence or by a fault. What its key does until it
    /// is up means nothing.
    pub fn stopped(&mut self) {
        self.running = None;
    }

    /// The action that runs.
    #[must_use]
    pub fn running(&self) -> Option<&str> {
        self.running.as_ref().map(|running| running.action.as_str())
    }

    /// Is a key down? A synthetic key would end what it is held for.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.down.is_empty()
    }

    fn pressed(&mut self, action: &str, at: Duration, orders: &mut Vec<Order>) {
        let Some(mode) = self.modes.get(action).copied() else { return };
        if let Some(key) = self.down.get_mut(action) {
            // A repeat, or the end of a release that was none.
            key.up = None;
            return;
        }
        self.down.insert(action.to_owned(), Down::default());
        if let Some(running) = self.running.take() {
            let ends = running.action == action;
            orders.push(Order::Stop { action: running.action, at });
            if ends {
                return;
            }
        }
        orders.push(Order::Start { action: action.to_owned(), held: mode != Mode::Toggle });
        let latched = mode == Mode::Toggle;
        self.running = Some(Running { action: action.to_owned(), since: at, latched });
    }

    fn released(&mut self, action: &str, at: Duration) {
        if let Some(key) = self.down.get_mut(action) {
            key.up.get_or_insert(at);
        }
    }

    /// The key has been up for long enough.
    fn went_up(&mut self, action: &str, at: Duration) -> Option<Order> {
        self.down.remove(action)?;
        let running = self.running.as_mut()?;
        if running.action != action || running.latched {
            return None;
        }
        if let Some(Mode::TapOrHold { hold_after }) = self.modes.get(action)
            && at.saturating_sub(running.since) < *hold_after
        {
            running.latched = true;
            return None;
        }
        let action = self.running.take()?.action;
        Some(Order::Stop { action, at })
    }
}

#[cfg(test)]
mod tests;
