//! `start`, `stop` and the other keys; `listen`, `status`, `sources`.

use std::io::{BufRead, BufReader, Read as _};
use std::process::Child;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::fixture::{Bus, Ran, interrupt, until};

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until the program has written a line with this in it.
fn read_until(child: &mut Child, stdout: &mut impl BufRead, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        if stdout.read_line(&mut read).unwrap() == 0 {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            panic!("ended after {read:?}: {stderr}");
        }
    }
    read
}

/// Waits until `listen` listens: until it repeats what the daemon says again and again.
fn ready(daemon: &Daemon, child: &mut Child) -> BufReader<std::process::ChildStdout> {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let (tx, rx) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            read_until(child, &mut stdout, "ping");
            tx.send(()).unwrap();
        });
        until("it listens", || {
            daemon.say(0, "ping");
            rx.recv_timeout(std::time::Duration::from_millis(100)).is_ok()
        });
    });
    stdout
}

#[test]
fn the_keys_call_the_daemon() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let started = bus.run(&["start", "--language", "en,de", "--source", "usb", "--translate"]);
    assert_eq!(
        (started.code, started.stdout.as_str()),
        (0, "/org/scriven/Dictation1/session/1_1/t\n")
    );
    for args in [&["stop"][..], &["toggle"], &["press"], &["release", "dictate"], &["cancel"]] {
        assert_eq!(bus.run(args).code, 0, "{args:?}");
    }
    assert_eq!(
        daemon.calls(),
        [
            r#"StartSession languages=["en", "de"] linger=true source="usb" task="translate""#,
            "Session.Stop",
            "Toggle linger=true",
            "Press(dictate) linger=true",
            "Release(dictate)",
            "Cancel",
        ]
    );
}

#[test]
fn what_was_said_lately_is_shown_and_typed_again() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let shown = bus.run(&["history"]).stdout;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "1764000000000000  delivered    first text");
    assert_eq!(lines[1], "1764000060000000  undelivered  second text", "no tab moves the cursor");
    assert_eq!(lines[2].trim_start(), "→ the focus has moved");
    let json = json_lines(&bus.run(&["history", "--json", "--limit", "5"]).stdout);
    assert_eq!((&json[1]["text"], json.len()), (&"second\ttext".into(), 2));
    let again = bus.run(&["redeliver"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, "scriven: typed by x11\n"));
    let failed = bus.run(&["redeliver", "--id", "5"]);
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("scriven history"), "{}", failed.stderr);
    for args in [&["undo"][..], &["insert", "a € b"], &["history", "--clear"]] {
        assert_eq!(bus.run(args).code, 0, "{args:?}");
    }
    let mut piped = bus.scriven(&["insert", "-"]);
    let file = bus.home().join("text");
    std::fs::write(&file, "from a pipe").unwrap();
    assert!(piped.stdin(std::fs::File::open(file).unwrap()).status().unwrap().success());
    assert_eq!(
        daemon.calls(),
        [
            "GetHistory(0)",
            "GetHistory(5)",
            "Redeliver",
            "Redeliver id=uint64 5",
            "UndoLast",
            "InsertText(a € b)",
            "ClearHistory",
            "InsertText(from a pipe)",
        ]
    );
}

#[test]
fn the_permission_to_type_is_asked_for_and_given_up() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let refused = bus.run(&["permit"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.starts_with("scriven: the desktop asks you now"), "{}", refused.stderr);
    let hint = "the permission to type was refused; see what this desktop can do: scriven doctor";
    assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    let forgotten = bus.run(&["permit", "--forget"]);
    assert_eq!((forgotten.code, forgotten.stderr.lines().count()), (0, 1));
    assert_eq!(daemon.calls(), ["PermitTyping", "PermitTyping forget=true"]);
}

#[test]
fn stopping_when_nothing_is_going_on_is_no_error() {
    let bus = Bus::start();
    let stopped = bus.run(&["stop"]);
    assert_eq!((stopped.code, stopped.stderr.as_str()), (0, "scriven: no dictation is going on\n"));
}

#[test]
fn dictating_ends_with_the_last_words_after_ctrl_c() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let log = bus.home().join("events.jsonl");
    let args =
        ["listen", "--dictate", "--json", "--language", "en", "--events", log.to_str().unwrap()];
    let mut child = bus.spawn(&args);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut out = read_until(&mut child, &mut stdout, "\" not\"");
    interrupt(&child);
    stdout.read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(daemon.calls()[0].contains("linger=false"));

    let lines = json_lines(&out);
    let signals: Vec<_> = lines.iter().map(|line| line["signal"].as_str().unwrap()).collect();
    assert_eq!(signals, ["SessionStarted", "Partial", "Partial", "Final", "SessionEnded"]);
    assert_eq!(lines[1]["info"]["words"][0][0], "ask");
    assert!(lines[3]["received"].as_u64() > lines[1]["received"].as_u64());

    let events = json_lines(&std::fs::read_to_string(log).unwrap());
    assert_eq!((&events[1]["committed"], &events[1]["partial"]), (&"ask".into(), &" not".into()));
    assert_eq!(events[2]["committed"], "ask not what");
    // Of the 0.25 s, those before the session are not its own.
    assert_eq!(events[3]["summary"], 1);
    assert!(events[3]["cpu_s"].as_f64().unwrap() <= 0.25);
}

#[test]
fn a_pipe_gets_final_lines_only_and_survives_a_restart_of_the_daemon() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let mut child = bus.spawn(&["listen"]);
    let mut stdout = ready(&daemon, &mut child);
    daemon.stop();
    let daemon = Daemon::start(&bus);
    bus.run(&["start"]);
    bus.run(&["stop"]);
    let lines = read_until(&mut child, &mut stdout, "what");
    assert_eq!(lines.replace("ping\n", ""), "ask not what\n");
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("the daemon has stopped; waiting for it"), "{}", ran.stderr);
    daemon.stop();
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let mut child = bus.spawn(&["listen"]);
    drop(ready(&daemon, &mut child));
    until("it ends", || {
        daemon.say(1, "nobody reads this");
        child.try_wait().unwrap().is_some()
    });
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_daemon_that_dies_in_the_middle_is_an_error() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    let mut child = bus.spawn(&["listen", "--dictate", "--json"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut child, &mut stdout, "\" not\"");
    daemon.stop();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the daemon stopped in the middle"), "{}", ran.stderr);
}

#[test]
fn options_of_a_session_need_a_session() {
    let bus = Bus::start();
    let ran = bus.run(&["listen", "--language", "de"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--dictate"), "{}", ran.stderr);
}

#[test]
fn status_says_what_the_daemon_does() {
    let bus = Bus::start();
    assert_eq!(bus.run(&["status"]).code, 1);
    assert_eq!(json_lines(&bus.run(&["status", "--json"]).stdout)[0]["running"], false);

    let daemon = Daemon::start(&bus);
    bus.run(&["start"]);
    let status = bus.run(&["status"]);
    assert!(status.stdout.contains("languages   en, de\n"), "{}", status.stdout);
    assert!(status.stdout.contains("session     dictation, listening"), "{}", status.stdout);
    let json = &json_lines(&bus.run(&["status", "--json"]).stdout)[0];
    assert_eq!((&json["state"], &json["model"]), (&"idle".into(), &"base".into()));
    daemon.stop();
}

#[test]
fn status_follows_the_daemon_through_its_life() {
    let bus = Bus::start();
    let mut child = bus.spawn(&["status", "--follow", "--json"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut child, &mut stdout, r#""running":false"#);
    let daemon = Daemon::start(&bus);
    read_until(&mut child, &mut stdout, r#""running":true"#);
    bus.run(&["start"]);
    read_until(&mut child, &mut stdout, r#""mode":"dictation""#);
    daemon.stop();
    read_until(&mut child, &mut stdout, r#""running":false"#);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sources_mark_the_default() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let sources = bus.run(&["sources"]).stdout;
    assert_eq!(sources.lines().next().unwrap(), "* alsa_input.usb    microphone  A microphone");
    let json: Value = serde_json::from_str(&bus.run(&["sources", "--json"]).stdout).unwrap();
    assert_eq!(json[1]["id"], "monitor:speakers");
}
