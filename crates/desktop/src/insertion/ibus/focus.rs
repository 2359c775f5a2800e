//! Which input context has the focus, from what IBus tells.

use crate::insertion::Target;

/// The context that IBus itself keeps for when no program has the focus. It is the first that is
/// made. Source: `bus_ibus_impl_init` in `bus/ibusimpl.c`, IBus 1.5.
const NOBODY: &str = "/org/freedesktop/IBus/InputContext_1";
/// `IBUS_INPUT_PURPOSE_PASSWORD` and `_PIN`.
const SECRETS: [u32; 2] = [8, 9];

/// The focus, as far as it has been told.
#[derive(Debug, Default)]
pub(super) struct Focus {
    context: Option<String>,
    /// How often the focus has come to a context. GNOME Shell has one context for all windows, so
    /// that the name alone does not tell them apart.
    arrivals: u64,
    purpose: u32,
}

impl Focus {
    /// The focus is now on `context`. Telling it twice makes no difference.
    pub(super) fn enter(&mut self, context: &str) {
        if context == NOBODY {
            self.context = None;
        } else if self.context.as_deref() != Some(context) {
            *self = Self { context: Some(context.into()), arrivals: self.arrivals + 1, purpose: 0 };
        }
    }

    /// The focus has gone from `context`.
    pub(super) fn leave(&mut self, context: &str) {
        if self.context.as_deref() == Some(context) {
            self.context = None;
        }
    }

    /// What the context in focus takes: `IBUS_INPUT_PURPOSE_…`.
    pub(super) fn set_purpose(&mut self, purpose: u32) {
        self.purpose = purpose;
    }

    /// What is in focus, if anything takes text.
    pub(super) fn target(&self) -> Option<Target> {
        let context = self.context.as_deref()?;
        let name = context.rsplit('/').next().unwrap_or(context);
        Some(Target {
            id: format!("{name}#{}", self.arrivals),
            secret: SECRETS.contains(&self.purpose),
            ..Target::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/org/freedesktop/IBus/InputContext_7";

    #[test]
    fn a_context_that_is_left_and_entered_again_is_another_target() {
        let mut focus = Focus::default();
        assert_eq!(focus.target(), None);
        focus.enter(A);
        let first = focus.target();
        focus.enter(A);
        assert_eq!(focus.target(), first);
        focus.leave(A);
        assert_eq!(focus.target(), None);
        focus.enter(A);
        assert_ne!(focus.target(), first);
    }

    #[test]
    fn passwords_are_secret_until_the_focus_moves() {
        let mut focus = Focus::default();
        focus.enter(A);
        for (purpose, secret) in [(8, true), (9, true), (0, false), (8, true)] {
            focus.set_purpose(purpose);
            assert_eq!(focus.target().map(|target| target.secret), Some(secret));
        }
        focus.enter("/org/freedesktop/IBus/InputContext_8");
        assert_eq!(focus.target().map(|target| target.secret), Some(false));
    }

    #[test]
    fn the_context_of_nobody_takes_no_text() {
        let mut focus = Focus::default();
        focus.enter(NOBODY);
        assert_eq!(focus.target(), None);
    }
}
