//! The lines in `docs/shortcuts.md` are those that compositors read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::fixture::{is_installed, skipped};

const DOCUMENT: &str = include_str!("../../../../docs/shortcuts.md");

/// The block of code in this language.
fn block(language: &str) -> String {
    let beginning = format!("```{language}\n");
    let (_, rest) = DOCUMENT.split_once(&beginning).unwrap_or_else(|| panic!("no {language}"));
    rest.split("```").next().unwrap().to_owned()
}

/// sway starts for nobody who could become the administrator.
fn validated_by_sway(config: &str) -> Output {
    let folder = TempDir::with_prefix("scriven-sway.").unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let file = folder.path().join("config");
    fs::write(&file, config).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sway"]);
        command
    } else {
        Command::new("sway")
    };
    command
        .args(["--validate", "-c"])
        .arg(&file)
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("WLR_BACKENDS", "headless")
        .env("WLR_RENDERER", "pixman")
        .env("WLR_LIBINPUT_NO_DEVICES", "1")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DISPLAY")
        .output()
        .unwrap()
}

#[test]
fn sway_reads_its_lines() {
    if !is_installed("sway") {
        return skipped("sway's lines", "sway is not installed");
    }
    let output = validated_by_sway(&block("sway"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let wrong = validated_by_sway("bindsym --release F9+nothing exec scriven press\n");
    assert!(!wrong.status.success(), "sway tells right from wrong");
}

#[test]
fn i3_reads_its_lines() {
    if !is_installed("i3") {
        return skipped("i3's lines", "i3 is not installed");
    }
    let folder = TempDir::with_prefix("scriven-i3.").unwrap();
    let validated = |config: &str| {
        let file = folder.path().join("config");
        fs::write(&file, format!("# i3 config file (v4)\n{config}")).unwrap();
        Command::new("i3").arg("-C").arg("-c").arg(&file).output().unwrap()
    };
    let output = validated(&block("i3"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("ERROR"), "{said}");
    assert!(!validated("frobnicate F9 exec scriven press\n").status.success());
}

#[test]
fn every_compositor_gets_what_it_can() {
    for (language, wanted) in [
        ("sway", ["scriven press dictate", "scriven release dictate"]),
        ("i3", ["scriven press dictate", "scriven release dictate"]),
        ("hyprland", ["scriven press dictate", "scriven release dictate"]),
        ("lua", ["scriven press dictate", "scriven release dictate"]),
        ("kdl", ["\"scriven\" \"toggle\"", "\"scriven\" \"cancel\""]),
    ] {
        let block = block(language);
        for line in wanted {
            assert!(block.contains(line), "{language}: {line}");
        }
    }
}
