//! Thread `shortcuts`: listens to the keys that the configuration names, for as long as the daemon
//! runs. Nothing is started where it names none.

use crossbeam_channel::{Receiver, Sender, bounded};
use scriven_desktop::shortcut::{Binding, Listening, listen};
use tracing::info;

use super::KeyEvent;
use crate::calls::answer;
use crate::config::{Action, Config, Gesture};
use crate::daemon::{Event, Reply};
use crate::error::Error;
use crate::pipeline::spawn;
use crate::service::Dict;

/// More than `main` asks for while the thread looks for a way.
const QUEUE: usize = 64;

/// The keys, and the ways in which they can be watched.
pub(crate) type Listed = (Vec<Dict<'static>>, Vec<Dict<'static>>);

enum Ask {
    ArmCancel(bool),
    List(Reply<Listed>),
}

/// The thread seen from `main`. Dropped, it ends it.
pub(crate) struct Shortcuts {
    ask: Sender<Ask>,
}

impl Shortcuts {
    /// Starts the thread.
    pub(crate) fn start(
        config: &Config,
        events: async_channel::Sender<Event>,
    ) -> std::io::Result<Self> {
        let (ask, asked) = bounded(QUEUE);
        let actions = config.actions();
        let way = Some(config.shortcut.way.clone()).filter(|way| way != "auto");
        spawn("shortcuts", move || run(&actions, way.as_deref(), &asked, events))?;
        Ok(Self { ask })
    }

    pub(super) fn arm_cancel(&self, armed: bool) {
        drop(self.ask.try_send(Ask::ArmCancel(armed)));
    }

    pub(super) fn list(&self, reply: Reply<Listed>) {
        if self.ask.try_send(Ask::List(reply.clone())).is_err() {
            let error = "a way to watch keys is still being looked for; try again";
            answer(&reply, Err(Error::Overloaded(error.into())));
        }
    }
}

fn run(
    actions: &[Action],
    way: Option<&str>,
    asked: &Receiver<Ask>,
    events: async_channel::Sender<Event>,
) {
    let bindings = bindings(actions);
    // The desktop is left alone where no key is asked for.
    let way = if bindings.is_empty() { Some("none") } else { way };
    let to_main = events.clone();
    let sink = move |event| {
        // `main` never waits long, so that there is nearly always room; a release that was lost
        // would leave the microphone open.
        drop(to_main.send_blocking(Event::Key(KeyEvent::Shortcut(event))));
    };
    let listening = listen(&bindings, way, sink);
    if !bindings.is_empty() {
        info!(way = listening.way().unwrap_or("none"), keys = bindings.len(), "shortcuts");
    }
    drop(events.send_blocking(Event::Key(KeyEvent::Listening(listening.debounce()))));
    if way != Some("none")
        && let Some(why) = unbound(&listening)
    {
        drop(events.send_blocking(Event::Key(KeyEvent::Unbound(why))));
    }
    while let Ok(ask) = asked.recv() {
        match ask {
            Ask::ArmCancel(armed) => listening.arm_cancel(armed),
            Ask::List(reply) => answer(&reply, Ok(listed(actions, &listening))),
        }
    }
}

/// Why some key is not watched that was to be.
fn unbound(listening: &Listening) -> Option<String> {
    let problem = listening.bindings().into_iter().find_map(|status| status.problem);
    let nothing = || listening.verdicts().last().map(|verdict| verdict.reason.clone());
    let asked = !listening.bindings().is_empty();
    problem.or_else(|| nothing().filter(|_| asked && listening.way().is_none()))
}

/// What the desktop is asked for.
fn bindings(actions: &[Action]) -> Vec<Binding> {
    let with_key = actions.iter().filter(|action| !action.trigger.is_empty());
    let binding = |action: &Action| Binding {
        action: action.name.clone(),
        trigger: action.trigger.clone(),
        description: format!("Scriven: {}", action.name),
    };
    with_key.map(binding).collect()
}

fn listed(actions: &[Action], listening: &Listening) -> Listed {
    let statuses = listening.bindings();
    let key = |action: &Action| {
        let status = statuses.iter().find(|status| status.action == action.name);
        let trigger = status.map_or(action.trigger.clone(), |status| status.trigger.clone());
        let problem = status.and_then(|status| status.problem.clone()).unwrap_or_default();
        Dict::from([
            ("action", action.name.clone().into()),
            ("trigger", trigger.into()),
            ("mode", word(action.mode).into()),
            ("problem", problem.into()),
        ])
    };
    let way = |verdict: &scriven_desktop::shortcut::Verdict| {
        Dict::from([
            ("name", verdict.way.into()),
            ("chosen", verdict.taken.into()),
            ("reason", verdict.reason.clone().into()),
        ])
    };
    (actions.iter().map(key).collect(), listening.verdicts().iter().map(way).collect())
}

fn word(mode: Gesture) -> &'static str {
    match mode {
        Gesture::Hold => "hold",
        Gesture::Toggle => "toggle",
        Gesture::TapOrHold => "tap-or-hold",
    }
}
