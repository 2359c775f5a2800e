//! `model`.

use serde_json::Value;

use crate::daemon::Daemon;
use crate::fixture::{Bus, Ran, interrupt};

#[test]
fn the_list_marks_the_model_in_use() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let list = bus.run(&["model", "list"]).stdout;
    assert!(list.contains("* base         75 MB  multilingual  installed\n"), "{list}");
    assert!(list.contains("  large-v3     75 MB  multilingual  absent\n"), "{list}");
    let json: Value = serde_json::from_str(&bus.run(&["model", "list", "--json"]).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
}

#[test]
fn a_pull_ends_when_the_model_is_installed() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let ran = bus.run(&["model", "pull", "tiny"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "tiny is installed\n"));
    assert!(ran.stderr.contains("scriven: trying the first source\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("scriven: downloading: 30 MB of 75 MB\n"), "{}", ran.stderr);
    assert_eq!(bus.run(&["model", "pull", "tiny"]).stdout, "tiny is installed already\n");
}

#[test]
fn a_pull_that_fails_says_what_was_tried() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let ran = bus.run(&["model", "pull", "large-v3"]);
    assert_eq!(ran.code, 1);
    let end = "scriven: large-v3 is not installed: every source was tried\n";
    assert!(ran.stderr.ends_with(end), "{}", ran.stderr);
}

#[test]
fn ctrl_c_cancels_a_pull_and_says_how_to_go_on() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let child = bus.spawn(&["model", "pull", "tiny"]);
    std::thread::sleep(std::time::Duration::from_millis(150));
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.stderr.ends_with("go on with: scriven model pull tiny\n"), "{}", ran.stderr);
}

#[test]
fn importing_takes_a_path_relative_to_here() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    std::fs::write(bus.home().join("tiny.pt"), "weights").unwrap();
    std::fs::write(bus.home().join("tiny.txt"), "no weights").unwrap();
    let run = |file| {
        let mut command = bus.scriven(&["model", "import", "tiny", file]);
        Ran::from(command.current_dir(bus.home()).output().unwrap())
    };
    let refused = run("tiny.txt");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.ends_with("/tiny.txt is no model\n"), "{}", refused.stderr);
    assert_eq!(run("tiny.pt").stdout, "tiny is installed\n");
}

#[test]
fn a_model_may_be_imported_under_a_name_that_is_new() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    let file = bus.home().join("tiny.pt");
    std::fs::write(&file, "weights").unwrap();
    let ran = bus.run(&["model", "import", "my-own", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "my-own is installed\n"), "{}", ran.stderr);
    assert!(bus.run(&["model", "list"]).stdout.contains("  my-own "));
    assert_eq!(bus.run(&["model", "import", "", file.to_str().unwrap()]).code, 2);
}

#[test]
fn a_model_must_be_known_and_installed_to_be_used() {
    let bus = Bus::start();
    let _daemon = Daemon::start(&bus);
    assert_eq!(bus.run(&["model", "use", "base"]).code, 0);
    let unknown = bus.run(&["model", "use", "basic"]);
    assert!(unknown.stderr.contains("there are: base, large-v3, tiny"), "{}", unknown.stderr);
    let absent = bus.run(&["model", "use", "tiny"]);
    assert_eq!(absent.code, 1);
    assert!(absent.stderr.contains("tiny is not installed; fetch one with"), "{}", absent.stderr);
    assert_eq!(bus.run(&["model", "remove", "base"]).code, 0);
}
