//! The clipboard as the compositor tells it: who offers what, and who asks for what we offer.

use std::collections::HashMap;
use std::sync::Arc;

use wayland_client::backend::ObjectId;
use wayland_client::{
    Connection, Dispatch, Proxy, QueueHandle, delegate_noop, event_created_child,
};
use wayland_protocols_wlr::data_control::v1::client::{
    zwlr_data_control_device_v1::{self as device, ZwlrDataControlDeviceV1},
    zwlr_data_control_manager_v1::ZwlrDataControlManagerV1,
    zwlr_data_control_offer_v1::{self as offer, ZwlrDataControlOfferV1},
    zwlr_data_control_source_v1::{self as source, ZwlrDataControlSourceV1},
};

use super::contents::Contents;
use crate::insertion::wayland::State;

/// What is on the clipboard, and how much of it is ours.
#[derive(Default)]
pub(in crate::insertion) struct Selections {
    /// The types of each offer.
    offers: HashMap<ObjectId, Vec<String>>,
    current: Option<ZwlrDataControlOfferV1>,
    /// How many sources of ours have not been replaced yet.
    offering: usize,
}

impl Selections {
    /// What is offered now, with its types.
    pub(super) fn current(&self) -> Option<(ZwlrDataControlOfferV1, Vec<String>)> {
        let offer = self.current.clone()?;
        let types = self.offers.get(&offer.id())?.clone();
        Some((offer, types))
    }

    /// Whether somebody may still ask for what we offer.
    pub(in crate::insertion) fn is_offering(&self) -> bool {
        self.offering > 0
    }

    pub(super) fn begin_offer(&mut self) {
        self.offering += 1;
    }

    fn forget(&mut self, offer: &ZwlrDataControlOfferV1) {
        self.offers.remove(&offer.id());
        offer.destroy();
    }
}

impl Dispatch<ZwlrDataControlDeviceV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrDataControlDeviceV1,
        event: device::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let selections = &mut state.selections;
        match event {
            device::Event::DataOffer { id } => {
                selections.offers.insert(id.id(), Vec::new());
            }
            device::Event::Selection { id } => {
                if let Some(old) = std::mem::replace(&mut selections.current, id) {
                    selections.forget(&old);
                }
            }
            // What is selected is none of our business.
            device::Event::PrimarySelection { id: Some(offer) } => selections.forget(&offer),
            _ => {}
        }
    }

    event_created_child!(Self, ZwlrDataControlDeviceV1, [
        device::EVT_DATA_OFFER_OPCODE => (ZwlrDataControlOfferV1, ()),
    ]);
}

impl Dispatch<ZwlrDataControlOfferV1, ()> for State {
    fn event(
        state: &mut Self,
        offer: &ZwlrDataControlOfferV1,
        event: offer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let offer::Event::Offer { mime_type } = event
            && let Some(types) = state.selections.offers.get_mut(&offer.id())
        {
            types.push(mime_type);
        }
    }
}

impl Dispatch<ZwlrDataControlSourceV1, Arc<Contents>> for State {
    fn event(
        state: &mut Self,
        source: &ZwlrDataControlSourceV1,
        event: source::Event,
        contents: &Arc<Contents>,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            source::Event::Send { mime_type, fd } => contents.hand_over(&mime_type, fd),
            source::Event::Cancelled => {
                contents.replace();
                source.destroy();
                state.selections.offering = state.selections.offering.saturating_sub(1);
            }
            _ => {}
        }
    }
}

delegate_noop!(State: ZwlrDataControlManagerV1);
