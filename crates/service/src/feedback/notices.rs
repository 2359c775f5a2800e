//! What went wrong → a message on the screen. One of each kind at a time: a newer one takes the
//! place of the one before. None holds what was said.

use std::collections::BTreeMap;

use async_channel::Receiver;
use futures_lite::{StreamExt as _, future};
use scriven_desktop::feedback::notifications::{Notification, Notifications, Pressed};
use tracing::debug;
use zbus::Connection;

use crate::daemon::Call;
use crate::deliveries::WindowCall;
use crate::error::Error;
use crate::service::Desk;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A text that no window has taken.
    Text,
    Microphone,
    Dictation,
    Model,
    Keys,
}

impl Kind {
    fn summary(self) -> &'static str {
        match self {
            Self::Text => "Text kept, not inserted",
            Self::Microphone => "The microphone does not work",
            Self::Dictation => "Dictation does not work",
            Self::Model => "The model cannot be loaded",
            Self::Keys => "Shortcuts do not work",
        }
    }

    /// Somebody who speaks is concerned, and should hear of it.
    pub(super) fn interrupts(self) -> bool {
        matches!(self, Self::Text | Self::Microphone | Self::Dictation)
    }
}

/// News for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// This text of the history was not delivered.
    Undelivered {
        text: u64,
        why: String,
    },
    Wrong {
        kind: Kind,
        why: String,
    },
    /// It works again.
    Over(Kind),
}

impl Notice {
    /// A dictation that cannot begin, or not go on.
    pub(crate) fn of_dictation(error: &Error) -> Self {
        let kind = match error {
            Error::DeviceUnavailable(_) | Error::DeviceLost(_) => Kind::Microphone,
            _ => Kind::Dictation,
        };
        Self::Wrong { kind, why: error.pair().1 }
    }

    pub(crate) fn of_model(error: &Error) -> Self {
        Self::Wrong { kind: Kind::Model, why: error.pair().1 }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Undelivered { .. } => Kind::Text,
            Self::Wrong { kind, .. } | Self::Over(kind) => *kind,
        }
    }

    /// What stands below the summary.
    fn body(&self) -> String {
        match self {
            Self::Undelivered { why, .. } if why.contains("scriven redeliver") => sentence(why),
            Self::Undelivered { why, .. } => {
                format!("{} \"scriven redeliver\" inserts it.", sentence(why))
            }
            Self::Wrong { why, .. } => sentence(why),
            Self::Over(_) => String::new(),
        }
    }
}

/// Errors are written to stand behind a name; here one stands alone.
fn sentence(error: &str) -> String {
    let mut letters = error.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

/// A message as the server knows it.
struct Shown {
    id: u32,
    /// What its button inserts.
    text: Option<u64>,
}

/// The messages that were shown last.
pub(super) struct Notices {
    server: Notifications,
    desk: Desk,
    shown: BTreeMap<Kind, Shown>,
}

/// What can happen.
enum Event {
    Notice(Notice),
    Pressed(u32),
    Closed,
}

impl Notices {
    /// Shows what is told, until nobody can tell any more.
    pub(super) async fn run(connection: Connection, desk: Desk, told: Receiver<Notice>) {
        let server = match Notifications::new(&connection).await {
            Ok(server) => server,
            Err(error) => return debug!(%error, "no notifications"),
        };
        let mut pressed = server.pressed().await.ok();
        let mut notices = Self { server, desk, shown: BTreeMap::new() };
        loop {
            match next(&told, &mut pressed).await {
                Event::Notice(notice) => notices.show_all(notice, &told).await,
                Event::Pressed(id) => notices.pressed(id).await,
                Event::Closed => return,
            }
        }
    }

    /// Shows `first` and what has been told since, one of each kind.
    async fn show_all(&mut self, first: Notice, told: &Receiver<Notice>) {
        let mut newest = BTreeMap::from([(first.kind(), first)]);
        while let Ok(notice) = told.try_recv() {
            newest.insert(notice.kind(), notice);
        }
        for notice in newest.into_values() {
            self.show(&notice).await;
        }
    }

    async fn show(&mut self, notice: &Notice) {
        let (kind, text) = match notice {
            Notice::Undelivered { text, .. } => (Kind::Text, Some(*text)),
            Notice::Wrong { kind, .. } => (*kind, None),
            Notice::Over(kind) => return self.close(*kind).await,
        };
        let replaces = self.shown.get(&kind).map_or(0, |shown| shown.id);
        let body = notice.body();
        let button = text.map(|_| "Insert again");
        let message = Notification { summary: kind.summary(), body: &body, button };
        match self.server.show(replaces, &message).await {
            Ok(id) => drop(self.shown.insert(kind, Shown { id, text })),
            Err(error) => debug!(%error, "no notification is shown"),
        }
    }

    async fn close(&mut self, kind: Kind) {
        let Some(shown) = self.shown.remove(&kind) else { return };
        if let Err(error) = self.server.close(shown.id).await {
            debug!(%error, "the notification is gone already");
        }
    }

    /// A button was pressed; whether it is one of ours is not known yet.
    async fn pressed(&mut self, id: u32) {
        let text = self.shown.values().find(|shown| shown.id == id).and_then(|shown| shown.text);
        let Some(text) = text else { return };
        let asked = self.desk.ask(|reply| Call::Window(WindowCall::Redeliver(Some(text), reply)));
        match asked.await {
            Ok(_) => self.close(Kind::Text).await,
            Err(error) => self.show(&Notice::Undelivered { text, why: error.pair().1 }).await,
        }
    }
}

async fn next(told: &Receiver<Notice>, pressed: &mut Option<Pressed>) -> Event {
    let notice = async { told.recv().await.map_or(Event::Closed, Event::Notice) };
    let button = async {
        if let Some(pressed) = pressed
            && let Some(id) = pressed.next().await
        {
            return Event::Pressed(id);
        }
        future::pending().await
    };
    future::or(notice, button).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_why_and_what_to_do() {
        let body = |why: &str| Notice::Undelivered { text: 1, why: why.into() }.body();
        assert_eq!(
            body("the window takes no text; try it again"),
            "The window takes no text; try it again. \"scriven redeliver\" inserts it."
        );
        let known = "the focus has moved; \"scriven redeliver\" types it";
        assert_eq!(body(known), "The focus has moved; \"scriven redeliver\" types it.");
        let lost = Notice::of_dictation(&Error::DeviceLost("it is gone".into()));
        assert_eq!((lost.kind(), lost.body()), (Kind::Microphone, "It is gone.".into()));
        let model = Notice::of_dictation(&Error::NoModel("none".into()));
        assert_eq!(model.kind(), Kind::Dictation);
    }
}
