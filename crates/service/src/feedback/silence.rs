//! Somebody is listened to → players are paused or lowered, and afterwards as they were.

use async_channel::Receiver;
use futures_lite::{StreamExt as _, future};
use scriven_desktop::feedback::media::{Lowered, Player, Players, Started};
use tracing::{debug, warn};
use zbus::Connection;

use super::ledger::Ledger;
use crate::config::{Feedback, Media};

/// What was done to players, to be undone.
enum Held {
    Nothing,
    /// Those that were paused, and news of those that play again.
    Paused(Vec<Player>, Option<Started>),
    Lowered(Vec<Lowered>),
}

/// The players while somebody dictates.
pub(super) struct Silence {
    players: Players,
    how: Media,
    duck_to: f64,
    ledger: Ledger,
    held: Held,
}

/// What can happen.
enum Event {
    Listens(bool),
    /// A player plays, whoever wanted that.
    Started(Player),
    Closed,
}

impl Silence {
    pub(super) fn new(connection: Connection, wanted: &Feedback, ledger: Ledger) -> Self {
        let players = Players::new(connection);
        Self { players, how: wanted.media, duck_to: wanted.duck_to(), ledger, held: Held::Nothing }
    }

    /// Works until nobody can say any more whether somebody is listened to.
    pub(super) async fn run(mut self, listens: Receiver<bool>) {
        self.make_good().await;
        loop {
            match self.next(&listens).await {
                Event::Listens(true) => self.hold().await,
                Event::Listens(false) => self.let_go().await,
                Event::Started(player) => self.forget(&player),
                Event::Closed => return self.let_go().await,
            }
        }
    }

    async fn next(&mut self, listens: &Receiver<bool>) -> Event {
        let listens = async { listens.recv().await.map_or(Event::Closed, Event::Listens) };
        let started = async {
            if let Held::Paused(_, Some(started)) = &mut self.held
                && let Some(player) = started.next().await
            {
                return Event::Started(player);
            }
            future::pending().await
        };
        future::or(listens, started).await
    }

    /// Undoes what an earlier process could not.
    async fn make_good(&mut self) {
        let left = self.ledger.read();
        if !left.is_empty() {
            debug!(players = left.len(), "an earlier scrivend has left players lowered");
            self.players.raise(left).await;
        }
        self.ledger.clear();
    }

    async fn hold(&mut self) {
        if !matches!(self.held, Held::Nothing) {
            return;
        }
        match self.how {
            Media::Off => {}
            Media::Pause => self.pause().await,
            Media::Duck => self.lower().await,
        }
    }

    async fn pause(&mut self) {
        let playing = self.players.playing().await;
        if playing.is_empty() {
            return;
        }
        let mut started = self.players.started().await.ok();
        self.players.pause(&playing).await;
        // What was said before the pause is no news.
        if let Some(started) = &mut started {
            while let Some(Some(_)) = future::poll_once(started.next()).await {}
        }
        debug!(players = playing.len(), "paused");
        self.held = Held::Paused(playing, started);
    }

    async fn lower(&mut self) {
        let playing = self.players.playing().await;
        let louder = self.players.louder_than(self.duck_to, playing).await;
        if louder.is_empty() {
            return;
        }
        // First on disk: should the process die, the next one knows.
        if let Err(error) = self.ledger.write(&louder) {
            return warn!(%error, "players stay as loud as they are: this cannot be written down");
        }
        self.players.lower(&louder).await;
        debug!(players = louder.len(), "lowered");
        self.held = Held::Lowered(louder);
    }

    async fn let_go(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Nothing => {}
            Held::Paused(players, _) => self.players.resume(players).await,
            Held::Lowered(players) => {
                self.players.raise(players).await;
                self.ledger.clear();
            }
        }
    }

    /// Somebody has let it play meanwhile: it is no longer ours.
    fn forget(&mut self, player: &Player) {
        if let Held::Paused(players, _) = &mut self.held {
            players.retain(|paused| paused != player);
        }
    }
}
