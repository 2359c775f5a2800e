//! Options that several commands have in common: what is listened to, and how it is written.

use clap::{Args, ValueEnum};

/// What a session of dictation listens to and how it is written.
#[derive(Debug, Default, Args)]
pub(crate) struct SessionOptions {
    /// What to listen to: `default`, an id of `scriven sources`, or `monitor:default` for the
    /// sound of the desktop.
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    pub(crate) speech: SpeechOptions,
    /// Who may read along.
    #[arg(long)]
    pub(crate) scope: Option<Scope>,
    /// What becomes of the final texts.
    #[arg(long)]
    pub(crate) output: Option<Output>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct SpeechOptions {
    /// Language spoken, as in `en` or `de`; give several to have it detected among them.
    #[arg(long = "language", value_name = "LANG", value_delimiter = ',')]
    pub(crate) languages: Vec<String>,
    /// Write English, whatever is spoken.
    #[arg(long)]
    pub(crate) translate: bool,
    /// A word or phrase that is likely to be said, such as a name; may be given several times.
    #[arg(long = "hotword", value_name = "WORD")]
    pub(crate) hotwords: Vec<String>,
    /// How strongly hotwords are preferred, 0 to 4; 2 unless given.
    #[arg(long, value_name = "X", value_parser = boost, requires = "hotwords")]
    pub(crate) hotword_boost: Option<f64>,
}

/// How a recording is decoded; what is not given is left to the daemon.
#[derive(Debug, Default, Args)]
pub(crate) struct DecodingOptions {
    /// Follow this many beginnings of the text at once, 1 to 16: slower, and a little more exact.
    #[arg(long, value_name = "N", conflicts_with = "live", value_parser = width)]
    pub(crate) beam_size: Option<u32>,
    /// Leave this much to chance from the start, 0 to 1. Where the text cannot be right it rises by
    /// itself.
    #[arg(long, value_name = "T", conflicts_with = "live", value_parser = temperature)]
    pub(crate) temperature: Option<f64>,
    /// Where the temperature is above 0, take the likeliest of this many texts; 5 unless given.
    #[arg(long, value_name = "N", conflicts_with = "live", value_parser = width)]
    pub(crate) best_of: Option<u32>,
    /// A text as if said before the recording, for its names and its style; the last 223 tokens
    /// count.
    #[arg(long, value_name = "TEXT", conflicts_with = "live")]
    pub(crate) prompt: Option<String>,
    /// What the text begins with.
    #[arg(long, value_name = "TEXT", conflicts_with = "live")]
    pub(crate) prefix: Option<String>,
    /// Tell each 30 seconds what was said in those before; may make the model repeat itself.
    #[arg(long, conflicts_with = "live")]
    pub(crate) condition_on_previous_text: bool,
    /// Write each word with its times; needs `--format json`.
    #[arg(long)]
    pub(crate) words: bool,
}

fn width(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (1..=16).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 16".into())
}

fn temperature(text: &str) -> Result<f64, String> {
    within(text, 0.0..=1.0, "0 to 1")
}

fn boost(text: &str) -> Result<f64, String> {
    within(text, 0.0..=4.0, "0 to 4")
}

/// A number of `range`, which is called `name`.
fn within(text: &str, range: std::ops::RangeInclusive<f64>, name: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("must be a number from {name}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Every program on the session bus.
    Broadcast,
    /// Only the program that started the session.
    Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// They go into the window in focus.
    Type,
    /// They go there by way of the clipboard.
    Clipboard,
    /// They are left on the clipboard, all of a session together, until something else is copied.
    Copy,
    /// They are only told on the bus.
    None,
}
