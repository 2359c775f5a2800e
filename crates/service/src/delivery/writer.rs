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

    /// A final text as edits: by the rules, then through the program, as whose text it is
    /// remembered.
    pub(super) fn write(&mut self, text: &str, language: &str, before: Option<&str>) -> Vec<Edit> {
        let mut edits = self.writer.write(text, language, before);
        let hook = self.styles[self.style].hook.as_ref();
        if let (Some(hook), Some(Edit::Insert(text))) = (hook, edits.last_mut()) {
            let piped = hook.pipe(text);
            if let Some(problem) = &piped.problem {
                warn!(%problem, "the hook did not do its work");
            }
            *text = piped.text;
            self.writer.corrected(text);
        }
        edits
    }

    /// As [`write`](Self::write), where nothing stands that the text could take back.
    pub(super) fn write_anew(
        &mut self,
        text: &str,
        language: &str,
        before: Option<&str>,
    ) -> Option<String> {
        let mut edits = self.write(text, language, before);
        let written = edits.pop_if(|edit| *edit != Edit::Undo).map(|edit| match edit {
            Edit::Insert(text) => text,
            Edit::Undo => String::new(),
        });
        if !edits.is_empty() {
            self.writer.forget();
            self.writer.corrected(written.as_deref().unwrap_or_default());
        }
        written
    }

    /// What comes next stands behind `text`, which no rules have made.
    pub(super) fn go_on_behind(&mut self, text: &str) {
        self.writer.forget();
        self.writer.corrected(text);
    }

    /// The profile for a program.
    pub(super) fn profile_for(&self, app: Option<&str>) -> &str {
        self.profiles.choose(app)
    }
}

/// Several texts for one window, of which a later one may take back an earlier one before it stands
/// there.
#[derive(Default)]
pub(super) struct Sheet {
    undos: usize,
    /// What is left of each text.
    texts: Vec<Option<String>>,
}

impl Sheet {
    pub(super) fn add(&mut self, edits: Vec<Edit>) {
        let mut own = None;
        for edit in edits {
            match edit {
                Edit::Insert(text) => own = Some(text),
                Edit::Undo => match self.texts.iter_mut().rev().find(|text| text.is_some()) {
                    Some(last) => *last = None,
                    None => self.undos += 1,
                },
            }
        }
        self.texts.push(own);
    }

    /// What is to be done to the window.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let inserts = self.texts.iter().flatten().cloned().map(Edit::Insert);
        std::iter::repeat_n(Edit::Undo, self.undos).chain(inserts).collect()
    }

    /// What is left of all texts.
    pub(super) fn text(&self) -> String {
        self.texts.iter().flatten().map(String::as_str).collect()
    }

    /// What is left of each text, and how much of that is there, if `there` is of them all.
    pub(super) fn arrivals<'a>(&'a self, mut there: &'a str) -> Vec<(&'a str, Arrival<'a>)> {
        // Where something else stands there, nothing is known of the texts.
        let fits = self.text().starts_with(there);
        let mut arrival = |own: &str| match there.strip_prefix(own).filter(|_| fits) {
            _ if own.is_empty() => Arrival::Nothing,
            Some(more) => {
                there = more;
                Arrival::Whole
            }
            None if there.is_empty() => Arrival::Nothing,
            None => Arrival::Part(std::mem::take(&mut there)),
        };
        let texts = self.texts.iter().map(|own| own.as_deref().unwrap_or_default());
        texts.map(|own| (own, arrival(own))).collect()
    }
}

/// How much of a text is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival<'a> {
    Whole,
    /// This, which may be something else where others have changed it.
    Part(&'a str),
    Nothing,
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

    /// The program sees what the rules have made, and what it makes of that is what stands there.
    #[test]
    fn the_rules_come_before_the_program_and_what_it_leaves_is_remembered() {
        let toml = "[writing]\nhook = [\"sed\", \"s/JSON\\\\./JSON,\\\\nor so,/\"]\n\
            replace = { \"jay son\" = \"JSON\" }\n";
        let mut writer = writer(toml);
        assert_eq!(writer.write("Some jay son.", "en", None), [insert("Some JSON,\nor so,")]);
        // A comma stands before the cursor, so that the sentence goes on.
        assert_eq!(writer.write("Then more.", "en", None), [insert(" then more.")]);
        let undo = writer.write("Scratch that.", "en", None);
        assert_eq!(undo, [Edit::Undo], "a command is no text for the program");
        assert_eq!(writer.write("Then less.", "en", None), [insert(" then less.")]);
    }

    #[test]
    fn what_is_written_anew_takes_nothing_back() {
        let mut writer = writer("");
        writer.write("One.", "en", None);
        let anew = writer.write_anew("Scratch that. Two.", "en", None);
        assert_eq!(anew.as_deref(), Some("Two."));
        assert_eq!(writer.write_anew("Scratch that.", "en", None), None);
    }

    #[test]
    fn what_is_taken_back_before_it_stands_there_is_never_written() {
        let mut sheet = Sheet::default();
        for edits in [
            vec![Edit::Undo, insert("a")],
            vec![insert("b")],
            vec![Edit::Undo],
            vec![Edit::Undo, Edit::Undo, insert("c")],
        ] {
            sheet.add(edits);
        }
        assert_eq!(sheet.edits(), [Edit::Undo, Edit::Undo, insert("c")]);
        assert_eq!(sheet.text(), "c");
    }

    #[test]
    fn of_several_texts_each_arrives_or_not() {
        let mut sheet = Sheet::default();
        for edits in [vec![insert("One.")], vec![], vec![insert(" Two.")], vec![insert(" Three.")]]
        {
            sheet.add(edits);
        }
        let arrived = |there| sheet.arrivals(there).into_iter().map(|(_, arrival)| arrival);
        use Arrival::{Nothing, Part, Whole};
        assert!(arrived("One. Two. Three.").eq([Whole, Nothing, Whole, Whole]));
        assert!(arrived("One. Tw").eq([Whole, Nothing, Part(" Tw"), Nothing]));
        assert!(arrived("One.").eq([Whole, Nothing, Nothing, Nothing]));
        assert!(arrived("").eq([Nothing; 4]));
        for other in ["else", "One. Two. Three. Four."] {
            assert!(arrived(other).eq([Part(other), Nothing, Nothing, Nothing]));
        }
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
