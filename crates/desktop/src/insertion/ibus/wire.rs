//! How IBus writes its objects into D-Bus values: `(name, attachments, fields…)`.
//!
//! Source: `serialize` of `src/ibustext.c`, `ibusattrlist.c`, `ibusattribute.c` and
//! `ibusxevent.c` in IBus 1.5.32.

use std::collections::HashMap;

use zbus::{Structure, Variant};

/// `IBUS_ATTR_TYPE_UNDERLINE`.
const UNDERLINE: u32 = 1;
/// `IBUS_ATTR_UNDERLINE_SINGLE`.
const SINGLE: u32 = 1;
/// `IBusExtensionEvent:version`.
const EVENT_VERSION: u32 = 1;

/// A text without attributes, as it is committed.
pub(super) fn plain(text: &str) -> Variant<'static> {
    ibus_text(text, Vec::new())
}

/// A text underlined as a whole, as every toolkit shows what is not committed yet.
pub(super) fn underlined(text: &str) -> Variant<'static> {
    let fields = ("IBusAttribute", nothing(), UNDERLINE, SINGLE, 0u32, length(text));
    ibus_text(text, vec![Structure::from(fields).into()])
}

/// Takes over what stands in preedit, or hands it back to the engine.
pub(super) fn extension(enabled: bool) -> Variant<'static> {
    // `is_extension` is false: then the event comes back to us and does not reach the engine.
    let fields = ("IBusExtensionEvent", nothing(), EVENT_VERSION, "", enabled, false, "");
    Structure::from(fields).into()
}

/// Length in characters, the unit of every position in IBus.
pub(super) fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

fn ibus_text(text: &str, attributes: Vec<Variant<'static>>) -> Variant<'static> {
    let list: Variant<'_> = Structure::from(("IBusAttrList", nothing(), attributes)).into();
    Structure::from(("IBusText", nothing(), text.to_owned(), list)).into()
}

fn nothing() -> HashMap<String, Variant<'static>> {
    HashMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_the_signatures_that_ibus_reads() {
        assert_eq!(plain("a").value_signature().to_string(), "(sa{sv}sv)");
        assert_eq!(extension(true).value_signature().to_string(), "(sa{sv}usbbs)");
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(length("é日😀"), 3);
    }
}
