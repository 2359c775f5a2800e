//! The ways to be tested.

use std::path::Path;

use scriven_desktop::Error;
use scriven_desktop::insertion::{Backend, Target};

use crate::sway::{Sway, wait_for};

/// Connects a way, as often as it takes on a machine that is busy.
pub(crate) fn connect(
    sway: &Sway,
    to: fn(&Path) -> Result<Box<dyn Backend>, Error>,
) -> Box<dyn Backend> {
    wait_for("a connection", || match to(sway.socket()) {
        Ok(way) => Some(way),
        Err(Error::Gone { .. }) => None,
        Err(error) => panic!("{error}"),
    })
}

/// What is in focus, once there is something.
pub(crate) fn target(way: &mut dyn Backend) -> Target {
    wait_for("a target", || match way.target() {
        Ok(target) => Some(target),
        Err(Error::NoTarget | Error::Gone { .. }) => None,
        Err(error) => panic!("{error}"),
    })
}
