//! Which window is in focus, as `zwlr_foreign_toplevel_management_v1` tells.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use wayland_client::backend::ObjectId;
use wayland_client::{Connection, Dispatch, Proxy, QueueHandle, event_created_child};
use wayland_protocols_wlr::foreign_toplevel::v1::client::{
    zwlr_foreign_toplevel_handle_v1::{self as handle, ZwlrForeignToplevelHandleV1},
    zwlr_foreign_toplevel_manager_v1::{self as manager, ZwlrForeignToplevelManagerV1},
};

use super::{State, Wayland};
use crate::Error;
use crate::insertion::Target;

/// Counts through all connections, so that no id comes twice in the life of the program.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The windows that are open.
#[derive(Default)]
pub(in crate::insertion) struct Windows {
    open: HashMap<ObjectId, Window>,
}

#[derive(Default)]
struct Window {
    id: u64,
    app_id: Option<String>,
    is_active: bool,
    /// Told, but only valid with the next `done`.
    will_be_active: bool,
}

impl Windows {
    /// The window in focus.
    pub(in crate::insertion) fn focus(&self) -> Option<Target> {
        let window = self.open.values().find(|window| window.is_active)?;
        Some(Target {
            id: format!("window:{}", window.id),
            app_id: window.app_id.clone(),
            ..Target::default()
        })
    }
}

/// How the focus is told on this desktop.
pub(in crate::insertion) struct Focus {
    manager: Option<ZwlrForeignToplevelManagerV1>,
}

impl Focus {
    /// Asks to be told.
    pub(in crate::insertion) fn new(wayland: &Wayland) -> Self {
        Self { manager: wayland.bind(3).ok() }
    }

    /// Whether this compositor tells.
    pub(in crate::insertion) fn is_told(&self) -> bool {
        self.manager.is_some()
    }

    /// The window in focus. Where the compositor does not tell, always the same one, of which
    /// nothing is known: then nobody can see that the focus has moved.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`] when no window is in focus: the screen is locked, or a menu is open.
    pub(in crate::insertion) fn target(&self, state: &State) -> Result<Target, Error> {
        if self.manager.is_none() {
            return Ok(Target { id: "window".to_owned(), ..Target::default() });
        }
        state.windows.focus().ok_or(Error::NoTarget)
    }
}

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        event: manager::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let manager::Event::Toplevel { toplevel } = event {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            state.windows.open.insert(toplevel.id(), Window { id, ..Window::default() });
        }
    }

    event_created_child!(Self, ZwlrForeignToplevelManagerV1, [
        manager::EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for State {
    fn event(
        state: &mut Self,
        toplevel: &ZwlrForeignToplevelHandleV1,
        event: handle::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(window) = state.windows.open.get_mut(&toplevel.id()) else { return };
        match event {
            handle::Event::AppId { app_id } => window.app_id = Some(app_id),
            handle::Event::State { state } => {
                let (states, _) = state.as_chunks::<4>();
                let activated = handle::State::Activated as u32;
                window.will_be_active =
                    states.iter().any(|state| u32::from_ne_bytes(*state) == activated);
            }
            handle::Event::Done => window.is_active = window.will_be_active,
            handle::Event::Closed => {
                state.windows.open.remove(&toplevel.id());
                toplevel.destroy();
            }
            _ => {}
        }
    }
}
