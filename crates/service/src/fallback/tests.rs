//! Against a GPU that fails on request.

mod whisper;

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use scriven_recognizer::{Final, Segment, Transcript};

use super::*;

/// What recognizers were told and asked, by all models of one test.
#[derive(Default)]
struct Diary {
    bad: AtomicBool,
    entries: Mutex<Vec<String>>,
}

impl Diary {
    fn write(&self, backend: &str, what: &str) {
        self.entries.lock().unwrap().push(format!("{backend} {what}"));
    }
}

#[derive(Clone)]
struct Scripted {
    backend: &'static str,
    columns: usize,
    diary: Arc<Diary>,
}

impl Scripted {
    fn compute(&self, what: &str) -> Result<(), recognizer::Error> {
        self.diary.write(self.backend, &format!("{what} {}", self.columns));
        match self.diary.bad.load(Ordering::Relaxed) && self.backend != CPU {
            true => Err(Device("too hot".into())),
            false => Ok(()),
        }
    }
}

impl Model for Scripted {
    fn n_mels(&self) -> usize {
        1
    }

    fn backend(&self) -> &str {
        self.backend
    }

    fn fallback(&self) -> Option<&str> {
        None
    }

    fn check(&self, _: &Options) -> Result<(), recognizer::Error> {
        Ok(())
    }

    fn on_cpu(&self) -> Result<Arc<dyn Model>, recognizer::Error> {
        self.diary.write(CPU, "loads");
        Ok(Arc::new(Self { backend: CPU, ..self.clone() }))
    }

    fn recognizer(&self, _: Options) -> Result<Box<dyn Recognize>, recognizer::Error> {
        Ok(Box::new(self.clone()))
    }

    fn transcribe(
        &self,
        _: &[f32],
        _: &[Range<usize>],
        _: &Options,
        _: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
    ) -> Result<Transcript, recognizer::Error> {
        unreachable!("nobody asks for it here")
    }
}

impl Recognize for Scripted {
    fn push(&mut self, _: &[f32]) {
        self.columns += 1;
    }

    fn quiet(&mut self) {
        self.diary.write(self.backend, "quiet");
    }

    fn voice(&mut self) {
        self.diary.write(self.backend, "voice");
    }

    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error> {
        self.compute("step").map(|()| None)
    }

    fn finish(&mut self) -> Result<Outcome, recognizer::Error> {
        self.compute("finish")?;
        self.columns = 0;
        let text = String::new();
        Ok(Outcome::Final(Final { text, language: "en", words: vec![], confidence: 1.0 }))
    }
}

/// A model, what becomes of its recognizers, and the way to recognize with it.
fn model(backend: &'static str) -> (Arc<Diary>, impl Fn() -> Steady) {
    let diary = Arc::new(Diary::default());
    let model: Arc<dyn Model> = Arc::new(Scripted { backend, columns: 0, diary: diary.clone() });
    let fallback = Rc::new(Fallback::new(async_channel::unbounded().0));
    (diary, move || Steady::new(fallback.clone(), model.clone(), Options::default()).unwrap())
}

fn push(steady: &mut Steady, n: usize) {
    (0..n).for_each(|_| steady.push(&[0.0]));
}

/// What was written since it was read last.
fn read(diary: &Diary) -> Vec<String> {
    std::mem::take(&mut diary.entries.lock().unwrap())
}

#[test]
fn what_was_said_is_heard_again_in_pieces() {
    let (diary, steady) = model("gpu:test");
    let mut steady = steady();
    push(&mut steady, 1_500);
    steady.quiet();
    push(&mut steady, 1_000);
    steady.step().unwrap();
    steady.voice();
    assert_eq!(read(&diary), ["gpu:test quiet", "gpu:test step 2500", "gpu:test voice"]);
    diary.bad.store(true, Ordering::Relaxed);
    steady.finish().unwrap();
    assert_eq!(
        read(&diary),
        [
            "gpu:test finish 2500",
            "cpu loads",
            "cpu step 800",
            "cpu quiet",
            "cpu step 1600",
            "cpu step 2400",
            "cpu voice",
            "cpu finish 2500",
        ]
    );
    push(&mut steady, 30);
    steady.finish().unwrap();
    assert_eq!(read(&diary), ["cpu finish 30"], "nothing of the last utterance is left");
}

#[test]
fn a_gpu_that_has_failed_is_not_asked_again() {
    let (diary, steady) = model("gpu:test");
    let (mut one, mut other) = (steady(), steady());
    diary.bad.store(true, Ordering::Relaxed);
    push(&mut other, 10);
    one.step().unwrap();
    assert_eq!(read(&diary), ["gpu:test step 0", "cpu loads", "cpu step 0"]);
    other.step().unwrap();
    steady().step().unwrap();
    assert_eq!(read(&diary), ["cpu step 10", "cpu step 0"]);
}

#[test]
fn an_utterance_that_is_too_long_is_given_up_and_the_next_is_not() {
    let (diary, steady) = model("gpu:test");
    let mut steady = steady();
    push(&mut steady, MAX_TOLD + 1);
    assert!(steady.told.is_none(), "memory is bounded");
    diary.bad.store(true, Ordering::Relaxed);
    assert!(steady.step().unwrap_err().to_string().contains("too long"));
    push(&mut steady, 1);
    steady.finish().unwrap();
}

#[test]
fn nothing_takes_over_from_the_cpu() {
    let (_, steady) = model(CPU);
    let mut steady = steady();
    push(&mut steady, 1);
    assert!(steady.told.is_none(), "nor is anything kept for that");
    let error = steady.fallback.take_over(&steady.model, Device("too hot".into()));
    assert!(matches!(error, Err(Device(_))));
}
