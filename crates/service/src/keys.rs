//! What keys do. Strokes come from the bus (`scriven press`), and from the thread `shortcuts`
//! where the configuration names keys; what they mean together is found out here, in `main`.

use std::time::Duration;

use scriven_desktop::shortcut::gesture::{Gestures, Mode as Meaning, Order};
use scriven_desktop::shortcut::{CANCEL, Event as Shortcut, Stroke, now};
use tracing::{info, warn};
use zbus::OwnedObjectPath;

use crate::calls::answer;
use crate::config::{Action, Config, Gesture};
use crate::daemon::{Caller, Daemon, Ending, Reply};
use crate::error::Error;
use crate::feedback::{Kind, Notice};
use crate::options::Options;

mod shortcuts;

pub(crate) use self::shortcuts::{Listed, Shortcuts};

/// A press this soon after the one before is the same press: keyboards repeat every 30 ms, after a
/// first pause of at most 660 ms.
const KEY_REPEAT: Duration = Duration::from_secs(1);

/// `shortcuts` → `main`.
pub(crate) enum KeyEvent {
    /// It listens, or there is nothing to listen to. A release counts when it has lasted so long.
    Listening(Duration),
    Shortcut(Shortcut),
    /// Keys that nobody watches, and why.
    Unbound(String),
}

/// The actions, and what is known of their keys.
pub(crate) struct Keys {
    pub actions: Vec<Action>,
    gestures: Gestures,
    /// The action whose key was last said to be down by the bus, and when.
    pressed: Option<(String, Duration)>,
    shortcuts: Shortcuts,
    /// Escape drops what is dictated.
    armed: bool,
}

impl Keys {
    pub(crate) fn new(config: &Config, shortcuts: Shortcuts) -> Self {
        let actions = config.actions();
        let hold = Duration::from_millis(config.shortcut.hold_ms);
        let gestures = gestures(&actions, hold);
        Self { actions, gestures, pressed: None, shortcuts, armed: false }
    }

    /// The action with this name.
    ///
    /// # Errors
    ///
    /// `NotFound`, with the names that there are.
    pub(crate) fn action(&self, name: &str) -> Result<&Action, Error> {
        self.actions.iter().find(|action| action.name == name).ok_or_else(|| {
            let names: Vec<_> = self.actions.iter().map(|action| action.name.as_str()).collect();
            let names = names.join(", ");
            Error::NotFound(format!("there is no action `{name}`; configured are: {names}"))
        })
    }

    /// A key is said by the bus to be down, perhaps again and again.
    fn press(&mut self, action: &str) -> Vec<Order> {
        let now = now();
        let mut orders = Vec::new();
        // Nobody has said that it came up, and it does not repeat: it must have.
        let lost = |(name, at): &(String, Duration)| name == action && now - *at >= KEY_REPEAT;
        if self.pressed.as_ref().is_some_and(lost) && self.gestures.running() != Some(action) {
            orders.extend(self.gestures.stroke(&released(action), now));
        }
        self.pressed = Some((action.to_owned(), now));
        let pressed = Stroke::Pressed { action: action.to_owned() };
        orders.extend(self.gestures.stroke(&pressed, now));
        orders
    }

    fn release(&mut self, action: &str) -> Vec<Order> {
        self.pressed = None;
        self.gestures.stroke(&released(action), now())
    }

    /// How long until time alone changes something.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.gestures.due().map(|due| due.saturating_sub(now()))
    }
}

fn released(action: &str) -> Stroke {
    Stroke::Released { action: action.to_owned() }
}

/// Releases are true until the thread `shortcuts` knows better.
fn gestures(actions: &[Action], hold_after: Duration) -> Gestures {
    let meaning = |action: &Action| match action.mode {
        Gesture::Hold => Meaning::Hold,
        Gesture::Toggle => Meaning::Toggle,
        Gesture::TapOrHold => Meaning::TapOrHold { hold_after },
    };
    let modes = actions.iter().map(|action| (action.name.clone(), meaning(action)));
    Gestures::new(modes, Duration::ZERO)
}

impl Daemon {
    /// A key went down, or repeats.
    pub(crate) async fn press(
        &mut self,
        action: &str,
        options: Options,
        caller: Caller,
        reply: Reply<OwnedObjectPath>,
    ) {
        if action == CANCEL {
            return answer(&reply, self.cancel().map(|()| OwnedObjectPath::default()));
        }
        if let Err(error) = self.keys.action(action) {
            return answer(&reply, Err(error));
        }
        let orders = self.keys.press(action);
        let starts = |order: &Order| matches!(order, Order::Start { .. });
        if !orders.iter().any(starts) {
            let on = self.sessions.dictation().map(|session| session.path.clone());
            answer(&reply, Ok(on.unwrap_or_default()));
        }
        self.obey(orders, options, caller, Some(reply)).await;
    }

    /// The key came up. Its dictation may have ended otherwise before: that is no error.
    pub(crate) async fn release(&mut self, action: &str) -> Result<(), Error> {
        if action != CANCEL {
            self.keys.action(action)?;
            let orders = self.keys.release(action);
            self.obey(orders, Options::default(), None, None).await;
        }
        Ok(())
    }

    /// The thread `shortcuts` has something to say.
    pub(crate) async fn key_event(&mut self, event: KeyEvent) {
        match event {
            KeyEvent::Listening(debounce) => self.keys.gestures.set_debounce(debounce),
            KeyEvent::Unbound(why) => {
                self.feedback.wrong(Notice::Wrong { kind: Kind::Keys, why });
            }
            KeyEvent::Shortcut(Shortcut::Stroke { stroke: Stroke::Cancelled, .. }) => {
                drop(self.cancel());
            }
            KeyEvent::Shortcut(Shortcut::Stroke { stroke, at }) => {
                let orders = self.keys.gestures.stroke(&stroke, at);
                self.obey(orders, Options::default(), None, None).await;
            }
            KeyEvent::Shortcut(Shortcut::Lost { way, reason }) => {
                warn!(way, reason, "shortcuts do not work");
                self.feedback.wrong(Notice::Wrong { kind: Kind::Keys, why: reason });
            }
            KeyEvent::Shortcut(Shortcut::Restored { way, reason }) => {
                info!(way, reason, "shortcuts work");
                self.feedback.tell(Notice::Over(Kind::Keys));
            }
        }
    }

    /// Time has passed that a key waits for.
    pub(crate) async fn keys_due(&mut self) {
        let orders = self.keys.gestures.tick(now());
        self.obey(orders, Options::default(), None, None).await;
    }

    async fn obey(
        &mut self,
        orders: Vec<Order>,
        options: Options,
        caller: Caller,
        reply: Option<Reply<OwnedObjectPath>>,
    ) {
        for order in orders {
            match order {
                Order::Start { action, held } => {
                    let begun =
                        self.dictate_by_key(&action, held, &options, &caller, reply.clone()).await;
                    if !begun {
                        self.keys.gestures.stopped();
                    }
                }
                Order::Stop { action, .. } => self.end_by_key(&action, Ending::Stopped),
                Order::Cancel { action } => self.end_by_key(&action, Ending::Cancelled),
            }
        }
        if !self.keys.gestures.is_held() {
            self.let_go();
        }
    }

    fn end_by_key(&mut self, action: &str, ending: Ending) {
        let all = self.sessions.all.iter_mut();
        let of_key = |session: &&mut crate::sessions::Session| {
            session.is_active() && session.action.as_deref() == Some(action)
        };
        if let Some(session) = { all }.find(of_key) {
            session.end(ending);
        }
    }

    /// Brings the keys up to date with what runs.
    pub(crate) fn settle_keys(&mut self) {
        let active = |action: &str| {
            let mut active = self.sessions.all.iter().filter(|session| session.is_active());
            active.any(|session| session.action.as_deref() == Some(action))
        };
        // What ended otherwise is not the key's to end.
        if self.keys.gestures.running().is_some_and(|action| !active(action)) {
            self.keys.gestures.stopped();
        }
        let armed = self
            .sessions
            .all
            .iter()
            .any(|session| session.is_active() && session.delivering.is_on());
        if armed != self.keys.armed {
            self.keys.armed = armed;
            self.keys.shortcuts.arm_cancel(armed);
        }
    }

    /// What is listened to, and why or why not. The thread answers when it can.
    pub(crate) fn list_shortcuts(&self, reply: Reply<Listed>) {
        self.keys.shortcuts.list(reply);
    }
}
