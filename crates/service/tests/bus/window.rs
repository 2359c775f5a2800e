//! A window that a test can look into, and the way into it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use scriven_desktop::insertion::{Abilities, Target};
use scriven_desktop::writing::Edit;
use scriven_service::parts::{Delivered, Output, Rung, Wanted};

use crate::script::Script;

/// What is in focus, and what it does with text; set and read while the daemon runs.
#[derive(Default)]
pub struct Window {
    /// What stands there.
    pub text: Mutex<String>,
    /// What is shown behind it of an utterance that is not final.
    pub shown: Mutex<String>,
    /// Which window has the focus.
    pub focus: Mutex<String>,
    /// Its program.
    pub app: Mutex<Option<String>>,
    pub secret: AtomicBool,
    /// Takes no text.
    pub refuses: AtomicBool,
    /// Takes no text and does not say so, until this is unset.
    pub hangs: AtomicBool,
    /// Somebody has waited for it.
    pub has_hung: AtomicBool,
    /// Text needs no keys.
    pub keyless: AtomicBool,
    /// Takes no more than so many characters of the next text.
    pub room: Mutex<Option<usize>>,
    /// What is on the clipboard.
    pub copied: Mutex<String>,
    /// How often the way was told to rest.
    pub rests: AtomicUsize,
    /// The name of the way that inserted last.
    pub way: Mutex<String>,
}

impl Window {
    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    pub fn focus(&self, on: &str) {
        on.clone_into(&mut self.focus.lock().unwrap());
    }
}

/// The way into the window of a [`Script`], for the thread `delivery`.
pub struct ScriptedOutput {
    script: Arc<Script>,
    way: &'static str,
    target: Option<String>,
    /// What can be taken back.
    done: Vec<String>,
    rungs: Vec<Rung>,
}

impl ScriptedOutput {
    pub fn new(script: Arc<Script>, wanted: &Wanted) -> Self {
        let way = match wanted.way.as_deref() {
            _ if wanted.copy => "copy",
            Some("clipboard") => "clipboard",
            _ => "script",
        };
        let none = Rung { name: "none", verdict: Err("there is none on this desktop".into()) };
        let rungs = vec![none, Rung { name: way, verdict: Ok(Abilities::default()) }];
        Self { script, way, target: None, done: Vec::new(), rungs }
    }

    fn window(&self) -> &Window {
        &self.script.window
    }

    /// Why nothing can be inserted now.
    fn obstacle(&self) -> Option<&'static str> {
        let window = self.window();
        while window.hangs.load(Ordering::Relaxed) {
            window.has_hung.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
        }
        if window.secret.load(Ordering::Relaxed) {
            Some("the field in focus is for passwords; nothing is typed there")
        } else if window.refuses.load(Ordering::Relaxed) {
            Some("the window takes no text; try it again")
        } else {
            None
        }
    }

    fn put(&mut self, edits: &[Edit]) -> Delivered {
        self.window().shown.lock().unwrap().clear();
        if let Some(why) = self.obstacle() {
            return failed(why);
        }
        let window = &self.script.window;
        let mut text = window.text.lock().unwrap();
        let room = window.room.lock().unwrap().take().unwrap_or(usize::MAX);
        let (mut inserted, mut taken_back) = (String::new(), 0);
        for edit in edits {
            match edit {
                Edit::Insert(more) => inserted.push_str(more),
                Edit::Undo => {
                    let Some(last) = self.done.pop() else { return failed("nothing to take back") };
                    assert!(text.ends_with(&last), "what is taken back stands elsewhere");
                    let kept = text.len() - last.len();
                    text.truncate(kept);
                    taken_back += 1;
                }
            }
        }
        let ok = inserted.chars().count() <= room;
        inserted = inserted.chars().take(room).collect();
        text.push_str(&inserted);
        if !inserted.is_empty() {
            self.done.push(inserted.clone());
        }
        self.way.clone_into(&mut window.way.lock().unwrap());
        let detail = if ok { "taken" } else { "a part of it was typed before" };
        Delivered { backend: self.way.into(), ok, detail: detail.into(), inserted, taken_back }
    }
}

impl ScriptedOutput {
    fn copy(&self, text: &str) -> Delivered {
        text.clone_into(&mut self.window().copied.lock().unwrap());
        let (backend, detail) = (self.way.into(), "taken".into());
        Delivered { backend, ok: true, detail, inserted: text.into(), taken_back: 0 }
    }
}

fn failed(why: &str) -> Delivered {
    let (backend, inserted) = Default::default();
    Delivered { backend, ok: false, detail: why.into(), inserted, taken_back: 0 }
}

impl Output for ScriptedOutput {
    fn begin(&mut self, _held: bool) -> Option<Target> {
        let window = &self.script.window;
        let id = window.focus.lock().unwrap().clone();
        self.target = Some(id.clone());
        let secret = window.secret.load(Ordering::Relaxed);
        let app_id = window.app.lock().unwrap().clone();
        Some(Target { id, secret, app_id, ..Target::default() })
    }

    fn begin_in(&mut self, id: &str, held: bool) -> Option<Target> {
        let target = self.begin(held).filter(|target| target.id == id);
        self.target = target.as_ref().map(|target| target.id.clone());
        target
    }

    fn focus(&mut self) -> Option<Target> {
        let target = self.target.take();
        let focus = self.begin(false);
        self.target = target;
        focus
    }

    fn show(&mut self, committed: &str, tentative: &str) {
        *self.window().shown.lock().unwrap() = format!("{committed}{tentative}");
    }

    fn finish(&mut self, edits: &[Edit]) -> Delivered {
        let target = self.target.take();
        let moved = target.as_ref() != Some(&*self.window().focus.lock().unwrap());
        match moved {
            true => failed("the focus has moved; redeliver types the text where the cursor is"),
            false => self.put(edits),
        }
    }

    fn discard(&mut self) {
        self.target = None;
        self.window().shown.lock().unwrap().clear();
    }

    fn undo(&mut self) -> Delivered {
        match self.way {
            "copy" => Delivered { taken_back: 1, ..self.copy("") },
            _ => self.put(&[Edit::Undo]),
        }
    }

    fn insert(&mut self, text: &str) -> Delivered {
        match self.way {
            "copy" => self.copy(text),
            _ => self.put(&[Edit::Insert(text.into())]),
        }
    }

    fn forget(&mut self) {
        self.done.clear();
    }

    fn rest(&mut self) {
        self.window().rests.fetch_add(1, Ordering::Relaxed);
    }

    fn way(&self) -> Option<&'static str> {
        Some(self.way)
    }

    fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    fn look_again(&mut self) {}

    fn is_keyless(&self) -> bool {
        self.window().keyless.load(Ordering::Relaxed)
    }
}
