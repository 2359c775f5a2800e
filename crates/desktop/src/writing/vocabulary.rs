//! The user's words: lists that are read from files, checked, and merged.
//!
//! ```text
//! # one a line
//! Scriven
//! Grace Hopper
//! jay son => JSON
//! ```

use std::collections::HashMap;

use super::phrases::keys;
use super::rules::MAX_WRITTEN;
use super::tokens::tokens;
use crate::Error;

/// Words of one list: as many as the recognizer prefers at most.
pub const MAX_WORDS: usize = 1_000;
/// Length of a word or phrase, in bytes: that of the recognizer's hotwords.
pub const MAX_WORD: usize = 100;
/// Length of a list, in bytes: a file that is longer is another one.
pub const MAX_LIST: usize = 4 * 1024 * 1024;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it is heard; without `written` also as it is spelled.
    pub spoken: String,
    /// What is written in its place; may hold `\n` and `\t`.
    pub written: Option<String>,
}

/// What a list is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One phrase a line, or `spoken => written`, in which `\n`, `\t` and `\\` are escapes.
    #[default]
    Plain,
    /// The phrase, and in the second column, if any, what is written in its place.
    Csv,
    /// The same with tabs.
    Tsv,
}

impl Format {
    /// The format that the end of a file's name stands for.
    pub fn of(file_name: &str) -> Self {
        match file_name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
            Some("csv") => Self::Csv,
            Some("tsv" | "tab") => Self::Tsv,
            _ => Self::Plain,
        }
    }
}

/// The phrases that are to be preferred: those that are written as they are spoken.
pub fn hotwords(entries: &[Entry]) -> Vec<String> {
    let plain = entries.iter().filter(|entry| entry.written.is_none());
    plain.map(|entry| entry.spoken.clone()).collect()
}

/// The phrases that something else is written for.
pub fn replacements(entries: &[Entry]) -> Vec<(String, String)> {
    let pair = |entry: &Entry| Some((entry.spoken.clone(), entry.written.clone()?));
    entries.iter().filter_map(pair).collect()
}

/// Reads a list. A line that is empty or begins with `#` is none; a mark of the byte order, `\r`
/// and the head of a table (`phrase`, `word`, `spoken`) are passed over; of two that are the same
/// but for case, the first is kept.
///
/// # Errors
///
/// [`Error::Vocabulary`] with the first line that cannot be read, or the one that is too many.
pub fn read(list: &str, format: Format) -> Result<Vec<Entry>, Error> {
    if list.len() > MAX_LIST {
        return Err(error(0, "the list is longer than 4 MiB; is this the right file?"));
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut known = HashMap::new();
    let lines = list.lines().map(|line| line.trim_matches(is_margin));
    for (at, line) in lines.enumerate().filter(|(_, line)| !is_comment(line)) {
        let number = at + 1;
        let entry = match format {
            Format::Plain => plain(line),
            Format::Csv => columns(line, ','),
            Format::Tsv => columns(line, '\t'),
        }
        .and_then(check)
        .map_err(|reason| error(number, reason))?;
        if format != Format::Plain && entries.is_empty() && is_head(&entry) {
            continue;
        }
        if known.insert(keys(&tokens(&entry.spoken)), ()).is_none() {
            entries.push(entry);
        }
        if entries.len() > MAX_WORDS {
            return Err(error(number, "this is word 1001; leave out those that are rarely said"));
        }
    }
    Ok(entries)
}

/// Reads a file's bytes as [`read`] does.
///
/// # Errors
///
/// As [`read`], and for what is not UTF-8.
pub fn read_bytes(list: &[u8], format: Format) -> Result<Vec<Entry>, Error> {
    match std::str::from_utf8(list) {
        Ok(list) => read(list, format),
        Err(at) => {
            let number = list[..at.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(error(number, "this is not UTF-8; save the list in that encoding"))
        }
    }
}

/// `known`, and behind it what is new, in the order of `new`. What is in both stays where it was
/// and is written as the new list says.
///
/// # Errors
///
/// [`Error::Vocabulary`] if there are too many, with the line 0.
pub fn merge(known: &[Entry], new: &[Entry]) -> Result<Vec<Entry>, Error> {
    let mut merged: Vec<Entry> = Vec::new();
    let mut places = HashMap::new();
    for entry in known.iter().chain(new) {
        let place = *places.entry(keys(&tokens(&entry.spoken))).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(old) => *old = entry.clone(),
            None => merged.push(entry.clone()),
        }
    }
    if merged.len() > MAX_WORDS {
        return Err(error(0, "together there are more than 1000 words; leave some out"));
    }
    Ok(merged)
}

/// The list as a file in [`Format::Plain`], which [`read`] gives back.
pub fn write(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match &entry.written {
        Some(written) => format!("{} => {}\n", entry.spoken, escape(written)),
        None => format!("{}\n", entry.spoken),
    };
    entries.iter().map(line).collect()
}

/// What is passed over at both ends of a line, and of a column: [`write`] has no quotation marks to keep
/// it in.
fn is_margin(sign: char) -> bool {
    sign.is_whitespace() || sign == '\u{feff}'
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// Whether this is the first line of a table, which names its columns.
fn is_head(entry: &Entry) -> bool {
    let name = entry.spoken.to_lowercase();
    let columns = ["phrase", "word", "term", "spoken", "written", "replacement"];
    let is_name = |text: &str| columns.contains(&text.to_lowercase().as_str());
    is_name(&name) && entry.written.as_deref().is_none_or(is_name)
}

fn plain(line: &str) -> Result<Entry, &'static str> {
    match line.split_once("=>") {
        Some((spoken, written)) => {
            Ok(Entry { spoken: spoken.trim().into(), written: Some(unescape(written.trim())?) })
        }
        None => Ok(Entry { spoken: line.into(), written: None }),
    }
}

/// The first two columns of a table's line. Quoted ones may hold the separator, and `""` for `"`
/// (RFC 4180).
fn columns(line: &str, separator: char) -> Result<Entry, &'static str> {
    let mut columns = vec![String::new()];
    let mut signs = line.chars().peekable();
    let (mut is_quoted, mut at_start) = (false, true);
    while let Some(sign) = signs.next() {
        let column = columns.last_mut().ok_or("there is no column")?;
        match sign {
            '"' if is_quoted && signs.next_if_eq(&'"').is_some() => column.push('"'),
            '"' if is_quoted || at_start => is_quoted = !is_quoted,
            _ if sign == separator && !is_quoted => columns.push(String::new()),
            _ => column.push(sign),
        }
        at_start = sign == separator && !is_quoted || at_start && sign == ' ';
    }
    if is_quoted {
        return Err("a quotation mark is not closed; a phrase ends on its line");
    }
    let mut columns = columns.into_iter().map(|column| column.trim_matches(is_margin).to_owned());
    let spoken = columns.next().unwrap_or_default();
    let written = columns.next().filter(|written| !written.is_empty());
    Ok(Entry { spoken, written: written.map(|written| unescape(&written)).transpose()? })
}

fn check(entry: Entry) -> Result<Entry, &'static str> {
    let Entry { spoken, written } = &entry;
    if spoken.len() > MAX_WORD {
        return Err("the phrase is longer than 100 bytes; take its last words apart");
    }
    if spoken.chars().any(char::is_control) {
        return Err("the phrase holds a control character; is this the right format?");
    }
    if spoken.contains("=>") || spoken.starts_with('#') {
        return Err("a phrase has no => in it and no # in front");
    }
    if keys(&tokens(spoken)).is_empty() {
        return Err("there is no word in front");
    }
    let written = written.as_deref().unwrap_or_default();
    if written.len() > MAX_WRITTEN {
        return Err("what is written is longer than 2000 bytes");
    }
    if written.chars().any(|sign| sign.is_control() && !matches!(sign, '\n' | '\t')) {
        return Err("what is written holds a control character; only \\n and \\t are typed");
    }
    Ok(entry)
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut plain = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        plain.push(match sign {
            '\\' => match signs.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('s') => ' ',
                Some('\\') => '\\',
                _ => return Err("behind a \\ stands n, t, s or another \\"),
            },
            other => other,
        });
    }
    Ok(plain)
}

/// Spaces at the ends are escaped as well, since those of a line are no part of it.
fn escape(text: &str) -> String {
    let (begin, end) = (text.len() - text.trim_start().len(), text.trim_end().len().max(1));
    let sign = |(at, sign): (usize, char)| match sign {
        '\n' => "\\n".into(),
        '\t' => "\\t".into(),
        '\\' => "\\\\".into(),
        ' ' if at < begin || at >= end => "\\s".into(),
        other => other.to_string(),
    };
    text.char_indices().map(sign).collect::<String>()
}

fn error(line: usize, reason: &'static str) -> Error {
    Error::Vocabulary { line, reason }
}

#[cfg(test)]
mod tests;
