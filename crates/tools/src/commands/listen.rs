//! `listen`: what is said, while it is said.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use futures_lite::{StreamExt as _, stream};
use zbus::OwnedObjectPath;

use super::view::View;
use crate::Outcome;
use crate::bus::{Bus, Happening, session_options};
use crate::cli::{Cli, ListenArgs, Scope, SessionOptions};
use crate::error::{explain_named, is_gone};
use crate::event::{Event, Kind, session_error};
use crate::event_log::EventLog;
use crate::interrupt::interrupts;
use crate::terminal;

/// Shows events until Ctrl-C, or until the session that is dictated or logged has ended.
pub(crate) async fn listen(args: ListenArgs) -> anyhow::Result<Outcome> {
    reject_lone_options(&args);
    let log_file = args.events.as_deref().map(create).transpose()?;
    let bus = Bus::connect().await?;
    // Before the session is started, so that none of its words is missed.
    let happenings = bus.happenings().await?.map(Some);
    let interrupts = interrupts()?.map(|()| None);
    let session = start(&bus, &args).await?;

    let mut listener = Listener::new(&bus, View::new(args.json), log_file, session).await?;
    let mut inputs = stream::or(interrupts, happenings);
    while let Some(input) = inputs.next().await {
        let outcome = match input {
            Some(Happening::Event(event)) => listener.event(&event)?,
            Some(Happening::Appeared) => listener.appeared().await?,
            Some(Happening::Vanished) => listener.vanished()?,
            None => listener.interrupted().await?,
        };
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
    }
    bail!("the session bus is gone")
}

/// A view, a log, and the session that decides when to end.
struct Listener<'a> {
    bus: &'a Bus,
    view: View,
    log: Option<EventLog<File>>,
    /// The session dictated by this program.
    session: Option<OwnedObjectPath>,
    /// Whether the session has been asked to stop.
    stopping: bool,
    daemon_pid: Option<u32>,
}

impl<'a> Listener<'a> {
    async fn new(
        bus: &'a Bus,
        view: View,
        log: Option<File>,
        session: Option<OwnedObjectPath>,
    ) -> zbus::Result<Self> {
        let followed = session.as_ref().map(|path| path.as_str().to_owned());
        let log = log.map(|file| EventLog::new(file, followed));
        let daemon_pid = bus.daemon_pid().await.ok();
        Ok(Self { bus, view, log, session, stopping: false, daemon_pid })
    }

    fn event(&mut self, event: &Event) -> anyhow::Result<Option<Outcome>> {
        self.view.show(event)?;
        let log_ended = match &mut self.log {
            Some(log) => log
                .push(event, self.daemon_pid.map_or(0.0, cpu_seconds))
                .context("cannot write the event log")?,
            None => false,
        };
        let ours = self.session.as_ref().is_some_and(|path| path.as_str() == event.session);
        match &event.kind {
            Kind::Ended { reason, stats } if ours || log_ended => {
                if reason != "error" {
                    return Ok(Some(Outcome::Success));
                }
                let (name, message) = session_error(stats).unwrap_or_default();
                bail!("the session ended: {}", explain_named(&name, &message))
            }
            _ => Ok(None),
        }
    }

    async fn appeared(&mut self) -> zbus::Result<Option<Outcome>> {
        self.daemon_pid = self.bus.daemon_pid().await.ok();
        terminal::note("the daemon is there");
        Ok(None)
    }

    fn vanished(&mut self) -> anyhow::Result<Option<Outcome>> {
        self.view.end()?;
        if self.session.is_some() {
            bail!("the daemon stopped in the middle; see: journalctl --user -u scriven -n 20");
        }
        terminal::note("the daemon has stopped; waiting for it");
        Ok(None)
    }

    /// The first Ctrl-C stops the session, whose last words are still to come; the second is final.
    async fn interrupted(&mut self) -> anyhow::Result<Option<Outcome>> {
        match &self.session {
            Some(path) if !self.stopping => {
                self.stopping = true;
                match self.bus.session(path).await?.stop().await {
                    // It ended by itself just now, and will say so.
                    Err(error) if !is_gone(&error) => Err(error.into()),
                    _ => Ok(None),
                }
            }
            Some(_) => {
                self.view.end()?;
                Ok(Some(Outcome::Interrupted))
            }
            None => {
                self.view.end()?;
                Ok(Some(Outcome::Success))
            }
        }
    }
}

/// Starts dictation if that is asked for.
async fn start(bus: &Bus, args: &ListenArgs) -> zbus::Result<Option<OwnedObjectPath>> {
    if !args.dictate {
        if !bus.is_running().await? {
            terminal::note("the daemon does not run yet; waiting for it");
        }
        return Ok(None);
    }
    let options = session_options(&args.session, false);
    bus.daemon().await?.start_session(&options).await.map(Some)
}

/// Options of a session without a session are a mistake, not something to overlook.
fn reject_lone_options(args: &ListenArgs) {
    let SessionOptions { source, speech, scope, output } = &args.session;
    let given = [
        ("--source", source.is_some()),
        ("--language", !speech.languages.is_empty()),
        ("--translate", speech.translate),
        ("--hotword", !speech.hotwords.is_empty()),
        ("--output", output.is_some()),
        ("--scope", matches!(scope, Some(Scope::Broadcast | Scope::Owner))),
    ];
    if let (false, Some((name, _))) = (args.dictate, given.iter().find(|(_, given)| *given)) {
        let message = format!("{name} says how to dictate: it needs --dictate");
        Cli::command().error(ErrorKind::MissingRequiredArgument, message).exit();
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Seconds of CPU that a process has used, its ended threads included; 0 if it cannot be seen.
fn cpu_seconds(pid: u32) -> f64 {
    let read = || -> io::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field, the name, may hold spaces; the state is the first after it.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    };
    read().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_a_process_grows() {
        let cpu = || cpu_seconds(std::process::id());
        let (before, begun) = (cpu(), std::time::Instant::now());
        while cpu() == before {
            assert!(begun.elapsed().as_secs() < 10, "ten seconds of work count nothing");
        }
        assert!(cpu() > before);
    }
}
