//! Inputs in short: a model of hundreds of kilobytes, most of them alike, as a few kilobytes that the
//! fuzzer can change.

/// What stands in front of an instruction: two bytes that UTF-8 never has.
const MARK: [u8; 2] = [0xc0, 0xc1];
/// The number behind the mark that ends a file of several.
const END_OF_FILE: u8 = 0;
/// Bytes that all files of an input may have together.
const ROOM: usize = 2 << 20;
/// Lengths of what is repeated in the models: a zero, a float, a block of `q8_0`.
const PERIODS: [usize; 3] = [1, 4, 34];
/// Fewer bytes than this are not worth an instruction.
const WORTH: usize = 12;

/// Writes out an input: behind the mark a length `n` and a `u16` say how often the last `n` bytes are
/// repeated; no length begins another file.
pub fn expand(mut input: &[u8]) -> Vec<Vec<u8>> {
    let (mut files, mut file, mut room) = (Vec::new(), Vec::new(), ROOM);
    while let Some((&byte, rest)) = input.split_first() {
        match input {
            [a, b, END_OF_FILE, rest @ ..] if [*a, *b] == MARK => {
                files.push(std::mem::take(&mut file));
                input = rest;
            }
            [a, b, period, low, high, rest @ ..] if [*a, *b] == MARK => {
                let times = usize::from(u16::from_le_bytes([*low, *high]));
                let from = file.len().saturating_sub(usize::from(*period));
                let repeated = file[from..].repeat(times);
                let repeated = &repeated[..repeated.len().min(room)];
                room -= repeated.len();
                file.extend_from_slice(repeated);
                input = rest;
            }
            _ => {
                file.push(byte);
                input = rest;
            }
        }
    }
    files.push(file);
    files
}

/// The input that [`expand`] makes these files of.
pub fn shorten(files: &[Vec<u8>]) -> Vec<u8> {
    let files: Vec<Vec<u8>> = files.iter().map(|file| shorten_one(file)).collect();
    files.join(&[MARK[0], MARK[1], END_OF_FILE][..])
}

fn shorten_one(file: &[u8]) -> Vec<u8> {
    let (mut short, mut at) = (Vec::new(), 0);
    while at < file.len() {
        let repeats = |&period: &usize| {
            let last = &file[at.checked_sub(period)?..at];
            let times = file[at..].chunks_exact(period).take_while(|next| *next == last).count();
            Some((period, times.min(usize::from(u16::MAX))))
        };
        let best = PERIODS.iter().filter_map(repeats).max_by_key(|(period, times)| period * times);
        match best {
            Some((period, times)) if period * times >= WORTH => {
                short.extend(MARK);
                short.push(period as u8);
                short.extend((times as u16).to_le_bytes());
                at += period * times;
            }
            _ => {
                short.push(file[at]);
                at += 1;
            }
        }
    }
    short
}
