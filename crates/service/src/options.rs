//! `a{sv}` options of the bus → one checked struct. An option nobody knows is an error, so that a
//! misspelled one is noticed and a newer client can tell what this daemon lacks.

use std::collections::HashMap;

use scriven_recognizer::{self as recognizer, Decoding, Task};
use zbus::OwnedVariant;

use crate::config::{Action, Mode};
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
    pub hotwords: Option<Vec<String>>,
    pub hotword_boost: Option<f32>,
    /// What becomes of the final texts.
    pub output: Option<Mode>,
    /// Seconds of silence that end the session.
    pub auto_stop: Option<f64>,
    /// How a recording is decoded.
    pub decoding: Decoding,
}

/// What a method takes: the names of several lists.
type Known = [&'static [&'static str]];

/// What `StartSession`, `Toggle` and `Press` take.
pub(crate) const DICTATION: &Known = &[&["source", "output", "auto_stop"], COMMON];
/// What `TranscribeFile` takes.
pub(crate) const FILE: &Known = &[&["live"], COMMON, DECODING];

/// What both take.
const COMMON: &[&str] = &[
    "languages",
    "task",
    "scope",
    "handle_token",
    "linger",
    "partials",
    "hotwords",
    "hotword_boost",
];
/// What a recording takes that is transcribed as a whole.
const DECODING: &[&str] = &[
    "temperature",
    "best_of",
    "beam_size",
    "prompt",
    "prefix",
    "condition_on_previous_text",
    "words",
];

/// An object path element of a caller's choice; longer ones would only bloat every signal.
const MAX_TOKEN: usize = 64;

impl Options {
    /// Checks `raw` against the names that the method `known` takes.
    ///
    /// # Errors
    ///
    /// `UnsupportedOption` for a name that is not known, `InvalidArgument` for a wrong type or
    /// value.
    pub(crate) fn parse(raw: &Raw, known: &Known) -> Result<Self, Error> {
        check_names(raw, &known.concat())?;
        let live = flag(raw, "live")?.unwrap_or(false);
        if let Some(name) = raw.keys().find(|name| live && DECODING.contains(&name.as_str())) {
            return Err(Error::InvalidArgument(format!(
                "option `{name}` is for a recording that is transcribed as a whole; leave out `live`"
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
            live,
            hotwords: list(raw, "hotwords")?,
            hotword_boost: number(raw, "hotword_boost")?,
            output: text(raw, "output")?.as_deref().map(output).transpose()?,
            auto_stop: seconds(raw)?,
            decoding: decoding(raw)?,
        })
    }

    /// The rest is what the action of a key says.
    pub(crate) fn of_action(self, action: &Action) -> Self {
        let auto_stop = (action.auto_stop_s > 0).then(|| f64::from(action.auto_stop_s));
        Self {
            languages: self.languages.or_else(|| action.languages.clone()),
            task: self.task.or(action.task.map(Into::into)),
            output: self.output.or(action.output),
            auto_stop: self.auto_stop.or(auto_stop),
            ..self
        }
    }

    /// What the recognizer is asked, where the caller leaves the rest to `defaults`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a number out of its range.
    pub(crate) fn recognition(
        &self,
        defaults: recognizer::Options,
    ) -> Result<recognizer::Options, Error> {
        let wanted = recognizer::Options {
            languages: self.languages.clone().unwrap_or(defaults.languages),
            task: self.task.unwrap_or(defaults.task),
            hotwords: self.hotwords.clone().unwrap_or(defaults.hotwords),
            hotword_boost: self.hotword_boost.unwrap_or(defaults.hotword_boost),
            decoding: self.decoding.clone(),
        };
        wanted.check_values().map_err(|error| Error::recognizing(&error))?;
        Ok(wanted)
    }
}

/// Whether all options are among those that a method knows.
///
/// # Errors
///
/// `UnsupportedOption`.
pub(crate) fn check_names(raw: &Raw, known: &[&str]) -> Result<(), Error> {
    let Some(name) = raw.keys().find(|name| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    Err(Error::UnsupportedOption(format!("option `{name}` is not known here; known are: {known}")))
}

/// What `Redeliver` takes: the number of a text of the history.
///
/// # Errors
///
/// `UnsupportedOption` or `InvalidArgument`.
pub(crate) fn history_id(raw: &Raw) -> Result<Option<u64>, Error> {
    check_names(raw, &["id"])?;
    raw.get("id")
        .map(|id| id.downcast_ref::<u64>().map_err(|_| wrong("id", "a number of the history (t)")))
        .transpose()
}

/// What `PermitTyping` takes: whether the permission is to be given up.
///
/// # Errors
///
/// `UnsupportedOption` or `InvalidArgument`.
pub(crate) fn forget(raw: &Raw) -> Result<bool, Error> {
    check_names(raw, &["forget"])?;
    Ok(flag(raw, "forget")?.unwrap_or(false))
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

fn number(raw: &Raw, name: &str) -> Result<Option<f32>, Error> {
    raw.get(name)
        .map(|value| value.downcast_ref::<f64>().map_err(|_| wrong(name, "a number (d)")))
        .transpose()
        .map(|number| number.map(|number| number as f32))
}

fn count(raw: &Raw, name: &str) -> Result<Option<usize>, Error> {
    raw.get(name)
        .map(|value| value.downcast_ref::<u32>().map_err(|_| wrong(name, "a whole number (u)")))
        .transpose()
        .map(|number| number.map(|number| number as usize))
}

/// How long a silence ends the session; `None` where none does.
fn seconds(raw: &Raw) -> Result<Option<f64>, Error> {
    let Some(value) = raw.get("auto_stop") else { return Ok(None) };
    match value.downcast_ref::<f64>() {
        Ok(0.0) => Ok(None),
        Ok(seconds) if (0.5..=3600.0).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(wrong("auto_stop", "a number (d): 0, or seconds from 0.5 to 3600")),
    }
}

/// How a recording is decoded: as the caller says, the rest as the recognizer would.
fn decoding(raw: &Raw) -> Result<Decoding, Error> {
    let usual = Decoding::default();
    Ok(Decoding {
        temperature: number(raw, "temperature")?.unwrap_or(usual.temperature),
        best_of: count(raw, "best_of")?.unwrap_or(usual.best_of),
        beam_size: count(raw, "beam_size")?.unwrap_or(usual.beam_size),
        prompt: text(raw, "prompt")?.unwrap_or(usual.prompt),
        prefix: text(raw, "prefix")?.unwrap_or(usual.prefix),
        condition_on_previous_text: flag(raw, "condition_on_previous_text")?
            .unwrap_or(usual.condition_on_previous_text),
        words: flag(raw, "words")?.unwrap_or(usual.words),
    })
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

fn output(word: &str) -> Result<Mode, Error> {
    Mode::of(word).ok_or_else(|| wrong("output", "`type`, `clipboard`, `copy` or `none`"))
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
        assert_eq!(parse("output", "none".into()).unwrap().output, Some(Mode::None));
        assert_eq!(parse("output", "copy".into()).unwrap().output, Some(Mode::Copy));
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
            parse("output", "paper".into()).unwrap_err(),
            parse("auto_stop", f64::NAN.into()).unwrap_err(),
            parse("auto_stop", (-3.0).into()).unwrap_err(),
            parse("auto_stop", 3u32.into()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        }
    }

    fn file(options: Vec<(&str, Variant<'_>)>) -> Result<Options, Error> {
        let raw = options.into_iter();
        let raw = raw.map(|(name, value)| (name.to_owned(), value.try_into_owned().unwrap()));
        Options::parse(&raw.collect(), FILE)
    }

    #[test]
    fn what_the_caller_asks_for_comes_before_what_is_configured() {
        let configured = recognizer::Options {
            languages: vec!["de".into()],
            hotwords: vec!["Scriven".into()],
            ..Default::default()
        };
        let asked = file(vec![
            ("hotwords", vec!["Hopper"].into()),
            ("beam_size", 5u32.into()),
            ("temperature", 0.4.into()),
            ("prompt", "On compilers.".into()),
            ("words", true.into()),
        ]);
        let wanted = asked.unwrap().recognition(configured.clone()).unwrap();
        assert_eq!((wanted.languages, wanted.hotwords), (vec!["de".into()], vec!["Hopper".into()]));
        let decoding = Decoding {
            beam_size: 5,
            temperature: 0.4,
            prompt: "On compilers.".into(),
            words: true,
            ..Decoding::default()
        };
        assert_eq!(wanted.decoding, decoding);
        assert_eq!(file(vec![]).unwrap().recognition(configured.clone()).unwrap(), configured);
    }

    #[test]
    fn numbers_out_of_range_are_errors_that_name_the_option() {
        for (name, value) in [
            ("beam_size", Variant::from(0u32)),
            ("beam_size", 17u32.into()),
            ("best_of", 0u32.into()),
            ("temperature", 1.5.into()),
            ("hotword_boost", (-1.0).into()),
        ] {
            let error = file(vec![(name, value)]).unwrap().recognition(Default::default());
            let text = format!("option `{name}` must be");
            assert!(
                matches!(&error, Err(Error::InvalidArgument(message)) if message.contains(&text)),
                "{error:?}"
            );
        }
    }

    #[test]
    fn what_live_recognition_cannot_do_is_an_error() {
        let error = file(vec![("live", true.into()), ("beam_size", 5u32.into())]).unwrap_err();
        assert!(matches!(&error, Error::InvalidArgument(text) if text.contains("`beam_size`")));
        assert!(file(vec![("live", true.into()), ("hotwords", vec!["Hopper"].into())]).is_ok());
    }
}
