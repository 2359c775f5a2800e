//! The machine's sleep, as logind tells of it on the system bus. Thread `sleep`, and what `main` does.
//!
//! Dictations end before the machine sleeps and deliver what was said; so long the thread holds the
//! sleep back, which logind allows for some seconds. What is kept open for the pre-roll is closed and,
//! when the machine has woken up, opened anew. Where there is no logind, nothing is told and the
//! watchdog of each device has to find out.

use async_channel::Sender;
use futures_lite::StreamExt as _;
use tracing::{debug, info};
use zbus::{Connection, OwnedFd};

use crate::daemon::{Daemon, Ending, Event};
use crate::pipeline::spawn;
use crate::sessions::Mode;

#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Manager {
    /// Holds back what `what` names, for as long as the descriptor is open.
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;

    #[zbus(signal)]
    fn prepare_for_sleep(&self, start: bool) -> zbus::Result<()>;
}

/// Held while there is something to finish; when it is dropped the machine may sleep.
pub(crate) struct Awake {
    /// Only held: its end is what counts.
    _held: Sender<()>,
}

/// Starts the thread. It ends with the system bus, or with the daemon.
pub(crate) fn start(events: Sender<Event>) -> std::io::Result<()> {
    spawn("sleep", move || {
        if let Err(error) = zbus::block_on(watch(&events)) {
            debug!(%error, "nobody tells when the machine sleeps");
        }
    })
}

async fn watch(events: &Sender<Event>) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let logind = ManagerProxy::new(&bus).await?;
    let mut sleeps = logind.receive_prepare_for_sleep().await?;
    let mut lock = hold_back(&logind).await;
    debug!(holds_back = lock.is_some(), "logind tells when the machine sleeps");
    while let Some(signal) = sleeps.next().await {
        if signal.args()?.start {
            let (_held, asleep) = async_channel::bounded(1);
            drop(events.send(Event::Sleep(Awake { _held })).await);
            // Nothing is sent: the other end is dropped.
            let _ = asleep.recv().await;
            lock = None;
        } else {
            drop(events.send(Event::Woke).await);
            lock = hold_back(&logind).await;
        }
    }
    drop(lock);
    Ok(())
}

/// Asks logind to wait until we are ready. Without it the machine sleeps a little earlier.
async fn hold_back(logind: &ManagerProxy<'_>) -> Option<OwnedFd> {
    let lock = logind.inhibit("sleep", "Scriven", "What was said is finished", "delay").await;
    lock.inspect_err(|error| debug!(%error, "logind does not wait for us")).ok()
}

impl Daemon {
    pub(crate) fn fall_asleep(&mut self, awake: Awake) {
        info!("the machine is about to sleep");
        self.microphones.sleep(true);
        let dictations = self.sessions.all.iter_mut();
        for session in dictations.filter(|s| s.mode == Mode::Dictation && s.is_active()) {
            session.end(Ending::Stopped);
        }
        self.awake = Some(awake);
    }

    /// Lets the machine sleep once every dictation is over.
    pub(crate) fn let_sleep(&mut self) {
        if self.awake.is_some() && self.sessions.all.iter().all(|s| s.mode != Mode::Dictation) {
            self.awake = None;
        }
    }

    pub(crate) fn wake_up(&mut self) {
        info!("the machine has woken up");
        self.microphones.sleep(false);
    }
}
