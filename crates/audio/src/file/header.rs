//! What the header of a sound file says, and how much of it is believed.

use std::time::Duration;

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::well_known::{
    FORMAT_ID_AIFF, FORMAT_ID_CAF, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_MP3, FORMAT_ID_OGG,
    FORMAT_ID_WAVE,
};
use symphonia::core::formats::{FormatId, Track};
use symphonia::core::units::Duration as Ticks;

use super::MAX_PACKET_FRAMES;
use crate::resample::RATES;
use crate::{Error, SAMPLE_RATE};

/// No recording has more. A lying header could claim 65,535, and memory for them.
const MAX_CHANNELS: usize = 64;
/// What programs write that do not know the length yet, as into a pipe, is at least so many bytes:
/// just below 2 GiB, or just below 4.
const NO_LENGTH: u64 = 0x7fff_0000;

/// How it is known where the sound ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The header says how long it is.
    Known(Ticks),
    /// Wherever the file ends.
    Open,
    /// The end is marked, and the reader looks for the mark.
    Marked,
}

/// Makes the decoder of a track, if what its header says can be true.
pub(super) fn decoder(track: &Track) -> Result<(Box<dyn AudioDecoder>, u32), Error> {
    let parameters = audio(track).ok_or_else(|| undecodable("no audio track"))?;
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
pub(super) fn duration(track: &Track, file_len: u64) -> Option<Duration> {
    let parameters = audio(track)?;
    let rate = parameters.sample_rate.filter(|&rate| rate > 0)?;
    let frames = track.num_frames?;
    let most = frame_len(parameters).map_or(u64::MAX, |len| file_len / len);
    Some(Duration::from_secs_f64(frames.min(most) as f64 / f64::from(rate)))
}

/// How it is known where the sound of a track ends.
pub(super) fn extent(format: FormatId, track: &Track) -> Extent {
    let length = track.duration.filter(|length| !length.is_zero());
    let known = |otherwise| length.map_or(otherwise, Extent::Known);
    match format {
        FORMAT_ID_WAVE | FORMAT_ID_AIFF | FORMAT_ID_CAF if claims_no_length(track) => Extent::Open,
        // Where the encoder has not counted the frames, the reader guesses.
        FORMAT_ID_MP3 if track.delay.is_none() => Extent::Open,
        FORMAT_ID_WAVE | FORMAT_ID_AIFF | FORMAT_ID_CAF | FORMAT_ID_FLAC | FORMAT_ID_MP3 => {
            known(Extent::Open)
        }
        FORMAT_ID_ISOMP4 => known(Extent::Marked),
        FORMAT_ID_OGG => Extent::Marked,
        _ => Extent::Open,
    }
}

/// Whether the reader of this format leaves out what fails its checksum, without a word.
pub(super) fn leaves_out(format: FormatId) -> bool {
    matches!(format, FORMAT_ID_FLAC | FORMAT_ID_OGG)
}

pub(super) fn undecodable(what: &str) -> Error {
    Error::Undecodable { what: what.to_owned() }
}

/// Whether the length is one of those that stand for none.
fn claims_no_length(track: &Track) -> bool {
    let (Some(frames), Some(parameters)) = (track.num_frames, audio(track)) else { return true };
    let channels = parameters.channels.as_ref().map_or(1, |channels| channels.count() as u64);
    // Where the size of a sample is not told, it is a float, of 64 bits at most.
    let frame = frame_len(parameters).unwrap_or(8 * channels);
    frames.saturating_mul(frame) >= NO_LENGTH
}

/// Bytes a frame takes in the file, if it is not compressed.
fn frame_len(parameters: &AudioCodecParameters) -> Option<u64> {
    let codecs = symphonia::default::get_codecs();
    let name = codecs.get_audio_decoder(parameters.codec)?.codec.info.short_name;
    let bits = name.starts_with("pcm").then_some(parameters.bits_per_coded_sample?)?;
    let channels = parameters.channels.as_ref()?.count();
    Some((u64::from(bits) * channels as u64 / 8).max(1))
}

fn audio(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref()?.audio()
}
