//! Shortcuts that the desktop keeps: the GlobalShortcuts portal of GNOME, KDE and Hyprland.
//!
//! Source: <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.GlobalShortcuts.html>.
//! The desktop may ask the user before it binds anything, and the user may choose other keys; what
//! `ListShortcuts` says is the truth, whatever the answer to binding was. While a key is held, a
//! desktop may report it again and again: that is one press.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_lite::future;
use zruntime::SharedRuntime;

use super::Bound;
use super::backoff::Backoff;
use super::keys::Keys;
use super::worker::{Ready, Wishes, Worker};
use crate::Error;

mod calls;
mod session;

use calls::Portal;
use session::Session;

/// The name of this way.
pub const WAY: &str = "portal";
/// Under which name the desktop keeps the shortcuts; a desktop file of this name must be installed.
pub const APP_ID: &str = "org.scriven.Scriven";

/// A session that lasted for this long was a good one: the next may begin at once.
const GOOD: Duration = Duration::from_secs(10);

pub(super) fn listen(
    bus: Option<String>,
    bindings: Vec<Bound>,
    keys: Keys,
) -> Result<(Worker, String), Error> {
    Worker::start(WAY, move |wishes, ready| {
        zbus::block_on(run(bus.as_deref(), &bindings, wishes, ready, keys));
    })
}

fn unavailable(reason: impl Into<String>) -> Error {
    Error::Unavailable { backend: WAY, reason: reason.into() }
}

/// The thread: one session after the other, until the owner has enough.
async fn run(
    bus: Option<&str>,
    bindings: &[Bound],
    wishes: &Wishes,
    ready: &Ready,
    mut keys: Keys,
) {
    let mut portal = match Portal::open(bus).await {
        Ok(portal) => portal,
        Err(error) => {
            ready.send(Err(error)).ok();
            return;
        }
    };
    let version = portal.version();
    ready.send(Ok(format!("the desktop keeps the shortcuts (portal, version {version})"))).ok();
    let mut backoff = Backoff::default();
    loop {
        let begun = Instant::now();
        let session = Session::new(portal, bindings, &mut keys);
        let Some(reason) = unless_stopped(wishes, session.serve()).await else { break };
        keys.lost(&format!("{reason}; it is tried again"));
        if begun.elapsed() >= GOOD {
            backoff = Backoff::default();
        }
        portal = loop {
            if unless_stopped(wishes, sleep(backoff.pause())).await.is_none() {
                return;
            }
            match unless_stopped(wishes, Portal::open(bus)).await {
                None => return,
                Some(Ok(portal)) => break portal,
                Some(Err(error)) => tracing::debug!(%error, "no portal yet"),
            }
        };
    }
    keys.release_all();
}

/// What `work` gives; none if the owner wants it to stop.
async fn unless_stopped<T>(wishes: &Wishes, work: impl Future<Output = T>) -> Option<T> {
    let stopped = async {
        while !wishes.stop() {
            wishes.rung().await;
        }
        None
    };
    future::or(stopped, async { Some(work.await) }).await
}

/// What `work` gives; none if it takes longer.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    future::or(async { Some(work.await) }, async {
        sleep(limit).await;
        None
    })
    .await
}

async fn sleep(time: Duration) {
    match SharedRuntime::current() {
        Ok(runtime) => runtime.sleep(time).await,
        // Without a runtime nothing here runs at all.
        Err(error) => tracing::error!(%error, "no timer"),
    }
}
