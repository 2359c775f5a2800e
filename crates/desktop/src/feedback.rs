//! What the user notices of dictation besides the text: one file for each service of the desktop.
//!
//! ```text
//! what went wrong ─notifications→ the desktop's bubbles
//! somebody dictates ─media→ players are silent meanwhile
//! ```
//!
//! Clients of the session bus, and nothing else: when what is said or silenced, the service decides.
//! Nothing here knows a text that was dictated.

use std::time::Duration;

use zruntime::SharedRuntime;

pub mod media;
pub mod notifications;

/// What `work` gives.
///
/// # Errors
///
/// Its own, or that it took longer than `limit`.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = zbus::Result<T>>,
) -> zbus::Result<T> {
    SharedRuntime::current()?.timeout(limit, work).await.map_err(std::io::Error::from)?
}
