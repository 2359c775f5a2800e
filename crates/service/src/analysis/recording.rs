//! A whole recording → one piece of work: its columns, and which of them have speech in them.

use std::ops::Range;

use scriven_audio::segment::{Piece, Segmenter};
use scriven_audio::{self as audio, Progress, SAMPLE_RATE, Spectrogram};

use super::{Analysis, Heard, TICK};
use crate::error::Error;
use crate::parts;
use crate::pipeline::{HOP_LENGTH, Recording, Report, Work};

/// Longer recordings would take too much memory at once: 4 h are 460 MB of columns.
const MAX_RECORDING: u64 = 4 * 3600 * SAMPLE_RATE as u64;

impl Analysis {
    /// Reads a whole recording and hands it on in one piece.
    pub(super) fn recording(&mut self, mut file: Box<dyn parts::Input>) -> Heard {
        self.opened(&*file);
        let Some(model) = self.turn() else { return Ok(false) };
        let mut spectrogram = Spectrogram::new(model.n_mels());
        let mut segmenter = Segmenter::new(&self.job.segments, self.second_opinion.take());
        let (mut samples, mut columns) = (Vec::new(), Vec::new());
        let mut voiced = Voiced::default();
        while self.control.try_recv().is_err() {
            samples.clear();
            let progress = match file.read(&mut samples) {
                Err(error @ audio::Error::CutShort { .. }) => {
                    self.report(Report::Broken(Error::file(&error)));
                    Progress::Ended
                }
                read => read.map_err(|error| Error::file(&error))?,
            };
            self.count(samples.len());
            spectrogram.push(&samples, |column| columns.extend_from_slice(column));
            segmenter.push(&samples, |piece| voiced.take(&piece));
            if self.taken > MAX_RECORDING {
                let message = "the recording is longer than 4 hours; cut it into parts";
                return Err(Error::InvalidFile(message.into()));
            }
            match progress {
                Progress::Samples(_) => {}
                Progress::Waiting => std::thread::sleep(TICK),
                Progress::Ended => {
                    spectrogram.finish(|column| columns.extend_from_slice(column));
                    segmenter.finish(|piece| voiced.take(&piece));
                    self.tell_flaw(&*file);
                    self.report(Report::Closed);
                    let (job, voiced) = (self.job.clone(), voiced.ranges);
                    let recording = Box::new(Recording { job, model, columns, voiced });
                    self.outlet.send(Work::Recording(recording));
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Tells what of a recording has become silence, when all of it has been read.
    pub(super) fn tell_flaw(&self, file: &dyn parts::Input) {
        if let Some(flaw) = file.flaw() {
            self.report(Report::Warned(Error::file(&flaw)));
        }
    }
}

/// Utterances → ranges of columns.
#[derive(Default)]
struct Voiced {
    start: usize,
    ranges: Vec<Range<usize>>,
}

impl Voiced {
    fn take(&mut self, piece: &Piece) {
        match *piece {
            Piece::Start { at } => self.start = (at / HOP_LENGTH) as usize,
            Piece::End { at } => self.ranges.push(self.start..at.div_ceil(HOP_LENGTH) as usize),
            _ => {}
        }
    }
}
