//! The daemon on a private bus in this process: a real `dbus-daemon`, a scripted recognizer, and a
//! microphone that plays what the test puts into it.

use std::io::{BufRead as _, BufReader};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use scriven_service::config::{Config, Folders};
use scriven_service::models::Catalog;
use scriven_service::parts::Parts;
use tempfile::TempDir;
use zbus::MessageStream;
use zbus::connection::Builder;

use crate::client::Client;
use crate::script::{Script, parts};

pub const NAME: &str = "org.scriven.Dictation1";
pub const PATH: &str = "/org/scriven/Dictation1";

/// A bus with the daemon on it. Drops both.
pub struct Fixture {
    pub script: Arc<Script>,
    pub address: String,
    bus: Child,
    daemon: Option<thread::JoinHandle<anyhow::Result<()>>>,
    stop: async_channel::Sender<()>,
    pub folder: TempDir,
}

impl Fixture {
    /// A daemon with the model `base` installed and loaded.
    pub fn new() -> Self {
        let fixture = Self::loading();
        fixture.script.loaded.store(true, Ordering::Relaxed);
        fixture
    }

    /// A daemon whose model loads until [`Script::loaded`] is set.
    pub fn loading() -> Self {
        Self::with_models(&["base"])
    }

    /// A daemon with these models installed, that loads until [`Script::loaded`] is set.
    pub fn with_models(ids: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for id in ids {
            install(&folder.path().join("models").join(id));
        }
        Self::start(folder, Catalog::builtin())
    }

    /// A daemon without a model.
    pub fn bare() -> Self {
        Self::with_catalog(Catalog::builtin())
    }

    /// A daemon without a model, that may download those of `catalog`.
    pub fn with_catalog(catalog: Catalog) -> Self {
        Self::start(tempfile::tempdir().unwrap(), catalog)
    }

    /// A daemon with the model `base` installed and loaded, and this configuration.
    pub fn configured(config: Config) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), config)
    }

    /// As [`configured`](Self::configured), with the files that an earlier daemon has left.
    pub fn in_folder(folder: TempDir, config: Config) -> Self {
        install(&folder.path().join("models/base"));
        let fixture = Self::start_with(folder, Catalog::builtin(), config);
        fixture.script.loaded.store(true, Ordering::Relaxed);
        fixture
    }

    /// A daemon with this configuration and no model, and a program that was on the bus before it.
    pub fn beside<T>(config: Config, program: impl FnOnce(&str) -> T) -> (Self, T) {
        let (bus, address) = start_bus();
        let program = program(&address);
        let folder = tempfile::tempdir().unwrap();
        let script = Arc::new(Script::default());
        let parts = parts(&script);
        (Self::start_on((bus, address), folder, script, parts, config), program)
    }

    fn start(folder: TempDir, catalog: Catalog) -> Self {
        Self::start_with(folder, catalog, Config::default())
    }

    fn start_with(folder: TempDir, catalog: Catalog, config: Config) -> Self {
        let script = Arc::new(Script::default());
        let parts = Parts { catalog, ..parts(&script) };
        Self::start_on(start_bus(), folder, script, parts, config)
    }

    fn start_on(
        (bus, address): (Child, String),
        folder: TempDir,
        script: Arc<Script>,
        parts: Parts,
        config: Config,
    ) -> Self {
        let (stop, stopped) = async_channel::bounded(2);
        let daemon = start_daemon(&address, &folder, parts, config, stopped);
        let fixture = Self { script, address, bus, daemon: Some(daemon), stop, folder };
        fixture.wait_for_name();
        fixture
    }

    fn wait_for_name(&self) {
        zbus::block_on(async {
            let client = self.connect().await;
            let bus = zbus::fdo::DBusProxy::new(&client.connection).await.unwrap();
            let begun = Instant::now();
            while !bus.name_has_owner(NAME.try_into().unwrap()).await.unwrap() {
                assert!(begun.elapsed() < Duration::from_secs(10), "the daemon takes no name");
                thread::sleep(Duration::from_millis(5));
            }
        });
    }

    /// Another daemon on the same bus.
    pub fn second(&self) -> anyhow::Result<()> {
        let (_keep, stopped) = async_channel::bounded(2);
        let parts = parts(&Arc::new(Script::default()));
        let config = Config::default();
        start_daemon(&self.address, &self.folder, parts, config, stopped).join().unwrap()
    }

    /// A new client, already listening to all signals.
    pub async fn connect(&self) -> Client {
        let connection = Builder::address(self.address.as_str()).build().await.unwrap();
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(NAME)
            .interface(NAME)
            .build()
            .unwrap();
        let signals =
            MessageStream::for_match_rule(rule, &connection, NonZero::new(1000)).await.unwrap();
        Client { connection, signals }
    }

    /// Asks the daemon to end, as SIGTERM does.
    pub fn terminate(&self) {
        self.stop.try_send(()).unwrap();
    }

    /// Ends the bus, as a logout does.
    pub fn end_bus(&mut self) {
        self.bus.kill().unwrap();
        self.bus.wait().unwrap();
    }

    /// Waits for the daemon's end.
    pub fn wait(&mut self) -> anyhow::Result<()> {
        self.daemon.take().unwrap().join().unwrap()
    }

    /// Lets `seconds` of something like a voice reach the microphone, then as much silence.
    pub fn speak(&self, seconds: f32, silence: f32) {
        let mut sound = self.script.sound.lock().unwrap();
        sound.extend(voice(seconds));
        sound.extend(std::iter::repeat_n(0.0, (silence * 16_000.0) as usize));
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Without a bus the daemon ends by itself.
        self.bus.kill().unwrap();
        self.bus.wait().unwrap();
        if let Some(daemon) = self.daemon.take() {
            daemon.join().unwrap().unwrap();
        }
    }
}

fn start_bus() -> (Child, String) {
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs dbus-daemon");
    let mut address = String::new();
    BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (bus, address.trim().to_owned())
}

fn start_daemon(
    address: &str,
    folder: &TempDir,
    parts: Parts,
    config: Config,
    stop: async_channel::Receiver<()>,
) -> thread::JoinHandle<anyhow::Result<()>> {
    let at = |name: &str| folder.path().join(name);
    let folders = Folders {
        config: at("config.toml"),
        models: at("models"),
        state: at("state"),
        gpu_cache: at("gpu"),
    };
    let address = address.to_owned();
    let run = move || {
        let bus = Builder::address(address.as_str());
        zbus::block_on(scriven_service::run(config, folders, parts, bus, stop))
    };
    thread::Builder::new().name("daemon".into()).spawn(run).unwrap()
}

/// The smallest file that passes for a converted model.
pub fn install(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let header = br#"{"__metadata__":{"format":"scriven-1","dims":"{}"}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
}

/// Something like a voice: a buzz of 140 Hz with the formants of an "a", four syllables a second.
pub fn voice(seconds: f32) -> Vec<f32> {
    let tau = std::f32::consts::TAU;
    let formant = |hz: f32| {
        [(700.0, 1.0), (1_220.0, 0.5), (2_600.0, 0.25)]
            .map(|(at, gain): (f32, f32)| gain / (1.0 + ((hz - at) / 120.0).powi(2)))
            .iter()
            .sum::<f32>()
    };
    let n = (seconds * 16_000.0) as usize;
    (0..n)
        .map(|i| {
            let t = i as f32 / 16_000.0;
            let syllable = 0.6 - 0.4 * (tau * 4.0 * t).cos();
            let pitch = 140.0 + 10.0 * (tau * 3.0 * t).sin() / (tau * 3.0);
            let harmonics = (1..25).map(|k| {
                let hz = pitch * k as f32;
                formant(hz) * (tau * hz * t).sin()
            });
            0.15 * syllable * harmonics.sum::<f32>()
        })
        .collect()
}
