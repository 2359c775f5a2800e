//! Texts through real programs.

use std::fs;
use std::time::{Duration, Instant};

use scriven_desktop::Error;
use scriven_desktop::writing::hook::{DEFAULT_LIMIT, Hook, MAX_OUTPUT, Piped};

/// Long enough for a machine that is busy.
const AMPLE: Duration = Duration::from_secs(30);
/// For programs that are not to end by themselves.
const SHORT: Duration = Duration::from_millis(300);

fn pipe(limit: Duration, command: &[&str], text: &str) -> Piped {
    Hook::new(command[0], &command[1..], limit).pipe(text)
}

/// What the program makes of the text.
fn piped(command: &[&str], text: &str) -> String {
    let Piped { text, problem } = pipe(AMPLE, command, text);
    assert!(problem.is_none(), "{command:?}: {problem:?}");
    text
}

/// Why the program made nothing of it. The text is the original.
fn problem(limit: Duration, command: &[&str], text: &str) -> String {
    let Piped { text: left, problem } = pipe(limit, command, text);
    assert_eq!(left, text);
    assert!(matches!(problem, Some(Error::Hook { .. })), "{command:?}: {problem:?}");
    problem.map(|problem| problem.to_string()).unwrap_or_default()
}

#[test]
fn the_text_goes_through_a_program() {
    assert_eq!(piped(&["tr", "a-z", "A-Z"], "hello"), "HELLO");
    assert_eq!(piped(&["cat"], "日本語 😀\nΩ"), "日本語 😀\nΩ");
    assert_eq!(piped(&["sed", "s/foo/bar/"], " foo.\n"), " bar.\n");
    assert_eq!(piped(&["echo", "same"], "never read"), "same");
    assert_eq!(piped(&["false"], " \n"), " \n", "nothing to give to a program");
}

#[test]
fn control_characters_of_a_program_are_left_out() {
    assert_eq!(piped(&["printf", r"a\033[31mb\r\n\tc\000"], "x"), "a[31mb\n\tc");
}

#[test]
fn a_long_text_comes_back_whole() {
    let long = "0123456789abcde ".repeat(8_000) + "end";
    assert!(long.len() > 120_000 && long.len() < MAX_OUTPUT, "more than a pipe holds");
    assert_eq!(piped(&["cat"], &long), long);
    // It reads all before it writes.
    assert_eq!(piped(&["sort"], &long), long);
}

#[test]
fn a_program_need_not_read() {
    let long = "long".repeat(100_000);
    assert_eq!(piped(&["echo", "done"], &long), "done");
    let text = problem(SHORT, &["sleep", "600"], &long);
    assert!(text.contains("300 ms"), "{text}");
}

#[test]
fn what_goes_wrong_leaves_the_text_and_says_so() {
    for (command, why) in [
        (&["no-such-program-anywhere"][..], "does not start"),
        (&["false"], "exit status: 1"),
        (&["true"], "writes nothing"),
        (&["echo", " "], "writes nothing"),
        (&["sh", "-c", "kill -9 $$"], "signal: 9"),
        (&["printf", r"\377\376"], "not UTF-8"),
        (&["yes"], "more than 128 KiB"),
    ] {
        let text = problem(AMPLE, command, "hello");
        assert!(text.contains(command[0]) && text.contains(why), "{text}");
        assert!(!text.contains("hello"), "{text}");
    }
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let begin = Instant::now();
    let limit = Duration::from_secs(3);
    let text = problem(limit, &["sh", "-c", &script], "hello");
    assert!(text.contains("3000 ms"), "{text}");
    assert!(begin.elapsed() < AMPLE);
    let child = fs::read_to_string(&file).unwrap();
    let deadline = Instant::now() + AMPLE;
    while is_running(child.trim()) {
        assert!(Instant::now() < deadline, "the child outlives its parent");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether there is such a process, and it has not ended.
fn is_running(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// What a program leaves behind, such as one that holds the clipboard, is not waited for.
#[test]
fn a_child_that_keeps_the_pipe_open_does_not_hold_the_text_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("tr a-z A-Z; sleep 600 & echo $! > {}", file.display());
    let begin = Instant::now();
    assert_eq!(pipe(AMPLE * 4, &["sh", "-c", &script], "hello").text, "HELLO");
    assert!(begin.elapsed() < AMPLE * 4);
    let child = fs::read_to_string(&file).unwrap();
    assert!(is_running(child.trim()));
    let killed = std::process::Command::new("kill").arg(child.trim()).status().unwrap();
    assert!(killed.success());
}

/// Only standard input knows the text.
#[test]
fn the_text_is_in_no_argument_and_no_variable() {
    let script = "tr '\\0' '\\n' < /proc/$$/cmdline; cat /proc/$$/environ | tr '\\0' '\\n'";
    let seen = piped(&["sh", "-c", script], "what-was-said-here");
    assert!(seen.contains("cmdline"));
    assert!(!seen.contains("what-was-said-here"));
}

#[test]
fn the_usual_limit_is_two_seconds() {
    assert_eq!(DEFAULT_LIMIT, Duration::from_secs(2));
}
