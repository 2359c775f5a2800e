//! One file a command, or a few that belong together.

pub(crate) mod doctor;
pub(crate) mod generate;
pub(crate) mod history;
pub(crate) mod listen;
pub(crate) mod model;
pub(crate) mod session;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod transcribe;
mod view;
