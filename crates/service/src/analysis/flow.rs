//! Whether sound flows. A device that opens may still deliver nothing, or nothing but zeros: it is
//! muted, unplugged or forbidden, and whoever speaks would only learn it from words that never come.

use std::time::{Duration, Instant};

use scriven_audio::SAMPLE_RATE;

use crate::error::Error;
use crate::parts::Input;

/// How long a device may take to its first sample: a Bluetooth headset changes its profile meanwhile.
const FIRST_SAMPLE: Duration = Duration::from_secs(3);
/// Samples that are exactly zero before a microphone counts as silent. A room is never so quiet; a
/// noise gate that opens with the voice may be, for as long as people wait before they speak.
const ZEROS: u64 = 2 * SAMPLE_RATE as u64;

/// Watches the beginning of a session's sound, and complains once.
pub(super) struct Flow {
    since: Instant,
    /// Nothing more to watch for.
    settled: bool,
}

impl Flow {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, settled: false }
    }

    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.settled |= samples.iter().any(|&sample| sample != 0.0);
    }

    /// What is wrong with the device, of which `taken` samples have come.
    pub(super) fn complaint(
        &mut self,
        device: &dyn Input,
        taken: u64,
        now: Instant,
    ) -> Option<Error> {
        if self.settled || !device.is_microphone() {
            return None;
        }
        let what = if taken >= ZEROS {
            "gives nothing but digital silence: unmute it, plug it in, or choose another source"
        } else if taken == 0 && now.duration_since(self.since) >= FIRST_SAMPLE {
            "is open but delivers no sound; choose another source, or restart the sound server with \
             \"systemctl --user restart pipewire\""
        } else {
            return None;
        };
        self.settled = true;
        Some(Error::DeviceSilent(format!("the microphone \"{}\" {what}", device.name())))
    }
}

#[cfg(test)]
mod tests {
    use scriven_audio::{self as audio, Progress};

    use super::*;

    struct Device {
        is_microphone: bool,
    }

    impl audio::Source for Device {
        fn read(&mut self, _: &mut Vec<f32>) -> Result<Progress, audio::Error> {
            Ok(Progress::Waiting)
        }
    }

    impl Input for Device {
        fn name(&self) -> String {
            "desk".into()
        }

        fn is_microphone(&self) -> bool {
            self.is_microphone
        }
    }

    const MICROPHONE: Device = Device { is_microphone: true };

    fn message(complaint: Option<Error>) -> String {
        complaint.map(|error| error.pair().1).unwrap_or_default()
    }

    #[test]
    fn a_device_that_delivers_nothing_is_complained_of_once() {
        let start = Instant::now();
        let mut flow = Flow::new(start);
        assert!(flow.complaint(&MICROPHONE, 0, start + Duration::from_millis(2_900)).is_none());
        let late = start + Duration::from_secs(3);
        let said = message(flow.complaint(&MICROPHONE, 0, late));
        assert!(said.contains("\"desk\" is open but delivers no sound"), "{said}");
        assert!(flow.complaint(&MICROPHONE, 0, late).is_none());
    }

    #[test]
    fn two_seconds_of_zeros_are_no_room() {
        let now = Instant::now();
        let mut flow = Flow::new(now);
        flow.hear(&[0.0, -0.0]);
        assert!(flow.complaint(&MICROPHONE, ZEROS - 1, now).is_none());
        let said = message(flow.complaint(&MICROPHONE, ZEROS, now));
        assert!(said.contains("digital silence: unmute it"), "{said}");
        let mut flow = Flow::new(now);
        flow.hear(&[0.0, 1e-9]);
        assert!(flow.complaint(&MICROPHONE, 10 * ZEROS, now).is_none());
    }

    #[test]
    fn a_monitor_may_be_silent() {
        let now = Instant::now();
        let monitor = Device { is_microphone: false };
        let mut flow = Flow::new(now);
        assert!(flow.complaint(&monitor, 10 * ZEROS, now).is_none());
        assert!(flow.complaint(&monitor, 0, now + Duration::from_secs(60)).is_none());
    }
}
