//! What the user wants written: plain data, checked once.

use super::Command;
use super::languages::Side;
use super::phrases::Phrases;
use crate::Error;

/// Replacements, words and commands; more are a mistake.
pub const MAX_ENTRIES: usize = 10_000;
/// Length of what is spoken, in bytes: a long sentence.
pub const MAX_SPOKEN: usize = 200;
/// Length of what is written for it, in bytes: a letter's end, with all that belongs to it.
pub const MAX_WRITTEN: usize = 2_000;

/// The settings that [`Rules`] are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is written where a phrase is heard, in any case, as whole words. The longest wins, a
    /// later one takes the place of an earlier one, and nothing is replaced twice. What is written
    /// may be empty, and may hold `\n` and `\t`.
    pub replacements: Vec<(String, String)>,
    /// Words and names as they are spelled: they keep their case.
    pub vocabulary: Vec<String>,
    /// "New line", "new paragraph" and "scratch that" are carried out.
    pub commands: bool,
    /// Phrases of the user that are commands in every language.
    pub own_commands: Vec<(String, Command)>,
    /// "Comma", "period" and the others become the marks that they name.
    pub spoken_punctuation: bool,
    /// The model's own punctuation is written.
    pub model_punctuation: bool,
    /// What becomes of capital letters.
    pub capitals: Capitals,
    /// A space follows each utterance.
    pub trailing_space: bool,
    /// Utterances of at most so many words lose the period at their end.
    pub no_period_up_to: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Nobody knows them but the user.
            replacements: Vec::new(),
            vocabulary: Vec::new(),
            // Lines cannot be had otherwise, and the rules against false hits are strict.
            commands: true,
            own_commands: Vec::new(),
            // Whisper punctuates.
            spoken_punctuation: false,
            model_punctuation: true,
            capitals: Capitals::Fit,
            // The space that is needed is put in front of the next utterance.
            trailing_space: false,
            no_period_up_to: 0,
        }
    }
}

/// What becomes of capital letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capitals {
    /// The first word fits what stands before the cursor.
    #[default]
    Fit,
    /// As the model writes them.
    AsHeard,
    /// None, but for what is written in place of something else.
    None,
}

/// Settings that have been checked.
#[derive(Debug)]
pub struct Rules {
    pub(super) replacements: Phrases<Written>,
    /// Words as they are spelled.
    pub(super) vocabulary: Phrases<String>,
    pub(super) own_commands: Phrases<Command>,
    /// The rest of the settings; the lists in it are empty.
    pub(super) settings: Settings,
}

/// What is written in place of something heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// For a mark: the word to which it stands close. None for words.
    pub(super) side: Option<Side>,
    /// Its case was chosen: heard and written differ in nothing else.
    pub(super) is_exact: bool,
}

impl Default for Rules {
    /// Those of [`Settings::default`].
    fn default() -> Self {
        let (replacements, vocabulary) = (Phrases::default(), Phrases::default());
        let own_commands = Phrases::default();
        Self { replacements, vocabulary, own_commands, settings: Settings::default() }
    }
}

impl Rules {
    /// Checks the settings and prepares them for search.
    ///
    /// # Errors
    ///
    /// [`Error::Rule`] for the first entry that is too long, that can never be heard, or that
    /// holds control characters.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let n_entries =
            settings.replacements.len() + settings.vocabulary.len() + settings.own_commands.len();
        if n_entries > MAX_ENTRIES {
            let reason = "there are more than 10000 entries; leave out those that are rarely said";
            return Err(Error::Rule { list: "replacements", entry: MAX_ENTRIES + 1, reason });
        }
        let mut rules = Self::default();
        for (at, (spoken, written)) in settings.replacements.iter().enumerate() {
            let is_new = check_written(written).and_then(|()| {
                take(&mut rules.replacements, spoken, Written::new(spoken, written))
            });
            is_new.map_err(|reason| error("replacements", at, reason))?;
        }
        for (at, word) in settings.vocabulary.iter().enumerate() {
            take(&mut rules.vocabulary, word, word.clone())
                .map_err(|reason| error("vocabulary", at, reason))?;
        }
        for (at, (spoken, command)) in settings.own_commands.iter().enumerate() {
            take(&mut rules.own_commands, spoken, *command)
                .map_err(|reason| error("own_commands", at, reason))?;
        }
        let (replacements, vocabulary, own_commands) = Default::default();
        rules.settings = Settings { replacements, vocabulary, own_commands, ..settings };
        Ok(rules)
    }
}

impl Written {
    fn new(spoken: &str, written: &str) -> Self {
        let side = match written {
            "," | "." | ";" | ":" | "!" | "?" | "…" | ")" | "]" | "}" => Some(Side::Before),
            "(" | "[" | "{" => Some(Side::Behind),
            _ => None,
        };
        let is_exact = spoken.to_lowercase() == written.to_lowercase();
        Self { text: written.into(), side, is_exact }
    }
}

fn take<T>(phrases: &mut Phrases<T>, spoken: &str, meaning: T) -> Result<(), &'static str> {
    if spoken.len() > MAX_SPOKEN {
        return Err("it is longer than 200 bytes; take fewer words of it");
    }
    if spoken.chars().any(char::is_control) {
        return Err("it holds a control character; write words");
    }
    match phrases.insert(spoken, meaning) {
        true => Ok(()),
        false => Err("there is no word in it that could be heard"),
    }
}

fn check_written(written: &str) -> Result<(), &'static str> {
    if written.len() > MAX_WRITTEN {
        return Err("what is written is longer than 2000 bytes");
    }
    let is_allowed = |sign: char| !sign.is_control() || matches!(sign, '\n' | '\t');
    if !written.chars().all(is_allowed) {
        return Err("what is written holds a control character; only \\n and \\t are typed");
    }
    Ok(())
}

fn error(list: &'static str, at: usize, reason: &'static str) -> Error {
    Error::Rule { list, entry: at + 1, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(settings: Settings) -> String {
        Rules::new(settings).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_that_cannot_work_is_named() {
        let replacements = |spoken: &str, written: &str| Settings {
            replacements: vec![("fine".into(), "Fine".into()), (spoken.into(), written.into())],
            ..Settings::default()
        };
        for (spoken, written, why) in [
            ("", "x", "no word"),
            (" - ", "x", "no word"),
            ("a\nb", "x", "control"),
            ("x", "a\u{1b}[2J", "control"),
            (&"long ".repeat(50), "x", "200 bytes"),
            ("x", &"long ".repeat(500), "2000 bytes"),
        ] {
            let reason = reason(replacements(spoken, written));
            assert!(reason.contains("replacements, entry 2"), "{reason}");
            assert!(reason.contains(why), "{reason}");
        }
    }

    #[test]
    fn too_many_entries_are_an_error() {
        let vocabulary = vec!["word".to_owned(); MAX_ENTRIES + 1];
        assert!(reason(Settings { vocabulary, ..Settings::default() }).contains("10000"));
    }
}
