//! Sound files: WAV, FLAC, MP3, Ogg Vorbis, M4A and more in, 16 kHz mono samples out.
//!
//! Takes the place of capture and resample: **file** → segment → spectrogram. It runs on the
//! analysis thread and decodes as it is read, a packet at a time, so that an hour costs no more
//! memory than a second. What a header claims is believed only as far as memory is safe.
//!
//! A damaged file is read as far as it can be, and, where its format lets one see the damage, never
//! without a word. In the place of what cannot be decoded there is silence, so that what follows keeps
//! its time ([`FileSource::flaw`] tells how much); an end that comes too early is an error, behind all
//! samples there are.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration as Ticks, TimeBase, Timestamp};

use self::header::{Extent, decoder, duration, extent, leaves_out, undecodable};
use crate::resample::{RATES, Resampler};
use crate::{Error, Progress, SAMPLE_RATE, Source};

mod header;

/// Samples come in packets of 20 ms, as from a device.
const PACKET: usize = SAMPLE_RATE / 50;
/// The longest packet that is decoded, in frames: 20 times what any of the codecs makes.
const MAX_PACKET_FRAMES: u64 = 1 << 20;
/// 40 dB above full scale: louder is no recording, and its energy no number.
const LOUDEST: f32 = 100.0;
/// Seconds between two packets in which something is lost: less is rounding, more another clock.
const GAPS: RangeInclusive<f64> = 0.02..=60.0;
/// Seconds that may be missing at the end of a good file: some encoders count a frame too many, and a
/// tag behind the last block of a FLAC spoils it.
const SLACK: f64 = 0.5;
/// Silence is made in pieces of this.
const SILENCE: [f32; 1024] = [0.0; 1024];

/// How fast a file is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As if it were spoken now: a packet every 20 ms since the first read.
    LifeSpeed,
    /// As fast as it is read.
    AsFast,
}

/// A sound file that is being read.
pub struct FileSource {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    duration: Option<Duration>,
    /// What a tick of the track's times is.
    time_base: Option<TimeBase>,
    extent: Extent,
    /// The reader leaves out what is damaged, and only the times of the packets tell.
    leaves_out: bool,
    rate: u32,
    resampler: Resampler,
    pace: Pace,
    /// When the first sample was due.
    started: Option<Instant>,
    /// Samples decoded and not yet delivered: those from `taken` on.
    ready: Vec<f32>,
    taken: usize,
    delivered: u64,
    /// When the next packet begins, if none is missing.
    next: Option<Timestamp>,
    /// Anything could be decoded.
    heard: bool,
    lost: Option<Lost>,
    /// The file is at its end, or cannot be read further.
    ended: bool,
    /// Why reading ended before the sound did, if so.
    broken: Option<String>,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

/// What could not be decoded.
struct Lost {
    /// Where it begins, in seconds.
    at: f64,
    seconds: f64,
    /// Why the first of it was lost.
    what: String,
}

impl FileSource {
    /// Opens a file, whose format is recognized by what is in it.
    ///
    /// # Errors
    ///
    /// If it is not a regular file, of a format we do not know, or holds no sound.
    pub fn open(mut file: File, pace: Pace) -> Result<Self, Error> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::NotAFile);
        }
        // A descriptor that was passed on may have been read from.
        file.seek(SeekFrom::Start(0))?;
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let reader = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| Error::UnknownFormat { source: error.into() })?;
        let track =
            reader.default_track(TrackType::Audio).ok_or_else(|| undecodable("no track"))?;
        let (decoder, rate) = decoder(track)?;
        let format = reader.format_info().format;
        Ok(Self {
            track: track.id,
            duration: duration(track, metadata.len()),
            time_base: track.time_base,
            extent: extent(format, track),
            leaves_out: leaves_out(format),
            reader,
            decoder,
            rate,
            resampler: Resampler::new(rate),
            pace,
            started: None,
            ready: Vec::new(),
            taken: 0,
            delivered: 0,
            next: None,
            heard: false,
            lost: None,
            ended: false,
            broken: None,
            interleaved: Vec::new(),
            mono: Vec::new(),
        })
    }

    /// Length of the sound, as the header has it; a damaged file may end earlier.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// What of the sound so far could not be decoded, and has become silence.
    pub fn flaw(&self) -> Option<Error> {
        let Lost { at, seconds, what } = self.lost.as_ref()?;
        Some(Error::Undecoded { at: *at, seconds: *seconds, what: what.clone() })
    }

    /// How many samples may be delivered now.
    fn due(&mut self) -> usize {
        match self.pace {
            Pace::AsFast => usize::MAX,
            Pace::LifeSpeed => {
                let elapsed = self.started.get_or_insert_with(Instant::now).elapsed();
                let packets = elapsed.as_micros() / 20_000;
                (packets as u64 * PACKET as u64).saturating_sub(self.delivered) as usize
            }
        }
    }

    /// Decodes until a packet's worth of samples is ready, or the file has ended.
    fn decode(&mut self) {
        self.ready.drain(..self.taken);
        self.taken = 0;
        while self.ready.len() < PACKET && !self.ended {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => self.decode_packet(&packet),
                Ok(Some(_)) => {}
                Ok(None) => self.end(None),
                Err(SymphoniaError::ResetRequired) => self.next_chapter(),
                Err(error) => self.end(Some(&error)),
            }
        }
    }

    fn decode_packet(&mut self, packet: &Packet) {
        self.catch_up(packet);
        if packet.dur.get() > MAX_PACKET_FRAMES {
            return self.lose(Ticks::ZERO, "a packet is far too long");
        }
        let decoded = self.decoder.decode(packet).map(|buffer| {
            buffer.copy_to_vec_interleaved(&mut self.interleaved);
            (buffer.spec().rate(), buffer.spec().channels().count())
        });
        let (rate, channels) = match decoded {
            Ok((rate, channels)) if RATES.contains(&rate) && channels > 0 => (rate, channels),
            Ok((rate, channels)) => {
                return self.lose(packet.dur, &format!("{channels} channels at {rate} Hz"));
            }
            // The packet is lost, those after it need not be.
            Err(error) => return self.lose(packet.dur, &error.to_string()),
        };
        if rate != self.rate {
            self.resampler.finish(&mut self.ready);
            (self.resampler, self.rate) = (Resampler::new(rate), rate);
        }
        let share = 1.0 / channels as f32;
        let frames = self.interleaved.chunks_exact(channels);
        self.mono.clear();
        self.mono.extend(frames.map(|frame| sample(frame.iter().sum::<f32>() * share)));
        self.resampler.push(&self.mono, &mut self.ready);
        self.heard |= !self.mono.is_empty();
    }

    /// Keeps the time where the reader has left something out.
    fn catch_up(&mut self, packet: &Packet) {
        let gap = self.next.and_then(|next| packet.pts.duration_from(next));
        self.next = packet.pts.checked_add(packet.block_dur());
        match gap {
            Some(gap) if self.leaves_out && GAPS.contains(&self.seconds(gap)) => {
                self.lose(gap, "damaged data");
            }
            _ => {}
        }
    }

    /// Puts silence in the place of sound, so that what follows keeps its time.
    fn lose(&mut self, length: Ticks, what: &str) {
        let (at, seconds) = (self.position(), self.seconds(length).min(*GAPS.end()));
        let lost = self.lost.get_or_insert_with(|| Lost { at, seconds: 0.0, what: what.into() });
        lost.seconds += seconds;
        let mut frames = (seconds * f64::from(self.rate)).round() as usize;
        while frames > 0 {
            let now = frames.min(SILENCE.len());
            self.resampler.push(&SILENCE[..now], &mut self.ready);
            frames -= now;
        }
    }

    /// A length of the track; 0 where it does not say what a tick is.
    fn seconds(&self, length: Ticks) -> f64 {
        self.time_base.map_or(0.0, |base| base.calc_duration_saturating(length).as_secs_f64())
    }

    /// Seconds decoded so far.
    fn position(&self) -> f64 {
        (self.delivered + (self.ready.len() - self.taken) as u64) as f64 / SAMPLE_RATE as f64
    }

    /// A new logical stream begins: Ogg files can be strung together.
    fn next_chapter(&mut self) {
        let track = self.reader.default_track(TrackType::Audio);
        let chapter = track.map(|track| (track.id, track.time_base, decoder(track)));
        self.next = None;
        match chapter {
            Some((id, time_base, Ok((decoder, _)))) => {
                (self.track, self.time_base, self.decoder) = (id, time_base, decoder);
            }
            _ => self.end(Some(&SymphoniaError::Unsupported("the sound of its next part"))),
        }
    }

    /// Nothing more can be read, for an error or because all has been.
    fn end(&mut self, error: Option<&SymphoniaError>) {
        if self.is_too_early(error) {
            let of_header = || String::from("its header promises more");
            self.broken = Some(error.map_or_else(of_header, ToString::to_string));
        }
        self.ended = true;
        self.resampler.finish(&mut self.ready);
    }

    /// Whether the sound goes on where reading ends.
    fn is_too_early(&self, error: Option<&SymphoniaError>) -> bool {
        match (self.extent, error) {
            (Extent::Known(length), _) => {
                let reached = self.next.and_then(|next| next.duration_from(Timestamp::ZERO));
                let reached = reached.map_or(0.0, |reached| self.seconds(reached));
                reached + SLACK < self.seconds(length)
            }
            (_, None) => false,
            (Extent::Open, Some(SymphoniaError::IoError(error))) => {
                error.kind() != ErrorKind::UnexpectedEof
            }
            (_, Some(_)) => true,
        }
    }

    /// Says, when all samples are delivered, whether they are all there should be.
    fn verdict(&self) -> Result<Progress, Error> {
        let lost = self.lost.as_ref().map(|lost| &lost.what);
        match (self.broken.as_ref(), lost) {
            (Some(what), _) | (None, Some(what)) if !self.heard => {
                Err(Error::Damaged { what: what.clone() })
            }
            (Some(what), _) => Err(Error::CutShort { at: self.position(), what: what.clone() }),
            (None, _) => Ok(Progress::Ended),
        }
    }
}

impl Source for FileSource {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<Progress, Error> {
        let due = self.due();
        if due == 0 {
            return Ok(Progress::Waiting);
        }
        let mut n = 0;
        // At life speed all that is due, however late this call comes; else a packet at a time.
        loop {
            if self.ready.len() - self.taken < PACKET {
                self.decode();
            }
            let ready = &self.ready[self.taken..];
            let now = ready.len().min(due - n);
            out.extend_from_slice(&ready[..now]);
            self.taken += now;
            self.delivered += now as u64;
            n += now;
            if n == due || now == 0 || self.pace == Pace::AsFast {
                break;
            }
        }
        match (n, self.ended) {
            (0, true) => self.verdict(),
            (0, false) => Ok(Progress::Waiting),
            (n, _) => Ok(Progress::Samples(n)),
        }
    }
}

/// A file of floats may hold anything; what is not a number would spread through all that hears it.
fn sample(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-LOUDEST, LOUDEST) }
}
