//! `start`, `stop`, `toggle`, `press`, `release`, `cancel`: what keys are bound to.

use crate::Outcome;
use crate::bus::{Bus, session_options};
use crate::cli::SessionOptions;
use crate::error::is_gone;
use crate::proxy::{SESSION_INTERFACE, SessionProperties};
use crate::terminal::{note, write};

/// Starts dictation that goes on when this program has ended.
pub(crate) async fn start(options: &SessionOptions) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    let session = bus.daemon().await?.start_session(&session_options(options, true)).await?;
    write(&format!("{}\n", session.as_str()))?;
    Ok(Outcome::Success)
}

/// Stops every session of dictation; a file that is being transcribed goes on.
pub(crate) async fn stop() -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    let mut n_stopped = 0;
    // A daemon that does not run has nothing to stop, and need not be started to say so.
    if bus.is_running().await? {
        for (path, session) in bus.objects::<SessionProperties>(SESSION_INTERFACE).await? {
            if session.mode == "dictation" {
                match bus.session(&path).await?.stop().await {
                    Err(error) if !is_gone(&error) => return Err(error.into()),
                    _ => n_stopped += 1,
                }
            }
        }
    }
    if n_stopped == 0 {
        note("no dictation is going on");
    }
    Ok(Outcome::Success)
}

pub(crate) async fn toggle(options: &SessionOptions) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    let session = bus.daemon().await?.toggle(&session_options(options, true)).await?;
    write(&format!("{}\n", session.as_str()))?;
    Ok(Outcome::Success)
}

pub(crate) async fn press(action: &str, options: &SessionOptions) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    bus.daemon().await?.press(action, &session_options(options, true)).await?;
    Ok(Outcome::Success)
}

pub(crate) async fn release(action: &str) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    bus.daemon().await?.release(action).await?;
    Ok(Outcome::Success)
}

pub(crate) async fn cancel() -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    bus.daemon().await?.cancel().await?;
    Ok(Outcome::Success)
}
