//! Models: what a user may hand over as one, and a disk that is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::fixture::{MODEL, Room, Running, data, skipped, stderr, stdout};
use crate::hearing::property;
use crate::speech::{assert_heard, sentence};

fn import(room: &Room, path: &Path) -> std::process::Output {
    room.scriven(&["model", "import", MODEL, path.to_str().unwrap()])
}

/// A copy of the fetched weights whose `model.bin` is `weights`.
fn folder_with(room: &Room, weights: &[u8]) -> std::path::PathBuf {
    let folder = room.path("imported");
    fs::create_dir_all(&folder).unwrap();
    for name in ["config.json", "tokenizer.json", "vocabulary.txt"] {
        fs::copy(data(MODEL).join(name), folder.join(name)).unwrap();
    }
    fs::write(folder.join("model.bin"), weights).unwrap();
    folder
}

#[test]
fn a_model_is_imported_used_and_removed() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let imported = import(&room, &data(MODEL));
    assert!(imported.status.success(), "{}", stderr(&imported));
    assert!(room.models().join(MODEL).join("model.safetensors").exists());
    let used = room.scriven(&["model", "use", MODEL]);
    assert!(used.status.success(), "{}", stderr(&used));
    let model: String = property(&room.connect(), "Model").try_into().unwrap();
    assert_eq!(model, MODEL);
    let (sound, said) = sentence();
    assert_heard(said, &stdout(&room.scriven(&["transcribe", sound.to_str().unwrap()])));
    let removed = room.scriven(&["model", "remove", MODEL]);
    assert!(removed.status.success(), "{}", stderr(&removed));
    assert!(!room.models().join(MODEL).exists());
}

#[test]
fn a_fine_tuned_model_has_a_name_of_its_own_also_after_a_restart() {
    let room = Room::without_model();
    let daemon = room.daemon();
    let scriven = |arguments: &[&str]| {
        let output = room.scriven(&[&["model"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    scriven(&["import", "my-finetune", data(MODEL).to_str().unwrap()]);
    scriven(&["use", "my-finetune"]);
    drop(daemon);
    let _daemon = room.ready_daemon();
    let list = scriven(&["list"]);
    let line = list.lines().find(|line| line.contains("my-finetune")).expect("it is listed");
    assert!(line.starts_with("* ") && line.contains("English"), "{line}");
    assert!(line.contains(" MB") && line.ends_with("installed"), "{line}");
    let (sound, said) = sentence();
    assert_heard(said, &stdout(&room.scriven(&["transcribe", sound.to_str().unwrap()])));
    scriven(&["rm", "my-finetune"]);
    assert!(!scriven(&["list"]).contains("my-finetune"));
    assert!(!room.models().join("my-finetune").exists());
    let escape = room.scriven(&["model", "import", "../out", data(MODEL).to_str().unwrap()]);
    assert_eq!(escape.status.code(), Some(1));
    assert!(stderr(&escape).contains("cannot name a model"), "{}", stderr(&escape));
}

#[test]
fn what_is_no_model_is_refused_and_leaves_nothing_behind() {
    let room = Room::without_model();
    let _daemon = room.daemon();
    let weights = fs::read(data(MODEL).join("model.bin")).unwrap();
    let mut endless = u64::MAX.to_le_bytes().to_vec();
    endless.extend_from_slice(b"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}");
    let trap = room.path("sprung");
    let pickle = format!("cos\nsystem\n(S'touch {}'\ntR.", trap.display());
    let files =
        [("endless.safetensors", endless), ("trap.pt", pickle.into_bytes()), ("empty.pt", vec![])];

    let mut cases =
        vec![("half of the weights", folder_with(&room, &weights[..weights.len() / 2]))];
    for (name, content) in files {
        fs::write(room.path(name), content).unwrap();
        cases.push((name, room.path(name)));
    }
    cases.push(("nothing", room.path("nothing")));
    for (what, path) in cases {
        let output = import(&room, &path);
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(!stderr(&output).is_empty() && !stderr(&output).contains("panic"), "{what}");
        assert!(!room.models().join(MODEL).exists(), "{what}");
    }
    assert!(!trap.exists(), "a checkpoint is data, not a program");
    assert!(import(&room, &data(MODEL)).status.success(), "a good one is still taken");
}

#[test]
fn a_full_disk_is_told_and_the_next_import_succeeds() {
    let what = "an import onto a full disk";
    if !rustix::process::geteuid().is_root() {
        return skipped(what, "only root may mount a small file system");
    }
    let room = Room::without_model();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"])
        .arg(room.models())
        .output()
        .unwrap();
    if !mount.status.success() {
        return skipped(what, stderr(&mount).trim());
    }
    let _mounted = Mounted(room.models());
    let _daemon = room.daemon();
    let output = import(&room, &data(MODEL));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).to_lowercase().contains("space"), "{}", stderr(&output));
    let left = fs::read_dir(room.models().join(".partial").join(MODEL)).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what was half written is gone");
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the daemon may still have a file open there.
        Running::start(Command::new("umount").arg("--lazy").arg(&self.0)).wait();
    }
}
