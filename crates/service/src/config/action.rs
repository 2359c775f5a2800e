//! What a key does: the tables `[[action]]`, and the section `[shortcut]`.

use serde::Deserialize;

use super::{Mode, Task};

/// The action that always exists.
pub const DICTATE: &str = "dictate";
/// Actions that may be configured; a keyboard has no more keys to spare.
const MAX: usize = 64;

/// A key, and the dictation that it starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// 1 to 64 of a-z, 0-9, `-` and `_`.
    pub name: String,
    /// `CTRL+ALT+space`; empty where no key is asked for, and `scriven press` does it.
    #[serde(default)]
    pub trigger: String,
    #[serde(default)]
    pub mode: Gesture,
    /// In place of those of the whole configuration.
    pub languages: Option<Vec<String>>,
    pub task: Option<Task>,
    pub output: Option<Mode>,
    /// The name of a profile, in place of that of the window.
    pub profile: Option<String>,
    /// Silence after which the dictation ends by itself, in seconds; 0 for never.
    #[serde(default)]
    pub auto_stop_s: u32,
}

impl Action {
    fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            trigger: String::new(),
            mode: Gesture::default(),
            languages: None,
            task: None,
            output: None,
            profile: None,
            auto_stop_s: 0,
        }
    }
}

/// What pressing and releasing the key mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gesture {
    /// Dictates as long as the key is down.
    #[default]
    Hold,
    /// The first press starts, the next one stops.
    Toggle,
    /// A tap toggles; a key that is kept down dictates until it is let go.
    TapOrHold,
}

/// How keys are watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shortcut {
    /// `auto`, or the name of a way.
    pub way: String,
    /// How long a key is down before `tap-or-hold` takes it for held.
    pub hold_ms: u64,
}

impl Default for Shortcut {
    fn default() -> Self {
        Self {
            // The desktop's own way where it has one.
            way: "auto".into(),
            // A tap takes 50 to 200 ms.
            hold_ms: 300,
        }
    }
}

/// All actions: those of the file, and the one that always exists.
pub(super) fn all(configured: &[Action]) -> Vec<Action> {
    let mut all = configured.to_vec();
    if !all.iter().any(|action| action.name == DICTATE) {
        all.insert(0, Action::named(DICTATE));
    }
    all
}

pub(super) fn check(actions: &[Action]) -> Result<(), (&'static str, &'static str)> {
    if actions.len() > MAX {
        return Err(("action", "must not be there more than 64 times"));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    for (at, action) in actions.iter().enumerate() {
        let name = &action.name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            return Err(("action.name", "must be 1 to 64 of a-z, 0-9, - and _"));
        }
        if actions[..at].iter().any(|other| other.name == *name) {
            return Err(("action.name", "must be another one for each action"));
        }
        let trigger = &action.trigger;
        let is_taken = |other: &Action| other.trigger.eq_ignore_ascii_case(trigger);
        if !trigger.is_empty() && actions[..at].iter().any(is_taken) {
            return Err(("action.trigger", "must be another one for each action"));
        }
        if action.auto_stop_s > 3600 {
            return Err(("action.auto_stop_s", "must not be more than an hour, 3600"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let path = std::path::Path::new("config.toml");
        Config::parse(text, path).map_err(|error| error.to_string())
    }

    #[test]
    fn dictate_is_always_there_and_can_be_configured() {
        let plain = parse("").unwrap().actions();
        assert_eq!(plain, [Action::named(DICTATE)]);
        let text = "[[action]]\nname = \"german\"\nlanguages = [\"de\"]\nmode = \"tap-or-hold\"\n";
        let names = |config: Config| {
            config.actions().into_iter().map(|action| action.name).collect::<Vec<_>>()
        };
        assert_eq!(names(parse(text).unwrap()), ["dictate", "german"]);
        let text = format!("{text}[[action]]\nname = \"dictate\"\ntrigger = \"F9\"\n");
        assert_eq!(names(parse(&text).unwrap()), ["german", "dictate"]);
    }

    #[test]
    fn actions_that_cannot_be_are_errors() {
        for (text, key) in [
            ("name = \"Two words\"", "action.name"),
            ("name = \"a\"\n[[action]]\nname = \"a\"", "action.name"),
            (
                "name = \"a\"\ntrigger = \"F9\"\n[[action]]\nname = \"b\"\ntrigger = \"f9\"",
                "action.trigger",
            ),
            ("name = \"a\"\nauto_stop_s = 4000", "action.auto_stop_s"),
            ("trigger = \"F9\"", "name"),
            ("name = \"a\"\nmode = \"squeeze\"", "line 3"),
        ] {
            let error = parse(&format!("[[action]]\n{text}")).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }
}
