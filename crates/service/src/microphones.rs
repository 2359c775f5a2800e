//! Where sessions get their microphones from, and whether any is open.
//!
//! A session opens its own and closes it when it ends. With a pre-roll the microphone that the
//! configuration names is open all the time: the thread `pre-roll` ([`keeper`]) holds it and what it
//! heard last, lends both to a session, and has the device back afterwards.

mod keeper;
mod lamp;

use std::sync::Arc;

use scriven_audio as audio;
use scriven_audio::capture::CaptureOptions;

use self::keeper::Keeper;
use self::lamp::{Lamp, Light};
use crate::config::Config;
use crate::daemon::Event;
use crate::parts::{Input, OpenMicrophone, Parts};

/// The way to every microphone and monitor of the daemon.
#[derive(Clone)]
pub(crate) struct Microphones {
    opener: Opener,
    keeper: Option<Keeper>,
}

/// A microphone as a session has it.
pub(crate) struct Opened {
    pub device: Device,
    /// What it heard last, before the session; its next sample follows.
    pub before: Vec<f32>,
    keeper: Option<Keeper>,
}

/// A device that is open until it is dropped.
pub(crate) struct Device {
    // Closed before the light goes out.
    pub input: Box<dyn Input>,
    _light: Light,
}

/// Opens devices, and lets it be seen.
#[derive(Clone)]
struct Opener {
    open: Arc<OpenMicrophone>,
    lamp: Lamp,
}

impl Opener {
    fn open(&self, options: &CaptureOptions) -> Result<Device, audio::Error> {
        let input = (self.open)(options)?;
        Ok(Device { input, _light: self.lamp.light() })
    }
}

impl Microphones {
    /// Starts to keep one open, if the configuration says so.
    pub(crate) fn start(
        config: &Config,
        parts: &Parts,
        events: async_channel::Sender<Event>,
    ) -> std::io::Result<Self> {
        let opener = Opener { open: parts.microphone.clone(), lamp: Lamp::new(events) };
        let keeper = match config.capture.pre_roll {
            length if length.is_zero() => None,
            length => Some(Keeper::start(config.microphone(), length, opener.clone())?),
        };
        Ok(Self { opener, keeper })
    }

    /// Opens a device, or takes the one that is open already. Waits for it.
    ///
    /// # Errors
    ///
    /// It does not open.
    pub(crate) fn open(&self, options: &CaptureOptions) -> Result<Opened, audio::Error> {
        if let Some(keeper) = &self.keeper
            && let Some((device, before)) = keeper.lend(options)
        {
            return Ok(Opened { device, before, keeper: Some(keeper.clone()) });
        }
        let device = self.opener.open(options)?;
        Ok(Opened { device, before: Vec::new(), keeper: None })
    }

    /// Whether any is open.
    pub(crate) fn is_any_open(&self) -> bool {
        self.opener.lamp.is_lit()
    }

    /// Closes the one that is kept as long as the machine sleeps.
    pub(crate) fn sleep(&self, asleep: bool) {
        if let Some(keeper) = &self.keeper {
            keeper.sleep(asleep);
        }
    }
}

impl Opened {
    /// Closes the device, or gives it back to where it is kept.
    pub(crate) fn close(self) {
        if let Some(keeper) = self.keeper {
            keeper.take_back(self.device);
        }
    }
}
