//! The daemon's interfaces, as `docs/dbus/*.xml` has them.
//!
//! Methods and signals are proxies. Properties are structs, read whole by one `GetAll`, so that a
//! state is never put together from two moments.

use std::collections::HashMap;

use serde::Deserialize;
use zbus::{Fd, OwnedObjectPath, OwnedVariant, Variant};

pub(crate) const NAME: &str = "org.scriven.Dictation1";
pub(crate) const PATH: &str = "/org/scriven/Dictation1";
pub(crate) const SESSION_INTERFACE: &str = "org.scriven.Dictation1.Session";
pub(crate) const MODEL_INTERFACE: &str = "org.scriven.Dictation1.Model";
/// What the names of the daemon's errors begin with.
pub(crate) const ERROR_PREFIX: &str = "org.scriven.Dictation1.Error.";
/// The `Version` of the contract that this program was written for.
pub(crate) const VERSION: u32 = 2;

/// An `a{sv}` on its way to the daemon.
pub(crate) type Options<'a> = HashMap<&'static str, Variant<'a>>;
/// An `a{sv}` from the daemon.
pub(crate) type Dictionary = HashMap<String, OwnedVariant>;

#[zbus::proxy(
    interface = "org.scriven.Dictation1",
    default_service = "org.scriven.Dictation1",
    default_path = "/org/scriven/Dictation1"
)]
pub(crate) trait Dictation {
    fn start_session(&self, options: &Options<'_>) -> zbus::Result<OwnedObjectPath>;
    fn toggle(&self, options: &Options<'_>) -> zbus::Result<OwnedObjectPath>;
    fn press(&self, action: &str, options: &Options<'_>) -> zbus::Result<()>;
    fn release(&self, action: &str) -> zbus::Result<()>;
    fn cancel(&self) -> zbus::Result<()>;
    fn transcribe_file(&self, file: Fd<'_>, options: &Options<'_>)
    -> zbus::Result<OwnedObjectPath>;
    fn list_sources(&self) -> zbus::Result<Vec<Dictionary>>;
    fn list_models(&self) -> zbus::Result<Vec<OwnedObjectPath>>;
    fn import_model(&self, id: &str, path: &str) -> zbus::Result<OwnedObjectPath>;
    fn get_history(&self, limit: u32, options: &Options<'_>) -> zbus::Result<Vec<Dictionary>>;
    fn clear_history(&self) -> zbus::Result<()>;
    fn redeliver(&self, options: &Options<'_>) -> zbus::Result<String>;
    fn undo_last(&self) -> zbus::Result<()>;
    fn insert_text(&self, text: &str, options: &Options<'_>) -> zbus::Result<String>;
    fn permit_typing(&self, options: &Options<'_>) -> zbus::Result<()>;
    fn list_outputs(&self) -> zbus::Result<Vec<Dictionary>>;
    fn describe_focus(&self) -> zbus::Result<Dictionary>;
    fn list_shortcuts(&self) -> zbus::Result<(Vec<Dictionary>, Vec<Dictionary>)>;

    #[zbus(signal)]
    fn partial(
        &self,
        session: OwnedObjectPath,
        utterance: u32,
        revision: u32,
        committed: String,
        tentative: String,
        info: Dictionary,
    ) -> zbus::Result<()>;
    #[zbus(signal, name = "Final")]
    fn final_text(
        &self,
        session: OwnedObjectPath,
        utterance: u32,
        text: String,
        info: Dictionary,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    fn discarded(
        &self,
        session: OwnedObjectPath,
        utterance: u32,
        reason: String,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    fn delivered(
        &self,
        session: OwnedObjectPath,
        utterance: u32,
        backend: String,
        ok: bool,
        detail: String,
    ) -> zbus::Result<()>;
    #[zbus(signal)]
    fn session_started(&self, session: OwnedObjectPath, info: Dictionary) -> zbus::Result<()>;
    #[zbus(signal)]
    fn session_ended(
        &self,
        session: OwnedObjectPath,
        reason: String,
        stats: Dictionary,
    ) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.scriven.Dictation1.Session",
    default_service = "org.scriven.Dictation1",
    assume_defaults = false
)]
pub(crate) trait Session {
    fn stop(&self) -> zbus::Result<()>;
    fn cancel(&self) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.scriven.Dictation1.Model",
    default_service = "org.scriven.Dictation1",
    assume_defaults = false
)]
pub(crate) trait Model {
    fn download(&self) -> zbus::Result<()>;
    fn cancel_download(&self) -> zbus::Result<()>;
    fn import(&self, path: &str) -> zbus::Result<()>;
    fn remove(&self) -> zbus::Result<()>;
    #[zbus(name = "Use")]
    fn select(&self) -> zbus::Result<()>;
}

/// Properties of the daemon.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DaemonProperties {
    pub(crate) version: u32,
    /// `idle`, `arming`, `listening`, `finalizing`, `muted`, `error`.
    pub(crate) state: String,
    /// `unloaded`, `loading`, `ready`, `failed`.
    pub(crate) model_state: String,
    pub(crate) model: String,
    pub(crate) backend: String,
    /// Languages to detect among; empty for any.
    pub(crate) languages: Vec<String>,
    /// The way into windows; empty until one was looked for.
    pub(crate) output_backend: String,
    /// Whether any microphone or monitor is open.
    pub(crate) microphone_open: bool,
    /// Samples and columns lost since the daemon started.
    pub(crate) overruns: u64,
    /// Name and message; empty when nothing went wrong.
    pub(crate) last_error: (String, String),
}

/// Properties of a session.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SessionProperties {
    /// `dictation` or `file`.
    pub(crate) mode: String,
    pub(crate) state: String,
    pub(crate) source: String,
    /// Microseconds since 1970.
    pub(crate) started_at: i64,
}

/// Properties of a model.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ModelProperties {
    pub(crate) id: String,
    /// Bytes to download, or of what the user has imported.
    pub(crate) size: u64,
    pub(crate) multilingual: bool,
    /// `absent`, `downloading`, `converting`, `installed`, `failed`.
    pub(crate) state: String,
    /// Bytes done, bytes in all.
    pub(crate) progress: (u64, u64),
    /// What happens, in words.
    pub(crate) detail: String,
}
