//! Capture: the sound of a device in, 16 kHz mono samples out.
//!
//! First stage of the audio path: **capture → resample** → segment → spectrogram. The device's
//! thread runs `callback` and fills a ring; all the rest runs on the thread that reads, inside of
//! [`Microphone::read`]: it empties the ring, watches the device and rebuilds what broke.
//!
//! Sound lost in a rebuild is replaced by silence of the same length, so that the count of samples
//! goes on telling the time, and an utterance cut off ends like any other.

mod callback;
mod device;
mod stream;
mod watchdog;

use std::time::{Duration, Instant};

use cpal::HostId;

use self::callback::Fault;
use self::device::Wanted;
pub(crate) use self::device::connect;
use self::stream::Stream;
use self::watchdog::{GIVE_UP_DEFAULT, GIVE_UP_NAMED, Outage};
use crate::{Error, Progress, SAMPLE_RATE, Source};

/// The system to record through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Host {
    /// PipeWire if it runs, else ALSA.
    #[default]
    Auto,
    /// PipeWire: sees all, follows the default, offers monitors.
    PipeWire,
    /// ALSA: works without any server; has no monitors. On top of PipeWire it takes most of a core,
    /// because the plugin between them hardly lets a reader sleep.
    Alsa,
    /// PulseAudio, if built with the feature `pulseaudio`.
    Pulse,
}

/// What a source records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// What a microphone hears.
    Microphone,
    /// What a sink plays: the others in a call.
    Monitor,
}

impl SourceKind {
    /// What the source with this name is, whether it exists or not.
    pub fn of(source: &str) -> Self {
        Wanted::parse(source).kind()
    }
}

/// A source that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// What to put into [`CaptureOptions::source`].
    pub id: String,
    /// What to show to people.
    pub description: String,
    /// What it records.
    pub kind: SourceKind,
    /// Name of its host.
    pub host: &'static str,
    /// Whether it follows the system's default.
    pub is_default: bool,
}

/// Lists the sources of a host, the defaults first.
///
/// # Errors
///
/// If the host does not answer.
pub fn list_sources(host: Host) -> Result<Vec<SourceInfo>, Error> {
    device::sources(&connect(host)?)
}

/// What to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureOptions {
    /// `default`, `monitor:default`, or an id, a description or a part of one that fits only one
    /// source, with `monitor:` before it for a sink.
    pub source: String,
    /// The system to record through.
    pub host: Host,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self { source: "default".into(), host: Host::Auto }
    }
}

/// A device that is being recorded, whatever happens to it.
///
/// Used by one thread at a time, to which it may be handed over.
///
/// A stream that reports a fatal error, or no block for 1 s (3 s for the first), is rebuilt: at
/// once, then after 100 ms, 200 ms and so on up to every 2 s. After 10 s of this a device asked for
/// by name is lost, after 60 s a default; until then silence is delivered, but not before the first
/// block: what has never sounded has no silence either.
pub struct Microphone {
    wanted: Wanted,
    host: HostId,
    name: String,
    stream: Option<Stream>,
    outage: Option<Outage>,
    lost: bool,
    mono_refused: bool,
    opened: Instant,
    first_block_after: Option<Duration>,
    restarts: u64,
    /// Of the streams before this one.
    overruns: u64,
    xruns: u64,
}

impl Microphone {
    /// Opens a source, in 10 to 100 ms. Sound flows 10 to 50 ms later; see [`first_block_after`].
    ///
    /// [`first_block_after`]: Self::first_block_after
    ///
    /// # Errors
    ///
    /// If the host does not answer, there is no such source, or it does not open.
    pub fn open(options: &CaptureOptions) -> Result<Self, Error> {
        let opened = Instant::now();
        let wanted = Wanted::parse(&options.source);
        let host = connect(options.host)?;
        let (stream, name) = open(&host, &wanted, false)?;
        Ok(Self {
            wanted,
            host: host.id(),
            name,
            stream: Some(stream),
            outage: None,
            lost: false,
            mono_refused: false,
            opened,
            first_block_after: None,
            restarts: 0,
            overruns: 0,
            xruns: 0,
        })
    }

    /// Id of the source, as [`list_sources`] gives it.
    pub fn source(&self) -> &str {
        &self.name
    }

    /// What it records.
    pub fn kind(&self) -> SourceKind {
        self.wanted.kind()
    }

    /// Name of the host it is recorded through.
    pub fn host(&self) -> &'static str {
        self.host.name()
    }

    /// Samples, at the rate of the device, dropped because no one took them within 4 s.
    pub fn overruns(&self) -> u64 {
        self.overruns + self.stream.as_ref().map_or(0, Stream::overruns)
    }

    /// How often the host reported that sound was lost on its side, so that no one knows how much.
    pub fn xruns(&self) -> u64 {
        self.xruns + self.stream.as_ref().map_or(0, Stream::xruns)
    }

    /// Whether sound has stopped and the stream is being rebuilt; silence is delivered meanwhile.
    pub fn is_interrupted(&self) -> bool {
        self.outage.is_some()
    }

    /// How often the stream was rebuilt with success.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How long after `open` was called the first block was seen, once it has been.
    pub fn first_block_after(&self) -> Option<Duration> {
        self.first_block_after
    }

    /// Drops a stream that is of no use any more.
    fn drop_broken(&mut self, out: &mut Vec<f32>, now: Instant) {
        let Some(stream) = &mut self.stream else { return };
        let Some(fault) = stream.fault(now) else { return };
        // What arrived between the last look at the ring and the fault.
        stream.read(out);
        self.overruns += stream.overruns();
        self.xruns += stream.xruns();
        self.mono_refused |= fault == Fault::Refused;
        let last_block = stream.alive();
        self.stream = None;
        if self.outage.is_none() {
            tracing::warn!(source = self.name, ?fault, "capture broke, rebuilding it");
            let give_up =
                if self.wanted.follows_default() { GIVE_UP_DEFAULT } else { GIVE_UP_NAMED };
            self.outage = Some(Outage::new(last_block, give_up, now));
        }
    }

    /// Opens the device again when it is time to.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`], once and for all.
    fn rebuild(&mut self, now: Instant) -> Result<(), Error> {
        let Some(outage) = &mut self.outage else { return Ok(()) };
        self.lost |= outage.hopeless(now);
        if self.lost {
            self.stream = None;
            return Err(Error::DeviceLost { name: self.name.clone() });
        }
        if self.stream.is_none() && outage.due(now) {
            let opened = device::by_id(self.host)
                .and_then(|host| open(&host, &self.wanted, self.mono_refused));
            match opened {
                Ok((stream, name)) => (self.stream, self.name) = (Some(stream), name),
                Err(error) => tracing::debug!(%error, "cannot rebuild yet"),
            }
        }
        Ok(())
    }

    /// Notes that blocks flow, for the first time or again.
    fn note_blocks(&mut self, now: Instant) {
        if self.stream.as_ref().is_none_or(|stream| stream.blocks() == 0) {
            return;
        }
        self.first_block_after.get_or_insert_with(|| now.duration_since(self.opened));
        if let Some(outage) = self.outage.take() {
            self.restarts += 1;
            let outage = outage.duration(now);
            tracing::info!(source = self.name, ?outage, "capture goes on");
        }
    }
}

impl Source for Microphone {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<Progress, Error> {
        let (now, before) = (Instant::now(), out.len());
        self.drop_broken(out, now);
        self.rebuild(now)?;
        if let (Some(outage), Some(_)) = (&mut self.outage, self.first_block_after) {
            let silence = outage.silence(now, SAMPLE_RATE as u32);
            out.resize(out.len() + silence, 0.0);
        }
        self.note_blocks(now);
        if let Some(stream) = &mut self.stream {
            stream.read(out);
        }
        Ok(match out.len() - before {
            0 => Progress::Waiting,
            n => Progress::Samples(n),
        })
    }
}

fn open(host: &cpal::Host, wanted: &Wanted, mono_refused: bool) -> Result<(Stream, String), Error> {
    let (device, name) = device::find(host, wanted)?;
    match Stream::open(&device, host.id(), mono_refused) {
        Ok(stream) => Ok((stream, name)),
        Err(source) => Err(Error::Open { name, source }),
    }
}
