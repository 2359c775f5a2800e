//! What can go wrong before a sample reaches the first stage; the stages themselves cannot fail.

use std::io;

/// An error of a [`Source`](crate::Source): each variant says what the user can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sound server does not answer. Starting it and trying again helps.
    #[error("{host} is not available; start it with \"systemctl --user start pipewire\"")]
    HostUnavailable {
        /// Name of the host asked for last.
        host: &'static str,
        /// What the host said.
        source: cpal::Error,
    },
    /// This program was built without the host that was asked for. Another host helps.
    #[error("this build has no {host} host; choose pipewire or alsa")]
    HostNotBuilt {
        /// Name of the host.
        host: &'static str,
    },
    /// No source has this name. Listing the sources shows those there are.
    #[error("no source is called \"{name}\"; list the sources to see their names")]
    NoSource {
        /// The name looked for.
        name: String,
    },
    /// A part of a name fits several sources. More of the name helps.
    #[error("\"{name}\" could be {candidates}; give more of the name")]
    AmbiguousSource {
        /// The name looked for.
        name: String,
        /// The sources it fits, separated by commas.
        candidates: String,
    },
    /// The host has no monitors (ALSA). The PipeWire host has.
    #[error("{host} cannot record what a sink plays; choose the host pipewire")]
    NoMonitor {
        /// Name of the host.
        host: &'static str,
    },
    /// The device is there but does not open: busy, forbidden, or of an unknown format.
    #[error("{name} cannot be opened; close other programs which record from it or choose another")]
    Open {
        /// Name of the source.
        name: String,
        /// What the host said.
        source: cpal::Error,
    },
    /// The device went away and did not come back in time. Plugging it in again, or choosing
    /// another source, helps.
    #[error("{name} is gone; plug it in again or choose another source")]
    DeviceLost {
        /// Name of the source.
        name: String,
    },
    /// A cue cannot be played: there is no output, or it does not open. Another default helps.
    #[error("no sound can be played; choose another output of the desktop")]
    Play {
        /// What the host said.
        source: cpal::Error,
    },
    /// A pipe, a directory or a device where a file was expected. Saving it to a file helps.
    #[error("only regular files can be transcribed; save the sound to a file")]
    NotAFile,
    /// The file is no sound file of a known format. Converting it helps.
    #[error("the file is not WAV, FLAC, MP3, Ogg Vorbis or M4A; convert it to one of them")]
    UnknownFormat {
        /// What the reader said.
        source: SoundFileError,
    },
    /// The container is known, what is in it is not: a codec we lack, or no sound at all.
    #[error("the file holds no sound that can be decoded ({what}); convert it to WAV or FLAC")]
    Undecodable {
        /// What was found instead.
        what: String,
    },
    /// Not a single block of the file could be decoded. Another copy of the file may help.
    #[error("the file is damaged ({what}); try another copy")]
    Damaged {
        /// What was wrong.
        what: String,
    },
    /// The end of the file could not be read: it was cut off, or its disk fails. What came before is
    /// good. Another copy may have the rest.
    #[error("the recording breaks off at {at:.1} s ({what}); for the rest, try another copy")]
    CutShort {
        /// Where it ends, in seconds.
        at: f64,
        /// Why nothing more could be read.
        what: String,
    },
    /// Parts of the file could not be decoded, and are silence. Another copy may have them.
    #[error(
        "{seconds:.2} s of the recording cannot be decoded, from {at:.1} s on ({what}), and were \
         taken for silence; try another copy"
    )]
    Undecoded {
        /// Where the first of it begins, in seconds.
        at: f64,
        /// How much it is in all.
        seconds: f64,
        /// Why the first of it could not be decoded.
        what: String,
    },
    /// The file system refused to read.
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
}

/// What the decoder library said; opaque so that it can be exchanged.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SoundFileError(#[from] symphonia::core::errors::Error);
