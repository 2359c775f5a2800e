//! What `main` does when a session's threads have something to say: signals, in order, to those
//! who may hear.

use tracing::{debug, info};
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;

use crate::calls::answer;
use crate::clock;
use crate::daemon::{Daemon, Ending, sent};
use crate::deliveries::{of, remember};
use crate::error::Error;
use crate::feedback::Notice;
use crate::options::Scope;
use crate::pipeline::{Id, Report, Said, micros};
use crate::service::{Dict, PATH, Service};
use crate::session_object::SessionObject;
use crate::sessions::{Mode, Session, State};

impl Daemon {
    pub(crate) async fn report(&mut self, id: Id, report: Report) {
        match report {
            Report::Opened { source, duration } => {
                self.owner_may_have_gone(id).await;
                if let Some(session) = self.sessions.find(id) {
                    session.opened(source, duration);
                }
            }
            Report::Started { monotonic } => {
                if let Some(session) = self.sessions.find(id) {
                    session.hears = session.is_active();
                }
                self.started(id, monotonic).await;
            }
            Report::Closed => {
                if let Some(session) = self.sessions.find(id) {
                    session.hears = false;
                    session.state = State::Finalizing;
                }
            }
            Report::Silent => {
                if let Some(session) = self.sessions.find(id).filter(|s| s.is_active()) {
                    debug!(session = id, "nobody speaks any more");
                    session.end(Ending::Stopped);
                }
            }
            Report::Warned(error) => {
                self.note(&error);
                if let Some(session) = self.sessions.find(id) {
                    session.warning = Some(error);
                }
            }
            Report::Broken(error) => {
                self.note(&error);
                if let Some(session) = self.sessions.find(id) {
                    session.failure.get_or_insert(error);
                }
            }
            Report::Failed(error) => {
                self.note(&error);
                if let Some(session) = self.sessions.find(id) {
                    session.end(Ending::Stopped);
                    if session.mode == Mode::Dictation {
                        self.feedback.wrong(Notice::of_dictation(&error));
                    }
                    session.failure.get_or_insert(error);
                }
            }
            Report::Begun { utterance, late } => self.take_window(id, utterance, late),
            Report::Done => self.threads_done(id).await,
            said => self.say(id, said).await,
        }
    }

    /// Passes on what was said. After a cancel only that an utterance came to nothing.
    async fn say(&mut self, id: Id, report: Report) {
        let model = self.shelf.chosen().to_owned();
        let Some(session) = self.sessions.find(id) else { return };
        let cancelled = session.ending == Some(Ending::Cancelled);
        let path = session.path.clone();
        session.utterances += u32::from(!matches!(report, Report::Partial { .. }));
        let (report, text) = match report {
            // Remembered before anybody hears of it: what is lost on the way is here.
            Report::Final { .. } if !cancelled => remember(&self.delivery, session, report),
            report => (report, None),
        };
        let session = &*session;
        let info = |said| info(said, &session.source, &model);
        let to = emitter(&self.connection, session);
        let path = path.as_ref();
        match report {
            Report::Partial { .. } if cancelled => {}
            Report::Partial { utterance, .. } if session.hides(utterance) => {}
            Report::Partial { utterance, revision, committed, tentative, said } => {
                if session.delivering.is_on() {
                    let (of, language) = (of(id, utterance), said.language.as_deref());
                    self.delivery.show(of, &committed, &tentative, language);
                }
                let info = info(said);
                let sending =
                    Service::partial(&to, path, utterance, revision, &committed, &tentative, info);
                sent(sending.await);
            }
            Report::Final { utterance, .. } if cancelled => {
                self.delivery.discard(of(id, utterance));
                sent(Service::discarded(&to, path, utterance, "cancelled").await);
            }
            Report::Final { utterance, text, said } => {
                sent(Service::r#final(&to, path, utterance, &text, info(said)).await);
            }
            Report::Discarded { utterance, reason } => {
                debug!(session = id, utterance, reason, "discarded");
                self.delivery.discard(of(id, utterance));
                sent(Service::discarded(&to, path, utterance, &reason).await);
            }
            _ => {}
        }
        if let Some(text) = text {
            self.deliver(text).await;
        }
    }

    async fn started(&mut self, id: Id, monotonic: u64) {
        let Some(session) = self.sessions.find(id) else { return };
        if session.started.replace(monotonic).is_some() {
            return;
        }
        let mut info = Dict::from([
            ("source", session.source.clone().into()),
            ("mode", session.mode.word().into()),
            ("monotonic", monotonic.into()),
        ]);
        if let Some(duration) = session.duration {
            info.insert("duration", (duration.as_micros() as u64).into());
        }
        let path = session.path.clone();
        let to = emitter(&self.connection, session);
        sent(Service::session_started(&to, path.as_ref(), info).await);
    }

    /// The end of a session. One whose start was answered with an error never was.
    pub(crate) async fn done(&mut self, id: Id) {
        let unanswered = self.sessions.find(id).is_some_and(|session| session.reply.is_some());
        if !unanswered {
            // A session that was stopped before its first sample began all the same.
            self.started(id, clock::monotonic()).await;
        }
        let Some(session) = self.sessions.remove(id) else { return };
        self.overruns += session.overruns();
        match &session.reply {
            Some(reply) => {
                let cancelled = || Error::Cancelled("cancelled before it began".into());
                answer(reply, Err(session.failure.clone().unwrap_or_else(cancelled)));
            }
            None => self.ended(&session).await,
        }
        let server = self.connection.object_server();
        if let Err(error) = server.remove::<SessionObject, _>(&session.path).await {
            debug!(%error, "session object was not there");
        }
    }

    async fn ended(&self, session: &Session) {
        let audio = micros(session.job.meter.audio.load(std::sync::atomic::Ordering::Relaxed));
        let (reason, utterances) = (session.reason(), session.utterances);
        let mut stats = Dict::from([
            ("audio", audio.into()),
            ("utterances", utterances.into()),
            ("overruns", session.overruns().into()),
            ("cpu", clock::cpu().into()),
            ("rss", clock::rss().into()),
        ]);
        if reason == "error"
            && let Some(error) = &session.failure
        {
            stats.insert("error", error.pair().into());
        }
        if let Some(warning) = &session.warning {
            stats.insert("warning", warning.pair().into());
        }
        info!(session = session.id(), reason, utterances, audio_ms = audio / 1000, "session ended");
        let to = emitter(&self.connection, session);
        sent(Service::session_ended(&to, session.path.as_ref(), reason, stats).await);
    }

    /// Ends a session whose caller left before anybody watched: its leaving may have been read
    /// before its call was.
    async fn owner_may_have_gone(&mut self, id: Id) {
        let connection = self.connection.clone();
        let Some(session) = self.sessions.find(id) else { return };
        let Some(owner) = session.owner.clone().filter(|_| !session.linger) else { return };
        let Ok(bus) = DBusProxy::new(&connection).await else { return };
        if let Ok(false) = bus.name_has_owner(BusName::from(owner.inner().as_ref())).await {
            session.end(Ending::OwnerVanished);
        }
    }
}

impl Session {
    fn opened(&mut self, source: String, duration: Option<std::time::Duration>) {
        self.duration = duration;
        self.source = source;
        if self.ending.is_none() {
            self.state = State::Listening;
        }
        if let Some(reply) = self.reply.take() {
            answer(&reply, Ok(self.path.clone()));
        }
    }
}

/// Broadcast, or for the one who began the session.
pub(crate) fn emitter(connection: &zbus::Connection, session: &Session) -> SignalEmitter<'static> {
    let path = zbus::ObjectPath::from_string_unchecked(PATH.into());
    let emitter = SignalEmitter::from_parts(connection.clone(), path);
    match (session.scope, &session.owner) {
        (Scope::Owner, Some(owner)) => emitter.set_destination(owner.inner().clone().into()),
        _ => emitter,
    }
}

/// The facts that go with a text.
fn info<'a>(said: Said, source: &'a str, model: &'a str) -> Dict<'a> {
    let mut info = Dict::from([
        ("source", source.into()),
        ("start", said.start.into()),
        ("end", said.end.into()),
        ("audio-end", said.audio_end.into()),
        ("monotonic", clock::monotonic().into()),
        ("model", model.into()),
    ]);
    if let Some(language) = said.language {
        info.insert("language", language.into());
    }
    if let Some(confidence) = said.confidence {
        info.insert("confidence", f64::from(confidence).into());
    }
    if !said.words.is_empty() {
        let words = said.words.into_iter();
        let words = words.map(|word| (word.text, word.start, word.end, word.probability));
        info.insert("words", words.collect::<Vec<_>>().into());
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Word;

    #[test]
    fn words_are_told_with_their_times() {
        let word =
            |text: &str, start, end| Word { text: text.into(), start, end, probability: 0.5 };
        let words = vec![word("one", 0, 300_000), word(" two", 300_000, 600_000)];
        let said = Said { end: 600_000, words, confidence: Some(0.25), ..Said::default() };
        let mut info = info(said, "microphone", "base");
        let words: Vec<(String, u64, u64, f64)> = info.remove("words").unwrap().try_into().unwrap();
        assert_eq!(words[1], (" two".to_owned(), 300_000, 600_000, 0.5));
        assert_eq!(info["confidence"].downcast_ref::<f64>().unwrap(), 0.25);
        assert!(!info.contains_key("language"), "nothing is said that is not known");
    }
}
