//! A desktop for tests: windows that hold text, and a way into them that does as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::ladder::Connect;
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

/// What all ways of a test see.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) focus: Option<&'static str>,
    pub(crate) secret: bool,
    /// Text of each window; the cursor stands behind it.
    pub(crate) texts: HashMap<&'static str, String>,
    pub(crate) preedit: String,
    /// Calls that sent something: `insert 5`, `delete 2`, `preedit 3`.
    pub(crate) calls: Vec<String>,
    /// Fails the next call that sends something.
    pub(crate) fails: Option<Error>,
    /// Where the focus moves when a call fails.
    pub(crate) moves_to: Option<&'static str>,
    /// The way is lost: every call fails.
    pub(crate) gone: bool,
    pub(crate) tells_before: bool,
    /// This window gets its text as keys.
    pub(crate) keyed: bool,
}

/// A handle on the desktop.
#[derive(Clone, Default)]
pub(crate) struct Desktop(Arc<Mutex<State>>);

impl Desktop {
    /// A desktop with the window `editor` in focus.
    pub(crate) fn new() -> Self {
        let desktop = Self::default();
        desktop.state().focus = Some("editor");
        desktop
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn text(&self, window: &'static str) -> String {
        self.state().texts.get(window).cloned().unwrap_or_default()
    }

    /// A way into this desktop.
    pub(crate) fn way(&self, name: &'static str, abilities: Abilities) -> (&'static str, Connect) {
        let desktop = self.clone();
        let connect = move || match desktop.state().gone {
            true => Err(Error::Unavailable { backend: name, reason: "no server".into() }),
            false => Ok(Box::new(Scripted { name, abilities, desktop: desktop.clone() })
                as Box<dyn Backend>),
        };
        (name, Box::new(connect))
    }
}

struct Scripted {
    name: &'static str,
    abilities: Abilities,
    desktop: Desktop,
}

impl Scripted {
    fn send(&self, call: String) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.desktop.state();
        state.calls.push(call);
        if state.gone {
            return Err(self.lost());
        }
        match state.fails.take() {
            Some(err) => {
                state.focus = state.moves_to.take().or(state.focus);
                Err(err)
            }
            None => Ok(state),
        }
    }

    fn lost(&self) -> Error {
        Error::Gone { backend: self.name, reason: "closed".into() }
    }
}

impl Backend for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn abilities(&self) -> Abilities {
        self.abilities
    }

    fn target(&mut self) -> Result<Target, Error> {
        let state = self.desktop.state();
        if state.gone {
            return Err(self.lost());
        }
        let focus = state.focus.ok_or(Error::NoTarget)?;
        let before = state.texts.get(focus).cloned().unwrap_or_default();
        Ok(Target {
            id: focus.to_owned(),
            app_id: Some("editor".into()),
            secret: state.secret,
            before: state.tells_before.then_some(before),
            keyed: state.keyed,
        })
    }

    fn preedit(&mut self, text: &str) -> Result<(), Error> {
        self.send(format!("preedit {}", text.chars().count()))?.preedit = text.to_owned();
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        let mut state = self.send(format!("insert {}", text.chars().count()))?;
        state.preedit.clear();
        let focus = state.focus.ok_or(Error::NoTarget)?;
        state.texts.entry(focus).or_default().push_str(text);
        Ok(Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        use unicode_segmentation::UnicodeSegmentation;
        let mut state = self.send(format!("delete {characters}"))?;
        let focus = state.focus.ok_or(Error::NoTarget)?;
        let text = state.texts.entry(focus).or_default();
        let clusters: Vec<&str> = text.graphemes(true).collect();
        *text = clusters[..clusters.len().saturating_sub(characters)].concat();
        Ok(())
    }
}
