//! The way into the window in focus, as the thread `delivery` uses it.

use std::sync::Arc;
use std::time::Duration;

use scriven_desktop::delivery::{Delivery, Live};
use scriven_desktop::insertion::ladder::Ladder;
use scriven_desktop::insertion::portal::{self, Portal};
use scriven_desktop::insertion::{Target, copies, ways};
use scriven_desktop::writing::Edit;

pub use scriven_desktop::delivery::Delivered;
pub use scriven_desktop::insertion::ladder::Rung;

use crate::config;
use crate::permission::TokenFile;

/// Puts one utterance after another into the window in focus. Made, used and dropped on the thread
/// `delivery`; every call answers within seconds. [`Delivery`] says more of each.
pub trait Output {
    /// The target of the next utterance is what is in focus now.
    fn begin(&mut self, held: bool) -> Option<Target>;
    /// The same if that is the target with this `id`; else it has none.
    fn begin_in(&mut self, id: &str, held: bool) -> Option<Target>;
    /// What is in focus now.
    fn focus(&mut self) -> Option<Target>;
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
    /// Others have typed since: nothing that was inserted before can be taken back.
    fn forget(&mut self);
    /// Whether the utterance can be finished while a key is held.
    fn is_keyless(&self) -> bool;
    /// Gives back what other programs may need while nobody dictates.
    fn rest(&mut self);
    /// The way that is used now.
    fn way(&self) -> Option<&'static str>;
    /// Every way, in the order in which they are tried.
    fn rungs(&self) -> &[Rung];
    /// Finds out again which ways there are.
    fn look_again(&mut self);
}

/// Which way is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name; `None` for the best that works.
    pub way: Option<String>,
    /// What of an utterance is shown before it is final.
    pub live: config::Live,
    /// Texts are left on the clipboard, and go into no window.
    pub copy: bool,
    /// The permission to type, for the way that needs one.
    pub token: TokenFile,
}

/// The ways of this desktop.
pub(super) fn real(wanted: &Wanted) -> Box<dyn Output> {
    let portal = Portal::new(Arc::new(wanted.token.clone()));
    let by_name = wanted.way.as_deref() == Some(portal::NAME);
    let ladder = Ladder::new(match wanted.copy {
        true => copies(),
        false => ways(Box::new(move || portal.connect(by_name))),
    });
    let ladder = match &wanted.way {
        Some(way) => ladder.pinned(way),
        None => ladder,
    };
    let live = match wanted.live {
        config::Live::Auto => Live::Auto,
        config::Live::Preedit => Live::Preedit,
        config::Live::Committed => Live::Committed,
        config::Live::Final => Live::Final,
    };
    Box::new(Delivery::new(ladder, live))
}

/// Asks the user for the permission to type, `limit` at most.
pub(super) fn permit(token: TokenFile, limit: Duration) -> Result<(), scriven_desktop::Error> {
    Portal::new(Arc::new(token)).permit(limit)
}

impl Output for Delivery {
    fn begin(&mut self, held: bool) -> Option<Target> {
        Self::begin(self, held)
    }

    fn begin_in(&mut self, id: &str, held: bool) -> Option<Target> {
        Self::begin_in(self, id, held)
    }

    fn focus(&mut self) -> Option<Target> {
        Self::focus(self)
    }

    fn show(&mut self, committed: &str, tentative: &str) {
        Self::show(self, committed, tentative);
    }

    fn finish(&mut self, edits: &[Edit]) -> Delivered {
        Self::finish(self, edits)
    }

    fn discard(&mut self) {
        Self::discard(self);
    }

    fn undo(&mut self) -> Delivered {
        Self::undo(self)
    }

    fn insert(&mut self, text: &str) -> Delivered {
        Self::insert(self, text)
    }

    fn forget(&mut self) {
        Self::forget(self);
    }

    fn is_keyless(&self) -> bool {
        Self::is_keyless(self)
    }

    fn rest(&mut self) {
        Self::rest(self);
    }

    fn way(&self) -> Option<&'static str> {
        Self::way(self)
    }

    fn rungs(&self) -> &[Rung] {
        Self::rungs(self)
    }

    fn look_again(&mut self) {
        Self::look_again(self);
    }
}
