//! What we write to: a terminal or not, how large, and whether it may be colored.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use serde_json::Value;

use crate::live_line::Size;

/// Whether lines on stdout can be rewritten in place.
pub(crate) fn stdout_rewritable() -> bool {
    io::stdout().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether stdout may carry colors: a terminal, and NO_COLOR is not set.
pub(crate) fn stdout_styled() -> bool {
    stdout_rewritable() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The size of the terminal on stdout, now.
pub(crate) fn size() -> Size {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
        }
        // A terminal that does not know its size, as over a serial line.
        _ => Size { columns: 80, rows: 24 },
    }
}

/// While it lives the terminal on stdout does not show Ctrl-C as `^C`, which would stand in the
/// middle of a line that is being rewritten.
pub(crate) struct NoControlEcho(Option<Termios>);

impl NoControlEcho {
    pub(crate) fn new() -> Self {
        let before = tcgetattr(io::stdout()).ok().filter(|_| in_foreground());
        if let Some(before) = &before {
            let mut modes = before.clone();
            modes.local_modes.remove(LocalModes::ECHOCTL);
            tcsetattr(io::stdout(), OptionalActions::Now, &modes).ok();
        }
        Self(before)
    }
}

impl Drop for NoControlEcho {
    fn drop(&mut self) {
        if let Some(before) = self.0.take().filter(|_| in_foreground()) {
            tcsetattr(io::stdout(), OptionalActions::Now, &before).ok();
        }
    }
}

/// Whether the terminal is ours to set: a job in the background would be stopped for trying.
fn in_foreground() -> bool {
    tcgetpgrp(io::stdout()).is_ok_and(|group| group == getpgrp())
}

/// Writes to stdout at once: whoever reads it waits for it.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one line of JSON to stdout at once.
pub(crate) fn write_json(value: &Value) -> io::Result<()> {
    write(&format!("{value}\n"))
}

/// Whether writing our own output failed because its reader has gone.
///
/// A broken bus connection is none of this: it arrives inside a `zbus::Error`.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says something beside the output, on stderr.
pub(crate) fn note(text: &str) {
    // With stderr closed there is nobody left to tell.
    writeln!(io::stderr(), "scriven: {text}").ok();
}

/// Replaces what would move the cursor or break a line.
///
/// Text comes from a model and from files; neither may send escape sequences to a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
