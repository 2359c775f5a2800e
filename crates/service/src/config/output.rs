//! Where the text goes and how long it is kept: the sections `[output]` and `[history]`.

use std::time::Duration;

use serde::Deserialize;

use crate::history::Limits;

/// How text gets into the window in focus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    pub mode: Mode,
    /// `auto`, or the name of a way.
    pub way: String,
    pub live: Live,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            // What a key is held for.
            mode: Mode::Type,
            // The best way that this desktop has.
            way: "auto".into(),
            // The best that the window can do.
            live: Live::Auto,
        }
    }
}

/// What becomes of a final text, besides that it is told on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It goes into the window in focus.
    Type,
    /// It goes there by way of the clipboard, whatever other ways there are.
    Clipboard,
    /// It is left on the clipboard, and goes into no window.
    Copy,
    /// Nothing.
    None,
}

impl Mode {
    /// By the word that the bus and the configuration use.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "type" => Some(Self::Type),
            "clipboard" => Some(Self::Clipboard),
            "copy" => Some(Self::Copy),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// What of an utterance is in the window before it is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Live {
    /// The best that the window can do.
    Auto,
    /// All of it, as text that the window knows to be tentative.
    Preedit,
    /// What is committed.
    Committed,
    /// Nothing.
    Final,
}

/// How long texts are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// 0 keeps nothing on disk.
    pub keep_hours: u32,
    /// How many, at most.
    pub max: usize,
}

impl Default for History {
    fn default() -> Self {
        Self {
            // Whoever finds in the evening that a window has eaten the morning's letter has it.
            keep_hours: 24,
            // A long day of dictation.
            max: 200,
        }
    }
}

impl History {
    pub(crate) fn limits(&self) -> Limits {
        let keep = Duration::from_secs(u64::from(self.keep_hours) * 3600);
        Limits { max: self.max, keep }
    }

    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=1000).contains(&self.max) {
            return Err(("history.max", "must lie between 1 and 1000"));
        }
        if self.keep_hours > 24 * 365 {
            return Err(("history.keep_hours", "must not be more than a year, 8760"));
        }
        Ok(())
    }
}
