//! What was said, as it is to stand in the window: the rules of the profile that fits the program
//! in focus, and the program that texts go through.

use std::sync::Arc;

use scriven_desktop::insertion::Target;
use scriven_desktop::profiles::Profiles;
use scriven_desktop::writing::{self, Edit};
use tracing::warn;

use crate::config::Style;

/// Writes into one window at a time.
pub(super) struct Writer {
    /// The first is that of no profile.
    styles: Vec<Style>,
    profiles: Profiles,
    target: Option<String>,
    style: usize,
    writer: writing::Writer,
}

impl Writer {
    /// `styles` has at least one.
    pub(super) fn new(styles: Vec<Style>) -> Self {
        let apps = |style: &Style| {
            let name = style.name.clone();
            style.apps.clone().into_iter().map(move |app| (app, name.clone()))
        };
        let profiles = Profiles::new(styles.iter().flat_map(apps), "");
        let writer = writing::Writer::new(Arc::clone(&styles[0].rules));
        Self { styles, profiles, target: None, style: 0, writer }
    }

    /// What comes next is written there, by the rules of `profile` or of the one for the program.
    pub(super) fn turn_to(&mut self, target: Option<&Target>, profile: Option<&str>) {
        let app = target.and_then(|target| target.app_id.as_deref());
        let profile = profile.unwrap_or_else(|| self.profiles.choose(app));
        let style = self.styles.iter().position(|style| style.name == profile).unwrap_or(0);
        let id = target.map(|target| target.id.clone());
        if style != self.style {
            self.writer = writing::Writer::new(Arc::clone(&self.styles[style].rules));
        } else if id != self.target {
            self.writer.forget();
        }
        (self.style, self.target) = (style, id);
    }

    /// Nothing is known any more of what stands before the cursor.
    pub(super) fn forget(&mut self) {
        self.writer.forget();
    }

    pub(super) fn preview(&self, text: &str, language: &str, before: Option<&str>) -> String {
        self.writer.preview(text, language, before)
    }

    pub(super) fn write(&mut self, text: &str, language: &str, before: Option<&str>) -> Vec<Edit> {
        let piped = self.styles[self.style].hook.as_ref().map(|hook| hook.pipe(text));
        if let Some(problem) = piped.as_ref().and_then(|piped| piped.problem.as_ref()) {
            warn!(%problem, "the hook did not do its work");
        }
        let text = piped.as_ref().map_or(text, |piped| &piped.text);
        self.writer.write(text, language, before)
    }
}

/// Several texts of one window as one: what a later one takes back of an earlier one is left out.
pub(super) fn joined(edits: impl IntoIterator<Item = Edit>) -> Vec<Edit> {
    let mut all: Vec<Edit> = Vec::new();
    for edit in edits {
        match (&edit, all.last()) {
            (Edit::Undo, Some(Edit::Insert(_))) => drop(all.pop()),
            _ => all.push(edit),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn writer(toml: &str) -> Writer {
        let config = Config::parse(toml, std::path::Path::new("config.toml")).unwrap();
        Writer::new(config.styles().unwrap())
    }

    fn target(id: &str, app: &str) -> Target {
        Target { id: id.into(), app_id: Some(app.into()), ..Target::default() }
    }

    fn insert(text: &str) -> Edit {
        Edit::Insert(text.into())
    }

    const CODE: &str = "[writing.replace]\n\"jay son\" = \"JSON\"\n\
        [[profile]]\nname = \"code\"\napps = [\"*term*\"]\nwriting.capitals = \"none\"\n\
        writing.model_punctuation = false\n";

    #[test]
    fn the_program_in_focus_decides_how_it_is_written() {
        let mut writer = writer(CODE);
        writer.turn_to(Some(&target("1", "firefox")), None);
        assert_eq!(writer.write("Some jay son.", "en", None), [insert("Some JSON.")]);
        writer.turn_to(Some(&target("2", "XTerm")), None);
        assert_eq!(writer.write("Some jay son.", "en", None), [insert("some JSON")]);
        // An action may say otherwise, and a window that is no longer there is forgotten.
        writer.turn_to(Some(&target("3", "firefox")), Some("code"));
        assert_eq!(writer.write("Next.", "en", None), [insert("next")]);
        writer.turn_to(Some(&target("4", "firefox")), Some("code"));
        assert_eq!(writer.write("Next.", "en", None), [insert("next")]);
        assert_eq!(writer.write("Next.", "en", None), [insert(" next")], "the same window goes on");
    }

    #[test]
    fn a_text_goes_through_the_program_or_stays_as_it_was() {
        let mut through = writer("[writing]\nhook = [\"tr\", \"a-z\", \"A-Z\"]\n");
        assert_eq!(through.write("Loud now", "en", None), [insert("LOUD NOW")]);
        let mut missing = writer("[writing]\nhook = [\"/nowhere/to-be-found\"]\n");
        assert_eq!(missing.write("Loud now", "en", None), [insert("Loud now")]);
    }

    #[test]
    fn what_is_taken_back_before_it_stands_there_is_never_written() {
        let edits = [insert("a"), insert("b"), Edit::Undo, Edit::Undo, Edit::Undo, insert("c")];
        assert_eq!(joined(edits), [Edit::Undo, insert("c")]);
    }

    #[test]
    fn rules_that_cannot_work_are_named() {
        let error = |toml: &str| {
            let path = std::path::Path::new("config.toml");
            Config::parse(toml, path).and_then(|config| config.styles().map(drop)).unwrap_err()
        };
        let empty = error("[writing.replace]\n\"\" = \"x\"\n").to_string();
        assert!(empty.contains("replacements, entry 1"), "{empty}");
        let twice = error("[[profile]]\nname = \"a\"\n[[profile]]\nname = \"a\"\n").to_string();
        assert!(twice.contains("profile.name"), "{twice}");
        let list = error("[writing]\nvocabulary = [\"/nowhere/words\"]\n").to_string();
        assert!(list.contains("/nowhere/words"), "{list}");
    }
}
