//! Which keys give a character, by the keymap that the compositor tells.

use kbvm::lookup::LookupTable;
use kbvm::xkb::Context;
use kbvm::{GroupIndex, Keycode, Keysym, ModifierMask, syms};

/// Every keycode of XKB that evdev has as well.
const KEYCODES: std::ops::RangeInclusive<u32> = 8..=255;
/// The key that must be held for a modifier. Those for the third and fifth level are where
/// every layout of xkeyboard-config has them.
const HOLDERS: [(ModifierMask, Keysym); 3] = [
    (ModifierMask::SHIFT, syms::Shift_L),
    (ModifierMask::MOD5, syms::ISO_Level3_Shift),
    (ModifierMask::MOD3, syms::ISO_Level5_Shift),
];

/// What is held and locked on the keyboard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// The layout in use, of those in the keymap.
    pub(super) group: u32,
    /// Caps Lock and its like.
    pub(super) locked: u32,
}

/// A key, and those to be held around it; evdev codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) key: u32,
    pub(super) holders: Vec<u32>,
}

pub(super) struct Layout(LookupTable);

impl Layout {
    /// Reads a keymap in the text format of XKB.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        let context = Context::default();
        // What is odd in a keymap of the compositor's is not ours to tell.
        let keymap = context.keymap_from_bytes(&mut Vec::new(), None, text).ok()?;
        Some(Self(keymap.to_builder().build_lookup_table()))
    }

    /// The keys for all of `text`, or `None` where the layout lacks some of it.
    pub(super) fn strokes(&self, text: &str, held: Held) -> Option<Vec<Stroke>> {
        text.chars().map(|character| self.stroke(wanted(character), held)).collect()
    }

    /// The keys for BackSpace.
    pub(super) fn back_space(&self, held: Held) -> Option<Stroke> {
        self.stroke(syms::BackSpace, held)
    }

    /// Keys that need nothing held are preferred.
    fn stroke(&self, wanted: Keysym, held: Held) -> Option<Stroke> {
        (0..1u32 << HOLDERS.len()).find_map(|subset| {
            let chosen: Vec<_> = (0..HOLDERS.len())
                .filter(|holder| subset & (1 << holder) != 0)
                .map(|holder| HOLDERS[holder])
                .collect();
            let mask =
                chosen.iter().fold(ModifierMask(held.locked), |mask, holder| mask | holder.0);
            let key = self.find(wanted, held.group, mask)?;
            let holder = |&(_, keysym): &(_, Keysym)| {
                self.find(keysym, held.group, ModifierMask(held.locked))
            };
            Some(Stroke { key, holders: chosen.iter().map(holder).collect::<Option<_>>()? })
        })
    }

    fn find(&self, wanted: Keysym, group: u32, mask: ModifierMask) -> Option<u32> {
        let code = KEYCODES.map(Keycode::from_x11).find(|&code| {
            let found = self.0.lookup(GroupIndex(group), mask, code).with_ctrl_fallback(false);
            let mut keysyms = found.into_iter().map(|found| found.keysym());
            keysyms.next() == Some(wanted) && keysyms.next().is_none()
        })?;
        Some(code.to_evdev())
    }
}

fn wanted(character: char) -> Keysym {
    match character {
        '\n' => syms::Return,
        '\t' => syms::Tab,
        _ => Keysym::from_char(character),
    }
}

#[cfg(test)]
mod tests {
    use kbvm::xkb::rmlvo::Group;

    use super::*;

    /// evdev codes.
    const LEFT_SHIFT: u32 = 42;
    /// The key of XKB that stands for the third level on every keyboard.
    const LEVEL_3: u32 = 84;

    /// Layouts of the system's own xkeyboard-config, as a compositor sends them.
    fn layout(names: &[&str]) -> Option<Layout> {
        if !std::path::Path::new("/usr/share/X11/xkb/rules/evdev").exists() {
            eprintln!("SKIPPED: a keymap of {names:?}: xkb-data is not installed");
            return None;
        }
        let groups: Vec<_> = names.iter().map(|layout| Group { layout, variant: "" }).collect();
        let context = Context::default();
        let keymap = context.keymap_from_names(&mut Vec::new(), None, None, Some(&groups), None);
        let layout = Layout::parse(format!("{}\0", keymap.format()).as_bytes());
        assert!(layout.is_some(), "a keymap of {names:?}");
        layout
    }

    fn keys(layout: &Layout, text: &str, held: Held) -> Option<Vec<(u32, Vec<u32>)>> {
        let strokes = layout.strokes(text, held)?;
        Some(strokes.into_iter().map(|stroke| (stroke.key, stroke.holders)).collect())
    }

    #[test]
    fn each_layout_has_its_own_keys() {
        const Y: u32 = 21;
        const Z: u32 = 44;
        let (Some(us), Some(de)) = (layout(&["us"]), layout(&["de"])) else { return };
        let held = Held::default();
        assert_eq!(keys(&us, "y", held), Some(vec![(Y, vec![])]));
        assert_eq!(keys(&de, "y", held), Some(vec![(Z, vec![])]));
        assert_eq!(keys(&de, "Y", held), Some(vec![(Z, vec![LEFT_SHIFT])]));
        assert_eq!(keys(&de, "@", held), Some(vec![(16, vec![LEVEL_3])]));
        assert_eq!(keys(&us, "\n\t", held), Some(vec![(28, vec![]), (15, vec![])]));
        assert_eq!(us.back_space(held).map(|stroke| stroke.key), Some(14));
    }

    #[test]
    fn a_text_that_the_layout_lacks_a_part_of_is_refused_as_a_whole() {
        let (Some(us), Some(de)) = (layout(&["us"]), layout(&["de"])) else { return };
        let ascii: String = (' '..='~').collect();
        assert_eq!(us.strokes(&ascii, Held::default()).map(|strokes| strokes.len()), Some(95));
        for text in ["ä", "日", "a😀"] {
            assert_eq!(us.strokes(text, Held::default()), None, "{text}");
        }
        // Dead keys there.
        assert_eq!(de.strokes("^", Held::default()), None);
    }

    #[test]
    fn the_layout_in_use_and_caps_lock_are_heeded() {
        let Some(both) = layout(&["us", "ru"]) else { return };
        let russian = Held { group: 1, ..Held::default() };
        assert_eq!(both.strokes("я", Held::default()), None);
        assert_eq!(keys(&both, "я", russian), Some(vec![(44, vec![])]));
        assert_eq!(both.strokes("q", russian), None);
        let caps = Held { locked: ModifierMask::LOCK.0, ..Held::default() };
        assert_eq!(keys(&both, "a", caps), Some(vec![(30, vec![LEFT_SHIFT])]));
        assert_eq!(keys(&both, "A", caps), Some(vec![(30, vec![])]));
    }

    #[test]
    fn what_is_no_keymap_is_none() {
        for text in [&b""[..], b"xkb_keymap {", b"\xff\xfe", &[0; 100]] {
            assert!(Layout::parse(text).is_none());
        }
    }
}
