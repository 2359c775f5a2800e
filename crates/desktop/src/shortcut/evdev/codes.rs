//! Keys by their place on an American keyboard.
//!
//! Source: `linux/input-event-codes.h`; the names are those of the layout `us`.

use xkeysym::Keysym;

pub(super) const ESCAPE: u16 = 1;
pub(super) const CTRL: [u16; 2] = [29, 97];
pub(super) const ALT: [u16; 2] = [56, 100];
pub(super) const SHIFT: [u16; 2] = [42, 54];
pub(super) const LOGO: [u16; 2] = [125, 126];

/// Rows of keys that follow one another: the code of the first, and what they give.
const ROWS: [(u16, &[Keysym]); 12] = [
    (
        ESCAPE,
        &[
            Keysym::Escape,
            Keysym::_1,
            Keysym::_2,
            Keysym::_3,
            Keysym::_4,
            Keysym::_5,
            Keysym::_6,
            Keysym::_7,
            Keysym::_8,
            Keysym::_9,
            Keysym::_0,
            Keysym::minus,
            Keysym::equal,
            Keysym::BackSpace,
            Keysym::Tab,
        ],
    ),
    (
        16,
        &[
            Keysym::q,
            Keysym::w,
            Keysym::e,
            Keysym::r,
            Keysym::t,
            Keysym::y,
            Keysym::u,
            Keysym::i,
            Keysym::o,
            Keysym::p,
            Keysym::bracketleft,
            Keysym::bracketright,
            Keysym::Return,
            Keysym::Control_L,
        ],
    ),
    (
        30,
        &[
            Keysym::a,
            Keysym::s,
            Keysym::d,
            Keysym::f,
            Keysym::g,
            Keysym::h,
            Keysym::j,
            Keysym::k,
            Keysym::l,
            Keysym::semicolon,
            Keysym::apostrophe,
            Keysym::grave,
            Keysym::Shift_L,
            Keysym::backslash,
        ],
    ),
    (
        44,
        &[
            Keysym::z,
            Keysym::x,
            Keysym::c,
            Keysym::v,
            Keysym::b,
            Keysym::n,
            Keysym::m,
            Keysym::comma,
            Keysym::period,
            Keysym::slash,
            Keysym::Shift_R,
            Keysym::KP_Multiply,
            Keysym::Alt_L,
            Keysym::space,
            Keysym::Caps_Lock,
        ],
    ),
    (
        59,
        &[
            Keysym::F1,
            Keysym::F2,
            Keysym::F3,
            Keysym::F4,
            Keysym::F5,
            Keysym::F6,
            Keysym::F7,
            Keysym::F8,
            Keysym::F9,
            Keysym::F10,
            Keysym::Num_Lock,
            Keysym::Scroll_Lock,
        ],
    ),
    (
        71,
        &[
            Keysym::KP_7,
            Keysym::KP_8,
            Keysym::KP_9,
            Keysym::KP_Subtract,
            Keysym::KP_4,
            Keysym::KP_5,
            Keysym::KP_6,
            Keysym::KP_Add,
            Keysym::KP_1,
            Keysym::KP_2,
            Keysym::KP_3,
            Keysym::KP_0,
            Keysym::KP_Decimal,
        ],
    ),
    (86, &[Keysym::less, Keysym::F11, Keysym::F12]),
    (
        96,
        &[
            Keysym::KP_Enter,
            Keysym::Control_R,
            Keysym::KP_Divide,
            Keysym::Print,
            Keysym::Alt_R,
            Keysym::Linefeed,
            Keysym::Home,
            Keysym::Up,
            Keysym::Page_Up,
            Keysym::Left,
            Keysym::Right,
            Keysym::End,
            Keysym::Down,
            Keysym::Page_Down,
            Keysym::Insert,
            Keysym::Delete,
        ],
    ),
    (113, &[Keysym::XF86_AudioMute, Keysym::XF86_AudioLowerVolume, Keysym::XF86_AudioRaiseVolume]),
    (125, &[Keysym::Super_L, Keysym::Super_R, Keysym::Menu]),
    (
        183,
        &[
            Keysym::F13,
            Keysym::F14,
            Keysym::F15,
            Keysym::F16,
            Keysym::F17,
            Keysym::F18,
            Keysym::F19,
            Keysym::F20,
            Keysym::F21,
            Keysym::F22,
            Keysym::F23,
            Keysym::F24,
        ],
    ),
    (248, &[Keysym::XF86_AudioMicMute]),
];

/// Keys that stand alone, and second names.
const OTHERS: [(Keysym, u16); 5] = [
    (Keysym::Pause, 119),
    (Keysym::ISO_Level3_Shift, 100),
    (Keysym::XF86_AudioNext, 163),
    (Keysym::XF86_AudioPlay, 164),
    (Keysym::XF86_AudioPrev, 165),
];

/// The code of the key that gives this on an American keyboard.
pub(super) fn code(key: Keysym) -> Option<u16> {
    let in_row = |(first, row): &(u16, &[Keysym])| {
        let at = row.iter().position(|known| *known == key)?;
        Some(first + u16::try_from(at).ok()?)
    };
    let other = || OTHERS.iter().find(|(known, _)| *known == key).map(|(_, code)| *code);
    ROWS.iter().find_map(in_row).or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_codes_of_the_kernel() {
        // The last of each row, by `KEY_…` of linux/input-event-codes.h.
        for (key, expected) in [
            (Keysym::Escape, 1),
            (Keysym::Tab, 15),
            (Keysym::Control_L, 29),
            (Keysym::backslash, 43),
            (Keysym::space, 57),
            (Keysym::Scroll_Lock, 70),
            (Keysym::KP_Decimal, 83),
            (Keysym::F12, 88),
            (Keysym::Delete, 111),
            (Keysym::XF86_AudioRaiseVolume, 115),
            (Keysym::Menu, 127),
            (Keysym::F24, 194),
            (Keysym::XF86_AudioMicMute, 248),
            (Keysym::Pause, 119),
        ] {
            assert_eq!(code(key), Some(expected), "{key:?}");
        }
        assert_eq!(code(Keysym::adiaeresis), None);
    }
}
