//! What was said, as it is to stand in the window.

use scriven_desktop::insertion::Target;
use scriven_desktop::writing::Edit;

/// Writes texts one behind the other, with a space between those of one window.
#[derive(Default)]
pub(super) struct Writer {
    target: Option<String>,
    goes_on: bool,
}

impl Writer {
    /// What comes next is written there.
    pub(super) fn turn_to(&mut self, target: Option<&Target>) {
        let id = target.map(|target| target.id.clone());
        if id != self.target {
            self.target = id;
            self.forget();
        }
    }

    /// Nothing is known any more of what stands before the cursor.
    pub(super) fn forget(&mut self) {
        self.goes_on = false;
    }

    pub(super) fn preview(&self, text: &str, _language: &str, before: Option<&str>) -> String {
        let text = text.trim();
        let space = match before {
            Some(before) => before.ends_with(|c: char| !c.is_whitespace()),
            None => self.goes_on,
        };
        if space && !text.is_empty() { format!(" {text}") } else { text.to_owned() }
    }

    pub(super) fn write(&mut self, text: &str, language: &str, before: Option<&str>) -> Vec<Edit> {
        let text = self.preview(text, language, before);
        self.goes_on = true;
        vec![Edit::Insert(text)]
    }
}
