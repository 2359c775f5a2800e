//! What `main` does when the bus calls.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use scriven_audio::SAMPLE_RATE;
use scriven_audio::capture::{SourceInfo, SourceKind};
use scriven_recognizer as recognizer;
use tracing::{debug, info};
use zbus::OwnedObjectPath;

use crate::clock;
use crate::config::Mode as Output;
use crate::daemon::{Call, Caller, Daemon, Ending, Hold, ModelCall, Reply};
use crate::error::Error;
use crate::feedback::Notice;
use crate::options::Options;
use crate::pipeline::{Control, Input, Job, Meter, spawn};
use crate::service::{Board, Dict};
use crate::session_object::{SessionObject, SessionShown};
use crate::sessions::{self, Delivering, Mode, Session, State};

/// What kind of session begins.
struct Kind {
    mode: Mode,
    linger: bool,
    delivering: Delivering,
    /// Of the key that began it.
    action: Option<String>,
}

/// Answers a call. A caller that does not wait any more is no concern.
pub(crate) fn answer<T>(reply: &Reply<T>, result: Result<T, Error>) {
    drop(reply.try_send(result));
}

impl Daemon {
    pub(crate) async fn call(&mut self, call: Call) {
        match call {
            Call::Dictate(Hold::Start, options, caller, reply) => {
                self.dictate(Hold::Start, options, caller, reply).await;
            }
            Call::Dictate(Hold::Toggle, options, caller, reply) => {
                self.toggle(options, caller, reply).await;
            }
            Call::Press(action, options, caller, reply) => {
                self.press(&action, options, caller, reply).await;
            }
            Call::Release(action, reply) => answer(&reply, self.release(&action).await),
            Call::Shortcuts(reply) => self.list_shortcuts(reply),
            Call::Cancel(reply) => answer(&reply, self.cancel()),
            Call::Transcribe(file, options, caller, reply) => {
                self.transcribe(file, options, caller, reply).await;
            }
            Call::Sources(reply) => self.list_sources(reply),
            Call::SetLanguages(languages, reply) => {
                answer(&reply, self.set_languages(languages));
            }
            Call::End(id, ending, reply) => answer(&reply, self.end(id, ending)),
            Call::Import(id, path, reply) => {
                let result = self.import_model(&id, path).await;
                self.publish().await;
                answer(&reply, result);
            }
            Call::Window(call) => self.window_call(call),
            Call::Model(id, call, reply) => {
                let result = self.model_call(&id, call);
                // Whoever has the answer may read what has begun.
                self.publish().await;
                answer(&reply, result);
            }
        }
    }

    async fn toggle(&mut self, options: Options, caller: Caller, reply: Reply<OwnedObjectPath>) {
        match self.sessions.dictation() {
            Some(session) => {
                session.end(Ending::Stopped);
                answer(&reply, Ok(session.path.clone()));
            }
            None => {
                self.dictate(Hold::Toggle, options, caller, reply).await;
            }
        }
    }

    /// Cancels the dictation that is on, or else those that are being finished. Afterwards nobody
    /// dictates, which is so too when nobody did.
    pub(crate) fn cancel(&mut self) -> Result<(), Error> {
        if let Some(session) = self.sessions.dictation() {
            // What was said before, in another session, is not meant.
            session.end(Ending::Cancelled);
            return Ok(());
        }
        for session in self.sessions.all.iter_mut().filter(|s| s.mode == Mode::Dictation) {
            session.end(Ending::Cancelled);
        }
        Ok(())
    }

    fn end(&mut self, id: u64, ending: Ending) -> Result<(), Error> {
        let session = self.sessions.find(id);
        let session = session.ok_or_else(|| Error::NotFound("the session has ended".into()))?;
        if session.is_active() || ending == Ending::Cancelled {
            session.end(ending);
        }
        Ok(())
    }

    /// Begins a dictation that no key holds. The answer is given when the source is open.
    async fn dictate(
        &mut self,
        hold: Hold,
        options: Options,
        caller: Caller,
        reply: Reply<OwnedObjectPath>,
    ) {
        let usual = if hold == Hold::Start { Output::None } else { self.config.output.mode };
        let output = options.output.unwrap_or(usual);
        let kind = Kind {
            mode: Mode::Dictation,
            linger: hold != Hold::Start,
            delivering: Delivering::new(output, false),
            action: None,
        };
        let device = self.device(&options);
        self.begin(kind, device, options, caller, Some(reply)).await;
    }

    /// Begins the dictation of a key. Whether it has begun; without a `reply` the bus learns from
    /// `LastError` if not.
    pub(crate) async fn dictate_by_key(
        &mut self,
        action: &str,
        held: bool,
        options: &Options,
        caller: &Caller,
        reply: Option<Reply<OwnedObjectPath>>,
    ) -> bool {
        let Ok(configured) = self.keys.action(action) else { return false };
        let options = options.clone().of_action(configured);
        let profile = configured.profile.as_deref().map(Arc::from);
        let output = options.output.unwrap_or(self.config.output.mode);
        let kind = Kind {
            mode: Mode::Dictation,
            linger: true,
            delivering: Delivering { profile, ..Delivering::new(output, held) },
            action: Some(action.to_owned()),
        };
        let device = self.device(&options);
        let begun = self.begin(kind, device, options, caller.clone(), reply).await;
        // The microphone is being opened meanwhile.
        if let Some(id) = begun {
            self.take_window(id, 1, false);
        }
        begun.is_some()
    }

    fn device(&self, options: &Options) -> Input {
        let mut microphone = self.config.microphone();
        if let Some(source) = &options.source {
            microphone.source.clone_from(source);
        }
        Input::Device(microphone)
    }

    async fn transcribe(
        &mut self,
        file: File,
        options: Options,
        caller: Caller,
        reply: Reply<OwnedObjectPath>,
    ) {
        let input = if options.live { Input::LiveFile(file) } else { Input::File(file) };
        let delivering = Delivering::new(Output::None, false);
        let kind = Kind { mode: Mode::File, linger: false, delivering, action: None };
        self.begin(kind, input, options, caller, Some(reply)).await;
    }

    async fn begin(
        &mut self,
        kind: Kind,
        input: Input,
        options: Options,
        caller: Caller,
        reply: Option<Reply<OwnedObjectPath>>,
    ) -> Option<u64> {
        // Begun by a hand, not by a program that has the answer.
        let by_hand = kind.linger;
        match self.try_begin(kind, input, options, caller, reply.clone()).await {
            Ok(id) => {
                self.expect(id);
                Some(id)
            }
            Err(error) => {
                if by_hand && !matches!(error, Error::Busy(_)) {
                    self.feedback.wrong(Notice::of_dictation(&error));
                }
                match reply {
                    Some(reply) => answer(&reply, Err(error)),
                    None => self.note(&error),
                }
                None
            }
        }
    }

    async fn try_begin(
        &mut self,
        kind: Kind,
        input: Input,
        options: Options,
        caller: Caller,
        reply: Option<Reply<OwnedObjectPath>>,
    ) -> Result<u64, Error> {
        let Kind { mode, linger, delivering, action } = kind;
        if self.leaving {
            return Err(Error::leaving());
        }
        self.shelf.can_serve()?;
        self.sessions.room(mode)?;
        let whole = matches!(input, Input::File(_));
        let job = self.job(mode, &options)?;
        let id = job.id;
        let token = options.handle_token.unwrap_or_else(|| format!("s{id}"));
        let path = sessions::path(caller.as_ref(), &token);
        // The microphone first: nothing is waited for before somebody listens.
        let control = self.pipeline.listen(job.clone(), input).map_err(|error| {
            Error::Overloaded(format!("no thread could be started ({error}); end other programs"))
        })?;
        let board = match self.serve(id, &path, mode).await {
            Ok(board) => board,
            Err(error) => {
                job.meter.cancelled.store(true, Ordering::Relaxed);
                drop(control.try_send(Control::Cancel));
                return Err(error);
            }
        };
        debug!(session = id, mode = mode.word(), "session begins");
        self.sessions.all.push(Session {
            job,
            path,
            mode,
            state: State::Arming,
            scope: options.scope,
            owner: caller,
            linger: options.linger.unwrap_or(linger),
            whole,
            control,
            has_model: false,
            reply,
            board,
            hears: false,
            source: String::new(),
            started: None,
            duration: None,
            utterances: 0,
            delivering,
            action,
            ending: None,
            failure: None,
            warning: None,
        });
        Ok(id)
    }

    /// What the threads will have to do.
    fn job(&mut self, mode: Mode, options: &Options) -> Result<Arc<Job>, Error> {
        let wanted = options.recognition(recognizer::Options {
            languages: self.languages.clone(),
            task: self.config.task.into(),
            hotwords: self.config.hotwords.clone(),
            ..recognizer::Options::default()
        })?;
        self.shelf.check(&wanted)?;
        Ok(Arc::new(Job {
            id: self.sessions.next_id(),
            options: wanted,
            device: mode == Mode::Dictation,
            partials: options.partials.unwrap_or(true),
            segments: self.config.speech.segments(),
            detector: self.config.speech.detector,
            tail: self.config.tail(),
            update: self.config.update(),
            auto_stop: options.auto_stop.map(samples),
            meter: Meter::default(),
        }))
    }

    /// Puts the session's object on the bus.
    async fn serve(
        &self,
        id: u64,
        path: &OwnedObjectPath,
        mode: Mode,
    ) -> Result<Board<SessionShown>, Error> {
        let board = Board::new(SessionShown {
            mode: mode.word(),
            state: State::Arming.word(),
            source: String::new(),
            started_at: clock::wall(),
        });
        let object = SessionObject { id, desk: self.desk.clone(), board: board.clone() };
        match self.connection.object_server().at(path, object).await {
            Ok(None) => Ok(board),
            Ok(Some(_)) => Err(Error::InvalidArgument(
                "option `handle_token` names a session that still is; choose another".into(),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists what can be captured; asking the sound server takes its time.
    fn list_sources(&self, reply: Reply<Vec<Dict<'static>>>) {
        let (list, host) = (self.parts.sources.clone(), self.config.host.into());
        let failed = reply.clone();
        let asked = spawn("sources", move || {
            let sources = list(host).map_err(|error| Error::opening(&error));
            answer(&reply, sources.map(|found| found.into_iter().map(source).collect()));
        });
        if let Err(error) = asked {
            answer(&failed, Err(Error::Overloaded(error.to_string())));
        }
    }

    fn set_languages(&mut self, languages: Vec<String>) -> Result<(), Error> {
        let task = self.config.task.into();
        let wanted = recognizer::Options {
            languages: languages.clone(),
            task,
            ..recognizer::Options::default()
        };
        self.shelf.check(&wanted)?;
        info!(?languages, "languages changed");
        self.languages = languages;
        // The setter announces the property as soon as this call is answered.
        let shown = self.board.get();
        self.board.replace(crate::service::Shown { languages: self.languages.clone(), ..shown });
        Ok(())
    }

    fn model_call(&mut self, id: &str, call: ModelCall) -> Result<(), Error> {
        match call {
            ModelCall::Download => self.download(id),
            ModelCall::CancelDownload => self.shelf.cancel_download(id),
            ModelCall::Import(path) => self.import(id, path),
            ModelCall::Remove => self.remove_model(id),
            ModelCall::Use => self.use_model(id),
        }
    }
}

/// Seconds → samples; `None` stays so.
fn samples(seconds: f64) -> u64 {
    (seconds * SAMPLE_RATE as f64) as u64
}

/// One source, as the bus lists it.
fn source(source: SourceInfo) -> Dict<'static> {
    let kind = match source.kind {
        SourceKind::Microphone => "microphone",
        SourceKind::Monitor => "monitor",
    };
    Dict::from([
        ("id", source.id.into()),
        ("description", source.description.into()),
        ("kind", kind.into()),
        ("host", source.host.into()),
        ("default", source.is_default.into()),
    ])
}
