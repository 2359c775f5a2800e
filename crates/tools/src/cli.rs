//! The command line, defined once: parsing, `--help`, man pages and completions come from here.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

mod options;

pub(crate) use self::options::{DecodingOptions, Output, Scope, SessionOptions, SpeechOptions};

/// Dictate to your Linux desktop.
///
/// You speak, the daemon scrivend writes: every word appears on the session bus while it is
/// spoken. This program starts and stops dictation, shows what is said, transcribes recordings
/// and looks after the models. Nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "scriven", version, after_long_help = MANUAL, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The end of `scriven --help`. Here and below a line that ends with a colon heads a section of the
/// manual page.
const MANUAL: &str = "\
Getting started:
  scriven model pull base        fetch a model (once, 145 MB)
  scriven doctor                 see whether everything is in place
  scriven listen --dictate       speak; Ctrl-C ends

A key for it:
  In the settings of your desktop, bind `scriven toggle` to a key; or, to talk while it is held,
  bind `scriven press` to its press and `scriven release` to its release.

Exit status:
  0    done
  1    failed; one line on standard error says why and what to do
  2    the command line was wrong
  130  ended by Ctrl-C before it was done

Environment:
  DBUS_SESSION_BUS_ADDRESS  the session bus; set by your desktop
  NO_COLOR                  if set and not empty, no colors and no dim text

Files:
  ~/.config/scriven/config.toml     settings of the daemon
  ~/.local/share/scriven/models/    models

See also:
  scrivend(8), scriven-config(5)";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start dictation
    ///
    /// Prints the object path of the session. The session goes on after this command has ended,
    /// until `scriven stop` or `scriven cancel`.
    #[command(after_long_help = "Examples:\n  \
        scriven start\n  \
        scriven start --language de --language en\n  \
        scriven start --source monitor:default --translate")]
    Start(SessionOptions),

    /// Stop dictation; what was said is still written
    Stop,

    /// Start dictation, or stop it if it is on
    ///
    /// Made to be bound to a key.
    Toggle(SessionOptions),

    /// Hold to talk: the key went down
    ///
    /// Dictation goes on until `scriven release` with the same action. Pressing twice is no error,
    /// so that a repeating key may call it.
    #[command(after_long_help = "Example, for Hyprland:\n  \
        bind  = SUPER, D, exec, scriven press\n  \
        bindr = SUPER, D, exec, scriven release")]
    Press {
        /// What the key does.
        #[arg(default_value = "dictate")]
        action: String,
        #[command(flatten)]
        options: SessionOptions,
    },

    /// Hold to talk: the key came up
    Release {
        /// The action given to `scriven press`.
        #[arg(default_value = "dictate")]
        action: String,
    },

    /// Stop dictation and throw away what is not written yet
    Cancel,

    /// Type the last text that did not get into its window
    ///
    /// It goes where the cursor is now; where the window holds its beginning, only the rest does.
    /// Every text is kept for a while (`scriven history`), so that none is lost where the focus has
    /// moved, a window does not take it or something crashes.
    #[command(after_long_help = "Examples:\n  \
        scriven redeliver\n  \
        scriven redeliver --id 1764000000000000")]
    Redeliver {
        /// This text of `scriven history`, whatever became of it.
        #[arg(long, value_name = "ID")]
        id: Option<u64>,
    },

    /// Show what was said lately, and what became of it
    ///
    /// Newest last. How long it is kept says the section `[history]` of the configuration.
    History(HistoryArgs),

    /// Take away what was typed last
    ///
    /// Works as long as the cursor is in the window in which it was typed.
    Undo,

    /// Type a text where the cursor is
    ///
    /// As dictation does it: in any layout and script, with nothing else to install.
    #[command(after_long_help = "Examples:\n  \
        scriven insert 'Kind regards'\n  \
        date -I | tr -d '\\n' | scriven insert -")]
    Insert {
        /// The text; `-` reads it from standard input.
        text: String,
    },

    /// Let the desktop ask you whether Scriven may type
    ///
    /// For desktops that have no better way into windows than the RemoteDesktop portal (GNOME, KDE):
    /// they show a dialog, once. Say yes, and let it be remembered; without that nothing is kept.
    /// Afterwards Scriven takes back what it typed ("scratch that") where it could not before. It
    /// types by this way only where `way = "portal"` in the section `[output]` of the configuration
    /// asks for it, since the portal does not tell which window gets the text.
    #[command(after_long_help = "Examples:\n  \
        scriven permit\n  \
        scriven permit --forget")]
    Permit {
        /// Give the permission up.
        #[arg(long)]
        forget: bool,
    },

    /// Show what is said, while it is said
    ///
    /// On a terminal committed text is shown normally and tentative text, which may still change,
    /// dim and rewritten in place. Anywhere else one line a finished utterance is written.
    ///
    /// With --json each signal of the daemon is one line: the key `signal` holds its name, `info`
    /// or `stats` all that the daemon says about it, `received` the time of its arrival in
    /// microseconds of CLOCK_MONOTONIC.
    #[command(after_long_help = "Examples:\n  \
        scriven listen                     follow, until Ctrl-C\n  \
        scriven listen --dictate           dictate until Ctrl-C, then end with the last words\n  \
        scriven listen >> notes.txt        keep what is said\n  \
        scriven listen --json | jq -r 'select(.signal == \"Final\").text'")]
    Listen(ListenArgs),

    /// Transcribe recordings
    ///
    /// Reads WAV, FLAC, MP3, Ogg, M4A and more. The files are opened here and handed to the
    /// daemon, which needs no right to read them. When one fails, the others are still done, and
    /// the exit status is 1. That is so, too, when a recording breaks off; its text up to there is
    /// written. Where parts inside cannot be decoded they count as silence, with a warning.
    #[command(after_long_help = "Examples:\n  \
        scriven transcribe talk.flac\n  \
        scriven transcribe talk.flac --format srt --output talk.srt\n  \
        scriven transcribe *.ogg --format vtt --output subtitles/\n  \
        scriven transcribe interview.mp3 --language fr --translate --format json\n  \
        scriven transcribe lecture.m4a --beam-size 5 --hotword Grothendieck --hotword \"étale topos\"")]
    Transcribe(TranscribeArgs),

    /// Show what the daemon does
    ///
    /// Never starts the daemon; the exit status is 1 when it does not run.
    ///
    /// With --json one object a line is written. Besides the facts it has the keys `text`, `alt`,
    /// `class` and `tooltip`, which Waybar and others show as they are. What is said is in none.
    #[command(after_long_help = "Examples:\n  \
        scriven status\n  \
        scriven status --json | jq .model\n\n\
        Example, for Waybar:\n  \
        \"custom/scriven\": {\n    \
            \"exec\": \"scriven status --follow --json\",\n    \
            \"return-type\": \"json\",\n    \
            \"on-click\": \"scriven toggle\"\n  \
        }")]
    Status(StatusArgs),

    /// List what can be listened to: microphones, and the sound of the desktop
    Sources {
        /// Write one JSON array.
        #[arg(long)]
        json: bool,
    },

    /// List, fetch, choose and remove models
    #[command(subcommand)]
    Model(ModelCommand),

    /// Find out what is wrong, and say how to mend it
    ///
    /// Looks at the bus, the daemon, the model, the GPU, the microphone and the installation. The
    /// exit status is 1 when something is broken.
    Doctor {
        /// Write one JSON object.
        #[arg(long)]
        json: bool,
    },

    /// Write the completions for a shell
    #[command(after_long_help = "Example:\n  \
        scriven completions fish > ~/.config/fish/completions/scriven.fish")]
    Completions { shell: Shell },

    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man {
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Write each signal as one JSON object on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
    /// Start dictation at once; Ctrl-C stops it, and the last words are waited for.
    #[arg(long)]
    pub(crate) dictate: bool,
    /// Keep a log of every change of the text, for measurements, and end with the session.
    ///
    /// One JSON object a line: `now` (seconds since the first sample), `audio_end`, `wall_ms`,
    /// `cpu_ms`, `committed`, `partial`; the last line sums up.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Options with --dictate")]
    pub(crate) session: SessionOptions,
}

#[derive(Debug, Args)]
pub(crate) struct TranscribeArgs {
    /// Recordings, transcribed one after the other.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Form of the result.
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,
    /// Write to this file, or for several recordings into this folder; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) speech: SpeechOptions,
    #[command(flatten)]
    pub(crate) decoding: DecodingOptions,
    /// Treat the recording as if it were being spoken: at the speed of life, as dictation.
    #[arg(long)]
    pub(crate) live: bool,
    /// Who may read along.
    #[arg(long, default_value = "owner")]
    pub(crate) scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line a segment.
    Text,
    /// One object a recording: file, language, segments with times in seconds (and, with --words,
    /// their words), text.
    Json,
    /// SubRip subtitles.
    Srt,
    /// WebVTT captions.
    Vtt,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Write again at each change, until Ctrl-C.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Write one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// At most this many of the newest; 0 for all.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 0)]
    pub(crate) limit: u32,
    /// Write one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Forget all of it, also on disk.
    #[arg(long, conflicts_with_all = ["json", "limit"])]
    pub(crate) clear: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models; the one in use is marked
    List {
        /// Write one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model
    ///
    /// Several sources are tried in turn, and what arrives is verified. Ctrl-C stops the
    /// download; the next pull goes on from there.
    Pull {
        /// A model of `scriven model list`.
        id: String,
    },
    /// Take a model that is on this machine already
    ///
    /// PATH is a checkpoint of OpenAI (.pt), a safetensors file or folder, a CTranslate2 folder, or a
    /// ggml file of whisper.cpp.
    #[command(after_long_help = "Examples:\n  \
        scriven model import base ~/Downloads/base.pt\n  \
        scriven model import my-finetune checkpoints/best/ && scriven model use my-finetune")]
    Import {
        /// A model of `scriven model list`, or a name of your own: a-z 0-9 . _ -
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
        path: PathBuf,
    },
    /// Delete a model from this machine
    #[command(visible_alias = "rm")]
    Remove { id: String },
    /// Dictate with this model from now on
    Use { id: String },
}
