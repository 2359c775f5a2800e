//! From speech to writing: the section `[writing]`, and the tables `[[profile]]` that change it for
//! some programs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use scriven_desktop::writing::hook::{DEFAULT_LIMIT, Hook};
use scriven_desktop::writing::vocabulary::{self, Entry, Format};
use scriven_desktop::writing::{self, Rules, Settings};
use serde::Deserialize;

/// How what was said is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Writing {
    /// "New line", "new paragraph" and "scratch that" are carried out.
    pub commands: bool,
    /// "Comma" and its like become the marks that they name.
    pub spoken_punctuation: bool,
    pub model_punctuation: bool,
    pub capitals: Capitals,
    pub trailing_space: bool,
    /// Utterances of at most so many words lose the period at their end.
    pub no_period_up_to: usize,
    /// Files with words and replacements.
    pub vocabulary: Vec<PathBuf>,
    /// What is written for what is heard.
    pub replace: BTreeMap<String, String>,
    /// Phrases that are commands in every language.
    pub spoken: BTreeMap<String, Command>,
    /// A program that texts go through, and its arguments; empty for none.
    pub hook: Vec<String>,
    pub hook_limit_ms: u64,
}

impl Default for Writing {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            commands: settings.commands,
            spoken_punctuation: settings.spoken_punctuation,
            model_punctuation: settings.model_punctuation,
            capitals: Capitals::Fit,
            trailing_space: settings.trailing_space,
            no_period_up_to: settings.no_period_up_to,
            vocabulary: Vec::new(),
            replace: BTreeMap::new(),
            spoken: BTreeMap::new(),
            hook: Vec::new(),
            hook_limit_ms: DEFAULT_LIMIT.as_millis() as u64,
        }
    }
}

/// What becomes of capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capitals {
    /// The first word fits what stands before the cursor.
    Fit,
    /// As the model writes them.
    AsHeard,
    None,
}

/// What a phrase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    NewLine,
    NewParagraph,
    Undo,
}

/// Programs in which something is written otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    /// `firefox`, `org.gnome.*`: the first profile that fits the program counts.
    #[serde(default)]
    pub apps: Vec<String>,
    #[serde(default)]
    pub writing: Change,
}

/// What a profile changes; what it does not name is as in `[writing]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    pub commands: Option<bool>,
    pub spoken_punctuation: Option<bool>,
    pub model_punctuation: Option<bool>,
    pub capitals: Option<Capitals>,
    pub trailing_space: Option<bool>,
    pub no_period_up_to: Option<usize>,
    pub vocabulary: Vec<PathBuf>,
    pub replace: BTreeMap<String, String>,
    pub spoken: BTreeMap<String, Command>,
    pub hook: Option<Vec<String>>,
    pub hook_limit_ms: Option<u64>,
}

impl Change {
    /// `usual` with this on top.
    fn of(&self, usual: &Writing) -> Writing {
        let mut changed = usual.clone();
        changed.vocabulary.extend(self.vocabulary.iter().cloned());
        changed.replace.extend(self.replace.clone());
        changed.spoken.extend(self.spoken.clone());
        Writing {
            commands: self.commands.unwrap_or(usual.commands),
            spoken_punctuation: self.spoken_punctuation.unwrap_or(usual.spoken_punctuation),
            model_punctuation: self.model_punctuation.unwrap_or(usual.model_punctuation),
            capitals: self.capitals.unwrap_or(usual.capitals),
            trailing_space: self.trailing_space.unwrap_or(usual.trailing_space),
            no_period_up_to: self.no_period_up_to.unwrap_or(usual.no_period_up_to),
            hook: self.hook.clone().unwrap_or_else(|| usual.hook.clone()),
            hook_limit_ms: self.hook_limit_ms.unwrap_or(usual.hook_limit_ms),
            ..changed
        }
    }
}

/// The rules of one profile, ready for use.
pub(crate) struct Style {
    pub name: String,
    pub apps: Vec<String>,
    pub rules: std::sync::Arc<Rules>,
    pub hook: Option<Hook>,
}

/// The rules of all profiles; the first are those of no profile.
///
/// # Errors
///
/// What cannot work, in words.
pub(crate) fn styles(writing: &Writing, profiles: &[Profile]) -> Result<Vec<Style>, String> {
    let mut styles = vec![writing.style("", &[])?];
    for (at, profile) in profiles.iter().enumerate() {
        let is_named = |other: &Profile| other.name == profile.name;
        if profile.name.is_empty() || profiles[..at].iter().any(is_named) {
            return Err("`profile.name` must be there, and another one for each profile".into());
        }
        let style = profile.writing.of(writing).style(&profile.name, &profile.apps);
        styles.push(style.map_err(|error| format!("profile `{}`: {error}", profile.name))?);
    }
    Ok(styles)
}

impl Writing {
    fn style(&self, name: &str, apps: &[String]) -> Result<Style, String> {
        if !(100..=10_000).contains(&self.hook_limit_ms) {
            return Err("`hook_limit_ms` must lie between 100 and 10000".into());
        }
        let rules = Rules::new(self.settings()?).map_err(|error| error.to_string())?.into();
        let limit = Duration::from_millis(self.hook_limit_ms);
        let hook = self.hook.split_first().map(|(program, rest)| Hook::new(program, rest, limit));
        Ok(Style { name: name.into(), apps: apps.to_vec(), rules, hook })
    }

    fn settings(&self) -> Result<Settings, String> {
        let listed = self.listed()?;
        // A later one takes the place of an earlier one.
        let mut replacements = vocabulary::replacements(&listed);
        replacements.extend(self.replace.clone());
        let command = |command: &Command| match command {
            Command::NewLine => writing::Command::NewLine,
            Command::NewParagraph => writing::Command::NewParagraph,
            Command::Undo => writing::Command::Undo,
        };
        let spoken = self.spoken.iter();
        Ok(Settings {
            replacements,
            vocabulary: vocabulary::hotwords(&listed),
            commands: self.commands,
            own_commands: spoken.map(|(phrase, does)| (phrase.clone(), command(does))).collect(),
            spoken_punctuation: self.spoken_punctuation,
            model_punctuation: self.model_punctuation,
            capitals: match self.capitals {
                Capitals::Fit => writing::Capitals::Fit,
                Capitals::AsHeard => writing::Capitals::AsHeard,
                Capitals::None => writing::Capitals::None,
            },
            trailing_space: self.trailing_space,
            no_period_up_to: self.no_period_up_to,
        })
    }

    /// The words of the lists, which the recognizer is to prefer.
    ///
    /// # Errors
    ///
    /// A list cannot be read.
    pub(crate) fn hotwords(&self) -> Result<Vec<String>, String> {
        Ok(vocabulary::hotwords(&self.listed()?))
    }

    /// All lists, one behind the other.
    fn listed(&self) -> Result<Vec<Entry>, String> {
        let mut all = Vec::new();
        for path in &self.vocabulary {
            let name = path.display();
            let list = read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            let format = Format::of(&name.to_string());
            let more = vocabulary::read(&list, format);
            all.extend(more.map_err(|error| format!("{name}: {error}"))?);
        }
        Ok(all)
    }
}

/// Reads a list. A pipe or a device might never end, and a start of the daemon waits for it.
fn read(list: &Path) -> io::Result<String> {
    match fs::metadata(list)?.is_file() {
        true => fs::read_to_string(list),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_would_never_end_is_not_read() {
        let writing = Writing { vocabulary: vec!["/dev/zero".into()], ..Writing::default() };
        assert_eq!(writing.hotwords().unwrap_err(), "cannot read /dev/zero: it is not a file");
    }
}
