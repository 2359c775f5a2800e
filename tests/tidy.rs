//! The project keeps its own rules.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::fixture::{project, stderr, stdout};

/// The tracked files that are text, with their content.
fn files() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let listed = stdout(&output);
    let read = |name: &str| Some((name.to_owned(), fs::read_to_string(project().join(name)).ok()?));
    listed.lines().filter_map(read).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(project().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The texts in `backticks`.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn a_file_has_at_most_400_lines() {
    let long: Vec<String> = files()
        .iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(name, content)| (name, content.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .map(|(name, lines)| format!("{name}: {lines}"))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_changelog_has_a_place_for_what_comes_next() {
    assert!(read("CHANGELOG.md").contains("## [Unreleased]"));
}

#[test]
fn each_invariant_names_a_test_that_exists() {
    let files = files();
    let defines = |name: &str| {
        let signature = format!("fn {name}(");
        files.iter().any(|(path, content)| path.ends_with(".rs") && content.contains(&signature))
    };
    let doc = read("docs/architecture.md");
    let (_, section) = doc.split_once("## Invariants").expect("a section `Invariants`");
    let section = section.split("\n## ").next().unwrap();
    // A test's name is a sentence; shorter names are those of other things.
    let is_sentence = |name: &&str| name.matches('_').count() >= 3 && !name.contains(' ');
    let named: Vec<&str> = quoted(section).filter(is_sentence).collect();
    assert!(named.len() >= 10, "docs/architecture.md names {} tests", named.len());
    for test in named {
        let name = test.rsplit("::").next().unwrap();
        assert!(defines(name), "docs/architecture.md: no test {test}");
    }
}

#[test]
fn the_readme_names_targets_that_the_makefile_has() {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(targets, _)| targets.split_whitespace())
        .collect();
    for name in ["README.md", "CONTRIBUTING.md", "docs/latency.md"] {
        let Ok(text) = fs::read_to_string(project().join(name)) else { continue };
        let commands = text.lines().filter_map(|line| line.trim().strip_prefix("make "));
        let inline = quoted(&text).filter_map(|quote| quote.strip_prefix("make "));
        for command in commands.chain(inline) {
            let target = command.split_whitespace().find(|word| !word.contains('='));
            if let Some(target) = target {
                assert!(targets.contains(target), "{name}: no target `{target}`");
            }
        }
    }
}

#[test]
fn the_manual_page_names_every_member_of_the_contract() {
    let page = read("docs/man/scrivend.8");
    for interface in ["", ".Session", ".Model"] {
        let xml = read(&format!("docs/dbus/org.scriven.Dictation1{interface}.xml"));
        let members = xml.lines().map(str::trim_start).filter(|line| {
            ["<method", "<signal"].iter().any(|tag| line.starts_with(tag))
                || interface.is_empty() && line.starts_with("<property")
        });
        for member in members.filter_map(|line| line.split('"').nth(1)) {
            let is_named =
                page.contains(&format!(".Fn {member}")) || page.contains(&format!(".Va {member}"));
            assert!(is_named, "docs/man/scrivend.8 has no {member}");
        }
    }
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/tmp", "/w/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    for (name, content) in files() {
        for (at, line) in content.lines().enumerate() {
            let found = paths.iter().any(|path| line.contains(path));
            assert!(!found, "{name}:{}: {line}", at + 1);
        }
    }
}

#[test]
fn nobody_depends_on_what_it_must_not_know() {
    for (name, knows) in [
        ("audio", &[][..]),
        ("recognizer", &[]),
        ("desktop", &[]),
        ("tools", &[]),
        ("service", &["scriven-audio", "scriven-recognizer", "scriven-desktop"]),
    ] {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let ours = manifest.lines().filter(|line| line.starts_with("scriven-"));
        let depends: Vec<&str> =
            ours.filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
        assert_eq!(depends, knows, "crates/{name}/Cargo.toml");
    }
}
