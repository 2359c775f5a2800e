//! How `listen` shows events: JSON lines, final lines, or a line that is rewritten in place.

use std::io;

use crate::event::{Event, Kind};
use crate::live_line::LiveLine;
use crate::terminal::{self, NoControlEcho};

/// Writes events to stdout.
pub(crate) enum View {
    /// Every signal, for programs.
    Json,
    /// Finished utterances, for files and pipes.
    Lines,
    /// Text as it is spoken, for people.
    Live(LiveView),
}

impl View {
    /// What suits stdout.
    pub(crate) fn new(json: bool) -> Self {
        match json {
            true => Self::Json,
            false if terminal::stdout_rewritable() => Self::Live(LiveView::new()),
            false => Self::Lines,
        }
    }

    pub(crate) fn show(&mut self, event: &Event) -> io::Result<()> {
        match (self, &event.kind) {
            (Self::Json, _) => terminal::write_json(&event.to_json()),
            (Self::Lines, Kind::Final { text, .. }) if !text.trim().is_empty() => {
                terminal::write(&format!("{}\n", terminal::plain(text.trim())))
            }
            (Self::Lines, _) => Ok(()),
            (Self::Live(live), _) => live.show(event),
        }
    }

    /// Ends what stands unfinished on the terminal: nothing more will come for it.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Live(live) => live.end(),
            Self::Json | Self::Lines => Ok(()),
        }
    }
}

/// One utterance in the making, rewritten at the bottom of the terminal.
///
/// Two sessions may speak at once, a dictation and a file. The line belongs to one utterance until
/// that is final; what the others finish meanwhile is put above it.
pub(crate) struct LiveView {
    line: LiveLine,
    /// Session and number of the utterance on the line.
    utterance: Option<(String, u32)>,
    /// What the line shows, to put it back.
    committed: String,
    tentative: String,
    _echo: NoControlEcho,
}

impl LiveView {
    fn new() -> Self {
        Self {
            line: LiveLine::new(terminal::stdout_styled()),
            utterance: None,
            committed: String::new(),
            tentative: String::new(),
            _echo: NoControlEcho::new(),
        }
    }

    fn show(&mut self, event: &Event) -> io::Result<()> {
        let size = terminal::size();
        let out = match &event.kind {
            Kind::Partial { utterance, committed, tentative, .. } => {
                if !self.take_line(&event.session, *utterance) {
                    return Ok(());
                }
                self.committed.clone_from(committed);
                self.tentative.clone_from(tentative);
                self.line.show(committed, tentative, size)
            }
            Kind::Final { utterance, text, .. } => {
                if self.owns_line(&event.session, *utterance) || self.utterance.is_none() {
                    self.utterance = None;
                    self.line.finish(text, size)
                } else {
                    let cleared = self.line.clear(size);
                    let finished = self.line.finish(text, size);
                    cleared + &finished + &self.line.show(&self.committed, &self.tentative, size)
                }
            }
            Kind::Discarded { utterance, .. } if self.owns_line(&event.session, *utterance) => {
                self.utterance = None;
                self.line.clear(size)
            }
            Kind::Ended { .. } if self.session_on_line() == Some(&event.session) => {
                return self.end();
            }
            _ => return Ok(()),
        };
        terminal::write(&out)
    }

    fn end(&mut self) -> io::Result<()> {
        self.utterance = None;
        terminal::write(self.line.leave())
    }

    /// Whether the line may show this utterance, which it then belongs to.
    fn take_line(&mut self, session: &str, utterance: u32) -> bool {
        match &self.utterance {
            Some((owner, _)) if owner != session => false,
            Some((_, number)) if *number == utterance => true,
            _ => {
                self.utterance = Some((session.to_owned(), utterance));
                true
            }
        }
    }

    fn owns_line(&self, session: &str, utterance: u32) -> bool {
        self.utterance.as_ref().is_some_and(|(s, u)| s == session && *u == utterance)
    }

    fn session_on_line(&self) -> Option<&String> {
        self.utterance.as_ref().map(|(session, _)| session)
    }
}
