//! Which keys give what in the present keyboard layout, and which bits its modifiers have.

use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{ConnectionExt as _, ModMask};
use x11rb::rust_connection::RustConnection;
use xkeysym::Keysym;

use crate::shortcut::trigger::Modifiers;

/// The first keycode of a row of keysyms, and how long a row is.
#[derive(Debug, PartialEq, Eq)]
struct Rows {
    first: u8,
    width: usize,
    keysyms: Vec<u32>,
}

impl Rows {
    /// The keycodes whose row has `key` in one of the first `columns`.
    fn codes(&self, key: Keysym, columns: usize) -> Vec<u8> {
        let columns = columns.min(self.width);
        let has = |row: &[u32]| row.iter().take(columns).any(|keysym| *keysym == key.raw());
        let rows = self.keysyms.chunks(self.width.max(1)).zip(self.first..=u8::MAX);
        rows.filter(|(row, _)| has(row)).map(|(_, code)| code).collect()
    }
}

/// The layout.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keymap {
    rows: Rows,
    /// Bits that differ with locks alone and say nothing about what is held.
    caps: u16,
    num: u16,
    scroll: u16,
    alt: u16,
    logo: u16,
    /// Keycodes of the modifiers, as many for each of them.
    modifier_codes: Vec<u8>,
}

impl Keymap {
    pub(super) fn read(connection: &RustConnection) -> Result<Self, ReplyError> {
        let setup = connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let mapping = connection.get_keyboard_mapping(first, last - first + 1)?;
        let modifiers = connection.get_modifier_mapping()?;
        let mapping = mapping.reply()?;
        let width = usize::from(mapping.keysyms_per_keycode);
        let rows = Rows { first, width, keysyms: mapping.keysyms };
        let keycodes = modifiers.reply()?.keycodes;
        let bit = |keys: &[Keysym]| bit_of(&rows, &keycodes, keys);
        Ok(Self {
            caps: ModMask::LOCK.into(),
            num: bit(&[Keysym::Num_Lock]),
            scroll: bit(&[Keysym::Scroll_Lock]),
            alt: bit(&[Keysym::Alt_L, Keysym::Alt_R, Keysym::Meta_L, Keysym::Meta_R]),
            logo: bit(&[Keysym::Super_L, Keysym::Super_R]),
            rows,
            modifier_codes: keycodes,
        })
    }

    /// The keycodes that give `key`: without modifiers, or else with some.
    pub(super) fn codes(&self, key: Keysym) -> Vec<u8> {
        let plain = self.rows.codes(key, 1);
        if plain.is_empty() { self.rows.codes(key, usize::MAX) } else { plain }
    }

    /// The bits of modifiers that must be held; none if the layout has no such modifier.
    pub(super) fn mask(&self, modifiers: Modifiers) -> Option<u16> {
        let wanted = [
            (modifiers.ctrl, ModMask::CONTROL.into()),
            (modifiers.shift, ModMask::SHIFT.into()),
            (modifiers.alt, self.alt),
            (modifiers.logo, self.logo),
            (modifiers.num, self.num),
        ];
        let mut mask = 0;
        for (_, bit) in wanted.into_iter().filter(|(held, _)| *held) {
            if bit == 0 {
                return None;
            }
            mask |= bit;
        }
        Some(mask)
    }

    /// What is held according to `state`: locks and pointer buttons taken out, but for a lock that
    /// `wanted` asks for.
    pub(super) fn held(&self, state: u16, wanted: u16) -> u16 {
        state & 0xff & !(self.locks() & !wanted)
    }

    /// Every combination of the locks that are not in `wanted`.
    pub(super) fn lock_combinations(&self, wanted: u16) -> Vec<u16> {
        let free = self.locks() & !wanted;
        let mut combinations: Vec<u16> = (0..=0xff).filter(|bits| bits & !free == 0).collect();
        combinations.dedup();
        combinations
    }

    fn locks(&self) -> u16 {
        self.caps | self.num | self.scroll
    }

    /// The bits that a key sets while it is down; zero if it is no modifier.
    pub(super) fn bits(&self, code: u8) -> u16 {
        let lists = modifier_lists(&self.modifier_codes).enumerate();
        let has = lists.filter(|(_, list)| code != 0 && list.contains(&code));
        has.fold(0, |bits, (modifier, _)| bits | 1 << modifier)
    }
}

/// The keycodes of each modifier: Shift, Lock, Control and Mod1 to Mod5.
fn modifier_lists(codes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const MODIFIERS: usize = 8;
    codes.chunks((codes.len() / MODIFIERS).max(1)).take(MODIFIERS)
}

/// The bit of the modifier that one of `keys` is mapped to; zero if there is none.
fn bit_of(rows: &Rows, modifier_codes: &[u8], keys: &[Keysym]) -> u16 {
    /// Behind Shift, Lock and Control, whose meaning is fixed.
    const MOD1: usize = 3;
    let codes: Vec<u8> = keys.iter().flat_map(|key| rows.codes(*key, usize::MAX)).collect();
    let mut lists = modifier_lists(modifier_codes).enumerate().skip(MOD1);
    let found = lists.find(|(_, list)| list.iter().any(|code| codes.contains(code)));
    found.map_or(0, |(modifier, _)| 1 << modifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns; Alt on Mod1, Num Lock on Mod2, Super on Mod4, no Scroll Lock.
    fn keymap() -> Keymap {
        let keysyms = [
            (Keysym::d, Keysym::D),
            (Keysym::Alt_L, Keysym::Meta_L),
            (Keysym::Num_Lock, Keysym::NoSymbol),
            (Keysym::Super_L, Keysym::NoSymbol),
            (Keysym::_1, Keysym::exclam),
            (Keysym::exclam, Keysym::_1),
        ];
        let keysyms = keysyms.iter().flat_map(|(a, b)| [a.raw(), b.raw()]).collect();
        let rows = Rows { first: 8, width: 2, keysyms };
        let codes = vec![0, 0, 0, 9, 10, 0, 11, 0];
        let bit = |key| bit_of(&rows, &codes, &[key]);
        let (alt, num, logo) = (bit(Keysym::Meta_L), bit(Keysym::Num_Lock), bit(Keysym::Super_L));
        Keymap {
            caps: 2,
            num,
            scroll: bit(Keysym::Scroll_Lock),
            alt,
            logo,
            rows,
            modifier_codes: codes,
        }
    }

    #[test]
    fn modifiers_have_the_bits_that_they_are_mapped_to() {
        let keymap = keymap();
        assert_eq!((keymap.alt, keymap.num, keymap.logo, keymap.scroll), (8, 16, 64, 0));
        let all = Modifiers { ctrl: true, alt: true, shift: true, num: true, logo: true };
        assert_eq!(keymap.mask(all), Some(1 | 4 | 8 | 16 | 64));
        assert_eq!(
            (keymap.bits(9), keymap.bits(11), keymap.bits(8), keymap.bits(0)),
            (8, 64, 0, 0)
        );
        let without_logo = Keymap { logo: 0, ..keymap };
        assert_eq!(without_logo.mask(all), None);
    }

    #[test]
    fn locks_make_no_difference_unless_asked_for() {
        let keymap = keymap();
        let mut combinations = keymap.lock_combinations(0);
        combinations.sort_unstable();
        assert_eq!(combinations, [0, 2, 16, 18]);
        assert_eq!(keymap.lock_combinations(16), [0, 2]);
        assert_eq!(keymap.held(4 | 8 | 16 | 2 | 0x100, 4 | 8), 4 | 8);
        assert_eq!(keymap.held(16, 16), 16);
        assert_eq!(keymap.held(0, 16), 0);
    }

    #[test]
    fn a_key_is_found_by_what_it_gives_alone_before_what_it_gives_with_shift() {
        let keymap = keymap();
        assert_eq!(keymap.codes(Keysym::d), [8]);
        assert_eq!(keymap.codes(Keysym::exclam), [13]);
        assert_eq!(keymap.codes(Keysym::D), [8]);
        assert_eq!(keymap.codes(Keysym::F9), []);
    }
}
