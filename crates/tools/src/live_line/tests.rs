use super::*;

/// As much of a terminal as the line needs: wrapping with a pending wrap, scrolling, a few escapes.
struct Terminal {
    size: Size,
    /// Every row ever begun, with the style of each cell; the last `size.rows` are on the screen.
    rows: Vec<Vec<(char, bool)>>,
    row: usize,
    column: usize,
    dim: bool,
}

impl Terminal {
    fn new(columns: usize, rows: usize) -> Self {
        let size = Size { columns, rows };
        Self { size, rows: vec![Vec::new()], row: 0, column: 0, dim: false }
    }

    fn write(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.next_row(),
                '\x1b' => {
                    let mut sequence = String::new();
                    while !sequence.ends_with(|c: char| c.is_ascii_alphabetic()) {
                        sequence.extend(chars.next().filter(|&c| c != '['));
                    }
                    self.escape(&sequence);
                }
                c => self.put(c),
            }
        }
    }

    fn escape(&mut self, sequence: &str) {
        match sequence {
            "J" => {
                self.rows.truncate(self.row + 1);
                self.rows[self.row].truncate(self.column);
            }
            "2m" => self.dim = true,
            "0m" => self.dim = false,
            up => {
                let n: usize = up.strip_suffix('A').unwrap().parse().unwrap();
                let top = self.rows.len().saturating_sub(self.size.rows);
                self.row = self.row.saturating_sub(n).max(top);
            }
        }
    }

    fn put(&mut self, c: char) {
        let width = c.width().unwrap();
        if self.column + width > self.size.columns {
            self.next_row();
        }
        self.rows[self.row].truncate(self.column);
        self.rows[self.row].push((c, self.dim));
        // The second cell of a wide character.
        self.rows[self.row].extend(std::iter::repeat_n(('\0', self.dim), width - 1));
        self.column += width;
    }

    fn next_row(&mut self) {
        (self.row, self.column) = (self.row + 1, 0);
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    /// All rows, also those scrolled off; dim text in brackets.
    fn text(&self) -> String {
        let mut text = String::new();
        let mut dim = false;
        for &(c, c_dim) in self.rows.iter().flatten().filter(|&&(c, _)| c != '\0') {
            match (dim, c_dim) {
                (false, true) => text.push('['),
                (true, false) => text.push(']'),
                _ => (),
            }
            dim = c_dim;
            text.push(c);
        }
        if dim { text + "]" } else { text }
    }
}

/// Shows the pairs one after the other and checks the screen after each.
fn check(columns: usize, rows: usize, updates: &[(&str, &str)]) {
    let mut terminal = Terminal::new(columns, rows);
    let mut line = LiveLine::new(true);
    for (committed, tentative) in updates {
        terminal.write(&line.show(committed, tentative, terminal.size));
        let tail = if tentative.is_empty() { String::new() } else { format!("[{tentative}]") };
        assert_eq!(terminal.text(), format!("{committed}{tail}"));
    }
}

#[test]
fn tentative_text_is_dim_and_replaced() {
    check(80, 24, &[("", "a cat"), ("", "a card"), ("a ", "car"), ("a car", ""), ("a car", " is")]);
}

#[test]
fn a_line_that_wraps_is_rewritten_whole() {
    check(10, 24, &[("", "0123456789"), ("", "0123456789abcdef"), ("0123", "x"), ("0123x", "")]);
    check(10, 24, &[("", "0123456789012345678901234"), ("012345678", ""), ("012345678", "9")]);
}

#[test]
fn wide_characters_wrap_as_on_a_terminal() {
    check(5, 24, &[("", "日本語日本語"), ("日本", "誤"), ("日本語", "日本語x"), ("日本語日", "")]);
}

#[test]
fn random_speech_never_garbles_the_screen() {
    let words = ["one ", "two ", "three ", "seventeen ", "日本 ", "naïve "];
    for (seed, columns) in (0..60u64).zip((4..40).cycle()) {
        let mut random = seed * 2 + 1;
        let mut next = |n: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % n
        };
        let mut terminal = Terminal::new(columns, 24);
        let mut line = LiveLine::new(true);
        let mut committed = String::new();
        for _ in 0..40 {
            (0..next(3)).for_each(|_| committed.push_str(words[next(words.len())]));
            let tentative: String = (0..next(5)).map(|_| words[next(words.len())]).collect();
            terminal.write(&line.show(&committed, &tentative, terminal.size));
            let tail = if tentative.is_empty() { String::new() } else { format!("[{tentative}]") };
            assert_eq!(terminal.text(), format!("{committed}{tail}"), "{columns} columns");
        }
        terminal.write(&line.finish(&committed, terminal.size));
        assert_eq!(terminal.text(), committed.trim());
    }
}

#[test]
fn tentative_text_longer_than_the_screen_shows_its_end() {
    let mut terminal = Terminal::new(10, 4);
    let mut line = LiveLine::new(true);
    let long = "0123456789".repeat(20);
    terminal.write(&line.show("a ", &long, terminal.size));
    let shown = terminal.text();
    assert!(shown.starts_with("a […") && shown.ends_with("789]"), "{shown}");
    assert!(terminal.rows.len() < 4);
    terminal.write(&line.finish(&format!("a {long}"), terminal.size));
    assert_eq!(terminal.text(), format!("a {long}"));
}

#[test]
fn clearing_leaves_an_empty_line_at_the_start_of_the_text() {
    let mut terminal = Terminal::new(10, 24);
    let mut line = LiveLine::new(true);
    terminal.write(&line.show("", "one two three four five", terminal.size));
    terminal.write(&line.clear(terminal.size));
    assert_eq!((terminal.text().as_str(), terminal.row, terminal.column), ("", 0, 0));
}

#[test]
fn a_finished_line_ends_and_an_empty_one_leaves_nothing() {
    let size = Size { columns: 80, rows: 24 };
    let mut line = LiveLine::new(true);
    assert_eq!(line.finish(" one ", size), "one\n");
    assert_eq!(line.finish("", size), "");
}

#[test]
fn text_cannot_send_escape_sequences() {
    let size = Size { columns: 80, rows: 24 };
    assert_eq!(LiveLine::new(false).show("a\x1b[2Jb\n", "", size), "a [2Jb ");
}

#[test]
fn without_style_no_escape_is_needed_to_append() {
    let size = Size { columns: 80, rows: 24 };
    let mut line = LiveLine::new(false);
    line.show("one", " two", size);
    assert_eq!(line.show("one two", " three", size), " three");
}

#[test]
fn a_window_of_another_width_gets_the_whole_line_anew() {
    let mut line = LiveLine::new(false);
    line.show("one two", " three", Size { columns: 10, rows: 24 });
    let narrow = Size { columns: 5, rows: 24 };
    assert_eq!(line.show("one two", " four", narrow), "\none two four");
    assert_eq!(line.finish("one two four", narrow), "\n");
}
