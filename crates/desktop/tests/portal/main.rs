//! The permission to type, asked for and kept, and the keys that it allows: a portal that the test
//! plays on a bus of its own, and a real libei connection to it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::explicit_write, reason = "cargo captures what eprintln prints")]

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use scriven_desktop::Error;
use scriven_desktop::delivery::{Delivery, Live};
use scriven_desktop::insertion::ladder::Ladder;
use scriven_desktop::insertion::portal::{Keep, NAME, Portal, Token};
use scriven_desktop::insertion::{Backend, Proof, ways};
use tempfile::TempDir;

mod desktop;
mod keyboard;

use desktop::{Answer, Desktop};

/// Longer than any answer takes that comes at all.
const LIMIT: Duration = Duration::from_secs(30);
/// evdev codes of the layout `us`.
const SHIFT: u32 = 42;
const H: u32 = 35;
const I: u32 = 23;
const BACKSPACE: u32 = 14;
/// As XKB counts it.
const CONTROL: u32 = 1 << 2;

/// A token in memory.
#[derive(Default)]
struct Memory(Mutex<Option<Token>>);

impl Memory {
    fn token(&self) -> Option<String> {
        self.0.lock().unwrap().as_ref().map(|token| token.0.clone())
    }
}

impl Keep for Memory {
    fn load(&self) -> Option<Token> {
        self.0.lock().unwrap().clone()
    }

    fn save(&self, token: Option<&Token>) -> io::Result<()> {
        *self.0.lock().unwrap() = token.cloned();
        Ok(())
    }
}

/// A session bus with a desktop on it, and what the daemon has of both.
struct Room {
    desktop: Desktop,
    memory: Arc<Memory>,
    portal: Portal,
    bus: Child,
    _home: TempDir,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.bus.kill().ok();
        self.bus.wait().ok();
    }
}

impl Room {
    fn new() -> Self {
        let home = TempDir::with_prefix("scriven-permission.").unwrap();
        fs::create_dir_all(home.path().join("services")).unwrap();
        let config = home.path().join("bus.conf");
        fs::write(&config, include_str!("../../../../tests/scripts/bus.conf")).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let memory = Arc::new(Memory::default());
        let portal = Portal::on_bus(address.trim(), Arc::clone(&memory) as Arc<dyn Keep>);
        Self { desktop: Desktop::start(address.trim()), memory, portal, bus, _home: home }
    }

    /// A room in which the user has said yes.
    fn permitted() -> Self {
        let room = Self::new();
        room.portal.permit(LIMIT).unwrap();
        assert_eq!(room.desktop.desk().dialogs, 1);
        room
    }

    fn alone(&self) -> Box<dyn Backend> {
        self.portal.connect(true).unwrap()
    }
}

fn has_keymaps(test: &str) -> bool {
    let has = std::path::Path::new("/usr/share/X11/xkb/rules/evdev").exists();
    if !has {
        writeln!(io::stderr(), "SKIPPED: {test}: xkb-data is not installed").unwrap();
    }
    has
}

fn taps(keys: &[u32]) -> Vec<(u32, bool)> {
    keys.iter().flat_map(|&key| [(key, true), (key, false)]).collect()
}

fn reason<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Unavailable { reason, .. }) => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn each_text_is_typed_in_a_session_of_its_own_with_the_token_of_the_last() {
    if !has_keymaps("typing through the portal") {
        return;
    }
    let room = Room::permitted();
    let mut way = room.alone();
    for n in 1..=3 {
        assert_eq!(room.memory.token(), Some(format!("token-{n}")));
        assert_eq!(way.insert("Hi").unwrap(), Proof::Taken);
        let wanted = [vec![(SHIFT, true)], taps(&[H]), vec![(SHIFT, false)], taps(&[I])].concat();
        assert_eq!(room.desktop.typed(), wanted);
    }
    let desk = room.desktop.desk();
    assert_eq!((desk.dialogs, desk.sessions, desk.closed), (1, 4, 4), "nothing stays open");
    assert_eq!(desk.tokens, ["token-4"]);
}

#[test]
fn without_a_permission_nobody_is_asked() {
    let room = Room::new();
    let said = reason(room.portal.connect(true));
    assert!(said.contains("scriven permit"), "{said}");
    let desk = room.desktop.desk();
    assert_eq!((desk.dialogs, desk.sessions), (0, 0));
}

#[test]
fn a_permission_that_was_taken_back_is_given_up_and_nobody_is_asked() {
    let room = Room::permitted();
    let mut way = room.alone();
    room.desktop.desk().tokens.clear();
    let said = reason(way.insert("Hi"));
    assert!(said.contains("expired") && said.contains("scriven permit"), "{said}");
    assert_eq!(room.memory.token(), None);
    assert!(matches!(way.target(), Err(Error::Gone { .. })), "the ladder closes it");
    assert!(room.portal.connect(true).is_err());
    let desk = room.desktop.desk();
    assert_eq!((desk.dialogs, desk.sessions), (1, 1));
}

#[test]
fn what_the_user_answers_is_told_in_time() {
    let room = Room::new();
    for (answer, word) in [(Answer::No, "refused"), (Answer::Once, "remember")] {
        room.desktop.desk().answer = answer;
        let said = reason(room.portal.permit(LIMIT));
        assert!(said.contains(word), "{said}");
        assert_eq!(room.memory.token(), None, "{answer:?}");
    }
    room.desktop.desk().answer = Answer::Nothing;
    let start = Instant::now();
    let said = reason(room.portal.permit(Duration::from_millis(300)));
    assert!(said.contains("nobody has answered"), "{said}");
    assert!(start.elapsed() < LIMIT / 3);
    room.desktop.desk().answer = Answer::Yes;
    room.portal.permit(LIMIT).unwrap();
    assert_eq!(room.memory.token().as_deref(), Some("token-1"));
}

#[test]
fn nothing_is_typed_while_a_modifier_is_held() {
    if !has_keymaps("typing while a modifier is held") {
        return;
    }
    let room = Room::permitted();
    room.desktop.desk().keyboard.depressed = CONTROL;
    assert!(matches!(room.alone().insert("Hi"), Err(Error::KeysHeld)));
    assert_eq!(room.desktop.typed(), []);
    let desk = room.desktop.desk();
    assert_eq!(desk.sessions, desk.closed);
}

#[test]
fn it_takes_texts_only_where_it_was_asked_for_by_name() {
    if !has_keymaps("the portal as a rung") {
        return;
    }
    let room = Room::permitted();
    let delivery = |name: Option<&str>| {
        let (portal, by_name) = (room.portal.clone(), name.is_some());
        let portal = move || portal.connect(by_name);
        let only = ways(Box::new(portal)).into_iter().filter(|(name, _)| *name == NAME).collect();
        let ladder = Ladder::new(only);
        Delivery::new(name.into_iter().fold(ladder, Ladder::pinned), Live::Auto)
    };
    let mut unasked = delivery(None);
    let delivered = unasked.insert("Hi");
    assert!(!delivered.ok && delivered.detail.contains("way = \"portal\""), "{delivered:?}");
    assert_eq!(unasked.way(), None);
    assert_eq!(room.desktop.typed(), []);

    let mut asked = delivery(Some(NAME));
    assert_eq!(asked.way(), Some(NAME));
    asked.begin(false);
    // What is typed live may have to be taken back, perhaps in another window.
    asked.show("hi", "");
    assert_eq!(room.desktop.typed(), []);
    asked.discard();
    assert!(asked.insert("hi").ok);
    assert_eq!(room.desktop.typed(), taps(&[H, I]));
    let undone = asked.undo();
    assert!(!undone.ok && undone.detail.contains("by hand"), "{undone:?}");
    assert_eq!(room.desktop.typed(), []);
    // The permission is given up while the daemon runs.
    room.portal.forget().unwrap();
    asked.look_again();
    let verdict = asked.rungs()[0].verdict.clone().unwrap_err();
    assert!(verdict.contains("scriven permit"), "{verdict}");
}

#[test]
fn its_keys_take_back_only_while_the_focus_is_where_it_was() {
    if !has_keymaps("taking back through the portal") {
        return;
    }
    let room = Room::permitted();
    let mut way = room.portal.connect(false).unwrap();
    way.delete_while(2, &mut || Ok(())).unwrap();
    assert_eq!(room.desktop.typed(), taps(&[BACKSPACE, BACKSPACE]));
    let moved = way.delete_while(2, &mut || Err(Error::TargetMoved));
    assert!(matches!(moved, Err(Error::TargetMoved)));
    assert_eq!(room.desktop.typed(), []);
    let desk = room.desktop.desk();
    assert_eq!(desk.sessions, desk.closed);
}
