//! The parts a test gives to the daemon: what they do, the test says while it runs.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use scriven_audio as audio;
use scriven_audio::capture::{SourceInfo, SourceKind};
use scriven_audio::cue::Cue;
use scriven_audio::file::FileSource;
use scriven_desktop::insertion::portal::{Keep as _, Token};
use scriven_recognizer as recognizer;
use scriven_recognizer::{Final, Options, Outcome, Partial, Segment, Transcript};
use scriven_service::models::Catalog;
use scriven_service::parts::{Input, Model, Parts, Recognize};

use crate::window::{ScriptedOutput, Window};

/// Columns that make a word of the scripted recognizer: 300 ms.
const COLUMNS_PER_WORD: usize = 30;

/// What the parts do, and what became of them; set and read while the daemon runs.
#[derive(Default)]
pub struct Script {
    /// Samples the microphone still has to deliver.
    pub sound: Mutex<Vec<f32>>,
    /// The microphone cannot be opened.
    pub no_device: AtomicBool,
    /// The microphone breaks as soon as it is read.
    pub broken_device: AtomicBool,
    /// Microphones open now.
    pub open: AtomicU64,
    /// The model goes on loading until this is set.
    pub loaded: AtomicBool,
    /// Loading ends in an error.
    pub bad_model: AtomicBool,
    /// The GPU fails, whatever it is asked for; in a recording behind the first segment.
    pub bad_gpu: AtomicBool,
    /// The recognizer computes a final text until this is unset.
    pub ponders: AtomicBool,
    /// The recognizer takes back what it committed.
    pub fickle: AtomicBool,
    /// The microphone is open and delivers nothing.
    pub stalled_device: AtomicBool,
    /// What was to be heard.
    pub cues: Mutex<Vec<Cue>>,
    /// What each recognizer was asked for.
    pub asked: Mutex<Vec<Options>>,
    pub window: Window,
    /// What the user says when the desktop asks whether we may type; `None` while it is asking.
    pub permits: Mutex<Option<bool>>,
    /// The desktop has asked.
    pub asks: AtomicBool,
}

pub fn parts(script: &Arc<Script>) -> Parts {
    let (microphone, load, window) = (script.clone(), script.clone(), script.clone());
    let cues = script.clone();
    let user = script.clone();
    Parts {
        microphone: Arc::new(move |options| {
            if microphone.no_device.load(Ordering::Relaxed) {
                return Err(audio::Error::NoSource { name: options.source.clone() });
            }
            microphone.open.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(ScriptedMicrophone {
                script: microphone.clone(),
                name: options.source.clone(),
                begun: Instant::now(),
                taken: 0,
            }))
        }),
        file: Arc::new(|file: File, pace| Ok(Box::new(FileSource::open(file, pace)?))),
        second_opinion: Arc::new(|_| None),
        sources: Arc::new(|_| {
            Ok(vec![SourceInfo {
                id: "test-mic".into(),
                description: "A microphone".into(),
                kind: SourceKind::Microphone,
                host: "test",
                is_default: true,
            }])
        }),
        load: Arc::new(move |_, _, _, warming| {
            warming(3, 15);
            while !load.loaded.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(2));
            }
            match load.bad_model.load(Ordering::Relaxed) {
                true => Err(recognizer::Error::UnknownVocabulary { n_vocab: 7 }),
                false => Ok(Arc::new(ScriptedModel { script: load.clone(), gpu: true })),
            }
        }),
        output: Arc::new(move |wanted| Box::new(ScriptedOutput::new(window.clone(), wanted))),
        cue: Arc::new(move |cue, _, _| {
            cues.cues.lock().unwrap().push(cue);
            Ok(())
        }),
        permit: Arc::new(move |file, _| {
            user.asks.store(true, Ordering::Relaxed);
            loop {
                match *user.permits.lock().unwrap() {
                    Some(true) => break file.save(Some(&Token("secret".into()))).unwrap(),
                    Some(false) => return Err(scriven_desktop::Error::KeysHeld),
                    None => thread::sleep(Duration::from_millis(2)),
                }
            }
            Ok(())
        }),
        catalog: Catalog::builtin(),
    }
}

/// Plays the script's sound at the speed of life, and silence behind it.
struct ScriptedMicrophone {
    script: Arc<Script>,
    name: String,
    begun: Instant,
    taken: usize,
}

impl audio::Source for ScriptedMicrophone {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<audio::Progress, audio::Error> {
        if self.script.broken_device.load(Ordering::Relaxed) {
            return Err(audio::Error::DeviceLost { name: self.name.clone() });
        }
        if self.script.stalled_device.load(Ordering::Relaxed) {
            return Ok(audio::Progress::Waiting);
        }
        let due = (self.begun.elapsed().as_secs_f64() * 16_000.0) as usize - self.taken;
        if due == 0 {
            return Ok(audio::Progress::Waiting);
        }
        let mut sound = self.script.sound.lock().unwrap();
        let n = due.min(sound.len());
        out.extend(sound.drain(..n));
        out.extend(std::iter::repeat_n(0.0, due - n));
        self.taken += due;
        Ok(audio::Progress::Samples(due))
    }
}

impl Input for ScriptedMicrophone {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_microphone(&self) -> bool {
        true
    }
}

impl Drop for ScriptedMicrophone {
    fn drop(&mut self) {
        self.script.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Hears a word every 300 ms: `one two three …`.
struct ScriptedModel {
    script: Arc<Script>,
    /// Whether it computes on a GPU.
    gpu: bool,
}

impl Script {
    /// What computing comes to, if that is on a GPU.
    fn gpu(&self) -> Result<(), recognizer::Error> {
        match self.bad_gpu.load(Ordering::Relaxed) {
            true => Err(recognizer::Error::Device("it is too hot".into())),
            false => Ok(()),
        }
    }
}

impl Model for ScriptedModel {
    fn n_mels(&self) -> usize {
        80
    }

    fn backend(&self) -> &str {
        if self.gpu { "gpu:script" } else { "cpu" }
    }

    fn fallback(&self) -> Option<&str> {
        None
    }

    fn check(&self, options: &Options) -> Result<(), recognizer::Error> {
        match options.languages.iter().find(|code| !["en", "de"].contains(&code.as_str())) {
            Some(code) => Err(recognizer::Error::UnknownLanguage {
                language: code.clone(),
                english_only: false,
            }),
            None => Ok(()),
        }
    }

    fn on_cpu(&self) -> Result<Arc<dyn Model>, recognizer::Error> {
        match self.script.bad_model.load(Ordering::Relaxed) {
            true => Err(recognizer::Error::UnknownVocabulary { n_vocab: 7 }),
            false => Ok(Arc::new(Self { script: self.script.clone(), gpu: false })),
        }
    }

    fn recognizer(&self, options: Options) -> Result<Box<dyn Recognize>, recognizer::Error> {
        self.script.asked.lock().unwrap().push(options);
        let (script, gpu) = (self.script.clone(), self.gpu);
        Ok(Box::new(ScriptedRecognizer { script, gpu, columns: 0 }))
    }

    fn transcribe(
        &self,
        columns: &[f32],
        voiced: &[Range<usize>],
        _: &Options,
        progress: &mut dyn FnMut(usize, &[Segment]) -> ControlFlow<()>,
    ) -> Result<Transcript, recognizer::Error> {
        assert!(!voiced.is_empty());
        let mut segments = Vec::new();
        for (i, range) in voiced.iter().enumerate() {
            if self.gpu && i > 0 {
                self.script.gpu()?;
            }
            let (start, end) = (range.start as f32 / 100.0, range.end as f32 / 100.0);
            let text = format!("segment {}", i + 1);
            segments.push(Segment {
                start,
                end,
                text,
                language: "en",
                confidence: 0.5,
                words: vec![],
            });
            let reached = range.end.min(columns.len() / 80);
            if progress(reached, &segments[i..]).is_break() {
                break;
            }
        }
        Ok(Transcript { language: "en", segments })
    }
}

struct ScriptedRecognizer {
    script: Arc<Script>,
    gpu: bool,
    columns: usize,
}

impl ScriptedRecognizer {
    fn words(&self) -> Vec<&'static str> {
        let names = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        names.into_iter().cycle().take(self.columns / COLUMNS_PER_WORD).collect()
    }
}

impl Recognize for ScriptedRecognizer {
    fn push(&mut self, column: &[f32]) {
        assert_eq!(column.len(), 80);
        self.columns += 1;
    }

    fn quiet(&mut self) {}

    fn voice(&mut self) {}

    fn step(&mut self) -> Result<Option<Partial>, recognizer::Error> {
        if self.gpu {
            self.script.gpu()?;
        }
        let words = self.words();
        let Some((last, agreed)) = words.split_last() else { return Ok(None) };
        let committed = match self.script.fickle.load(Ordering::Relaxed) {
            true => agreed.last().copied().unwrap_or_default().to_owned(),
            false => agreed.join(" "),
        };
        let tentative = format!(" {last}");
        Ok(Some(Partial { committed, tentative, language: Some("en"), words: Vec::new() }))
    }

    fn finish(&mut self) -> Result<Outcome, recognizer::Error> {
        if self.gpu {
            self.script.gpu()?;
        }
        while self.script.ponders.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(2));
        }
        let text = self.words().join(" ");
        self.columns = 0;
        Ok(Outcome::Final(Final { text, language: "en", words: Vec::new(), confidence: 0.9 }))
    }
}
