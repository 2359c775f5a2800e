//! Whole pulls and imports against a server and a pip that fail on request. Only the conversion is
//! replaced: it copies, and refuses what begins with `not a model`.

mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use self::server::{Act, Server};
use super::download::Patience;
use super::{Catalog, Error, Phase, Progress, Store};

/// The version of the file that the servers have.
const ETAG: &str = "\"v1\"";

/// The only model of the test catalogs.
const ID: &str = "test";

/// Bytes that no compression and no shift maps to themselves.
fn file(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(|_| next()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn url_source(url: &str, bytes: &[u8]) -> String {
    let (size, sha256) = (bytes.len(), sha256(bytes));
    format!(
        "[[model.source]]\nkind = 'url'\nurl = '{url}/model.pt'\nsize = {size}\n\
         sha256 = '{sha256}'\n"
    )
}

/// A store with one model, which has the sources given.
fn store_in(folder: &Path, sources: &[String]) -> Store {
    let text = format!(
        "[[model]]\nid = '{ID}'\nmultilingual = true\nparameters = 1\nlicense = 'MIT'\n{}",
        sources.concat()
    );
    let mut store = Store::new(folder.into(), Catalog::parse(&text).unwrap());
    store.convert = copy;
    store.patience = Patience {
        connect: Duration::from_secs(1),
        stall: Duration::from_millis(300),
        attempts: 3,
        pause: Duration::from_millis(10),
    };
    store
}

fn copy(
    from: &Path,
    into: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), scriven_recognizer::Error> {
    let from = if from.is_dir() { from.join("model.bin") } else { from.into() };
    let bytes = fs::read(&from).unwrap();
    if bytes.starts_with(b"not a model") {
        return Err(scriven_recognizer::Error::UnknownFormat { path: from });
    }
    fs::write(into.join("model.safetensors"), &bytes).unwrap();
    progress(bytes.len() as u64, bytes.len() as u64);
    Ok(())
}

/// Pulls, and returns what was reported besides.
fn pull(store: &Store) -> (Result<(), Error>, Vec<Progress>) {
    let mut reports = Vec::new();
    let outcome = store.pull(ID, &AtomicBool::new(false), &mut |progress| reports.push(progress));
    (outcome, reports)
}

/// Pulls until `enough` of a report, then cancels.
fn pull_until(store: &Store, enough: impl Fn(&Progress) -> bool) -> Result<(), Error> {
    let cancel = AtomicBool::new(false);
    store.pull(ID, &cancel, &mut |progress| {
        if enough(&progress) {
            cancel.store(true, Ordering::Relaxed);
        }
    })
}

fn installed(store: &Store) -> Vec<u8> {
    fs::read(store.folder(ID).join("model.safetensors")).unwrap()
}

/// One server that acts as told, and a store that knows it.
fn with_server(bytes: &[u8], script: &[Act]) -> (TempDir, Server, Store) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(bytes.to_vec(), ETAG, script);
    let store = store_in(folder.path(), &[url_source(&server.address, bytes)]);
    (folder, server, store)
}

#[test]
fn a_pull_installs_a_model_and_leaves_nothing_else() {
    let bytes = file(1_000_000);
    let (folder, server, store) = with_server(&bytes, &[]);
    assert!(!store.is_installed(ID));
    let (outcome, reports) = pull(&store);
    outcome.unwrap();
    assert!(store.is_installed(ID));
    assert_eq!(store.installed(), [ID]);
    assert_eq!(installed(&store), bytes);
    assert!(!folder.path().join(".partial").join(ID).exists());
    let downloaded = reports.iter().rfind(|report| report.phase == Phase::Downloading).unwrap();
    assert_eq!((downloaded.done, downloaded.total), (1_000_000, 1_000_000));
    assert_eq!(reports.last().unwrap().phase, Phase::Converting);
    assert!(reports[0].detail.starts_with("trying 127.0.0.1:"), "{}", reports[0].detail);

    pull(&store).0.unwrap();
    assert_eq!(server.n_requests(), 1, "an installed model is not pulled again");
}

#[test]
fn a_cut_connection_is_resumed() {
    let bytes = file(1_000_000);
    let (_folder, server, store) = with_server(&bytes, &[Act::Cut(300_000), Act::Cut(200_000)]);
    pull(&store).0.unwrap();
    assert_eq!(installed(&store), bytes);
    assert_eq!(server.n_requests(), 3);
    assert!(!server.request(0).contains("\nrange:"));
    assert!(server.request(1).contains("range: bytes=300000-"), "{}", server.request(1));
    assert!(server.request(2).contains("range: bytes=500000-"), "{}", server.request(2));
    assert!(server.request(2).contains("if-range: \"v1\""), "{}", server.request(2));
}

#[test]
fn a_cancelled_pull_is_resumed_by_the_next() {
    let bytes = file(1_000_000);
    let (folder, server, store) = with_server(&bytes, &[Act::Drip(5_000)]);
    let began = Instant::now();
    let outcome = pull_until(&store, |progress| progress.done > 100_000);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(!store.is_installed(ID));

    let again = store_in(folder.path(), &[url_source(&server.address, &bytes)]);
    pull(&again).0.unwrap();
    assert_eq!(installed(&again), bytes);
    assert!(server.request(1).contains("if-range: \"v1\""), "{}", server.request(1));
}

#[test]
fn a_server_without_ranges_starts_over() {
    let bytes = file(500_000);
    let (_folder, _server, store) = with_server(&bytes, &[Act::Cut(200_000), Act::IgnoreRange]);
    pull(&store).0.unwrap();
    assert_eq!(installed(&store), bytes);
}

#[test]
fn a_file_that_changed_meanwhile_starts_over() {
    let (old, bytes) = (vec![7; 500_000], file(500_000));
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(old, "\"v0\"", &[Act::Drip(20_000)]);
    let store = store_in(folder.path(), &[url_source(&server.address, &bytes)]);
    pull_until(&store, |progress| progress.done > 100_000).unwrap_err();
    let server = Server::start(bytes.clone(), ETAG, &[]);
    let store = store_in(folder.path(), &[url_source(&server.address, &bytes)]);
    pull(&store).0.unwrap();
    assert!(server.request(0).contains("if-range: \"v0\""), "{}", server.request(0));
    assert_eq!(installed(&store), bytes);
}

#[test]
fn a_resumed_file_with_a_bad_beginning_is_fetched_again() {
    let bytes = file(500_000);
    let (folder, server, store) = with_server(&bytes, &[Act::Drip(20_000)]);
    pull_until(&store, |progress| progress.done > 100_000).unwrap_err();
    let partial = folder.path().join(".partial").join(ID).join(&sha256(&bytes)[..16]);
    let partial = partial.with_added_extension("part");
    let mut begun = fs::read(&partial).unwrap();
    begun[0] ^= 1;
    fs::write(&partial, begun).unwrap();
    pull(&store).0.unwrap();
    assert_eq!(installed(&store), bytes);
    assert_eq!(server.n_requests(), 3);
}

#[test]
fn a_redirect_keeps_the_range() {
    let bytes = file(500_000);
    let script = [Act::Redirect, Act::Cut(100_000), Act::Redirect];
    let (_folder, server, store) = with_server(&bytes, &script);
    pull(&store).0.unwrap();
    assert_eq!(installed(&store), bytes);
    assert!(server.request(3).starts_with("get /elsewhere"), "{}", server.request(3));
    assert!(server.request(3).contains("range: bytes=100000-"), "{}", server.request(3));
}

#[test]
fn a_wrong_hash_is_deleted_and_the_next_source_is_tried() {
    let (bytes, wrong) = (file(300_000), vec![0; 300_000]);
    let folder = tempfile::tempdir().unwrap();
    let bad = Server::start(wrong, ETAG, &[]);
    let good = Server::start(bytes.clone(), ETAG, &[]);
    let sources = [&bad, &good].map(|server| url_source(&server.address, &bytes));
    let store = store_in(folder.path(), &sources);
    let (outcome, reports) = pull(&store);
    outcome.unwrap();
    assert_eq!(installed(&store), bytes);
    assert!(!good.request(0).contains("\nrange:"), "the wrong bytes are gone");
    let told = |text: &str| reports.iter().any(|report| report.detail.contains(text));
    assert!(told("in place of") && told("(source 2 of 2)"));
}

#[test]
fn every_source_that_fails_is_named_with_its_reason() {
    let bytes = file(1000);
    let folder = tempfile::tempdir().unwrap();
    let gone = Server::start(bytes.clone(), ETAG, &[Act::Status(404)]);
    let busy = Server::start(bytes.clone(), ETAG, &[Act::Status(503); 9]);
    let other = Server::start(file(999), ETAG, &[]);
    let mut sources: Vec<_> =
        [&gone, &busy, &other].iter().map(|server| url_source(&server.address, &bytes)).collect();
    sources.push(url_source("http://127.0.0.1:1", &bytes));
    let store = store_in(folder.path(), &sources);
    let message = pull(&store).0.unwrap_err().to_string();
    for reason in [
        "/model.pt: the server answers 404 (not there);",
        "/model.pt: the server answers 503 (its own fault), 3 times in a row;",
        "/model.pt: the file there has 999 bytes in place of 1000;",
        "http://127.0.0.1:1/model.pt: the connection was refused.",
        "run `scriven model import test FILE`",
    ] {
        assert!(message.contains(reason), "{reason:?} is not in {message:?}");
    }
    assert_eq!((gone.n_requests(), busy.n_requests()), (1, 3));
    assert_eq!(fs::read_dir(folder.path().join(".partial").join(ID)).unwrap().count(), 0);
}

#[test]
fn a_passing_fault_of_the_server_is_waited_out() {
    let bytes = file(1000);
    let (_folder, server, store) = with_server(&bytes, &[Act::Status(503), Act::Status(429)]);
    pull(&store).0.unwrap();
    assert_eq!(server.n_requests(), 3);
}

#[test]
fn a_stalled_connection_is_given_up_and_resumed() {
    let bytes = file(500_000);
    let folder = tempfile::tempdir().unwrap();
    let slow = Server::start(bytes.clone(), ETAG, &[Act::Stall(1000)]);
    let store = store_in(folder.path(), &[url_source(&slow.address, &bytes)]);
    let began = Instant::now();
    let (outcome, reports) = pull(&store);
    outcome.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(slow.request(1).contains("range: bytes=1000-"), "{}", slow.request(1));
    let told = |text: &str| reports.iter().any(|report| report.detail.contains(text));
    assert!(told("; trying again)"));
}

#[test]
fn a_stalled_connection_can_be_cancelled() {
    let bytes = file(500_000);
    let (_folder, _server, mut store) = with_server(&bytes, &[Act::Stall(200_000)]);
    store.patience = Patience::default();
    let cancel = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pull = scope.spawn(|| store.pull(ID, &cancel, &mut |_| ()));
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        cancel.store(true, Ordering::Relaxed);
        assert!(matches!(pull.join().unwrap(), Err(Error::Cancelled)));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    });
}

#[test]
fn a_second_pull_of_a_model_is_refused_and_another_model_is_not() {
    let bytes = file(500_000);
    let (_folder, _server, store) = with_server(&bytes, &[Act::Drip(10_000)]);
    let mut is_first = true;
    let outcome = store.pull(ID, &AtomicBool::new(false), &mut |_| {
        if std::mem::take(&mut is_first) {
            assert!(matches!(pull(&store).0, Err(Error::Busy(_))));
            assert!(matches!(store.remove(ID), Err(Error::Busy(_))));
            assert!(matches!(store.remove("other"), Err(Error::NotInstalled(_))));
        }
    });
    outcome.unwrap();
}

#[test]
fn partial_files_of_another_version_are_deleted() {
    let bytes = file(1000);
    let (folder, _server, store) = with_server(&bytes, &[Act::Status(404)]);
    let partial = folder.path().join(".partial").join(ID);
    let known = partial.join(format!("{}.part", &sha256(&bytes)[..16]));
    fs::create_dir_all(partial.join("unpacked")).unwrap();
    for path in [&partial.join("0123456789abcdef.part"), &known] {
        fs::write(path, b"x").unwrap();
    }
    pull(&store).0.unwrap_err();
    let left: Vec<_> = fs::read_dir(&partial).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [known]);
}

#[test]
fn a_removed_model_is_gone() {
    let (_folder, _server, store) = with_server(&file(1000), &[]);
    pull(&store).0.unwrap();
    store.remove(ID).unwrap();
    assert!(!store.is_installed(ID) && !store.folder(ID).exists());
    assert!(matches!(store.remove(ID), Err(Error::NotInstalled(_))));
    assert!(matches!(store.remove("../x"), Err(Error::InvalidId(_))));
}

#[test]
fn a_file_is_imported_under_a_new_name_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder.path().join("store"), &[url_source("http://x", b"x")]);
    let path = folder.path().join("mine.pt");
    fs::write(&path, b"weights").unwrap();
    let import = |id: &str| store.import(id, &path, &AtomicBool::new(false), &mut |_| ());
    import("my-own.2").unwrap();
    assert!(store.is_installed("my-own.2"));
    assert_eq!(fs::read(&path).unwrap(), b"weights");
    assert!(matches!(import("../x"), Err(Error::InvalidId(_))));
    fs::write(&path, b"not a model at all").unwrap();
    let error = import("my-own.2").unwrap_err().to_string();
    assert!(error.contains("mine.pt") && error.contains("is not a Whisper model"), "{error}");
    assert!(store.is_installed("my-own.2"), "the model there stays");
    fs::remove_file(&path).unwrap();
    assert!(import("my-own.2").unwrap_err().to_string().contains("mine.pt"));
}

#[test]
fn a_store_that_would_not_fit_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let source = url_source("http://127.0.0.1:1", b"x").replace("= 1\n", "= 1000000000000000\n");
    let message = pull(&store_in(folder.path(), &[source])).0.unwrap_err().to_string();
    assert!(message.contains(folder.path().to_str().unwrap()), "{message}");
    assert!(message.contains("2000000000.0 MB are needed"), "{message}");
}

/// Mounts a file system of one megabyte, for root only.
fn small_disk() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .output();
    mount.is_ok_and(|mount| mount.status.success()).then_some(folder)
}

#[test]
fn a_full_disk_is_named_and_given_back() {
    let Some(disk) = small_disk() else {
        println!("SKIPPED: a small file system cannot be mounted here");
        return;
    };
    let bytes = file(400_000);
    let server = Server::start(bytes.clone(), ETAG, &[Act::Drip(10_000)]);
    let store = store_in(disk.path(), &[url_source(&server.address, &bytes)]);
    let filler = disk.path().join("filler");
    let mut is_first = true;
    let outcome = store.pull(ID, &AtomicBool::new(false), &mut |progress| {
        if progress.done > 0 && std::mem::take(&mut is_first) {
            // Another program fills the disk meanwhile.
            fs::write(&filler, vec![1; 2_000_000]).unwrap_err();
        }
    });
    let message = outcome.unwrap_err().to_string();
    let partial = disk.path().join(".partial").join(ID);
    let n_left = fs::read_dir(&partial).unwrap().count();
    fs::remove_file(&filler).unwrap();
    let again = pull(&store).0;
    Command::new("umount").arg(disk.path()).status().unwrap();
    assert!(message.contains(partial.to_str().unwrap()), "{message}");
    assert!(message.contains("0.4 MB are needed; free some space"), "{message}");
    assert_eq!(n_left, 0);
    again.unwrap();
}

mod pip;
