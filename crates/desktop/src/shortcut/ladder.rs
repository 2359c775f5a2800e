//! Which way is taken, and why.

use super::keys::Keys;
use super::worker::Worker;
use super::{
    Binding, Board, Bound, Event, Listening, Surroundings, Verdict, evdev, portal, understood, x11,
};
use crate::Error;

/// The ways that [`listen`] tries by itself, in order, and behind them the one that is only taken
/// when it is asked for.
pub const WAYS: [&str; 3] = [portal::WAY, x11::WAY, evdev::WAY];
/// How many of [`WAYS`] are tried by themselves.
const BY_ITSELF: usize = 2;
/// Asks for no shortcuts.
const NONE: &str = "none";

/// Listens to `bindings`: through the portal, else by grabbing keys of the X server; or only the
/// way that is asked for, one of [`WAYS`] or `none`. `sink` is called from the way's thread and
/// must not block.
///
/// Waits some seconds at most. Never fails: [`Listening::way`] tells whether there is one,
/// [`Listening::verdicts`] and [`Listening::bindings`] why not.
pub fn listen(
    bindings: &[Binding],
    way: Option<&str>,
    sink: impl Fn(Event) + Send + Clone + 'static,
) -> Listening {
    listen_in(&Surroundings::default(), bindings, way, sink)
}

/// As [`listen`], on another desktop than the environment says.
pub fn listen_in(
    surroundings: &Surroundings,
    bindings: &[Binding],
    way: Option<&str>,
    sink: impl Fn(Event) + Send + Clone + 'static,
) -> Listening {
    let board = Board::default();
    let bound = understood(bindings, &board);
    let mut listening =
        Listening { way: None, verdicts: Vec::new(), board: board.clone(), worker: None };
    let candidates: Vec<&'static str> = match way {
        None => WAYS[..BY_ITSELF].to_vec(),
        Some(name) => WAYS.into_iter().filter(|known| *known == name).collect(),
    };
    for name in candidates {
        let keys = Keys::new(name, Box::new(sink.clone()), board.clone());
        let tried = tried(name, surroundings, &bound, keys);
        let taken = tried.is_ok();
        let reason = match tried {
            Ok((worker, words)) => {
                listening.way = Some(name);
                listening.worker = Some(worker);
                words
            }
            Err(Error::Unavailable { reason, .. }) => reason,
            Err(error) => error.to_string(),
        };
        tracing::debug!(way = name, taken, reason, "shortcuts");
        listening.verdicts.push(Verdict { way: name, taken, reason });
        if taken {
            return listening;
        }
    }
    listening.verdicts.push(nothing(way));
    listening
}

fn tried(
    way: &'static str,
    surroundings: &Surroundings,
    bound: &[Bound],
    keys: Keys,
) -> Result<(Worker, String), Error> {
    if bound.is_empty() {
        let reason = "no shortcut is configured that could be listened to".to_owned();
        return Err(Error::Unavailable { backend: way, reason });
    }
    match way {
        portal::WAY => portal::listen(surroundings.bus.clone(), bound.to_vec(), keys),
        x11::WAY => x11::listen(surroundings, bound.to_vec(), keys),
        _ => evdev::listen(surroundings.devices.clone(), bound.to_vec(), keys),
    }
}

/// Why there is no way, and what to do.
fn nothing(way: Option<&str>) -> Verdict {
    let reason = match way {
        Some(NONE) => "shortcuts are turned off".to_owned(),
        Some(name) if !WAYS.contains(&name) => {
            format!("there is no way called {name:?}; there are {} and {NONE}", WAYS.join(", "))
        }
        Some(name) => format!("only {name} was asked for"),
        None => "bind the keys in your compositor to \"scriven press\", \"scriven release\" and \
                 \"scriven cancel\"; docs/shortcuts.md has the lines for sway, Hyprland, niri and i3"
            .to_owned(),
    };
    Verdict { way: NONE, taken: true, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(action: &str, trigger: &str) -> Binding {
        let description = format!("test of {action}");
        Binding { action: action.to_owned(), trigger: trigger.to_owned(), description }
    }

    /// Nothing is there.
    fn desert() -> Surroundings {
        Surroundings {
            display: Some("nowhere:99".to_owned()),
            bus: Some("unix:path=/nonexistent/bus".to_owned()),
            devices: Some("/nonexistent".into()),
            wayland: Some(false),
        }
    }

    #[test]
    fn without_a_desktop_every_way_says_why() {
        let listening = listen_in(&desert(), &[binding("dictate", "F9")], None, |_| {});
        assert_eq!(listening.way(), None);
        let ways: Vec<&str> = listening.verdicts().iter().map(|verdict| verdict.way).collect();
        assert_eq!(ways, ["portal", "x11", "none"]);
        let reasons: Vec<&str> =
            listening.verdicts().iter().map(|verdict| verdict.reason.as_str()).collect();
        assert!(reasons[0].contains("session bus"), "{reasons:?}");
        assert!(reasons[1].contains("nowhere:99"), "{reasons:?}");
        assert!(reasons[2].contains("scriven press"), "{reasons:?}");
        listening.arm_cancel(true);
    }

    #[test]
    fn what_is_asked_for_is_the_only_thing_tried() {
        for (way, expected) in
            [("evdev", vec!["evdev", "none"]), ("none", vec!["none"]), ("telepathy", vec!["none"])]
        {
            let listening = listen_in(&desert(), &[binding("dictate", "F9")], Some(way), |_| {});
            let ways: Vec<&str> = listening.verdicts().iter().map(|verdict| verdict.way).collect();
            assert_eq!(ways, expected);
        }
    }

    #[test]
    fn bindings_that_cannot_be_are_told_apart_from_the_others() {
        let bindings = [
            binding("dictate", "CTRL+ALT+space"),
            binding("translate", "alt+ctrl+Space"),
            binding("note", "CTRL+nothing"),
            binding("cancel", "LOGO+Escape"),
        ];
        let listening = listen_in(&desert(), &bindings, Some("none"), |_| {});
        let statuses = listening.bindings();
        let problem = |at: usize| statuses[at].problem.as_deref().unwrap_or_default();
        assert_eq!((problem(0), problem(3)), ("", ""));
        assert!(problem(1).contains("stands for dictate already"), "{}", problem(1));
        assert!(problem(2).contains("no key is called nothing"), "{}", problem(2));
        assert_eq!(statuses[3].trigger, "LOGO+Escape");
    }
}
