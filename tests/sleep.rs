//! The machine goes to sleep and wakes up, as a logind of our own tells it.

use std::io::{PipeReader, Read as _, pipe};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};

use zbus::Connection;

use crate::fixture::{PATIENCE, Room, connect_to, eventually};
use crate::hearing::{Options, Signal, ending, finals, start};
use crate::microphone::{PRE_ROLL, is_open};
use crate::speech::jfk;

/// `org.freedesktop.login1`, as far as the daemon knows it.
struct Logind {
    /// The other end of each lock that was asked for: it ends when the lock is let go.
    locks: Sender<PipeReader>,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn inhibit(&self, what: &str, who: &str, _why: &str, mode: &str) -> zbus::OwnedFd {
        assert_eq!((what, who, mode), ("sleep", "Scriven", "delay"));
        let (lock, held) = pipe().unwrap();
        self.locks.send(lock).unwrap();
        OwnedFd::from(held).into()
    }
}

const PATH: &str = "/org/freedesktop/login1";

fn serve(address: &str) -> (Connection, Receiver<PipeReader>) {
    let (locks_tx, locks) = channel();
    let bus = connect_to(address);
    zbus::block_on(async {
        bus.object_server().at(PATH, Logind { locks: locks_tx }).await.unwrap();
        bus.request_name("org.freedesktop.login1").await.unwrap();
    });
    (bus, locks)
}

fn prepare_for_sleep(logind: &Connection, start: bool) {
    let interface = "org.freedesktop.login1.Manager";
    let body = (start,);
    let signal = logind.emit_signal(None::<&str>, PATH, interface, "PrepareForSleep", &body);
    zbus::block_on(signal).unwrap();
}

#[test]
fn what_was_said_is_delivered_before_the_machine_sleeps() {
    let mut room = Room::new();
    let (_system, address) = room.system_bus();
    let (logind, locks) = serve(&address);
    room.configure(PRE_ROLL);
    let _daemon = room.ready_daemon();
    let mut lock = locks.recv_timeout(PATIENCE).expect("the daemon asks to be waited for");
    let (bus, ear) = (room.connect(), room.ear());
    eventually("the microphone is open", || is_open(&bus));
    start(&bus, &Options::new()).unwrap();
    let mut player = room.play(&jfk(), "virtmic_in");
    ear.wait("a partial", |signal| matches!(signal, Signal::Partial { .. }));

    prepare_for_sleep(&logind, true);
    // The machine would sleep now.
    lock.read_to_end(&mut Vec::new()).unwrap();
    let heard = ear.until_ended();
    assert_eq!(ending(&heard).0, "stopped");
    assert!(!finals(&heard).is_empty(), "what was said is delivered");
    eventually("the microphone is closed", || !is_open(&bus));
    player.kill();

    prepare_for_sleep(&logind, false);
    locks.recv_timeout(PATIENCE).expect("it asks again for the next time");
    eventually("the microphone is open again", || is_open(&bus));
    start(&bus, &Options::new()).expect("and dictating goes on");
}
