//! `a{sv}` options of the bus → one checked struct. An option nobody knows is an error, so that a
//! misspelled one is noticed and a newer client can tell what this daemon lacks.

use std::collections::HashMap;

use scriven_recognizer::Task;
use zbus::OwnedVariant;

use crate::error::Error;

/// What arrives in a message.
pub(crate) type Raw = HashMap<String, OwnedVariant>;

/// Who may receive what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every peer of the session bus that listens.
    #[default]
    Broadcast,
    /// The caller that created the session, and nobody else.
    Owner,
}

/// The options of one session. `None` where the caller leaves it to the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub source: Option<String>,
    pub languages: Option<Vec<String>>,
    pub task: Option<Task>,
    pub scope: Scope,
    pub handle_token: Option<String>,
    pub linger: Option<bool>,
    pub partials: Option<bool>,
    pub live: bool,
}

/// What `StartSession`, `Toggle` and `Press` take.
pub(crate) const DICTATION: &[&str] =
    &["source", "languages", "task", "scope", "handle_token", "linger", "partials"];
/// What `TranscribeFile` takes.
pub(crate) const FILE: &[&str] =
    &["languages", "task", "scope", "handle_token", "linger", "partials", "live"];

/// An object path element of a caller's choice; longer ones would only bloat every signal.
const MAX_TOKEN: usize = 64;

impl Options {
    /// Checks `raw` against the names that the method `known` takes.
    ///
    /// # Errors
    ///
    /// `UnsupportedOption` for a name that is not known, `InvalidArgument` for a wrong type or
    /// value.
    pub(crate) fn parse(raw: &Raw, known: &[&str]) -> Result<Self, Error> {
        if let Some(name) = raw.keys().find(|name| !known.contains(&name.as_str())) {
            let known = known.join(", ");
            return Err(Error::UnsupportedOption(format!(
                "option `{name}` is not known here; known are: {known}"
            )));
        }
        Ok(Self {
            source: text(raw, "source")?,
            languages: list(raw, "languages")?,
            task: text(raw, "task")?.as_deref().map(task).transpose()?,
            scope: text(raw, "scope")?.as_deref().map(scope).transpose()?.unwrap_or_default(),
            handle_token: text(raw, "handle_token")?.map(token).transpose()?,
            linger: flag(raw, "linger")?,
            partials: flag(raw, "partials")?,
            live: flag(raw, "live")?.unwrap_or(false),
        })
    }
}

fn wrong(name: &str, wanted: &str) -> Error {
    Error::InvalidArgument(format!("option `{name}` must be {wanted}"))
}

fn text(raw: &Raw, name: &str) -> Result<Option<String>, Error> {
    raw.get(name)
        .map(|value| {
            value.downcast_ref::<&str>().map(str::to_owned).map_err(|_| wrong(name, "a string (s)"))
        })
        .transpose()
}

fn flag(raw: &Raw, name: &str) -> Result<Option<bool>, Error> {
    raw.get(name)
        .map(|value| value.downcast_ref::<bool>().map_err(|_| wrong(name, "a boolean (b)")))
        .transpose()
}

fn list(raw: &Raw, name: &str) -> Result<Option<Vec<String>>, Error> {
    raw.get(name)
        .map(|value| {
            let owned = value.try_clone().ok();
            owned
                .and_then(|value| Vec::<String>::try_from(value).ok())
                .ok_or_else(|| wrong(name, "an array of strings (as)"))
        })
        .transpose()
}

/// The two tasks, by the words that the bus and the configuration use.
pub(crate) fn task(word: &str) -> Result<Task, Error> {
    match word {
        "transcribe" => Ok(Task::Transcribe),
        "translate" => Ok(Task::Translate),
        _ => Err(wrong("task", "`transcribe` or `translate`")),
    }
}

fn scope(word: &str) -> Result<Scope, Error> {
    match word {
        "broadcast" => Ok(Scope::Broadcast),
        "owner" => Ok(Scope::Owner),
        _ => Err(wrong("scope", "`broadcast` or `owner`")),
    }
}

/// A token becomes an element of an object path, where only these characters may stand.
fn token(token: String) -> Result<String, Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match !token.is_empty() && token.len() <= MAX_TOKEN && token.chars().all(allowed) {
        true => Ok(token),
        false => Err(wrong("handle_token", "1 to 64 of A-Z, a-z, 0-9 and _")),
    }
}

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    fn parse(name: &str, value: Variant<'_>) -> Result<Options, Error> {
        Options::parse(&Raw::from([(name.to_owned(), value.try_into_owned().unwrap())]), DICTATION)
    }

    #[test]
    fn options_keep_what_the_caller_gave() {
        let options = parse("languages", vec!["de", "en"].into()).unwrap();
        assert_eq!(options.languages, Some(vec!["de".to_owned(), "en".to_owned()]));
        assert_eq!(options.scope, Scope::Broadcast);
        assert!(parse("linger", true.into()).unwrap().linger.unwrap());
        assert_eq!(parse("scope", "owner".into()).unwrap().scope, Scope::Owner);
    }

    #[test]
    fn an_option_nobody_knows_is_an_error_with_the_known_ones() {
        let error = parse("launguage", "en".into()).unwrap_err();
        assert!(matches!(&error, Error::UnsupportedOption(text) if text.contains("languages")));
        assert!(matches!(parse("live", true.into()), Err(Error::UnsupportedOption(_))));
    }

    #[test]
    fn a_wrong_type_or_value_is_an_error_that_names_the_option() {
        for error in [
            parse("linger", 1u32.into()).unwrap_err(),
            parse("languages", "en".into()).unwrap_err(),
            parse("task", "sing".into()).unwrap_err(),
            parse("scope", "all".into()).unwrap_err(),
            parse("handle_token", "a/b".into()).unwrap_err(),
            parse("handle_token", "".into()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        }
    }
}
