//! What `make fuzz` gets at besides the interface; no other build has it.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;

use scriven_audio::Frontend;
use scriven_desktop::insertion::portal::Keep as _;
use scriven_desktop::profiles::Profiles;
use scriven_desktop::shortcut::trigger::Trigger;
use scriven_desktop::writing::Writer;
use scriven_recognizer as recognizer;

use crate::config::Config;
use crate::feedback::lowered;
use crate::history::journal::Journal;
use crate::history::{Access, Fate, Limits};
use crate::models::{Catalog, Store};
use crate::options::{DICTATION, FILE, Options, Raw};
use crate::permission::TokenFile;

/// Half a second of something that is not silence.
const SAMPLES: usize = 8_000;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);

/// Reads a configuration, and makes of it what a start of the daemon makes.
pub fn config(text: &str) {
    let Ok(config) = Config::parse(text, Path::new("config.toml")) else { return };
    for action in config.actions() {
        if let Ok(trigger) = Trigger::from_str(&action.trigger) {
            assert_eq!(Trigger::from_str(&trigger.to_string()).ok(), Some(trigger));
        }
    }
    if let Ok(styles) = config.styles() {
        let apps = styles
            .iter()
            .flat_map(|style| style.apps.iter().map(|app| (app.clone(), style.name.clone())));
        let profiles = Profiles::new(apps.collect::<Vec<_>>(), "");
        for app in ["org.gnome.TextEditor", "", "xterm"] {
            profiles.choose(Some(app));
        }
        for style in styles {
            Writer::new(style.rules).write("Hello comma, new line. World", "en", None);
        }
    }
    let mut frontend = Frontend::new(80, &config.speech.segments(), None);
    let samples: Vec<f32> = (0..SAMPLES).map(|at| (at % 97) as f32 / 97.0 - 0.5).collect();
    frontend.push(&samples, &mut |_| ());
    frontend.finish(&mut |_| ());
    drop(config.with_vocabulary());
}

/// A history left by an earlier process, at `now` (µs since 1970): more texts can be added to it,
/// and all come back.
pub fn history(folder: &Path, bytes: &[u8], now: u64) {
    let path = folder.join("history.jsonl");
    std::fs::write(&path, bytes).expect("a folder to write in");
    let limits = Limits { max: 20, keep: Duration::from_secs(3600) };
    let (mut journal, mut history) = Journal::open(path.clone(), limits, now);
    assert!(history.latest().count() <= limits.max);
    let mut last = history.latest().next().map_or(0, |entry| entry.id);
    for text in ["one", "two"] {
        let id = history.add(now, text.into(), None, Access::All, Fate::Unasked);
        assert!(id > last, "{id} after {last}");
        last = id;
        history.next_expiry(now);
        journal.add(history.get(id).expect("it was added just now"));
    }
    history.undone(last);
    history.prune(now);
    let kept: Vec<_> = history.latest().map(|entry| entry.text.clone()).collect();
    assert_eq!(kept[..2], ["two", "one"]);
    journal.sync();
    let (_, again) = Journal::open(path, limits, now);
    assert_eq!(again.latest().map(|entry| entry.text.clone()).collect::<Vec<_>>(), kept);
}

/// The small files of the folder of state, and the header of an installed model.
pub fn state(folder: &Path, bytes: &[u8]) {
    let write = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, bytes)).expect("room");
        path
    };
    drop(TokenFile(write("portal-token")).load());
    write("lowered.json");
    lowered(folder);
    let store = Store::new(folder.into(), CATALOG.clone());
    let id = String::from_utf8_lossy(bytes);
    store.is_installed(id.trim());
    std::fs::create_dir_all(folder.join("own")).expect("room");
    write("own/model.safetensors");
    store.facts("own");
}

/// The options of a call, for each method.
pub fn options(raw: &Raw) {
    for known in [DICTATION, FILE] {
        let Ok(options) = Options::parse(raw, known) else { continue };
        if let Some(token) = &options.handle_token {
            zbus::ObjectPath::try_from(format!("/a/{token}")).expect("a token is part of a path");
        }
        drop(options.recognition(recognizer::Options::default()));
    }
}
