//! Transcripts as files: plain text, SubRip and WebVTT.

use serde::Serialize;

use crate::terminal::plain;

/// A piece of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Segment {
    /// Seconds from the start of the recording.
    pub(crate) start: f64,
    /// Seconds from the start of the recording, not before `start`.
    pub(crate) end: f64,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<Word>,
}

/// A word of a piece, and when it was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Seconds from the start of the recording.
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) probability: f64,
}

/// What a WebVTT file begins with.
pub(crate) const VTT_HEADER: &str = "WEBVTT\n\n";

/// One SubRip cue; `number` counts from 1.
pub(crate) fn srt_cue(number: usize, segment: &Segment) -> String {
    let (start, end) = (clock(segment.start, ','), clock(segment.end, ','));
    format!("{number}\n{start} --> {end}\n{}\n\n", plain(&segment.text))
}

/// One WebVTT cue.
pub(crate) fn vtt_cue(segment: &Segment) -> String {
    let (start, end) = (clock(segment.start, '.'), clock(segment.end, '.'));
    // Cue text is markup.
    let text = plain(&segment.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("{start} --> {end}\n{text}\n\n")
}

/// `HH:MM:SS`, the mark, milliseconds. Hours are always there: SubRip demands them.
fn clock(seconds: f64, mark: char) -> String {
    let ms = (seconds.max(0.0) * 1000.0).round() as u64;
    let (s, m, h) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    format!("{h:02}:{m:02}:{s:02}{mark}{:03}", ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start: f64, end: f64, text: &str) -> Segment {
        Segment { start, end, text: text.into(), confidence: None, words: vec![] }
    }

    #[test]
    fn a_subrip_cue_is_number_times_and_text() {
        assert_eq!(
            srt_cue(3, &segment(1.5, 3723.0456, "Ask not.")),
            "3\n00:00:01,500 --> 01:02:03,046\nAsk not.\n\n"
        );
    }

    #[test]
    fn a_webvtt_cue_has_a_point_and_escapes_markup() {
        assert_eq!(
            vtt_cue(&segment(0.0, 59.9996, "a < b --> c & d")),
            "00:00:00.000 --> 00:01:00.000\na &lt; b --&gt; c &amp; d\n\n"
        );
    }

    #[test]
    fn a_line_break_in_the_text_does_not_end_the_cue() {
        assert!(srt_cue(1, &segment(0.0, 1.0, "a\n\nb")).ends_with("\na  b\n\n"));
    }

    #[test]
    fn more_than_a_hundred_hours_are_written_out() {
        assert_eq!(clock(360_000.0, ','), "100:00:00,000");
    }
}
