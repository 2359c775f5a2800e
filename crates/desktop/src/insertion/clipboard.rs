//! Text by way of the clipboard: pasted, with the contents put back afterwards, which is the last
//! resort; or left there (`copy`).

pub mod wayland;
pub mod x11;

use super::Target;

/// Name of the ways that leave the text there. A text takes the place of all that was there before,
/// and to take any of it back leaves nothing, unless something else has been copied since.
const COPY: &str = "copy";

/// The same for every window.
fn copied_to() -> Target {
    Target { id: "clipboard".into(), ..Target::default() }
}
