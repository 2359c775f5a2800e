//! A file or folder that somebody imports → the cache, and whatever stands where the cache is.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use scriven_fuzz::expand;
use scriven_recognizer::Error;
use scriven_recognizer::fuzzing::read_cache;
use scriven_recognizer::weights::convert;

fuzz_target!(|input: &[u8]| {
    let files = expand(input);
    let folder = tempfile::tempdir().expect("room");
    let source = lay_out(folder.path(), &files);
    let cache = folder.path().join("cache");
    match convert(&source, &cache, &mut |_, _| ()) {
        Ok(()) => read_cache(&cache).expect("what was converted can be read"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    fs::write(cache.join("model.safetensors"), &files[0]).ok();
    if let Err(error) = read_cache(&cache) {
        let is_expected = !matches!(error, Error::DiskFull { .. });
        assert!(is_expected, "{error}");
    }
});

/// One file stands alone; of several the first is that of the model, or the index of the others.
fn lay_out(folder: &Path, files: &[Vec<u8>]) -> std::path::PathBuf {
    let source = folder.join("source");
    let [model, others @ ..] = files else { return source };
    if others.is_empty() {
        fs::write(&source, model).expect("room");
        return source;
    }
    fs::create_dir(&source).expect("room");
    let (name, others_are) = match model.first() {
        Some(b'{') => {
            ("model.safetensors.index.json", ["model-00001.safetensors", "model-00002.safetensors"])
        }
        _ => ("model.bin", ["config.json", "generation_config.json"]),
    };
    fs::write(source.join(name), model).expect("room");
    for (name, bytes) in others_are.iter().zip(others) {
        fs::write(source.join(name), bytes).expect("room");
    }
    source
}
