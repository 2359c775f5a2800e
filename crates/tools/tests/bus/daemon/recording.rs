//! How the session of a "recording" ends.

use zbus::Variant;

use super::{Info, NAME};

/// As its text asks for.
pub(super) fn ending(text: &str) -> (&'static str, Info<'static>) {
    let mut stats = Info::new();
    if text.contains("(noise)") {
        stats.insert("warning", invalid_file("half of it is silence"));
    }
    if text.contains("(cut)") {
        stats.insert("error", invalid_file("it breaks off"));
        return ("error", stats);
    }
    ("done", stats)
}

fn invalid_file(what: &str) -> Variant<'static> {
    (format!("{NAME}.Error.InvalidFile"), what.to_owned()).into()
}
