//! scrivend: wires sound to words and speaks D-Bus.
//!
//! [`pipeline`] is the page to read first. Only this crate reads configuration, environment and
//! clock; [`run`] is the program without them, which tests call with parts of their own.

mod analysis;
mod calls;
mod clock;
pub mod config;
mod daemon;
mod deliveries;
mod delivery;
pub mod error;
mod fallback;
mod feedback;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod keys;
mod live;
mod microphones;
mod model_object;
pub mod models;
mod options;
pub mod parts;
mod permission;
pub mod pipeline;
mod recognition;
mod reports;
mod service;
mod session_object;
mod sessions;
mod shelf;
mod sleep;
mod voice;
mod watch;

use anyhow::{Context as _, Result, bail};
use async_channel::Receiver;
use futures_lite::future;
use zbus::connection::Builder;
use zbus::{MatchRule, MessageStream, fdo, message};

use crate::config::{Config, Folders};
use crate::daemon::Daemon;
use crate::feedback::Feedback;
use crate::keys::{Keys, Shortcuts};
use crate::microphones::Microphones;
use crate::model_object::ModelObject;
use crate::parts::Parts;
use crate::permission::{Permission, TokenFile};
use crate::pipeline::{EVENT_QUEUE, Pipeline};
use crate::service::{Board, Desk, Service, Shown};
pub use crate::service::{NAME, PATH, VERSION};
use crate::sessions::Sessions;
use crate::shelf::Shelf;
pub use crate::voice::second_opinion;
pub use crate::watch::end_on_panic;

/// Runs the daemon on a bus until `stop` says so: once to finish what was said, twice to end. Without the bus
/// it finishes what was said as well.
///
/// The name is taken first and the model loaded behind it, so that whoever activates the daemon
/// sees it load and does not wait for an answer.
///
/// # Errors
///
/// No bus, or another daemon on it.
pub async fn run(
    config: Config,
    folders: Folders,
    parts: Parts,
    bus: Builder<'static>,
    stop: Receiver<()>,
) -> Result<()> {
    let config = config.with_vocabulary()?;
    let (sender, events) = async_channel::bounded(EVENT_QUEUE);
    let desk = Desk(sender.clone());
    if scriven_recognizer::keep_caches_in(&folders.gpu_cache) {
        tracing::debug!(folder = ?folders.gpu_cache, "what the GPU learns is kept");
    }
    let shelf = Shelf::new(&config, &folders, parts.catalog.clone());
    // Whoever waits for the name asks at once.
    let board = Board::new(Shown {
        state: "idle",
        model_state: shelf.state(),
        model: shelf.chosen().to_owned(),
        languages: config.languages.clone(),
        ..Shown::default()
    });
    let mut bus = bus.allow_name_replacements(false).replace_existing_names(false);
    for (id, board) in shelf.boards() {
        let path = ModelObject::path(id);
        let object = ModelObject { id: id.to_owned(), desk: desk.clone(), board };
        bus = bus.serve_at(path, object);
    }
    let service = Service::new(desk.clone(), board.clone(), shelf.listed());
    let connection =
        bus.serve_at(PATH, fdo::ObjectManager).serve_at(PATH, service).name(NAME).build().await;
    let connection = match connection {
        Ok(connection) => connection,
        Err(zbus::Error::NameTaken) => bail!(
            "another scrivend runs on this session bus; stop it with: \
             systemctl --user stop scriven"
        ),
        Err(error) => {
            return Err(error).context("no session bus; run scrivend inside a desktop session");
        }
    };
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender("org.freedesktop.DBus")
        .interface("org.freedesktop.DBus")
        .member("NameOwnerChanged")
        .arg(2, "")
        .build()?;
    let owners = MessageStream::for_match_rule(rule, &connection, None).await?;
    let service = connection.object_server().interface::<_, Service>(PATH).await?;
    let delivery = delivery::start(&config, &folders, &parts, sender.clone())?;
    let delivered = delivery.settled();
    let shortcuts = Shortcuts::start(&config, sender.clone());
    let shortcuts = shortcuts.context("no thread could be started")?;
    let feedback = Feedback::start(&config, &folders, &parts, &connection, desk.clone());
    let feedback = feedback.context("no thread could be started")?;
    let settled = feedback.settled();
    let microphones = Microphones::start(&config, &parts, sender.clone());
    let microphones = microphones.context("no thread could be started")?;
    sleep::start(sender.clone()).context("no thread could be started")?;
    let pipeline = Pipeline::start(parts.clone(), microphones.clone(), sender);
    let daemon = Daemon {
        delivery,
        feedback,
        permission: Permission::new(TokenFile::of(&folders), parts.permit.clone()),
        languages: config.languages.clone(),
        pipeline: pipeline.context("no thread could be started")?,
        microphones,
        awake: None,
        parts,
        connection,
        service,
        board,
        desk,
        events,
        sessions: Sessions::default(),
        shelf,
        keys: Keys::new(&config, shortcuts),
        way: "",
        last_error: Default::default(),
        overruns: 0,
        leaving: false,
        asked_to_leave: false,
        deadline: None,
        config,
    };
    daemon.run(owners, stop).await;
    future::zip(delivered, settled).await;
    Ok(())
}
