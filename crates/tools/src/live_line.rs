//! One line of text that is rewritten in place while it is being spoken.
//!
//! The terminal wraps the line by itself, so a finished line is one line when it is copied or the
//! window changes its width. Only the rows from the first change on are painted again. Rows that
//! have scrolled off cannot be, therefore the tentative text, the only text that changes, is cut
//! in front when it would fill the screen.
//!
//! When the window changes its width in the middle, the line is begun anew below: terminals differ
//! in what they do with the old one, and some tell us late, so no row of it can be trusted.
//!
//! Pure: text in, what to write to the terminal out.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::terminal::plain;

const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";
const ERASE_BELOW: &str = "\x1b[J";
/// Stands for tentative text that does not fit on the screen.
const ELLIPSIS: char = '…';

/// Size of a terminal in cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// The line on which the cursor stands; it begins in the first column.
#[derive(Debug, Default)]
pub(crate) struct LiveLine {
    /// Whether tentative text is dim.
    styled: bool,
    /// What stands on the terminal.
    shown: String,
    /// How many bytes of `shown` are committed.
    committed: usize,
    /// Columns of the terminal when `shown` was painted.
    columns: usize,
}

impl LiveLine {
    pub(crate) fn new(styled: bool) -> Self {
        Self { styled, ..Self::default() }
    }

    /// Shows committed text and, behind it, tentative text.
    pub(crate) fn show(&mut self, committed: &str, tentative: &str, size: Size) -> String {
        let committed = plain(committed);
        let tail = fitting_tail(&plain(tentative), size);
        self.repaint(format!("{committed}{tail}"), committed.len(), size)
    }

    /// Shows the final text and ends the line. An empty text leaves no line.
    pub(crate) fn finish(&mut self, text: &str, size: Size) -> String {
        let text = plain(text.trim());
        let committed = text.len();
        let painted = self.repaint(text, committed, size);
        painted + self.leave()
    }

    /// Removes the line.
    pub(crate) fn clear(&mut self, size: Size) -> String {
        self.repaint(String::new(), 0, size)
    }

    /// Ends the line as it stands.
    pub(crate) fn leave(&mut self) -> &'static str {
        let end = if self.shown.is_empty() { "" } else { "\n" };
        self.shown.clear();
        self.committed = 0;
        end
    }

    fn repaint(&mut self, text: String, committed: usize, size: Size) -> String {
        let mut out = String::new();
        if self.columns != size.columns {
            out.push_str(self.leave());
        }
        let unchanged = self.unchanged(&text, committed);
        let mut from = unchanged;
        if unchanged < self.shown.len() {
            let bottom = last_row(&self.shown, size.columns);
            // Not the row of what has changed: a narrow character may now fit where a wide one
            // did not.
            let top = last_row(&self.shown[..unchanged], size.columns);
            let up = (bottom - top).min(size.rows - 1);
            from = row_start(&text, bottom - up, size.columns);
            out.push('\r');
            if up > 0 {
                out.push_str(&format!("\x1b[{up}A"));
            }
            out.push_str(ERASE_BELOW);
        }
        let (normal, dim) = text[from..].split_at(committed.saturating_sub(from));
        out.push_str(normal);
        if self.styled && !dim.is_empty() {
            out.push_str(&format!("{DIM}{dim}{RESET}"));
        } else {
            out.push_str(dim);
        }
        (self.shown, self.committed, self.columns) = (text, committed, size.columns);
        out
    }

    /// How many bytes in front look the same in `text` as they do on the terminal.
    fn unchanged(&self, text: &str, committed: usize) -> usize {
        let same: usize = (self.shown.chars().zip(text.chars()))
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        match self.styled && committed != self.committed {
            true => same.min(committed).min(self.committed),
            false => same,
        }
    }
}

/// The end of `tentative` that, with the row it begins in, leaves a row of the screen free.
fn fitting_tail(tentative: &str, size: Size) -> String {
    let cells = size.rows.saturating_sub(2).max(1) * size.columns;
    if tentative.width() <= cells {
        return tentative.to_owned();
    }
    let mut width = 1;
    let fits = |c: &char| {
        width += c.width().unwrap_or(0);
        // A wide character may leave the last cell of each row empty.
        width + size.rows <= cells
    };
    let tail: Vec<char> = tentative.chars().rev().take_while(fits).collect();
    std::iter::once(ELLIPSIS).chain(tail.into_iter().rev()).collect()
}

/// The row in which a text ends.
fn last_row(text: &str, columns: usize) -> usize {
    rows(text, columns).last().map_or(0, |(_, row)| row)
}

/// The byte at which a row begins, or the end of the text if it has no such row.
fn row_start(text: &str, row: usize, columns: usize) -> usize {
    rows(text, columns).find(|&(_, at)| at >= row).map_or(text.len(), |(byte, _)| byte)
}

/// Each character's byte and row, as a terminal wraps them.
fn rows(text: &str, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    let (mut row, mut column) = (0, 0);
    text.char_indices().map(move |(byte, c)| {
        let width = c.width().unwrap_or(0);
        if column + width > columns {
            (row, column) = (row + 1, 0);
        }
        column += width;
        (byte, row)
    })
}

#[cfg(test)]
mod tests;
