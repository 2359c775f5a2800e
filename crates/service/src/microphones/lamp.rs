//! Whether any capture device is open: counted where devices are made and dropped, so that no way of
//! losing one can be forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::daemon::Event;

/// Lit as long as there is a [`Light`].
#[derive(Clone)]
pub(super) struct Lamp {
    lights: Arc<AtomicUsize>,
    events: async_channel::Sender<Event>,
}

/// Goes with an open device. Neither made nor dropped by `main`, which is told of both.
pub(super) struct Light(Lamp);

impl Lamp {
    pub(super) fn new(events: async_channel::Sender<Event>) -> Self {
        Self { lights: Arc::default(), events }
    }

    pub(super) fn light(&self) -> Light {
        self.lights.fetch_add(1, Ordering::Relaxed);
        self.tell();
        Light(self.clone())
    }

    pub(super) fn is_lit(&self) -> bool {
        self.lights.load(Ordering::Relaxed) > 0
    }

    fn tell(&self) {
        // A closed channel means that the daemon is gone.
        drop(self.events.send_blocking(Event::Microphone));
    }
}

impl Drop for Light {
    fn drop(&mut self) {
        self.0.lights.fetch_sub(1, Ordering::Relaxed);
        self.0.tell();
    }
}
