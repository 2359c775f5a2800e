use super::*;
use crate::pipeline::Meter;

fn session(sessions: &mut Sessions, mode: Mode) -> (Id, crossbeam_channel::Receiver<Control>) {
    let (control, told) = crossbeam_channel::bounded(crate::pipeline::CONTROL_QUEUE);
    let id = sessions.next_id();
    let job = Job {
        id,
        options: scriven_recognizer::Options::default(),
        device: true,
        partials: true,
        segments: scriven_audio::SegmentConfig::default(),
        detector: crate::config::Detector::Webrtc,
        tail: Duration::ZERO,
        update: Duration::ZERO,
        auto_stop: None,
        meter: Meter::default(),
    };
    let board = Board::new(SessionShown {
        mode: mode.word(),
        state: "arming",
        source: String::new(),
        started_at: 0,
    });
    sessions.all.push(Session {
        job: Arc::new(job),
        path: path(None, &format!("s{id}")),
        mode,
        state: State::Arming,
        scope: Scope::Broadcast,
        owner: None,
        linger: false,
        whole: mode == Mode::File,
        control,
        has_model: false,
        reply: None,
        board,
        hears: false,
        source: String::new(),
        started: None,
        duration: None,
        utterances: 0,
        delivering: Delivering::new(Output::None, false),
        action: None,
        ending: None,
        failure: None,
        warning: None,
    });
    (id, told)
}

#[test]
fn a_path_can_be_computed_by_the_caller() {
    let caller = OwnedUniqueName::try_from(":1.42").unwrap();
    assert_eq!(path(Some(&caller), "mine").as_str(), "/org/scriven/Dictation1/session/1_42/mine");
}

#[test]
fn one_dictation_at_a_time_but_the_next_may_begin_while_one_finishes() {
    let mut sessions = Sessions::default();
    let (id, _told) = session(&mut sessions, Mode::Dictation);
    assert!(matches!(sessions.room(Mode::Dictation), Err(Error::Busy(_))));
    sessions.room(Mode::File).unwrap();
    sessions.find(id).unwrap().end(Ending::Stopped);
    sessions.room(Mode::Dictation).unwrap();
}

#[test]
fn only_so_many_sessions_may_wait() {
    let mut sessions = Sessions::default();
    for _ in 0..MAX_FILES {
        sessions.room(Mode::File).unwrap();
        session(&mut sessions, Mode::File);
    }
    assert!(matches!(sessions.room(Mode::File), Err(Error::Overloaded(_))));
    for _ in 0..MAX_FINALIZING {
        sessions.room(Mode::Dictation).unwrap();
        let (id, _told) = session(&mut sessions, Mode::Dictation);
        sessions.find(id).unwrap().end(Ending::Stopped);
    }
    assert!(matches!(sessions.room(Mode::Dictation), Err(Error::Overloaded(_))));
}

#[test]
fn a_dictation_never_waits_for_a_file_and_a_file_for_the_one_before() {
    let mut sessions = Sessions::default();
    let (first, _a) = session(&mut sessions, Mode::File);
    let (second, _b) = session(&mut sessions, Mode::File);
    let (dictation, _c) = session(&mut sessions, Mode::Dictation);
    let mut turn = || {
        let waiting = sessions.waiting().map(|session| {
            session.has_model = true;
            session.id()
        });
        let ids: Vec<_> = waiting.collect();
        sessions.remove(first);
        ids
    };
    assert_eq!(turn(), [first, dictation]);
    assert_eq!(turn(), [second]);
}

#[test]
fn the_first_ending_is_the_reason_but_for_a_cancel() {
    let mut sessions = Sessions::default();
    let (id, told) = session(&mut sessions, Mode::Dictation);
    let session = sessions.find(id).unwrap();
    assert_eq!(session.reason(), "done");
    session.end(Ending::OwnerVanished);
    session.end(Ending::Stopped);
    assert_eq!(session.reason(), "owner-vanished");
    assert!(!session.job.meter.is_cancelled());
    session.end(Ending::Cancelled);
    assert_eq!(session.reason(), "cancelled");
    assert!(session.job.meter.is_cancelled());
    assert!(matches!(told.try_iter().last(), Some(Control::Cancel)));
}

#[test]
fn an_utterance_stays_hidden_when_the_next_one_begins() {
    let mut sessions = Sessions::default();
    let (id, _told) = session(&mut sessions, Mode::Dictation);
    let session = sessions.find(id).unwrap();
    session.delivering.secret.extend([1, 2]);
    assert!(session.hides(1) && session.hides(2) && !session.hides(3));
    session.scope = Scope::Owner;
    assert!(!session.hides(1));
}

#[test]
fn a_control_queue_that_is_full_has_been_told_before() {
    let mut sessions = Sessions::default();
    let (id, told) = session(&mut sessions, Mode::Dictation);
    for _ in 0..100 {
        sessions.find(id).unwrap().end(Ending::Stopped);
    }
    assert_eq!(told.len(), crate::pipeline::CONTROL_QUEUE);
}
