//! A keymap in XKB's text format that is made for what is typed: every character has a key.
//!
//! A character keeps its key as long as there is room. X11 programs behind Xwayland look a key up
//! when they come to read it, in the keymap of that moment: what is still unread stays right.

use std::fmt::Write;

/// Codes of keys that have one meaning here and on real keyboards, from `input-event-codes.h`.
pub(super) const BACKSPACE: u32 = 14;
const TAB: u32 = 15;
const RETURN: u32 = 28;
const LEFT_CTRL: u32 = 29;
const LEFT_SHIFT: u32 = 42;
pub(super) const V: u32 = 47;
const SPACE: u32 = 57;

/// Keys that print on a real keyboard, for programs that look at the place of a key (so no text
/// arrives as Escape or F5), then those that no keyboard has.
const FREE: [(u32, u32); 7] =
    [(2, 13), (16, 27), (30, 41), (43, 46), (48, 53), (86, 86), (120, 240)];

/// XKB counts from 8.
const XKB_OFFSET: u32 = 8;

/// Which character stands on which key.
pub(super) struct Keymap {
    places: Vec<(char, u32)>,
}

impl Keymap {
    pub(super) fn new() -> Self {
        Self { places: vec![('\n', RETURN), ('\t', TAB), (' ', SPACE), ('v', V)] }
    }

    /// Finds keys for the characters of `text`: for how many of its bytes there was room, at least
    /// one character's. When all keys are taken it begins anew.
    pub(super) fn cover(&mut self, text: &str) -> usize {
        for (at, character) in text.char_indices() {
            if self.key(character).is_some() {
                continue;
            }
            let place = match self.free() {
                Some(place) => place,
                None if at > 0 => return at,
                None => {
                    *self = Self::new();
                    FREE[0].0
                }
            };
            self.places.push((character, place));
        }
        text.len()
    }

    pub(super) fn key(&self, character: char) -> Option<u32> {
        self.places.iter().find(|(placed, _)| *placed == character).map(|(_, key)| *key)
    }

    fn free(&self) -> Option<u32> {
        let is_taken = |key: &u32| self.places.iter().any(|(_, taken)| taken == key);
        FREE.iter().flat_map(|(first, last)| *first..=*last).find(|key| !is_taken(key))
    }

    /// The keymap as compositors take it.
    pub(super) fn source(&self) -> String {
        let mut keys: Vec<(u32, String)> =
            self.places.iter().map(|(character, key)| (*key, symbols(*character))).collect();
        let named = [(BACKSPACE, "BackSpace"), (LEFT_CTRL, "Control_L"), (LEFT_SHIFT, "Shift_L")];
        keys.extend(named.map(|(key, name)| (key, name.to_owned())));
        let (mut codes, mut signs) = (String::new(), String::new());
        for (key, symbols) in keys {
            let code = key + XKB_OFFSET;
            // Writing into a string does not fail.
            writeln!(codes, "<K{code}> = {code};").ok();
            writeln!(signs, "key <K{code}> {{ [ {symbols} ] }};").ok();
        }
        let (ctrl, shift) = (LEFT_CTRL + XKB_OFFSET, LEFT_SHIFT + XKB_OFFSET);
        format!(
            "xkb_keymap {{\n\
             xkb_keycodes \"scriven\" {{ minimum = 8; maximum = 255;\n{codes}}};\n\
             xkb_types \"scriven\" {{ include \"complete\" }};\n\
             xkb_compatibility \"scriven\" {{ include \"complete\" }};\n\
             xkb_symbols \"scriven\" {{ name[Group1] = \"Scriven\";\n{signs}\
             modifier_map Control {{ <K{ctrl}> }};\nmodifier_map Shift {{ <K{shift}> }};\n}};\n}};\n"
        )
    }
}

/// What XKB calls a character.
fn symbols(character: char) -> String {
    match character {
        '\n' => "Return".to_owned(),
        '\t' => "Tab".to_owned(),
        // With its capital, for Ctrl+Shift+V.
        'v' => "v, V".to_owned(),
        other => format!("U{:04X}", u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_keeps_its_key_while_there_is_room() {
        let mut keymap = Keymap::new();
        assert_eq!(keymap.cover("für "), "für ".len());
        let before = keymap.key('ü');
        assert_eq!(keymap.cover("日本語"), "日本語".len());
        assert_eq!(keymap.key('ü'), before);
        assert!(keymap.key('語').is_some());
    }

    #[test]
    fn no_two_characters_share_a_key() {
        let mut keymap = Keymap::new();
        let text: String = ('!'..='~').collect();
        assert_eq!(keymap.cover(&text), text.len());
        let mut keys: Vec<u32> = keymap.places.iter().map(|(_, key)| *key).collect();
        keys.extend([BACKSPACE, LEFT_CTRL, LEFT_SHIFT]);
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn more_characters_than_keys_take_several_keymaps() {
        let text: String = ('\u{4e00}'..'\u{4f90}').collect();
        let (mut keymap, mut rest, mut maps) = (Keymap::new(), text.as_str(), 0);
        while !rest.is_empty() {
            let covered = keymap.cover(rest);
            assert!(rest[..covered].chars().all(|character| keymap.key(character).is_some()));
            rest = &rest[covered..];
            maps += 1;
        }
        assert_eq!(maps, 3);
    }
}
