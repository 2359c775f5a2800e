//! The text through a program of the user, which may write another one: spelling, style, a
//! language model.
//!
//! No shell stands between: a program and its arguments. The text goes in by standard input and
//! comes out by standard output, and is nowhere else to be seen. Whatever goes wrong, the text
//! stays as it was.

use std::ffi::OsString;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Error;

/// How long a program may take, unless the user says otherwise: longer, and somebody who waits for
/// the words thinks that they are lost.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(2);
/// The longest text that is taken from a program, in bytes: some forty pages.
pub const MAX_OUTPUT: usize = 128 * 1024;

/// How often it is seen whether the program has ended: nothing wakes us up for that.
const SLICE: Duration = Duration::from_millis(10);
/// The same once its output has ended, since it is about to end itself.
const LAST_SLICE: Duration = Duration::from_millis(1);
/// How long a killed process may take to be gone; one that hangs in the kernel is left behind.
const DEATH: Duration = Duration::from_millis(200);

/// A program that texts go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    program: OsString,
    arguments: Vec<OsString>,
    limit: Duration,
}

/// What came out.
pub struct Piped {
    /// The program's text; the original where there is a `problem`.
    pub text: String,
    /// Why the original stands.
    pub problem: Option<Error>,
}

/// Without the text: what was said is in no log.
impl fmt::Debug for Piped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piped").field("problem", &self.problem).finish_non_exhaustive()
    }
}

impl Hook {
    /// A program, found as a shell finds it, and its arguments.
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
        limit: Duration,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments, limit }
    }

    /// Gives `text` to the program and takes what it writes. Returns within the limit and some
    /// tenths of a second.
    ///
    /// Spaces and lines around the text are kept back, as is a line end that the program adds.
    pub fn pipe(&self, text: &str) -> Piped {
        let core = text.trim();
        if core.is_empty() {
            return Piped { text: text.into(), problem: None };
        }
        match self.run(core) {
            Ok(output) => {
                let begin = text.len() - text.trim_start().len();
                let end = text.trim_end().len();
                Piped { text: [&text[..begin], &output, &text[end..]].concat(), problem: None }
            }
            Err(reason) => {
                let program = self.program.to_string_lossy().into_owned();
                Piped { text: text.into(), problem: Some(Error::Hook { program, reason }) }
            }
        }
    }

    fn run(&self, text: &str) -> Result<String, String> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a program complains of may be the text.
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("it does not start: {error}"))?;
        let result = Talk::new(&mut child, text, self.limit).and_then(Talk::listen).and_then(read);
        if result.is_err() {
            end(&mut child);
        }
        result
    }
}

/// The text that a program has written.
fn read(output: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(output).map_err(|_| "what it writes is not UTF-8".to_owned())?;
    if text.trim().is_empty() {
        return Err("it writes nothing".into());
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.chars().filter(|sign| !sign.is_control() || matches!(sign, '\n' | '\t')).collect())
}

/// Kills the process with all that it has started, and waits for its end.
fn end(child: &mut Child) {
    // It may have ended by itself, with nobody left in its group.
    let _gone = kill_process_group(Pid::from_child(child), Signal::KILL);
    let deadline = Instant::now() + DEATH;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        thread::sleep(LAST_SLICE);
    }
}

/// A program that runs.
struct Talk<'a> {
    child: &'a mut Child,
    /// Open until all has been written.
    stdin: Option<ChildStdin>,
    /// Open until all has been read.
    stdout: Option<ChildStdout>,
    to_write: &'a [u8],
    output: Vec<u8>,
    deadline: Instant,
    limit: Duration,
}

impl<'a> Talk<'a> {
    fn new(child: &'a mut Child, text: &'a str, limit: Duration) -> Result<Self, String> {
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let ends = [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd)];
        for end in ends.into_iter().flatten() {
            ioctl_fionbio(end, true).map_err(|error| error.to_string())?;
        }
        let deadline = Instant::now() + limit;
        let to_write = text.as_bytes();
        Ok(Self { child, stdin, stdout, to_write, output: Vec::new(), deadline, limit })
    }

    /// Writes and reads until the program has ended. What it has started and left behind is its
    /// own affair, also where that keeps the pipe open.
    fn listen(mut self) -> Result<Vec<u8>, String> {
        loop {
            self.write();
            let status = self.child.try_wait().map_err(|error| error.to_string())?;
            // In this order: what was written before the end is read after it is seen.
            self.read()?;
            if let Some(status) = status {
                return check(status).map(|()| self.output);
            }
            if Instant::now() >= self.deadline {
                return Err(format!("it has not ended within {} ms", self.limit.as_millis()));
            }
            self.wait();
        }
    }

    /// Writes what the pipe takes. A program need not read.
    fn write(&mut self) {
        while let Some(stdin) = &mut self.stdin {
            match stdin.write(self.to_write) {
                Ok(written) if written < self.to_write.len() => {
                    self.to_write = &self.to_write[written..];
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.stdin = None,
            }
        }
    }

    /// Reads what there is.
    fn read(&mut self) -> Result<(), String> {
        let mut block = [0; 8192];
        while let Some(stdout) = &mut self.stdout {
            match stdout.read(&mut block) {
                Ok(0) => self.stdout = None,
                Ok(n) => self.output.extend_from_slice(&block[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
            if self.output.len() > MAX_OUTPUT {
                return Err(format!("it writes more than {} KiB", MAX_OUTPUT / 1024));
            }
        }
        Ok(())
    }

    /// Waits until there is something to read or to write, for a slice of the time at most.
    fn wait(&self) {
        let slice = if self.stdout.is_some() { SLICE } else { LAST_SLICE };
        let left = self.deadline.saturating_duration_since(Instant::now()).min(slice);
        let mut fds = Vec::with_capacity(2);
        fds.extend(self.stdin.as_ref().map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
        fds.extend(self.stdout.as_ref().map(|stdout| PollFd::new(stdout, PollFlags::IN)));
        let left = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        if poll(&mut fds, Some(&left)).is_err() {
            thread::sleep(LAST_SLICE);
        }
    }
}

fn check(status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
}
