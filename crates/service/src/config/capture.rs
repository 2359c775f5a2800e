//! The section `[capture]`: the microphone while nobody dictates.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Who speaks for longer before the key goes down does not mean the dictation.
const MAX_PRE_ROLL: Duration = Duration::from_secs(2);

/// What is heard before a dictation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// How much of it is kept, in memory. Nothing, and the microphone closed, unless asked for.
    #[serde(rename = "pre_roll_s", deserialize_with = "pre_roll")]
    pub pre_roll: Duration,
}

fn pre_roll<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    let length = Duration::try_from_secs_f64(seconds).ok().filter(|length| *length <= MAX_PRE_ROLL);
    length.ok_or_else(|| D::Error::custom("`pre_roll_s` must lie between 0 and 2"))
}
