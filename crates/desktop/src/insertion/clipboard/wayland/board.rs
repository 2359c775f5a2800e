//! The clipboard of a compositor that lets programs look after it: `zwlr_data_control_v1`.

use std::path::Path;
use std::sync::Arc;

use wayland_protocols_wlr::data_control::v1::client::{
    zwlr_data_control_device_v1::ZwlrDataControlDeviceV1,
    zwlr_data_control_manager_v1::ZwlrDataControlManagerV1,
};

use super::contents::{self, Contents, Kind};
use crate::Error;
use crate::insertion::wayland::Wayland;

/// What is on the clipboard, and what is put there.
pub(super) struct Board {
    manager: ZwlrDataControlManagerV1,
    device: ZwlrDataControlDeviceV1,
    pub(super) wayland: Wayland,
}

impl Board {
    /// # Errors
    ///
    /// [`Error::Unavailable`] where the compositor gives no access, [`Error::Gone`] where it hangs.
    pub(super) fn connect(backend: &'static str, socket: &Path) -> Result<Self, Error> {
        let wayland = Wayland::connect(backend, socket)?;
        let manager = wayland.bind::<ZwlrDataControlManagerV1>(2)?;
        let device = manager.get_data_device(&wayland.seat, &wayland.handle, ());
        Ok(Self { manager, device, wayland })
    }

    /// What is on the clipboard, in all types that it is offered in; `None` when there is nothing.
    pub(super) fn keep(&mut self) -> Result<Option<Vec<Kind>>, Error> {
        self.wayland.round_trip()?;
        let Some((offer, types)) = self.wayland.state().selections.current() else {
            return Ok(None);
        };
        let receive = |name: &str, fd: std::os::fd::BorrowedFd<'_>| {
            offer.receive(name.to_owned(), fd);
            self.wayland.flush()
        };
        contents::fetch(types, receive).map(Some)
    }

    /// Puts `contents` onto the clipboard, or takes away what is there.
    pub(super) fn offer(&mut self, contents: Option<&Arc<Contents>>) -> Result<(), Error> {
        let source = contents.map(|contents| {
            let source = self.manager.create_data_source(&self.wayland.handle, contents.clone());
            contents.types().for_each(|name| source.offer(name.to_owned()));
            self.wayland.state().selections.begin_offer();
            source
        });
        self.device.set_selection(source.as_ref());
        self.wayland.round_trip()
    }
}
