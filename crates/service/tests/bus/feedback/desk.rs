//! What stands on a desk beside the daemon: a server of notifications, and players.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedVariant, interface};

const SERVER: &str = "org.freedesktop.Notifications";
const SERVER_PATH: &str = "/org/freedesktop/Notifications";
const PLAYER_PATH: &str = "/org/mpris/MediaPlayer2";

/// A message that was to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: u32,
    pub replaces: u32,
    pub summary: String,
    pub body: String,
    pub actions: Vec<String>,
}

#[derive(Default)]
struct Screen {
    messages: Vec<Message>,
    closed: Vec<u32>,
}

struct Shown(Arc<Mutex<Screen>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Shown {
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body", "body-markup"]
    }

    #[allow(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        _app_name: String,
        replaces: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut screen = self.0.lock().unwrap();
        let id = if replaces > 0 { replaces } else { screen.messages.len() as u32 + 1 };
        screen.messages.push(Message { id, replaces, summary, body, actions });
        id
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().unwrap().closed.push(id);
    }
}

/// A server of notifications, and what it was told.
pub struct Server {
    connection: Connection,
    screen: Arc<Mutex<Screen>>,
}

impl Server {
    pub async fn start(address: &str) -> Self {
        let screen = Arc::new(Mutex::new(Screen::default()));
        let builder = Builder::address(address).serve_at(SERVER_PATH, Shown(screen.clone()));
        Self { connection: builder.name(SERVER).build().await.unwrap(), screen }
    }

    pub fn messages(&self) -> Vec<Message> {
        self.screen.lock().unwrap().messages.clone()
    }

    pub fn closed(&self) -> Vec<u32> {
        self.screen.lock().unwrap().closed.clone()
    }

    /// The user presses a button.
    pub async fn press(&self, id: u32, button: &str) {
        let to: Option<&str> = None;
        let pressed = (id, button);
        let signal =
            self.connection.emit_signal(to, SERVER_PATH, SERVER, "ActionInvoked", &pressed);
        signal.await.unwrap();
    }
}

/// How a player is.
#[derive(Clone, Debug, PartialEq)]
pub struct Playing {
    pub status: &'static str,
    pub volume: f64,
    /// What it was asked to do.
    pub asked: Vec<&'static str>,
}

struct Mpris(Arc<Mutex<Playing>>);

#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Mpris {
    async fn pause(&self, #[zbus(signal_emitter)] to: SignalEmitter<'_>) {
        self.turn("Pause", "Paused");
        self.playback_status_changed(&to).await.unwrap();
    }

    async fn play(&self, #[zbus(signal_emitter)] to: SignalEmitter<'_>) {
        self.turn("Play", "Playing");
        self.playback_status_changed(&to).await.unwrap();
    }

    #[zbus(property)]
    fn playback_status(&self) -> String {
        self.0.lock().unwrap().status.into()
    }

    #[zbus(property)]
    fn volume(&self) -> f64 {
        self.0.lock().unwrap().volume
    }

    #[zbus(property)]
    fn set_volume(&self, volume: f64) {
        let mut playing = self.0.lock().unwrap();
        playing.volume = volume;
        playing.asked.push("Volume");
    }
}

impl Mpris {
    fn turn(&self, asked: &'static str, status: &'static str) {
        let mut playing = self.0.lock().unwrap();
        playing.asked.push(asked);
        playing.status = status;
    }
}

/// A player of music.
pub struct Player {
    connection: Connection,
    playing: Arc<Mutex<Playing>>,
}

impl Player {
    pub async fn start(address: &str, name: &str, status: &'static str, volume: f64) -> Self {
        let playing = Arc::new(Mutex::new(Playing { status, volume, asked: Vec::new() }));
        let builder = Builder::address(address).serve_at(PLAYER_PATH, Mpris(playing.clone()));
        let name = format!("org.mpris.MediaPlayer2.{name}");
        Self { connection: builder.name(name).build().await.unwrap(), playing }
    }

    /// One that takes calls and answers none.
    pub async fn mute(address: &str) -> Connection {
        let name = "org.mpris.MediaPlayer2.hangs";
        Builder::address(address).name(name).build().await.unwrap()
    }

    pub fn now(&self) -> Playing {
        self.playing.lock().unwrap().clone()
    }

    pub fn status(&self) -> &'static str {
        self.now().status
    }

    pub fn volume(&self) -> f64 {
        self.now().volume
    }

    pub fn set_volume(&self, volume: f64) {
        self.playing.lock().unwrap().volume = volume;
    }

    /// Its user presses a button.
    pub async fn turn(&self, status: &'static str) {
        self.playing.lock().unwrap().status = status;
        let server = self.connection.object_server();
        let player = server.interface::<_, Mpris>(PLAYER_PATH).await.unwrap();
        player.get().await.playback_status_changed(player.signal_emitter()).await.unwrap();
    }
}
