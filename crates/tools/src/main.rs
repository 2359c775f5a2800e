//! `scriven`: dictation from the command line.
//!
//! A pure client of the bus. It knows the daemon only by the interfaces in `docs/dbus`, shares no
//! code with it, and any other program could do what it does.
//!
//! One command is one file in [`commands`]. What is shown is made by pure functions ([`live_line`],
//! [`subtitles`], [`event_log`]) and written by the commands.

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

mod bus;
mod cli;
mod commands;
mod error;
mod event;
mod event_log;
mod interrupt;
mod live_line;
mod proxy;
mod subtitles;
mod terminal;

/// How a command ended when nothing is wrong with the program: see EXIT STATUS in `cli`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Success,
    /// Not done, and the reason has been printed.
    Failure,
    /// Ended by Ctrl-C before it was done.
    Interrupted,
}

/// Runs the command; an error becomes one line on stderr that ends with what to do about it.
fn main() -> ExitCode {
    let command = Cli::parse().command;
    match zbus::block_on(run(command)) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Failure) => ExitCode::FAILURE,
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        // The reader of our output has seen enough: `scriven listen | head -1`.
        Err(error) if terminal::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::note(&error::explain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Start(options) => commands::session::start(&options).await,
        Command::Stop => commands::session::stop().await,
        Command::Toggle(options) => commands::session::toggle(&options).await,
        Command::Press { action, options } => commands::session::press(&action, &options).await,
        Command::Release { action } => commands::session::release(&action).await,
        Command::Cancel => commands::session::cancel().await,
        Command::Redeliver { id } => commands::history::redeliver(id).await,
        Command::History(args) => commands::history::history(&args).await,
        Command::Undo => commands::history::undo().await,
        Command::Insert { text } => commands::history::insert(text).await,
        Command::Permit { forget } => commands::history::permit(forget).await,
        Command::Listen(args) => commands::listen::listen(args).await,
        Command::Transcribe(args) => commands::transcribe::transcribe(args).await,
        Command::Status(args) => commands::status::status(&args).await,
        Command::Sources { json } => commands::sources::sources(json).await,
        Command::Model(command) => commands::model::model(command).await,
        Command::Doctor { json } => commands::doctor::doctor(json).await,
        Command::Completions { shell } => commands::generate::completions(shell),
        Command::Man { dir } => commands::generate::man(&dir),
    }
}
