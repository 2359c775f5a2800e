//! Whether errors can be seen, for `doctor`.

use super::{Check, failed};
use crate::bus::Bus;

const NAME: &str = "org.freedesktop.Notifications";

/// A server of notifications that runs, or that the bus can start. It is not called.
pub(super) async fn notifications(bus: &Bus) -> Check {
    let names = async {
        let driver = bus.driver().await?;
        zbus::Result::Ok((driver.list_names().await?, driver.list_activatable_names().await?))
    };
    let (running, activatable) = match names.await {
        Ok(names) => names,
        Err(error) => return failed("messages", &error.into()),
    };
    if running.iter().any(|name| name.as_str() == NAME) {
        Check::ok("messages", "the desktop shows errors")
    } else if activatable.iter().any(|name| name.as_str() == NAME) {
        Check::ok("messages", "the bus starts a program that shows errors")
    } else {
        Check::warning(
            "messages",
            "no program of this session shows messages, so errors do not catch the eye",
            "start a notification daemon (dunst, mako, swaync); errors are in: scriven status",
        )
    }
}
