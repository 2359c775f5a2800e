//! The interface `org.scriven.Dictation1.Session`: one object a session.

use zbus::interface;

use crate::daemon::{Call, Ending};
use crate::error::Error;
use crate::pipeline::Id;
use crate::service::{Board, Desk};

/// What the properties of a session say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SessionShown {
    pub mode: &'static str,
    pub state: &'static str,
    pub source: String,
    /// µs since 1970.
    pub started_at: i64,
}

/// The object at `/org/scriven/Dictation1/session/SENDER/TOKEN`.
pub(crate) struct SessionObject {
    pub id: Id,
    pub desk: Desk,
    pub board: Board<SessionShown>,
}

#[interface(name = "org.scriven.Dictation1.Session", introspection_docs = false)]
impl SessionObject {
    async fn stop(&self) -> Result<(), Error> {
        self.desk.ask(|reply| Call::End(self.id, Ending::Stopped, reply)).await
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.desk.ask(|reply| Call::End(self.id, Ending::Cancelled, reply)).await
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn mode(&self) -> String {
        self.board.get().mode.into()
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.board.get().state.into()
    }

    #[zbus(property)]
    fn source(&self) -> String {
        self.board.get().source
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn started_at(&self) -> i64 {
        self.board.get().started_at
    }
}
