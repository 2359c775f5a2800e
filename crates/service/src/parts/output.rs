//! The way into the window in focus, as the thread `delivery` uses it.

use scriven_desktop::insertion::{Abilities, Target};
use scriven_desktop::writing::Edit;

use crate::config::Live;

/// What has become of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The way that was taken; empty where there is none.
    pub backend: String,
    /// Whether the text is in the window.
    pub ok: bool,
    /// `taken` or `seen`, or why it is not there. Never holds text.
    pub detail: String,
}

/// A way that was tried, for `scriven doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Its name: `input-method`, `x11`, …
    pub name: &'static str,
    /// What it can do, or why it cannot be used.
    pub verdict: Result<Abilities, String>,
}

/// Puts one utterance after another into the window in focus. Made, used and dropped on the thread
/// `delivery`; every call answers within seconds.
pub trait Output {
    /// The target of the next utterance is what is in focus now. With `held` the user holds a key,
    /// and nothing that would disturb it is done before [`finish`](Self::finish).
    fn begin(&mut self, held: bool) -> Option<Target>;
    /// Shows the text so far in place of what was shown before.
    fn show(&mut self, committed: &str, tentative: &str);
    /// Writes the final text in place of all that was shown.
    fn finish(&mut self, edits: &[Edit]) -> Delivered;
    /// Takes away what was shown.
    fn discard(&mut self);
    /// Takes away what the last utterance has inserted.
    fn undo(&mut self) -> Delivered;
    /// Inserts at the cursor.
    fn insert(&mut self, text: &str) -> Delivered;
    /// The way that is used now.
    fn way(&self) -> Option<&'static str>;
    /// Every way, in the order in which they are tried.
    fn rungs(&mut self) -> Vec<Rung>;

    /// Whether a key that is held stays held whatever is inserted.
    fn is_keyless(&mut self) -> bool {
        let way = self.way();
        let rungs = self.rungs();
        let rung = rungs.iter().find(|rung| Some(rung.name) == way);
        rung.is_some_and(|rung| rung.verdict.as_ref().is_ok_and(|can| can.keyless))
    }
}

/// Which way is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name; `None` for the best that works.
    pub way: Option<String>,
    /// What of an utterance is shown before it is final.
    pub live: Live,
}

/// The ways of this desktop.
pub(super) fn real(_wanted: &Wanted) -> Box<dyn Output> {
    Box::new(Nowhere)
}

/// There is no way.
struct Nowhere;

impl Nowhere {
    fn nothing() -> Delivered {
        let detail = "there is no way into a window here; \"scriven redeliver\" tries it again";
        Delivered { detail: detail.into(), ..Delivered::default() }
    }
}

impl Output for Nowhere {
    fn begin(&mut self, _held: bool) -> Option<Target> {
        None
    }

    fn show(&mut self, _committed: &str, _tentative: &str) {}

    fn finish(&mut self, _edits: &[Edit]) -> Delivered {
        Self::nothing()
    }

    fn discard(&mut self) {}

    fn undo(&mut self) -> Delivered {
        Self::nothing()
    }

    fn insert(&mut self, _text: &str) -> Delivered {
        Self::nothing()
    }

    fn way(&self) -> Option<&'static str> {
        None
    }

    fn rungs(&mut self) -> Vec<Rung> {
        Vec::new()
    }
}
