//! The notation of shortcuts: modifiers and a key, joined by `+`.
//!
//! <https://specifications.freedesktop.org/shortcuts-spec/latest/>: `CTRL+ALT+space`, `LOGO+d`,
//! `F9`. Keys have the names of xkbcommon (`XKB_KEY_*` without the prefix). Besides the
//! specification a modifier may be the key (`Control_R`), and what people write is understood:
//! any case, `SUPER` and `META` for `LOGO`, `A` for `a`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use xkeysym::Keysym;

use crate::Error;

/// The modifiers that must be held, and no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Modifiers {
    /// Either Ctrl key.
    pub ctrl: bool,
    /// Either Alt key.
    pub alt: bool,
    /// Either Shift key.
    pub shift: bool,
    /// Num Lock is on; without it, either will do.
    pub num: bool,
    /// The key with the logo of Windows or of the maker.
    pub logo: bool,
}

impl Modifiers {
    /// In the order of the specification.
    fn named(self) -> [(&'static str, bool); 5] {
        [
            ("CTRL", self.ctrl),
            ("ALT", self.alt),
            ("SHIFT", self.shift),
            ("NUM", self.num),
            ("LOGO", self.logo),
        ]
    }

    /// The flag of the modifier with this name.
    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name.to_ascii_uppercase().as_str() {
            "CTRL" | "CONTROL" => &mut self.ctrl,
            "ALT" => &mut self.alt,
            "SHIFT" => &mut self.shift,
            "NUM" => &mut self.num,
            "LOGO" | "SUPER" | "META" | "WIN" => &mut self.logo,
            _ => return None,
        })
    }

    /// The modifier that this key is, if it is one.
    fn of_key(key: Keysym) -> Self {
        let mut own = Self::default();
        match key {
            Keysym::Control_L | Keysym::Control_R => own.ctrl = true,
            Keysym::Alt_L | Keysym::Alt_R | Keysym::Meta_L | Keysym::Meta_R => own.alt = true,
            Keysym::Shift_L | Keysym::Shift_R => own.shift = true,
            Keysym::Num_Lock => own.num = true,
            Keysym::Super_L | Keysym::Super_R => own.logo = true,
            _ => {}
        }
        own
    }

    /// Are all of `others` among these?
    fn contain_any(self, others: Self) -> bool {
        self.named().iter().zip(others.named()).any(|((_, mine), (_, other))| *mine && other)
    }
}

/// A key with the modifiers that must be held when it goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trigger {
    /// What must be held.
    pub modifiers: Modifiers,
    /// The key, by what it gives without modifiers.
    pub key: Keysym,
}

impl Trigger {
    /// Is the key a modifier, so that holding it must not keep others from reaching the window?
    #[must_use]
    pub fn is_modifier(&self) -> bool {
        self.key.is_modifier_key()
    }
}

impl FromStr for Trigger {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::BadTrigger`].
    fn from_str(text: &str) -> Result<Self, Error> {
        parsed(text.trim()).map_err(|reason| Error::BadTrigger { trigger: shortened(text), reason })
    }
}

/// In canonical notation: what [`FromStr`] reads, and portals understand.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, held) in self.modifiers.named() {
            if held {
                write!(f, "{name}+")?;
            }
        }
        f.write_str(name_of(self.key).unwrap_or("NoSymbol"))
    }
}

fn parsed(text: &str) -> Result<Trigger, String> {
    if text.is_empty() {
        return Err("it is empty; write for example CTRL+ALT+space".to_owned());
    }
    let mut modifiers = Modifiers::default();
    let mut parts: Vec<&str> = text.split('+').map(str::trim).collect();
    let key = parts.pop().unwrap_or_default();
    if key.is_empty() {
        return Err("a key is missing at the end; the key + is called plus".to_owned());
    }
    for part in parts {
        let flag = modifiers.flag(part).ok_or_else(|| no_modifier(part))?;
        if std::mem::replace(flag, true) {
            return Err(format!("{} stands there twice", shortened(part)));
        }
    }
    let key = keysym(key).ok_or_else(|| no_key(key))?;
    if modifiers.contain_any(Modifiers::of_key(key)) {
        return Err("the key is one of its own modifiers; leave one of them out".to_owned());
    }
    Ok(Trigger { modifiers, key })
}

fn no_modifier(part: &str) -> String {
    format!("{} is no modifier; there are CTRL, ALT, SHIFT, NUM and LOGO", shortened(part))
}

fn no_key(part: &str) -> String {
    if Modifiers::default().flag(part).is_some() {
        return format!(
            "{0} needs a key behind it; alone, a modifier is one of its keys: Control_R, Alt_L, Super_L",
            shortened(part)
        );
    }
    format!(
        "no key is called {}; keys have the names of xkbcommon: space, F9, Return, d, Control_R",
        shortened(part)
    )
}

/// What a message can bear of a text from a file.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Prefixes of the names that the crate gives, which xkbcommon's names do not have or have shorter.
const PREFIXES: [(&str, &str); 3] = [("XK_", ""), ("XF86XK_", "XF86"), ("SunXK_", "Sun")];

/// Names that are as common as the ones in the table.
const ALIASES: [(&str, Keysym); 4] = [
    ("Page_Up", Keysym::Page_Up),
    ("Page_Down", Keysym::Page_Down),
    ("Enter", Keysym::Return),
    ("Esc", Keysym::Escape),
];

/// xkbcommon's name of a key; none if it has no name but its number.
fn name_of(key: Keysym) -> Option<&'static str> {
    NAMES.by_key.get(&key).map(String::as_str)
}

struct Names {
    by_key: HashMap<Keysym, String>,
    exact: HashMap<String, Keysym>,
    any_case: HashMap<String, Keysym>,
}

/// All names, both ways: the crate only has the way from the key to its name.
static NAMES: LazyLock<Names> = LazyLock::new(|| {
    // Latin and function keys; keys of Sun and of multimedia keyboards; those of a code point.
    let ranges = [0x20..0x1_0000, 0x1005_ff00..0x1006_0000, 0x1008_0000..0x1009_0000];
    let unicode = 0x0100_0000..0x0101_0000;
    let mut names =
        Names { by_key: HashMap::new(), exact: HashMap::new(), any_case: HashMap::new() };
    for key in ranges.into_iter().flatten().chain(unicode).map(Keysym::new) {
        let Some(given) = key.name() else { continue };
        let Some((_, name)) = PREFIXES.iter().find_map(|(theirs, ours)| {
            Some((theirs, format!("{ours}{}", given.strip_prefix(theirs)?)))
        }) else {
            continue;
        };
        names.any_case.entry(name.to_ascii_lowercase()).or_insert(key);
        names.exact.entry(name.clone()).or_insert(key);
        names.by_key.insert(key, name);
    }
    for (name, key) in ALIASES {
        names.any_case.entry(name.to_ascii_lowercase()).or_insert(key);
    }
    names
});

/// The key with this name: as it is written, or else in any case. A letter is its key, and that
/// gives the small one.
fn keysym(name: &str) -> Option<Keysym> {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && letter.is_alphabetic()
    {
        let small = letter.to_lowercase().next().unwrap_or(letter);
        return Some(Keysym::from_char(small)).filter(|key| name_of(*key).is_some());
    }
    let exact = NAMES.exact.get(name);
    exact.or_else(|| NAMES.any_case.get(&name.to_ascii_lowercase())).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Trigger {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> String {
        text.parse::<Trigger>().expect_err(text).to_string()
    }

    #[test]
    fn a_shortcut_is_modifiers_and_a_key() {
        let trigger = read("CTRL+ALT+space");
        assert_eq!(trigger.key, Keysym::space);
        assert_eq!(trigger.modifiers, Modifiers { ctrl: true, alt: true, ..Default::default() });
        assert_eq!(read("LOGO+d").key, Keysym::d);
        assert_eq!(read("F9").modifiers, Modifiers::default());
        assert_eq!(read("XF86AudioMute").key, Keysym::XF86_AudioMute);
        assert_eq!(read("CTRL+plus").key, Keysym::plus);
    }

    #[test]
    fn a_modifier_alone_is_a_key() {
        let trigger = read("Control_R");
        assert!(trigger.is_modifier());
        assert_eq!((trigger.key, trigger.modifiers), (Keysym::Control_R, Modifiers::default()));
        assert!(!read("CTRL+Pause").is_modifier());
    }

    #[test]
    fn what_people_write_is_printed_canonically() {
        for (written, canonical) in [
            ("alt+ctrl+Space", "CTRL+ALT+space"),
            ("Super + D", "LOGO+d"),
            ("shift+control+page_up", "CTRL+SHIFT+Prior"),
            ("f12", "F12"),
            ("ctrl+ä", "CTRL+adiaeresis"),
            ("CTRL+1", "CTRL+1"),
            ("escape", "Escape"),
            ("xf86audiomicmute", "XF86AudioMicMute"),
            (" LOGO+KP_Add ", "LOGO+KP_Add"),
        ] {
            assert_eq!(read(written).to_string(), canonical, "{written}");
        }
    }

    #[test]
    fn what_is_no_shortcut_is_explained() {
        for (written, explained) in [
            ("", "is empty"),
            ("CTRL++", "called plus"),
            ("CTRL", "needs a key behind it"),
            ("HYPR+d", "HYPR is no modifier"),
            ("CTRL+CTRL+d", "CTRL stands there twice"),
            ("SUPER+LOGO+d", "LOGO stands there twice"),
            ("CTRL+spacebar", "no key is called spacebar"),
            ("CTRL+Control_R", "one of its own modifiers"),
            ("a+b", "a is no modifier"),
        ] {
            let message = refused(written);
            assert!(message.contains(explained), "{written}: {message}");
            assert!(message.starts_with(&format!("shortcut \"{written}\": ")), "{message}");
        }
        assert!(refused(&"x".repeat(100_000)).len() < 300);
    }

    #[test]
    fn every_key_is_read_as_it_is_printed() {
        for (key, name) in &NAMES.by_key {
            let trigger = Trigger { modifiers: Modifiers::default(), key: *key };
            let again = read(&trigger.to_string());
            // Capital letters are their key.
            assert!(
                again.key == *key || again.key == keysym(&name.to_lowercase()).unwrap(),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_explained(text in "\\PC{0,40}|([A-Za-z_+ ]{0,30})|((CTRL|ALT|LOGO|x)\\+){0,5}[a-z]{0,6}") {
            if let Ok(trigger) = text.parse::<Trigger>() {
                let printed = trigger.to_string();
                prop_assert_eq!(read(&printed), trigger, "{}", printed);
                prop_assert_eq!(read(&printed).to_string(), printed);
            }
        }
    }
}
