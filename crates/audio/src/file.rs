//! Sound files: WAV, FLAC, MP3, Ogg Vorbis, M4A and more in, 16 kHz mono samples out.
//!
//! Takes the place of capture and resample: **file** → segment → spectrogram. It runs on the
//! analysis thread and decodes as it is read, a packet at a time, so that an hour costs no more
//! memory than a second. What a header claims is believed only as far as memory is safe.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::time::{Duration, Instant};

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use crate::resample::{RATES, Resampler};
use crate::{Error, Progress, SAMPLE_RATE, Source};

/// Samples come in packets of 20 ms, as from a device.
const PACKET: usize = SAMPLE_RATE / 50;
/// No recording has more. A lying header could claim 65,535, and memory for them.
const MAX_CHANNELS: usize = 64;
/// The longest packet that is decoded, in frames: 20 times what any of the codecs makes.
const MAX_PACKET_FRAMES: u64 = 1 << 20;
/// 40 dB above full scale: louder is no recording, and its energy no number.
const LOUDEST: f32 = 100.0;

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
    rate: u32,
    resampler: Resampler,
    pace: Pace,
    /// When the first sample was due.
    started: Option<Instant>,
    /// Samples decoded and not yet delivered: those from `taken` on.
    ready: Vec<f32>,
    taken: usize,
    delivered: u64,
    /// The file is at its end, or cannot be read further.
    ended: bool,
    /// Why packets were skipped or reading ended early, if they were.
    flaw: Option<String>,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
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
        let (id, duration) = (track.id, duration(track, metadata.len()));
        let (decoder, rate) = decoder(track)?;
        Ok(Self {
            reader,
            decoder,
            track: id,
            duration,
            rate,
            resampler: Resampler::new(rate),
            pace,
            started: None,
            ready: Vec::new(),
            taken: 0,
            delivered: 0,
            ended: false,
            flaw: None,
            interleaved: Vec::new(),
            mono: Vec::new(),
        })
    }

    /// Length of the sound, as the header has it; a damaged file may end earlier.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
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
                Ok(None) => self.end(),
                Err(SymphoniaError::ResetRequired) => self.next_chapter(),
                Err(error) => {
                    self.flaw.get_or_insert_with(|| error.to_string());
                    self.end();
                }
            }
        }
    }

    fn decode_packet(&mut self, packet: &Packet) {
        if packet.dur.get() > MAX_PACKET_FRAMES {
            self.flaw.get_or_insert_with(|| "a packet is far too long".into());
            return;
        }
        let (rate, channels) = match self.decoder.decode(packet) {
            Ok(buffer) => {
                buffer.copy_to_vec_interleaved(&mut self.interleaved);
                (buffer.spec().rate(), buffer.spec().channels().count())
            }
            // The packet is lost, those after it need not be.
            Err(error) => {
                self.flaw.get_or_insert_with(|| error.to_string());
                return;
            }
        };
        if !RATES.contains(&rate) || channels == 0 {
            self.flaw.get_or_insert_with(|| format!("{channels} channels at {rate} Hz"));
            return;
        }
        if rate != self.rate {
            self.resampler.finish(&mut self.ready);
            (self.resampler, self.rate) = (Resampler::new(rate), rate);
        }
        let share = 1.0 / channels as f32;
        let frames = self.interleaved.chunks_exact(channels);
        self.mono.clear();
        self.mono.extend(frames.map(|frame| sample(frame.iter().sum::<f32>() * share)));
        self.resampler.push(&self.mono, &mut self.ready);
    }

    /// A new logical stream begins: Ogg files can be strung together.
    fn next_chapter(&mut self) {
        let chapter =
            self.reader.default_track(TrackType::Audio).map(|track| (track.id, decoder(track)));
        match chapter {
            Some((id, Ok((decoder, _)))) => (self.track, self.decoder) = (id, decoder),
            _ => self.end(),
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.resampler.finish(&mut self.ready);
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
            n += now;
            if n == due || now == 0 || self.pace == Pace::AsFast {
                break;
            }
        }
        self.delivered += n as u64;
        match (n, self.ended) {
            (0, true) => match (&self.flaw, self.delivered) {
                (Some(what), 0) => Err(Error::Damaged { what: what.clone() }),
                _ => Ok(Progress::Ended),
            },
            (0, false) => Ok(Progress::Waiting),
            (n, _) => Ok(Progress::Samples(n)),
        }
    }
}

/// A file of floats may hold anything; what is not a number would spread through all that hears it.
fn sample(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-LOUDEST, LOUDEST) }
}

/// Makes the decoder of a track, if what its header says can be true.
fn decoder(track: &Track) -> Result<(Box<dyn AudioDecoder>, u32), Error> {
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| undecodable("no audio track"))?;
    let rate = parameters.sample_rate.unwrap_or(SAMPLE_RATE as u32);
    if !RATES.contains(&rate) {
        return Err(undecodable(&format!("a sample rate of {rate} Hz")));
    }
    let channels = parameters.channels.as_ref().map(|channels| channels.count());
    if channels.is_some_and(|n| n == 0 || n > MAX_CHANNELS) {
        return Err(undecodable(&format!("{} channels", channels.unwrap_or(0))));
    }
    if parameters.max_frames_per_packet.is_some_and(|n| n > MAX_PACKET_FRAMES) {
        return Err(undecodable("packets of absurd length"));
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| undecodable(&error.to_string()))?;
    Ok((decoder, rate))
}

/// The track's length. Headers of files that were cut off claim more than there is, which can be
/// seen where the size of a frame is known.
fn duration(track: &Track, file_len: u64) -> Option<Duration> {
    let parameters = track.codec_params.as_ref()?.audio()?;
    let rate = parameters.sample_rate.filter(|&rate| rate > 0)?;
    let frames = track.num_frames?;
    let most = frame_len(parameters).map_or(u64::MAX, |len| file_len / len);
    Some(Duration::from_secs_f64(frames.min(most) as f64 / f64::from(rate)))
}

/// Bytes a frame takes in the file, if it is not compressed.
fn frame_len(parameters: &AudioCodecParameters) -> Option<u64> {
    let codecs = symphonia::default::get_codecs();
    let name = codecs.get_audio_decoder(parameters.codec)?.codec.info.short_name;
    let bits = name.starts_with("pcm").then_some(parameters.bits_per_coded_sample?)?;
    let channels = parameters.channels.as_ref()?.count();
    Some((u64::from(bits) * channels as u64 / 8).max(1))
}

fn undecodable(what: &str) -> Error {
    Error::Undecodable { what: what.to_owned() }
}
