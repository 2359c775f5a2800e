//! The named errors of the bus: what a client can tell apart, each message ending with what to do.
//!
//! The other crates' errors keep their words and get a name here; nothing else knows both sides.

use scriven_audio as audio;
use scriven_recognizer as recognizer;
use zbus::DBusError;

/// An error a method answers with, or a session ends with.
///
/// No message ever contains what was said.
#[derive(Clone, Debug, DBusError)]
#[zbus(prefix = "org.scriven.Dictation1.Error")]
pub enum Error {
    /// No model is installed: pull one.
    NoModel(String),
    /// The model is not ready and this call cannot wait for it.
    ModelLoading(String),
    /// The microphone or monitor could not be opened.
    DeviceUnavailable(String),
    /// The device went away while it was used; what was said before is delivered.
    DeviceLost(String),
    /// The device is open and delivers nothing, or nothing but digital silence: it is muted,
    /// unplugged or forbidden. The session goes on.
    DeviceSilent(String),
    /// Something of this kind is already going on.
    Busy(String),
    /// There is no such session, model or action.
    NotFound(String),
    /// The caller, or another client, cancelled it.
    Cancelled(String),
    /// The model does not know the language.
    UnsupportedLanguage(String),
    /// The options name something this method does not take.
    UnsupportedOption(String),
    /// An option or argument has the wrong type or value.
    InvalidArgument(String),
    /// The file is not a recording we can read.
    InvalidFile(String),
    /// The GPU that the configuration asks for cannot be used.
    GpuUnavailable(String),
    /// The text could not be put into the window in focus; it stays in the history.
    NotDelivered(String),
    /// The desktop, or the user, does not let us type.
    NotPermitted(String),
    /// Too much is waiting already.
    Overloaded(String),
    /// Anything else.
    Failed(String),
    /// The bus itself.
    #[zbus(error)]
    ZBus(zbus::Error),
}

impl Error {
    /// The name and the message, as `LastError` and `SessionEnded` carry them.
    pub fn pair(&self) -> (String, String) {
        (self.name().to_string(), self.description().unwrap_or_default().to_owned())
    }

    /// The daemon is on its way out and answers nothing more.
    pub(crate) fn leaving() -> Self {
        Self::Failed("scrivend is shutting down; call again to start it anew".into())
    }

    /// A recording that could not be opened or read.
    pub(crate) fn file(error: &audio::Error) -> Self {
        Self::InvalidFile(chain(error))
    }

    /// A device that could not be opened.
    pub(crate) fn opening(error: &audio::Error) -> Self {
        Self::DeviceUnavailable(chain(error))
    }

    /// A device that went away.
    pub(crate) fn capturing(error: &audio::Error) -> Self {
        Self::DeviceLost(chain(error))
    }

    /// A model that could not be loaded or did not compute.
    pub(crate) fn recognizing(error: &recognizer::Error) -> Self {
        use recognizer::Error::{EnglishOnly, OutOfRange, UnknownLanguage};
        match error {
            UnknownLanguage { .. } | EnglishOnly => Self::UnsupportedLanguage(chain(error)),
            OutOfRange { name, range } => {
                Self::InvalidArgument(format!("option `{name}` must be {range}"))
            }
            error => Self::Failed(chain(error)),
        }
    }
}

/// The message with those of its sources, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_name_the_contract_gives_it() {
        let (name, message) = Error::NoModel("run: scriven model pull base".into()).pair();
        assert_eq!(name, "org.scriven.Dictation1.Error.NoModel");
        assert_eq!(message, "run: scriven model pull base");
    }
}
