//! What a bar shows: `scriven status --follow --json` beside a daemon that lives, works and dies.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use crate::fixture::{MODEL, PATIENCE, Room, Running, stderr};
use crate::hearing::finals;
use crate::speech::{assert_heard, sentence, words};

/// The lines of the program, and what it complains of.
struct Bar {
    program: Running,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Bar {
    fn new(room: &Room) -> Self {
        let mut program = room.command("scriven");
        program
            .args(["status", "--follow", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut program = Running::start(&mut program);
        let lines = lines(program.0.stdout.take().unwrap());
        Self { program, lines, seen: Vec::new() }
    }

    /// Reads until the class is this one, and tells which classes were shown.
    fn until(&mut self, class: &str) -> Vec<String> {
        let mut classes: Vec<String> = Vec::new();
        while classes.last().is_none_or(|last| last != class) {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never {class} behind {:#?}", self.seen));
            let shown: Value = serde_json::from_str(&line).unwrap();
            for key in ["text", "alt", "class", "tooltip"] {
                let is_word = shown[key].as_str().is_some_and(|word| !word.is_empty());
                assert!(is_word, "{key}: {line}");
            }
            assert_eq!(shown["alt"], shown["class"], "{line}");
            assert_ne!(self.seen.last(), Some(&line), "the same line twice");
            classes.push(shown["class"].as_str().unwrap().into());
            self.seen.push(line);
        }
        classes
    }
}

fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (line, lines) = channel();
    let read = move || {
        for read in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.send(read).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn(read).unwrap();
    lines
}

fn complaints(program: &mut Child) -> String {
    let mut text = String::new();
    program.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_bar_shows_each_state_and_outlives_the_daemon() {
    let room = Room::new();
    let mut bar = Bar::new(&room);
    assert_eq!(bar.until("off"), ["off"]);
    let mut daemon = room.ready_daemon();
    bar.until("idle");
    let ear = room.ear();
    assert!(room.scriven(&["press"]).status.success());
    let classes = bar.until("listening");
    assert!(classes.iter().all(|class| ["idle", "arming", "listening"].contains(&&**class)));
    let (sound, said) = sentence();
    room.play(&sound, "virtmic_in").wait();
    assert!(room.scriven(&["release"]).status.success());
    let classes = bar.until("idle");
    assert!(classes.contains(&"finalizing".into()), "{classes:?}");
    let text = finals(&ear.until_ended());
    assert_heard(said, &text);
    // It is killed while it listens, comes back, and works again.
    for _ in 0..3 {
        assert!(room.scriven(&["press"]).status.success());
        bar.until("listening");
        daemon.running.kill();
        bar.until("off");
        daemon = room.daemon();
        bar.until("idle");
    }
    // One that cannot load its model says so.
    drop(daemon);
    bar.until("off");
    let (model, shared) = (room.models().join(MODEL), room.path("shared"));
    fs::rename(&model, &shared).unwrap();
    fs::create_dir(&model).unwrap();
    for file in fs::read_dir(&shared).unwrap() {
        let name = file.unwrap().file_name();
        fs::copy(shared.join(&name), model.join(&name)).unwrap();
    }
    OpenOptions::new()
        .write(true)
        .open(model.join("model.safetensors"))
        .unwrap()
        .set_len(1_000)
        .unwrap();
    let _daemon = room.daemon();
    bar.until("error");
    let shown = bar.seen.concat();
    for word in words(&text).iter().filter(|word| word.len() > 4) {
        assert!(!shown.contains(word.as_str()), "{word} was said, and stands in {shown}");
    }
    assert_eq!(bar.program.0.try_wait().unwrap(), None, "it goes on");
    bar.program.kill();
    assert_eq!(complaints(&mut bar.program.0), "");
}

#[test]
fn asking_for_the_status_starts_no_daemon() {
    let room = Room::new();
    room.activate_on_demand();
    let mut bar = Bar::new(&room);
    bar.until("off");
    let status = room.scriven(&["status"]);
    assert!(stderr(&status).contains("does not run"), "{}", stderr(&status));
    let daemon = room.daemon();
    bar.until("idle");
    drop(daemon);
    bar.until("off");
    let status = room.scriven(&["status"]);
    assert!(stderr(&status).contains("does not run"), "{}", stderr(&status));
    assert_eq!(bar.seen.iter().filter(|line| line.contains(r#""class":"off""#)).count(), 2);
}
