//! What is heard and seen, with real parts: a cue at the loudspeaker, players on the bus, and a daemon
//! that is killed.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use zbus::connection::Builder;
use zbus::interface;

use crate::fixture::{Room, Running, at_home, eventually};
use crate::hearing::{Ear, Heard, Options, Signal, start};

/// Hz of the cues' notes: an error, and the two of the others.
const NOTES: [f32; 3] = [330.0, 660.0, 880.0];
const RATE: usize = 16_000;

/// Records what the loudspeakers play, until it is dropped.
fn record(room: &Room, to: &Path) -> Running {
    let mut recorder = at_home(&room.path("."), "pw-record".as_ref());
    recorder.args(["--target", "speakers", "--properties", "stream.capture.sink=true"]);
    recorder.args(["--format", "s16", "--channels", "1", "--rate", "16000"]).arg(to);
    let recorder = Running::start(recorder.stderr(Stdio::null()));
    eventually("the loudspeakers are recorded", || samples(to).len() > RATE / 10);
    recorder
}

/// What was recorded so far, behind the 44 bytes of the WAV header.
fn samples(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    bytes.get(44..).unwrap_or_default().chunks_exact(2).map(sample).collect()
}

/// The notes that are heard, one after the other: the strongest in each 20 ms, if there is one.
fn notes(samples: &[f32]) -> Vec<f32> {
    let (mut heard, mut before) = (Vec::new(), None);
    for window in samples.chunks_exact(RATE / 50) {
        let loudest = |a: &f32, b: &f32| strength(window, *a).total_cmp(&strength(window, *b));
        let note = NOTES.into_iter().max_by(loudest).filter(|note| strength(window, *note) > 0.02);
        heard.extend(note.filter(|_| note != before));
        before = note;
    }
    heard
}

/// How much of a frequency there is, as the amplitude of a sine.
fn strength(samples: &[f32], hz: f32) -> f32 {
    let turn = |i: usize| std::f32::consts::TAU * hz * i as f32 / RATE as f32;
    let part =
        |of: fn(f32) -> f32| samples.iter().enumerate().map(|(i, x)| x * of(turn(i))).sum::<f32>();
    2.0 * part(f32::cos).hypot(part(f32::sin)) / samples.len() as f32
}

fn wait_for_listening(ear: &Ear) {
    ear.wait("sound flows", |signal| matches!(signal, Signal::Started { .. }));
}

#[test]
fn cues_are_heard_and_the_microphone_makes_no_words_of_them() {
    let room = Room::new();
    room.configure("[feedback]\nsounds = true\n");
    let _daemon = room.ready_daemon();
    let tape = room.path("speakers.wav");
    let _recorder = record(&room, &tape);
    // The microphone hears the loudspeakers, as it does on most desks.
    let link = |verb: &[&str]| {
        let mut link = at_home(&room.path("."), "pw-link".as_ref());
        let ports = ["speakers:monitor_FL", "virtmic_in:playback_MONO"];
        assert!(link.args(verb).args(ports).status().unwrap().success());
    };
    link(&[]);
    let ear = room.ear();
    let mut heard: Vec<Heard> = Vec::new();
    for n in 1..=3 {
        assert!(room.scriven(&["press"]).status.success());
        wait_for_listening(&ear);
        eventually("the cue is heard", || notes(&samples(&tape)).len() >= 4 * n - 2);
        // Long enough for an utterance to begin, and to end.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        assert!(room.scriven(&["release"]).status.success());
        heard.extend(ear.until_ended());
        eventually("its end is heard", || notes(&samples(&tape)).len() >= 4 * n);
    }
    link(&["--disconnect"]);
    let [low, high] = [NOTES[1], NOTES[2]];
    assert_eq!(notes(&samples(&tape)), [low, high, high, low].repeat(3));
    let invented = heard
        .iter()
        .find(|heard| matches!(heard.signal, Signal::Partial { .. } | Signal::Final { .. }));
    assert!(invented.is_none(), "{invented:?}");
}

/// A player, as far as the daemon looks at it.
struct Player(Arc<Mutex<f64>>);

#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Player {
    #[zbus(property)]
    fn playback_status(&self) -> &'static str {
        "Playing"
    }

    #[zbus(property)]
    fn volume(&self) -> f64 {
        *self.0.lock().unwrap()
    }

    #[zbus(property)]
    fn set_volume(&self, volume: f64) {
        *self.0.lock().unwrap() = volume;
    }
}

#[test]
fn a_volume_that_a_killed_daemon_has_lowered_is_put_back_by_the_next() {
    let room = Room::new();
    room.configure("[feedback]\nmedia = \"duck\"\n");
    let volume = Arc::new(Mutex::new(0.75));
    let player = Builder::address(room.address())
        .serve_at("/org/mpris/MediaPlayer2", Player(volume.clone()))
        .name("org.mpris.MediaPlayer2.test");
    let _player = zbus::block_on(player.build()).unwrap();
    let is = |wanted: f64| *volume.lock().unwrap() == wanted;
    let mut daemon = room.ready_daemon();
    let bus = room.connect();
    start(&bus, &Options::new()).unwrap();
    eventually("it is soft", || is(0.2));
    daemon.running.kill();
    assert!(is(0.2), "nobody could put it back");
    let _next = room.daemon();
    eventually("it is as loud as before", || is(0.75));
}
