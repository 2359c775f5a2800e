//! What `make install` lays down works, and `make uninstall` takes it away again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::fixture::{NAME, Room, program, project, skipped, stderr, stdout};
use crate::hearing::Signal;

fn make(target: &str, prefix: &Path) -> Output {
    let built = program("scriven");
    Command::new("make")
        .args(["--no-print-directory", "-C"])
        .arg(project())
        .arg(target)
        .arg(format!("PREFIX={}", prefix.display()))
        .arg(format!("built={}", built.parent().unwrap().display()))
        .arg(format!("CARGO_TARGET_DIR={}", prefix.with_extension("target").display()))
        // Of the `make test` that we may run under.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output()
        .unwrap()
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path.display().to_string()),
        }
    }
    all
}

/// The manual pages of ours that a text names, such as `scriven(1)`. There is at least one.
fn pages(text: &str) -> Vec<(String, char)> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut pages = Vec::new();
    for (at, _) in text.match_indices('(') {
        let mut behind = text[at + 1..].chars();
        let (section, closing) = (behind.next(), behind.next());
        let name = text[..at].rsplit(|c| !is_of_a_name(c)).next().unwrap();
        if let (Some(section @ '1'..='9'), Some(')')) = (section, closing)
            && name.starts_with("scriven")
        {
            pages.push((name.to_owned(), section));
        }
    }
    assert!(!pages.is_empty(), "{text}");
    pages
}

#[test]
fn an_installed_daemon_is_started_by_its_first_call_and_can_be_uninstalled() {
    let room = Room::without_model();
    let prefix = room.path("usr");
    let installed = make("install", &prefix);
    assert!(installed.status.success(), "{}", stderr(&installed));
    let service = format!("share/dbus-1/services/{NAME}.service");
    let desktop = "share/applications/org.scriven.Scriven.desktop";
    for file in ["bin/scriven", "bin/scrivend", "share/man/man1/scriven.1", &service, desktop] {
        assert!(prefix.join(file).exists(), "{file}");
    }

    let unit = fs::read_to_string(prefix.join("lib/systemd/user/scriven.service")).unwrap();
    let help = stdout(&room.scriven(&["--help"]));
    for (name, section) in [pages(&unit), pages(&help)].concat() {
        let page = format!("share/man/man{section}/{name}.{section}");
        assert!(prefix.join(&page).exists(), "{page}");
    }

    let ear = room.ear();
    room.activate_with(&fs::read_to_string(prefix.join(service)).unwrap());
    let list = room.scriven(&["model", "list"]);
    assert!(list.status.success(), "{}", stderr(&list));
    ear.wait("the name was taken", |signal| matches!(signal, Signal::Owner(Some(_))));

    let uninstalled = make("uninstall", &prefix);
    assert!(uninstalled.status.success(), "{}", stderr(&uninstalled));
    assert_eq!(files(&prefix), [""; 0]);
}

#[test]
fn systemd_understands_the_unit() {
    let what = "systemd's own check of the unit";
    let room = Room::without_model();
    let unit = fs::read_to_string(project().join("systemd/scriven.service")).unwrap();
    let folder = program("scrivend").parent().unwrap().display().to_string();
    let path = room.path("scriven.service");
    fs::write(&path, unit.replace("@BINDIR@", &folder)).unwrap();
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--user", "--man=no"])
        .arg(&path)
        .env("XDG_RUNTIME_DIR", room.path("cache"))
        .output();
    let Ok(verify) = verify else { return skipped(what, "systemd-analyze is not installed") };
    let said = format!("{}{}", stdout(&verify), stderr(&verify));
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("scriven")).collect();
    assert!(about_us.is_empty(), "{about_us:?}");
}

#[test]
fn the_manual_pages_are_well_formed() {
    for page in fs::read_dir(project().join("docs/man")).unwrap() {
        let page = page.unwrap().path();
        let what = format!("mandoc's check of {}", page.file_name().unwrap().display());
        match Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page).output() {
            Ok(lint) => assert!(lint.status.success(), "{}", stdout(&lint)),
            Err(_) => skipped(&what, "mandoc is not installed"),
        }
    }
}
