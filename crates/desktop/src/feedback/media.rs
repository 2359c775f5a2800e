//! Players that make no sound while somebody dictates: MPRIS.
//!
//! Source: <https://specifications.freedesktop.org/mpris-spec/latest/>. A player is paused, or its
//! volume lowered; afterwards it is put back as it was, unless somebody else has changed it since.
//! All players are asked side by side, and one that does not answer is left as it is.

use std::pin::Pin;
use std::time::Duration;

use futures_lite::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::OwnedBusName;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedVariant, Variant};
use zruntime::SharedRuntime;

use super::within;

/// What the names of players begin with.
const PREFIX: &str = "org.mpris.MediaPlayer2.";
/// Stands for whichever player was used last, which has a name of its own.
const STAND_IN: &str = "org.mpris.MediaPlayer2.playerctld";
const PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How long a player may take while somebody waits to speak.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How long it may take to become as it was: nobody waits, and it should not stay silent.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// Players round their volume, some to whole percents.
const SAME_VOLUME: f64 = 0.02;

/// A player, by the name of its connection, which no later one has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Player(String);

/// A player whose volume was lowered; what is kept in case that the process dies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lowered {
    player: Player,
    /// 0.0..=1.0, in some players more.
    from: f64,
    to: f64,
}

/// Players that have begun to play.
pub type Started = Pin<Box<dyn Stream<Item = Player> + Send>>;

/// The players on a bus.
#[derive(Clone, Debug)]
pub struct Players {
    connection: Connection,
}

impl Players {
    /// Nobody is called yet.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Those that play now. Half a second, and as long again for those that are slow, at most.
    pub async fn playing(&self) -> Vec<Player> {
        let listed = within(AT_ONCE, async {
            Ok(DBusProxy::new(&self.connection).await?.list_names().await?)
        });
        let names = listed.await.unwrap_or_default().into_iter().filter(is_player);
        let asked = side_by_side(names.map(|name| self.clone().plays(name))).await;
        asked.into_iter().flatten().collect()
    }

    /// Pauses players. One that takes too long to say so may be paused later all the same.
    pub async fn pause(&self, players: &[Player]) {
        side_by_side(players.iter().map(|player| self.clone().paused(player.clone()))).await;
    }

    /// Lets those play again that are still paused.
    pub async fn resume(&self, players: Vec<Player>) {
        side_by_side(players.into_iter().map(|player| self.clone().resumed(player))).await;
    }

    /// Which players are louder than `to` and can be lowered to it.
    pub async fn louder_than(&self, to: f64, players: Vec<Player>) -> Vec<Lowered> {
        let asked = players.into_iter().map(|player| self.clone().volume(player, AT_ONCE));
        let louder = |(player, from): (Player, f64)| {
            (from > to + SAME_VOLUME).then_some(Lowered { player, from, to })
        };
        side_by_side(asked).await.into_iter().flatten().filter_map(louder).collect()
    }

    /// Lowers them.
    pub async fn lower(&self, players: &[Lowered]) {
        let set = |lowered: &Lowered| {
            self.clone().set_volume(lowered.player.clone(), lowered.to, AT_ONCE)
        };
        side_by_side(players.iter().map(set)).await;
    }

    /// Puts the volume back where it is still what it was lowered to.
    pub async fn raise(&self, players: Vec<Lowered>) {
        side_by_side(players.into_iter().map(|lowered| self.clone().raised(lowered))).await;
    }

    /// Hears which players begin to play from now on. What it gives must be read soon: what is not
    /// holds up the connection.
    ///
    /// # Errors
    ///
    /// The bus does not take the subscription.
    pub async fn started(&self) -> zbus::Result<Started> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(PROPERTIES)
            .member("PropertiesChanged")
            .path(PATH)
            .arg(0, PLAYER)
            .build()?;
        let stream = MessageStream::for_match_rule(rule, &self.connection, None);
        let changes = within(AT_ONCE, stream).await?;
        Ok(Box::pin(changes.filter_map(|message| started(&message.ok()?))))
    }

    /// A player of this name that plays.
    async fn plays(self, name: OwnedBusName) -> Option<Player> {
        let owner = within(AT_ONCE, async {
            let bus = DBusProxy::new(&self.connection).await?;
            Ok(bus.get_name_owner(name.inner().as_ref()).await?)
        });
        let player = Player(owner.await.ok()?.to_string());
        let status = self.get::<String>(&player, "PlaybackStatus", AT_ONCE).await.ok()?;
        (status == "Playing").then_some(player)
    }

    async fn paused(self, player: Player) {
        self.call(&player, "Pause", AT_ONCE).await.unwrap_or_else(|error| passed_over(&error));
    }

    async fn resumed(self, player: Player) {
        let status = self.get::<String>(&player, "PlaybackStatus", AFTERWARDS).await;
        if status.is_ok_and(|status| status == "Paused") {
            self.call(&player, "Play", AFTERWARDS)
                .await
                .unwrap_or_else(|error| passed_over(&error));
        }
    }

    async fn raised(self, lowered: Lowered) {
        let Lowered { player, from, to } = lowered;
        let Some((player, now)) = self.clone().volume(player, AFTERWARDS).await else { return };
        if (now - to).abs() < SAME_VOLUME {
            self.set_volume(player, from, AFTERWARDS).await;
        }
    }

    async fn volume(self, player: Player, limit: Duration) -> Option<(Player, f64)> {
        let volume = self.get::<f64>(&player, "Volume", limit).await;
        volume.inspect_err(passed_over).ok().map(|volume| (player, volume))
    }

    async fn set_volume(self, player: Player, volume: f64, limit: Duration) {
        let body = (PLAYER, "Volume", Variant::from(volume));
        let to = Some(player.0.as_str());
        let call = self.connection.call_method(to, PATH, Some(PROPERTIES), "Set", &body);
        within(limit, call).await.map_or_else(|error| passed_over(&error), drop);
    }

    async fn get<T>(&self, player: &Player, name: &str, limit: Duration) -> zbus::Result<T>
    where
        T: TryFrom<OwnedVariant>,
        zbus::Error: From<T::Error>,
    {
        let (to, body) = (Some(player.0.as_str()), (PLAYER, name));
        let call = self.connection.call_method(to, PATH, Some(PROPERTIES), "Get", &body);
        let value: OwnedVariant = within(limit, call).await?.body().deserialize()?;
        Ok(T::try_from(value)?)
    }

    async fn call(&self, player: &Player, method: &str, limit: Duration) -> zbus::Result<()> {
        let to = Some(player.0.as_str());
        let call = self.connection.call_method(to, PATH, Some(PLAYER), method, &());
        within(limit, call).await.map(drop)
    }
}

fn is_player(name: &OwnedBusName) -> bool {
    name.as_str().starts_with(PREFIX) && name.as_str() != STAND_IN
}

/// The player that this signal says has begun to play.
fn started(message: &Message) -> Option<Player> {
    type Changed = (String, std::collections::HashMap<String, OwnedVariant>, Vec<String>);
    let (_, mut changed, _): Changed = message.body().deserialize().ok()?;
    let status = String::try_from(changed.remove("PlaybackStatus")?).ok()?;
    let player = message.header().sender()?.to_string();
    (status == "Playing").then_some(Player(player))
}

fn passed_over(error: &zbus::Error) {
    tracing::debug!(%error, "a player is passed over");
}

/// What all of `work` gives, without one waiting for another.
async fn side_by_side<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    // Without a runtime nothing here runs at all.
    let Ok(runtime) = SharedRuntime::current() else { return Vec::new() };
    let tasks: Vec<_> = work.map(|work| runtime.spawn("player", work)).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await.ok());
    }
    done
}
