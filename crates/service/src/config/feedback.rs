//! What the user hears and sees besides the text: the section `[feedback]`.

use serde::Deserialize;

/// What is told, and what is silenced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feedback {
    /// Errors, as messages of the desktop.
    pub notifications: bool,
    /// Cues for the ear.
    pub sounds: bool,
    /// Level of the loudest sample of a cue, in dB below full scale.
    pub sounds_db: i32,
    pub media: Media,
    /// What a player's volume is lowered to, in percent of full.
    pub duck_percent: u32,
}

impl Default for Feedback {
    fn default() -> Self {
        Self {
            // Whoever dictates looks at the window, not at the log.
            notifications: true,
            // Not everybody sits alone.
            sounds: false,
            // Heard beside music, and no more.
            sounds_db: -20,
            // Other programs are touched only where that is asked for.
            media: Media::Off,
            // Still heard, as a whisper.
            duck_percent: 20,
        }
    }
}

impl Feedback {
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(-60..=0).contains(&self.sounds_db) {
            return Err(("feedback.sounds_db", "must lie between -60 and 0"));
        }
        if self.duck_percent > 100 {
            return Err(("feedback.duck_percent", "must not be more than 100"));
        }
        Ok(())
    }

    /// What a player's volume is lowered to, as players count it.
    pub(crate) fn duck_to(&self) -> f64 {
        f64::from(self.duck_percent) / 100.0
    }
}

/// What becomes of players while a microphone is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Media {
    /// Nothing.
    Off,
    /// They are paused.
    Pause,
    /// Their volume is lowered.
    Duck,
}
