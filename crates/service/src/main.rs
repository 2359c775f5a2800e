//! scrivend: arguments, logging, signals. All else is in the library.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use futures_lite::future;
use scriven_service::config::{Config, Folders};
use scriven_service::parts::Parts;
use tracing_subscriber::EnvFilter;
use zruntime::SharedRuntime;
use zruntime::signal::{Signal, Signals};

/// Dictation daemon: speech to text on the session bus, as org.scriven.Dictation1.
///
/// Usually started by the bus or by systemd. Use the program `scriven` to talk to it.
#[derive(Parser)]
#[command(name = "scrivend", version)]
struct Arguments {
    /// Configuration file [default: ~/.config/scriven/config.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the models, in place of the configured one
    #[arg(long, value_name = "FOLDER")]
    model_dir: Option<PathBuf>,
    /// What to log, in the words of RUST_LOG: error, warn, info, debug, …
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

fn main() -> ExitCode {
    share_memory();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not to the log, which may be off. Nobody reads what cannot be written.
            drop(writeln!(std::io::stderr(), "scrivend: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Has all threads allocate from the same memory. With an arena each, as glibc has it, what loading a
/// model leaves free is of no use to the thread that recognizes: 8 MB with tiny.en, for no time won,
/// as only one thread allocates much.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "one call, before there is a second thread")]
fn share_memory() {
    // SAFETY: sets a number in the allocator. A refusal leaves it as it was.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

#[cfg(not(target_env = "gnu"))]
fn share_memory() {}

fn run(arguments: Arguments) -> Result<()> {
    // Until the configuration is read, whatever goes wrong is worth a line.
    let folders = Folders::of_user().context("there is no home folder; set HOME");
    let config = folders.and_then(|folders| {
        let path = arguments.config.as_ref().unwrap_or(&folders.config);
        Ok((Config::read(path)?, folders))
    });
    let log = match (&arguments.log, &config) {
        (Some(log), _) => log.clone(),
        (None, Ok((config, _))) => std::env::var("RUST_LOG").unwrap_or(config.log.clone()),
        (None, Err(_)) => "info".into(),
    };
    start_log(&log);
    scriven_service::end_on_panic();
    let (mut config, folders) = config?;
    if let Some(folder) = arguments.model_dir {
        config.models = std::path::absolute(folder)?;
    }
    zbus::block_on(async {
        let (stop_tx, stop) = async_channel::bounded(2);
        let bus = zbus::connection::Builder::session();
        let daemon = scriven_service::run(config, folders, Parts::real(), bus, stop);
        let signals = async {
            let runtime = SharedRuntime::current()?;
            let mut signals = Signals::new(&runtime, [Signal::Terminate, Signal::Interrupt])?;
            loop {
                let signal = signals.recv().await?;
                tracing::info!(?signal, "asked to end");
                let _ = stop_tx.send(()).await;
            }
        };
        future::or(daemon, signals).await
    })
}

/// The journal knows time and unit; a terminal does not.
fn start_log(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match std::env::var_os("JOURNAL_STREAM") {
        Some(_) => log.without_time().init(),
        None => log.init(),
    }
}
