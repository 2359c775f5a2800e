//! The user's keyboard as the server has it: which key gives which character, with which modifiers.
//!
//! Levels, types and groups: "The X Keyboard Extension: Protocol Specification", chapter 12.

use std::collections::{HashMap, HashSet};

use x11rb::connection::RequestConnection as _;
use x11rb::protocol::xkb::{self, GetMapRequest, KeySymMap, KeyType, MapPart};
use x11rb::protocol::xproto::{Keycode, Keysym};
use xkeysym::Keysym as Symbol;

use super::server::Server;
use crate::Error;

/// The bit of Caps Lock among the modifiers.
const LOCK: u8 = 1 << 1;
/// The keyboard that all keyboards of the user act as.
pub(super) const CORE_KEYBOARD: u16 = 0x100;
/// Keysyms from here on are keys without a character, and those of the number pad.
const FIRST_FUNCTION: Keysym = 0xfd00;
const LAST_FUNCTION: Keysym = 0xffff;

/// A key and the modifiers that must be down with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) code: Keycode,
    pub(super) modifiers: u8,
}

/// What keys give, in the group (the layout) that is active.
#[derive(Default)]
pub(super) struct Keymap {
    keys: HashMap<Keysym, Key>,
    /// A key for each modifier that is needed, by its bit.
    holders: [Option<Keycode>; 8],
    /// Keys that give nothing.
    pub(super) spare: Vec<Keycode>,
    /// The modifier of Num Lock, which changes no letter.
    pub(super) num_lock: u8,
}

impl Keymap {
    /// Reads the keyboard. What only the keys of `without` give is not in it: they count as spare.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(super) fn read(server: &Server, without: &HashSet<Keycode>) -> Result<Self, Error> {
        let connection = &server.connection;
        let full = MapPart::KEY_TYPES | MapPart::KEY_SYMS | MapPart::MODIFIER_MAP;
        let all = GetMapRequest { device_spec: CORE_KEYBOARD, full, ..GetMapRequest::default() };
        let map = connection.send_trait_request_with_reply(all).map_err(|err| server.gone(err))?;
        let state = xkb::get_state(connection, CORE_KEYBOARD).map_err(|err| server.gone(err))?;
        let map = map.reply().map_err(|err| server.gone(err))?;
        let group = u8::from(state.reply().map_err(|err| server.gone(err))?.group);
        let types = map.map.types_rtrn.unwrap_or_default();
        let symbols = map.map.syms_rtrn.unwrap_or_default();
        let modifiers = map.map.modmap_rtrn.unwrap_or_default();
        let modifiers: HashMap<Keycode, u8> =
            modifiers.iter().map(|key| (key.keycode, u16::from(key.mods) as u8)).collect();
        let codes = (map.first_key_sym..=u8::MAX).zip(&symbols);
        Ok(Self::new(&types, codes, &modifiers, group, without))
    }

    fn new<'a>(
        types: &[KeyType],
        codes: impl Iterator<Item = (Keycode, &'a KeySymMap)>,
        modifiers: &HashMap<Keycode, u8>,
        group: u8,
        without: &HashSet<Keycode>,
    ) -> Self {
        let mut keymap = Self::default();
        let mut levels = Vec::new();
        for (code, symbols) in codes {
            let own = modifiers.get(&code).copied().unwrap_or(0);
            let is_empty = symbols.syms.iter().all(|&symbol| symbol == x11rb::NO_SYMBOL);
            if own == 0 && (is_empty || without.contains(&code)) {
                keymap.spare.push(code);
                continue;
            }
            let Some(group) = effective_group(group, symbols.group_info) else { continue };
            keymap.note_modifier(code, own, symbols, group);
            levels.extend(of_key(types, code, symbols, group));
        }
        for (symbol, key) in levels {
            keymap.note(symbol, key);
        }
        keymap
    }

    /// The key for `symbol`, if there is one.
    pub(super) fn key(&self, symbol: Keysym) -> Option<Key> {
        self.keys.get(&symbol).copied()
    }

    /// Keys that hold `modifiers` down.
    pub(super) fn holders(&self, modifiers: u8) -> impl Iterator<Item = Keycode> {
        (0..8)
            .filter(move |bit| modifiers & (1 << bit) != 0)
            .filter_map(|bit| self.holders[usize::from(bit as u8)])
    }

    fn note_modifier(&mut self, code: Keycode, own: u8, symbols: &KeySymMap, group: usize) {
        let first = symbols.syms.get(group * usize::from(symbols.width)).copied().unwrap_or(0);
        // A key that latches or locks would not let go.
        let holds =
            [Symbol::Shift_L, Symbol::Shift_R, Symbol::ISO_Level3_Shift, Symbol::ISO_Level5_Shift];
        for bit in (0..8u8).filter(|bit| own & (1 << bit) != 0) {
            if first == Symbol::Num_Lock.raw() {
                self.num_lock |= 1 << bit;
            } else if holds.iter().any(|hold| hold.raw() == first) {
                self.holders[usize::from(bit)].get_or_insert(code);
            }
        }
    }

    /// Keeps `key` for `symbol` unless one with fewer modifiers is known.
    fn note(&mut self, symbol: Keysym, key: Key) {
        if self.holders(key.modifiers).count() != key.modifiers.count_ones() as usize {
            return;
        }
        let known = self.keys.entry(symbol).or_insert(key);
        if key.modifiers.count_ones() < known.modifiers.count_ones() {
            *known = key;
        }
    }
}

/// The group that a key with `info` uses while `group` is active; none if it has none.
fn effective_group(group: u8, info: u8) -> Option<usize> {
    let count = info & 0x0f;
    let out_of_range = match info & 0xc0 {
        _ if count == 0 => return None,
        0x40 => count - 1,
        0x80 if ((info & 0x30) >> 4) < count => (info & 0x30) >> 4,
        0x80 => 0,
        _ => group % count,
    };
    Some(usize::from(if group < count { group } else { out_of_range }))
}

/// All that one key gives: keysym and key with modifiers.
fn of_key(
    types: &[KeyType],
    code: Keycode,
    symbols: &KeySymMap,
    group: usize,
) -> Vec<(Keysym, Key)> {
    let index = symbols.kt_index.get(group).map_or(usize::MAX, |&index| usize::from(index));
    let Some(key_type) = types.get(index) else { return Vec::new() };
    let first = group * usize::from(symbols.width);
    (0..key_type.num_levels.min(symbols.width))
        .filter_map(|level| {
            let symbol = *symbols.syms.get(first + usize::from(level))?;
            let modifiers = modifiers_of(key_type, level)?;
            Some((canonical(symbol)?, Key { code, modifiers }))
        })
        .collect()
}

/// The fewest modifiers that give `level`, Caps Lock not among them.
fn modifiers_of(key_type: &KeyType, level: u8) -> Option<u8> {
    if level == 0 {
        return Some(0);
    }
    let entries = key_type.map.iter().filter(|entry| entry.active && entry.level == level);
    let masks = entries.map(|entry| u16::from(entry.mods_mask) as u8);
    masks.filter(|mask| mask & LOCK == 0).min_by_key(|mask| mask.count_ones())
}

/// The keysym that stands for `character`; a new line is Return. None for what no key means.
pub(super) fn symbol(character: char) -> Option<Keysym> {
    match character {
        '\n' => Some(Symbol::Return.raw()),
        '\t' => Some(Symbol::Tab.raw()),
        control if control.is_control() => None,
        character => Some(Symbol::from_char(character).raw()),
    }
}

/// One keysym for each character: some have two names, `0x20ac` and `0x10020ac`.
fn canonical(keysym: Keysym) -> Option<Keysym> {
    match keysym {
        x11rb::NO_SYMBOL => None,
        FIRST_FUNCTION..=LAST_FUNCTION => Some(keysym),
        _ => Symbol::new(keysym).key_char().and_then(symbol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x11rb::protocol::xkb::KTMapEntry;

    fn entry(modifiers: u16, level: u8) -> KTMapEntry {
        KTMapEntry { active: true, mods_mask: modifiers.into(), level, ..KTMapEntry::default() }
    }

    fn types() -> [KeyType; 2] {
        let of = |map: Vec<KTMapEntry>| KeyType { num_levels: 4, map, ..KeyType::default() };
        // FOUR_LEVEL_SEMIALPHABETIC: Caps Lock acts as Shift on the first two levels.
        [of(vec![entry(1, 1), entry(2, 1), entry(0x80, 2), entry(0x81, 3)]), of(vec![entry(1, 1)])]
    }

    fn key(group_info: u8, syms: &[Keysym]) -> KeySymMap {
        let width = syms.len() as u8 / (group_info & 0x0f).max(1);
        KeySymMap { kt_index: [0; 4], group_info, width, syms: syms.to_vec() }
    }

    fn keymap(group: u8, without: &[Keycode]) -> Keymap {
        let [a, upper_a, ae, upper_ae] = ['a', 'A', 'æ', 'Æ'].map(|c| Symbol::from_char(c).raw());
        let (phi, upper_phi) = (Symbol::from_char('ф').raw(), Symbol::from_char('Ф').raw());
        let keys = [
            (38, key(2, &[a, upper_a, ae, upper_ae, phi, upper_phi, 0, 0])),
            (50, key(1, &[Symbol::Shift_L.raw()])),
            (92, key(1, &[Symbol::ISO_Level3_Shift.raw()])),
            (77, key(1, &[Symbol::Num_Lock.raw()])),
            (90, key(1, &[Symbol::KP_0.raw()])),
            (200, key(0, &[])),
            (201, key(1, &[Symbol::from_char('日').raw()])),
        ];
        let modifiers = HashMap::from([(50, 1), (92, 0x80), (77, 0x10)]);
        let without = without.iter().copied().collect();
        let codes = keys.iter().map(|(code, key)| (*code, key));
        Keymap::new(&types(), codes, &modifiers, group, &without)
    }

    fn code_and_modifiers(keymap: &Keymap, character: char) -> Option<(Keycode, u8)> {
        keymap.key(symbol(character)?).map(|key| (key.code, key.modifiers))
    }

    #[test]
    fn a_character_is_its_key_and_modifiers_and_never_caps_lock() {
        let keymap = keymap(0, &[]);
        assert_eq!(code_and_modifiers(&keymap, 'a'), Some((38, 0)));
        assert_eq!(code_and_modifiers(&keymap, 'A'), Some((38, 1)));
        assert_eq!(code_and_modifiers(&keymap, 'æ'), Some((38, 0x80)));
        assert_eq!(code_and_modifiers(&keymap, 'Æ'), Some((38, 0x81)));
        assert_eq!(keymap.holders(0x81).collect::<Vec<_>>(), [50, 92]);
        assert_eq!(code_and_modifiers(&keymap, '日'), Some((201, 0)));
    }

    #[test]
    fn only_the_layout_that_is_active_counts() {
        let keymap = keymap(1, &[]);
        assert_eq!(code_and_modifiers(&keymap, 'ф'), Some((38, 0)));
        assert_eq!(code_and_modifiers(&keymap, 'a'), None);
    }

    #[test]
    fn a_digit_of_the_number_pad_is_no_digit() {
        let keymap = keymap(0, &[]);
        assert_eq!(code_and_modifiers(&keymap, '0'), None);
        assert_eq!(keymap.num_lock, 0x10);
    }

    #[test]
    fn keys_of_ours_are_spare_to_us() {
        assert_eq!(keymap(0, &[]).spare, [200]);
        let keymap = keymap(0, &[201]);
        assert_eq!(keymap.spare, [200, 201]);
        assert_eq!(code_and_modifiers(&keymap, '日'), None);
    }

    #[test]
    fn groups_out_of_range_wrap_clamp_or_go_elsewhere() {
        assert_eq!(effective_group(0, 0), None);
        assert_eq!(effective_group(3, 2), Some(1));
        assert_eq!(effective_group(3, 0x42), Some(1));
        assert_eq!(effective_group(3, 0x92), Some(1));
        assert_eq!(effective_group(3, 0xb2), Some(0));
    }

    #[test]
    fn two_names_of_a_character_are_one() {
        assert_eq!(canonical(0x20ac), symbol('€'));
        assert_eq!(canonical(0x0100_20ac), symbol('€'));
        assert_eq!(symbol('\u{7}'), None);
        assert_eq!(canonical(Symbol::Return.raw()), symbol('\n'));
        assert_eq!(canonical(Symbol::dead_acute.raw()), Some(Symbol::dead_acute.raw()));
    }
}
