//! The keys that are ours for now.

use x11rb::cookie::VoidCookie;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, KeyButMask, Keycode, ModMask, Window};
use x11rb::rust_connection::RustConnection;
use xkeysym::Keysym;

use super::keymap::Keymap;
use super::refused;
use crate::Error;
use crate::shortcut::{Board, Bound};

/// Has anything become otherwise?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Same,
    Changed,
}

/// A binding on this server.
#[derive(Debug)]
struct Held {
    bound: Bound,
    codes: Vec<Keycode>,
    /// Bits of the modifiers that go with it.
    mask: u16,
    problem: Option<String>,
}

/// All bindings on this server.
#[derive(Debug)]
pub(super) struct Grabs {
    keymap: Keymap,
    held: Vec<Held>,
}

impl Grabs {
    /// Takes all that can be had.
    pub(super) fn take(
        connection: &RustConnection,
        root: Window,
        keymap: Keymap,
        bindings: &[Bound],
    ) -> Result<Self, ReplyError> {
        let held = |bound: &Bound| Held {
            bound: bound.clone(),
            codes: Vec::new(),
            mask: 0,
            problem: None,
        };
        let mut grabs = Self { keymap, held: bindings.iter().map(held).collect() };
        for held in &mut grabs.held {
            take(connection, root, &grabs.keymap, held)?;
        }
        Ok(grabs)
    }

    /// Is this the layout that the keys are grabbed for?
    pub(super) fn is_for(&self, keymap: &Keymap) -> bool {
        self.keymap == *keymap
    }

    /// Lets all go, and takes what the keys are in another layout.
    pub(super) fn regrab(
        &mut self,
        connection: &RustConnection,
        root: Window,
        keymap: Keymap,
    ) -> Result<Outcome, ReplyError> {
        connection.ungrab_key(0_u8, root, ModMask::ANY)?.check()?;
        let before = self.problems();
        self.keymap = keymap;
        for held in &mut self.held {
            take(connection, root, &self.keymap, held)?;
        }
        Ok(if before == self.problems() { Outcome::Same } else { Outcome::Changed })
    }

    /// Tries again what could not be had.
    pub(super) fn retry(
        &mut self,
        connection: &RustConnection,
        root: Window,
    ) -> Result<Outcome, ReplyError> {
        let before = self.problems();
        for held in self.held.iter_mut().filter(|held| held.problem.is_some()) {
            take(connection, root, &self.keymap, held)?;
        }
        Ok(if before == self.problems() { Outcome::Same } else { Outcome::Changed })
    }

    /// Takes Escape, alone and with what is held for a shortcut, or gives it back. False if another
    /// program has it.
    pub(super) fn arm_cancel(
        &self,
        connection: &RustConnection,
        root: Window,
        armed: bool,
    ) -> Result<bool, ReplyError> {
        let held = self.held.iter();
        let mut masks: Vec<u16> = held.map(|held| held.mask | self.watched_bits(held)).collect();
        masks.push(0);
        masks.sort_unstable();
        masks.dedup();
        let codes = self.keymap.codes(Keysym::Escape);
        let mut has = !codes.is_empty();
        for mask in masks {
            if !armed {
                ungrab(connection, root, &self.keymap, &codes, mask)?;
            } else if !grab(connection, root, &self.keymap, &codes, mask)? {
                // Escape with modifiers may well be somebody's; it only counts alone.
                has &= mask != 0;
            }
        }
        Ok(has)
    }

    /// The action that a grabbed key with this state stands for.
    pub(super) fn action(&self, code: Keycode, state: KeyButMask) -> Option<String> {
        let of = |held: &&Held| {
            !held.bound.trigger.is_modifier()
                && held.codes.contains(&code)
                && self.keymap.held(state.into(), held.mask) == held.mask
        };
        self.held.iter().find(of).map(|held| held.bound.action.clone())
    }

    /// The action that a watched modifier stands for, while `others` are down with it.
    pub(super) fn watched_action(
        &self,
        code: Keycode,
        others: impl Iterator<Item = Keycode>,
    ) -> Option<String> {
        let bits = others.fold(0, |bits, other| bits | self.keymap.bits(other));
        let of = |held: &&Held| {
            held.bound.trigger.is_modifier()
                && held.codes.contains(&code)
                && self.keymap.held(bits, 0) == held.mask
        };
        self.held.iter().find(of).map(|held| held.bound.action.clone())
    }

    pub(super) fn is_modifier(&self, code: Keycode) -> bool {
        self.keymap.bits(code) != 0
    }

    pub(super) fn is_watched(&self, code: Keycode) -> bool {
        self.held.iter().any(|held| held.bound.trigger.is_modifier() && held.codes.contains(&code))
    }

    pub(super) fn is_cancel(&self, code: Keycode) -> bool {
        self.keymap.codes(Keysym::Escape).contains(&code)
    }

    pub(super) fn has_problems(&self) -> bool {
        self.held.iter().any(|held| held.problem.is_some())
    }

    pub(super) fn problems(&self) -> String {
        let problems: Vec<&str> =
            self.held.iter().filter_map(|held| held.problem.as_deref()).collect();
        problems.join("; ")
    }

    /// Writes what has become of each binding on the board; says which work.
    pub(super) fn note(&self, board: &Board) -> String {
        let mut works = Vec::new();
        for held in &self.held {
            let Bound { action, trigger, .. } = &held.bound;
            board.set(action, None, held.problem.clone());
            if held.problem.is_none() {
                works.push(format!("{trigger} for {action}"));
            }
        }
        works.join(", ")
    }

    /// What a watched modifier sets itself while it is held.
    fn watched_bits(&self, held: &Held) -> u16 {
        let codes = held.codes.iter().filter(|_| held.bound.trigger.is_modifier());
        let bits = codes.fold(0, |bits, code| bits | self.keymap.bits(*code));
        self.keymap.held(bits, 0)
    }
}

/// Takes one binding, or notes why it cannot be had.
fn take(
    connection: &RustConnection,
    root: Window,
    keymap: &Keymap,
    held: &mut Held,
) -> Result<(), ReplyError> {
    let trigger = held.bound.trigger;
    held.problem = None;
    held.codes = keymap.codes(trigger.key);
    let lacks = |what: &str| {
        let reason = format!("the present keyboard layout has no {what}");
        Some(Error::BadTrigger { trigger: trigger.to_string(), reason }.to_string())
    };
    if held.codes.is_empty() {
        held.problem = lacks("such key");
        return Ok(());
    }
    let Some(mask) = keymap.mask(trigger.modifiers) else {
        held.codes.clear();
        held.problem = lacks("such modifier");
        return Ok(());
    };
    if trigger.is_modifier() && trigger.modifiers.num {
        let reason = "NUM does not go with a modifier alone".to_owned();
        let trigger = trigger.to_string();
        held.problem = Some(Error::BadTrigger { trigger, reason }.to_string());
        return Ok(());
    }
    held.mask = mask;
    // Watching takes nothing away from anybody.
    if !trigger.is_modifier() && !grab(connection, root, keymap, &held.codes, mask)? {
        held.codes.clear();
        let (trigger, action) = (trigger.to_string(), held.bound.action.clone());
        held.problem = Some(Error::TriggerTaken { trigger, action }.to_string());
    }
    Ok(())
}

/// Grabs keys with modifiers, whatever the locks; all or, if another program has one, none.
fn grab(
    connection: &RustConnection,
    root: Window,
    keymap: &Keymap,
    codes: &[Keycode],
    mask: u16,
) -> Result<bool, ReplyError> {
    let mut asked: Vec<VoidCookie<'_, RustConnection>> = Vec::new();
    for (code, mask) in combinations(keymap, codes, mask) {
        let mode = GrabMode::ASYNC;
        asked.push(connection.grab_key(false, root, mask, code, mode, mode)?);
    }
    let mut taken = false;
    for cookie in asked {
        taken |= refused(cookie.check())?;
    }
    if taken {
        ungrab(connection, root, keymap, codes, mask)?;
    }
    Ok(!taken)
}

fn ungrab(
    connection: &RustConnection,
    root: Window,
    keymap: &Keymap,
    codes: &[Keycode],
    mask: u16,
) -> Result<(), ReplyError> {
    for (code, mask) in combinations(keymap, codes, mask) {
        connection.ungrab_key(code, root, mask)?.check()?;
    }
    Ok(())
}

fn combinations(keymap: &Keymap, codes: &[Keycode], mask: u16) -> Vec<(Keycode, ModMask)> {
    let locks = keymap.lock_combinations(mask);
    let each = |code: &Keycode| {
        let code = *code;
        locks.iter().map(move |locks| (code, ModMask::from(mask | locks))).collect::<Vec<_>>()
    };
    codes.iter().flat_map(each).collect()
}
