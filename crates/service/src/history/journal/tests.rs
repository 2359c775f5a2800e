use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use super::*;

const DAY: u64 = 86_400_000_000;
const LIMITS: Limits = Limits { max: 3, keep: Duration::from_secs(86_400) };

struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state/history.jsonl")
    }

    fn open(&self, now: u64) -> (Journal, History) {
        Journal::open(self.path(), LIMITS, now)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// Puts `bytes` where the history should be.
    fn put(&self, bytes: &[u8]) {
        fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        fs::write(self.path(), bytes).unwrap();
    }
}

fn say(journal: &mut Journal, history: &mut History, now: u64, text: &str, access: Access) -> u64 {
    let id = history.add(now, text.into(), Some("en".into()), access, Fate::Undelivered);
    journal.add(history.get(id).unwrap());
    id
}

fn texts(history: &History) -> Vec<(&str, Fate)> {
    history.latest().map(|entry| (entry.text.as_str(), entry.fate)).collect()
}

#[test]
fn a_text_outlives_the_process_with_what_became_of_it() {
    let disk = Disk::new();
    let (mut journal, mut history) = disk.open(0);
    let first = say(&mut journal, &mut history, 1, "one\ntwo \"three\"", Access::All);
    say(&mut journal, &mut history, 2, "four", Access::All);
    let entry = history.get_mut(first).unwrap();
    (entry.fate, entry.backend) = (Fate::Delivered, "x11".into());
    journal.settle(entry);
    journal.sync();
    // The process ends here, between the second text and its delivery.
    let (_, again) = disk.open(3);
    let seen = texts(&again);
    assert_eq!(seen, [("four", Fate::Undelivered), ("one\ntwo \"three\"", Fate::Delivered)]);
    assert_eq!(again.get(first).unwrap().backend, "x11");
    assert_eq!(again.get(first).unwrap().language.as_deref(), Some("en"));
}

#[test]
fn the_file_is_the_users_alone() {
    let disk = Disk::new();
    disk.put(b"");
    fs::set_permissions(disk.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let (mut journal, mut history) = disk.open(0);
    let mode = || fs::metadata(disk.path()).unwrap().permissions().mode() & 0o777;
    say(&mut journal, &mut history, 1, "one", Access::All);
    assert_eq!(mode(), 0o600);
    journal.rewrite(&history);
    assert_eq!(mode(), 0o600);
}

#[test]
fn what_is_private_is_never_written() {
    let disk = Disk::new();
    let (mut journal, mut history) = disk.open(0);
    say(&mut journal, &mut history, 1, "hunter2", Access::Nobody);
    say(&mut journal, &mut history, 2, "for me", Access::Owner(None));
    say(&mut journal, &mut history, 3, "for all", Access::All);
    journal.rewrite(&history);
    say(&mut journal, &mut history, 4, "hunter3", Access::Nobody);
    assert_eq!(disk.text().lines().count(), 1);
    assert!(disk.text().contains("for all"));
}

#[test]
fn what_is_forgotten_is_gone_from_the_disk() {
    let disk = Disk::new();
    let (mut journal, mut history) = disk.open(0);
    for (at, text) in [(1, "one"), (2, "two"), (3, "three"), (DAY, "four")] {
        say(&mut journal, &mut history, at, text, Access::All);
    }
    assert!(history.prune(DAY));
    journal.rewrite(&history);
    assert!(!disk.text().contains("one") && disk.text().contains("two"));
    // The next process finds the others too old.
    let (_, history) = disk.open(DAY + 10);
    assert_eq!(texts(&history), [("four", Fate::Undelivered)]);
    assert_eq!(disk.text().lines().count(), 1);
    let off = Limits { keep: Duration::ZERO, ..LIMITS };
    let (mut journal, mut history) = Journal::open(disk.path(), off, DAY + 10);
    assert!(!disk.path().exists(), "zero hours keep nothing");
    say(&mut journal, &mut history, DAY + 11, "five", Access::All);
    assert!(!disk.path().exists());
}

#[test]
fn a_torn_or_hostile_file_costs_only_what_is_torn() {
    let good = br#"{"id":5,"text":"kept","state":"undelivered"}"#;
    let junk: [&[u8]; 9] = [
        br#"{"id":6,"text":"torn","sta"#,
        br#"{"id":-1,"text":"x","state":"delivered"}"#,
        br#"{"id":7,"text":"x","state":"eaten"}"#,
        br#"{"id":8,"state":"delivered"}"#,
        br#"{"id":18446744073709551615,"text":"x","state":"delivered"}"#,
        b"\xff\xfe\0\0",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        b"",
        br#"{"id":9,"text":["x"],"state":"delivered"}"#,
    ];
    let disk = Disk::new();
    for torn in junk {
        disk.put(&[good.as_slice(), b"\n", torn].concat());
        let (mut journal, mut history) = disk.open(6);
        assert_eq!(texts(&history), [("kept", Fate::Undelivered)]);
        say(&mut journal, &mut history, 9, "next", Access::All);
        assert_eq!(texts(&disk.open(9).1).len(), 2, "nothing is glued to half a line");
    }
    let deep = [good.as_slice(), b"\n", "[".repeat(1_000_000).as_bytes()].concat();
    disk.put(&deep);
    assert_eq!(disk.open(6).1.latest().count(), 1);
}

#[test]
fn what_a_wrong_clock_has_dated_ahead_is_kept_in_its_order_and_grows_old() {
    let disk = Disk::new();
    let now = 1_000 * DAY;
    let line = |id| format!("{{\"id\":{id},\"text\":\"{id}\",\"state\":\"delivered\"}}\n");
    disk.put([now - 5, now + 1, 9 * now].map(line).concat().as_bytes());
    let (mut journal, mut history) = disk.open(now);
    let ids: Vec<_> = history.latest().map(|entry| entry.id).collect();
    assert_eq!(ids, [now, now - 1, now - 5]);
    assert_eq!(history.get(now).unwrap().text, (9 * now).to_string());
    assert_eq!(say(&mut journal, &mut history, now, "next", Access::All), now + 1);
    assert_eq!(texts(&disk.open(now + DAY).1), [("next", Fate::Undelivered)]);
    // A clock that has stopped at the beginning of time has no numbers for all of them.
    disk.put([3, 4, 5].map(line).concat().as_bytes());
    let ids: Vec<_> = disk.open(1).1.latest().map(|entry| entry.id).collect();
    assert_eq!(ids, [1, 0]);
}

#[test]
fn of_a_huge_file_the_end_is_read() {
    let disk = Disk::new();
    let filler = "x".repeat(MAX_BYTES as usize);
    let lines = format!(
        "{{\"id\":1,\"text\":\"{filler}\",\"state\":\"delivered\"}}\n\
         {{\"id\":2,\"text\":\"end\",\"state\":\"delivered\"}}\n"
    );
    disk.put(lines.as_bytes());
    assert_eq!(texts(&disk.open(3).1), [("end", Fate::Delivered)]);
    assert!(disk.text().len() < 100, "and the rest is gone");
}

#[test]
fn a_file_upside_down_is_read_at_once() {
    let line = |id| format!("{{\"id\":{id},\"text\":\"\",\"state\":\"delivered\"}}\n");
    let lines: String = (0..100_000).rev().map(line).collect();
    let began = std::time::Instant::now();
    let read = entries(lines.as_bytes());
    assert!(read.iter().map(|entry| entry.id).eq(0..100_000));
    // A list that is kept sorted takes a minute for it.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_link_or_a_pipe_is_left_alone() {
    let disk = Disk::new();
    let elsewhere = disk.0.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    fs::create_dir_all(disk.path().parent().unwrap()).unwrap();
    symlink(&elsewhere, disk.path()).unwrap();
    let (mut journal, mut history) = disk.open(0);
    // The link itself has been replaced; what it points to is as before.
    say(&mut journal, &mut history, 1, "one", Access::All);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "");

    fs::remove_file(disk.path()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        disk.path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    // Does not hang.
    let (mut journal, mut history) = disk.open(0);
    say(&mut journal, &mut history, 1, "one", Access::All);
    assert_eq!(history.latest().count(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_costs_no_text() {
    let disk = Disk::new();
    fs::write(disk.0.path().join("state"), "a file in the way").unwrap();
    let (mut journal, mut history) = disk.open(0);
    say(&mut journal, &mut history, 1, "one", Access::All);
    journal.sync();
    journal.rewrite(&history);
    assert_eq!(texts(&history), [("one", Fate::Undelivered)]);
}

#[test]
fn a_file_that_somebody_removed_is_begun_anew() {
    let disk = Disk::new();
    let (mut journal, mut history) = disk.open(0);
    say(&mut journal, &mut history, 1, "one", Access::All);
    fs::remove_file(disk.path()).unwrap();
    say(&mut journal, &mut history, 2, "two", Access::All);
    assert!(disk.text().contains("two"));
}
