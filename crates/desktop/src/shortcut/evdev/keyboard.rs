//! From the bytes of input devices to shortcuts.

use std::collections::HashSet;

use crate::shortcut::Bound;
use crate::shortcut::trigger::{Modifiers, Trigger};

use super::codes;

/// `EV_SYN`, `EV_KEY` and `SYN_DROPPED` of `linux/input-event-codes.h`.
const SYNCHRONIZATION: u16 = 0;
const KEY: u16 = 1;
const DROPPED: u16 = 3;
/// Values of a key.
const UP: i32 = 0;
const DOWN: i32 = 1;

/// `struct input_event` of `linux/input.h` without its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputEvent {
    /// `EV_KEY` and others.
    pub kind: u16,
    /// Which key.
    pub code: u16,
    /// 0 up, 1 down, 2 repeated.
    pub value: i32,
}

impl InputEvent {
    /// Two words of time, then kind, code and value.
    const TIME: usize = 2 * size_of::<usize>();
    /// Bytes of an event on this machine.
    pub const LENGTH: usize = Self::TIME + 8;

    fn read(bytes: &[u8]) -> Self {
        let half = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let value = [4, 5, 6, 7].map(|at| bytes[Self::TIME + at]);
        let (kind, code) = (half(Self::TIME), half(Self::TIME + 2));
        Self { kind, code, value: i32::from_ne_bytes(value) }
    }
}

/// Puts events together from blocks of bytes, however they are cut.
#[derive(Clone, Debug, Default)]
pub struct Decoder(Vec<u8>);

impl Decoder {
    /// The events that are complete with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<InputEvent> {
        self.0.extend_from_slice(bytes);
        let whole = self.0.len() - self.0.len() % InputEvent::LENGTH;
        let events = self.0[..whole].chunks(InputEvent::LENGTH).map(InputEvent::read).collect();
        self.0.drain(..whole);
        events
    }
}

/// What an event means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Pressed(String),
    Released(String),
    Cancelled,
}

/// Why a device cannot tell this shortcut; none if it can.
pub(super) fn problem(trigger: &Trigger) -> Option<&'static str> {
    if trigger.modifiers.num {
        return Some("input devices do not tell whether Num Lock is on; leave NUM out");
    }
    if codes::code(trigger.key).is_none() {
        return Some(
            "input devices know keys by their place on an American keyboard, and this is none",
        );
    }
    None
}

#[derive(Debug)]
struct Shortcut {
    action: String,
    code: u16,
    modifiers: Modifiers,
}

/// All keyboards together, as one: Ctrl on one and a letter on another are a shortcut.
#[derive(Debug)]
pub(super) struct Keyboards {
    shortcuts: Vec<Shortcut>,
    /// The keys that are down and matter, each with its device.
    down: HashSet<(u64, u16)>,
    /// Devices that have lost events, until they say that they are whole again.
    torn: HashSet<u64>,
}

impl Keyboards {
    pub(super) fn new(bindings: &[Bound]) -> Self {
        let shortcut = |bound: &Bound| {
            let Trigger { key, modifiers } = bound.trigger;
            Some(Shortcut { action: bound.action.clone(), code: codes::code(key)?, modifiers })
        };
        let shortcuts = bindings.iter().filter_map(shortcut).collect();
        Self { shortcuts, down: HashSet::new(), torn: HashSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shortcuts.is_empty()
    }

    /// Has a device with these keys any that matters? As the kernel lists them: words of
    /// hexadecimal digits, the highest first.
    pub(super) fn are_on(&self, listed: &str) -> bool {
        let bits = u16::try_from(usize::BITS).unwrap_or(64);
        let words: Vec<usize> = listed
            .split_whitespace()
            .rev()
            .map(|word| usize::from_str_radix(word, 16).unwrap_or_default())
            .collect();
        let has = |code: u16| {
            words.get(usize::from(code / bits)).is_some_and(|word| word >> (code % bits) & 1 == 1)
        };
        self.matter().any(has)
    }

    /// What an event of a device means. `armed`: Escape cancels.
    pub(super) fn take(&mut self, device: u64, event: InputEvent, armed: bool) -> Vec<Meaning> {
        match event {
            InputEvent { kind: SYNCHRONIZATION, code: DROPPED, .. } => {
                self.torn.insert(device);
                // What went up in between is not known; held for ever would be worse than too short.
                self.forget_keys(device)
            }
            InputEvent { kind: SYNCHRONIZATION, .. } => {
                self.torn.remove(&device);
                Vec::new()
            }
            InputEvent { kind: KEY, code, value } if !self.torn.contains(&device) => match value {
                DOWN => self.went_down(device, code, armed),
                UP => self.went_up(device, code),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// A device is gone, and with it what was held on it.
    pub(super) fn forget(&mut self, device: u64) -> Vec<Meaning> {
        self.torn.remove(&device);
        self.forget_keys(device)
    }

    fn forget_keys(&mut self, device: u64) -> Vec<Meaning> {
        let held: Vec<u16> =
            self.down.iter().filter(|(its, _)| *its == device).map(|(_, code)| *code).collect();
        held.into_iter().flat_map(|code| self.went_up(device, code)).collect()
    }

    fn went_down(&mut self, device: u64, code: u16, armed: bool) -> Vec<Meaning> {
        if armed && code == codes::ESCAPE {
            return vec![Meaning::Cancelled];
        }
        if !self.matter().any(|known| known == code) {
            return Vec::new();
        }
        let held = self.modifiers_besides(code);
        self.down.insert((device, code));
        let meant = self.shortcuts.iter().filter(|it| it.code == code && it.modifiers == held);
        meant.map(|it| Meaning::Pressed(it.action.clone())).collect()
    }

    fn went_up(&mut self, device: u64, code: u16) -> Vec<Meaning> {
        self.down.remove(&(device, code));
        let meant = self.shortcuts.iter().filter(|it| it.code == code);
        // Those that were not pressed are not released: `Keys` knows.
        meant.map(|it| Meaning::Released(it.action.clone())).collect()
    }

    fn modifiers_besides(&self, code: u16) -> Modifiers {
        let held = |codes: [u16; 2]| {
            self.down.iter().any(|(_, down)| *down != code && codes.contains(down))
        };
        Modifiers {
            ctrl: held(codes::CTRL),
            alt: held(codes::ALT),
            shift: held(codes::SHIFT),
            num: false,
            logo: held(codes::LOGO),
        }
    }

    /// The keys of shortcuts and all modifiers.
    fn matter(&self) -> impl Iterator<Item = u16> {
        let modifiers = [codes::CTRL, codes::ALT, codes::SHIFT, codes::LOGO].into_iter().flatten();
        self.shortcuts.iter().map(|it| it.code).chain(modifiers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyboards(triggers: &[&str]) -> Keyboards {
        let bound = |trigger: &&str| Bound {
            action: (*trigger).to_owned(),
            trigger: trigger.parse().unwrap(),
            description: String::new(),
        };
        Keyboards::new(&triggers.iter().map(bound).collect::<Vec<_>>())
    }

    fn key(code: u16, value: i32) -> InputEvent {
        InputEvent { kind: KEY, code, value }
    }

    /// What events mean, short: `+` pressed, `-` released, `!` cancelled.
    fn meant(keyboards: &mut Keyboards, events: &[(u64, InputEvent)], armed: bool) -> Vec<String> {
        let short = |meaning| match meaning {
            Meaning::Pressed(action) => format!("+{action}"),
            Meaning::Released(action) => format!("-{action}"),
            Meaning::Cancelled => "!".to_owned(),
        };
        let all = events.iter().flat_map(|(device, event)| keyboards.take(*device, *event, armed));
        all.map(short).collect()
    }

    const CTRL_L: u16 = 29;
    const CTRL_R: u16 = 97;
    const D: u16 = 32;
    const ESC: u16 = 1;

    #[test]
    fn a_shortcut_needs_its_modifiers_and_no_others() {
        let mut keyboards = keyboards(&["CTRL+d", "d"]);
        let with = [(1, key(CTRL_L, 1)), (1, key(D, 1)), (1, key(D, 2))];
        assert_eq!(meant(&mut keyboards, &with, false), ["+CTRL+d"]);
        assert_eq!(meant(&mut keyboards, &[(1, key(CTRL_L, 0))], false), [""; 0]);
        assert_eq!(meant(&mut keyboards, &[(1, key(D, 0))], false), ["-CTRL+d", "-d"]);
        assert_eq!(meant(&mut keyboards, &[(1, key(D, 1))], false), ["+d"]);
    }

    #[test]
    fn two_keyboards_are_one() {
        let mut keyboards = keyboards(&["CTRL+d"]);
        let pressed = [(1, key(CTRL_R, 1)), (2, key(D, 1))];
        assert_eq!(meant(&mut keyboards, &pressed, false), ["+CTRL+d"]);
    }

    #[test]
    fn a_modifier_alone_is_a_shortcut_unless_another_is_held() {
        let mut keyboards = keyboards(&["Control_R"]);
        let alone = [(1, key(CTRL_R, 1)), (1, key(CTRL_R, 0))];
        assert_eq!(meant(&mut keyboards, &alone, false), ["+Control_R", "-Control_R"]);
        let with_shift = [(1, key(42, 1)), (1, key(CTRL_R, 1))];
        assert_eq!(meant(&mut keyboards, &with_shift, false), [""; 0]);
    }

    #[test]
    fn escape_cancels_only_when_it_is_armed() {
        let mut keyboards = keyboards(&["CTRL+d"]);
        assert_eq!(meant(&mut keyboards, &[(1, key(ESC, 1))], false), [""; 0]);
        assert_eq!(meant(&mut keyboards, &[(1, key(ESC, 1)), (1, key(ESC, 2))], true), ["!"]);
    }

    #[test]
    fn what_is_held_on_a_device_that_goes_is_released() {
        let mut keyboards = keyboards(&["d"]);
        meant(&mut keyboards, &[(1, key(D, 1)), (2, key(CTRL_L, 1))], false);
        assert_eq!(keyboards.forget(1), [Meaning::Released("d".to_owned())]);
        assert_eq!(keyboards.forget(2), []);
        assert_eq!(meant(&mut keyboards, &[(3, key(D, 1))], false), ["+d"]);
    }

    #[test]
    fn events_that_the_kernel_dropped_hold_nothing_down() {
        let mut keyboards = keyboards(&["d"]);
        let sync = |code| InputEvent { kind: SYNCHRONIZATION, code, value: 0 };
        let dropped = [(1, key(D, 1)), (1, sync(DROPPED)), (1, key(D, 1)), (1, sync(0))];
        assert_eq!(meant(&mut keyboards, &dropped, false), ["+d", "-d"]);
        assert_eq!(meant(&mut keyboards, &[(1, key(D, 1))], false), ["+d"]);
    }

    #[test]
    fn the_keys_of_a_device_are_known_before_it_is_opened() {
        let keyboards = keyboards(&["F9"]);
        assert!(keyboards.are_on("402000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"));
        assert!(!keyboards.are_on("1f0000 0 0 0 0"), "the buttons of a mouse");
        assert!(!keyboards.are_on("not hexadecimal"));
    }

    #[test]
    fn what_a_device_cannot_tell_is_explained() {
        let told = |text: &str| problem(&text.parse().unwrap());
        assert_eq!(told("CTRL+F9"), None);
        assert!(told("NUM+F9").unwrap().contains("Num Lock"));
        assert!(told("adiaeresis").unwrap().contains("American keyboard"));
    }

    proptest! {
        #[test]
        fn how_bytes_are_cut_makes_no_difference(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            cuts in prop::collection::vec(0_usize..400, 0..8),
        ) {
            let whole = Decoder::default().push(&bytes);
            prop_assert_eq!(whole.len(), bytes.len() / InputEvent::LENGTH);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let pieces: Vec<InputEvent> =
                cuts.windows(2).flat_map(|cut| decoder.push(&bytes[cut[0]..cut[1]])).collect();
            prop_assert_eq!(&pieces, &whole);
            // No sequence of events is too strange.
            let mut keyboards = keyboards(&["CTRL+d", "Control_R"]);
            for event in whole {
                keyboards.take(1, event, true);
            }
            keyboards.forget(1);
            prop_assert!(keyboards.down.is_empty());
        }
    }
}
