//! A path → the reader for what is there.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Checkpoint;
use super::ctranslate2::Ctranslate2;
use super::ggml::Ggml;
use super::pytorch::Pytorch;
use super::safetensors::Safetensors;
use crate::error::Error;

/// What the files of a model folder are called, the most trustworthy first: a pickle can say more
/// things than a table of tensors.
const IN_FOLDER: [&str; 4] =
    ["model.safetensors.index.json", "model.safetensors", "model.bin", "pytorch_model.bin"];

/// Opens the checkpoint at `path`, a file or a folder.
pub(super) fn open(path: &Path) -> Result<Box<dyn Checkpoint>, Error> {
    let unknown = || Error::UnknownFormat { path: path.into() };
    let file = if path.is_dir() { find_in_folder(path)?.ok_or_else(unknown)? } else { path.into() };
    let start = start(&file)?;
    if is_safetensors(&start) {
        return Ok(Box::new(Safetensors::open(&file)?));
    }
    if is_ctranslate2(&start) {
        return Ok(Box::new(Ctranslate2::open(&file)?));
    }
    if start.starts_with(b"{") {
        return Ok(Box::new(Safetensors::open_shards(&file)?));
    }
    // A zip archive or a pickle: what `torch.save` writes now, and what it used to write.
    if start.starts_with(b"PK\x03\x04") || start.first() == Some(&0x80) {
        return Ok(Box::new(Pytorch::open(&file)?));
    }
    if start.starts_with(b"lmgg") {
        return Ok(Box::new(Ggml::open(&file)?));
    }
    Err(unknown())
}

/// The first bytes of a file: enough to tell every format.
fn start(file: &Path) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(32).read_to_end(&mut start))
        .map_err(|source| Error::Io { path: file.into(), source })?;
    Ok(start)
}

/// A `u64` length that is not absurd, then so much JSON. Asked for first: the length may well
/// begin as other formats do.
fn is_safetensors(start: &[u8]) -> bool {
    start.get(5..9) == Some(b"\0\0\0{")
}

/// A `u32` version, then the name of the specification with its length and its NUL.
fn is_ctranslate2(start: &[u8]) -> bool {
    start.get(4..18) == Some(b"\x0c\0WhisperSpec\0")
}

/// The file of a folder that holds the model: by its usual name, else the only one there is.
fn find_in_folder(folder: &Path) -> Result<Option<PathBuf>, Error> {
    if let Some(file) = IN_FOLDER.iter().map(|name| folder.join(name)).find(|file| file.is_file()) {
        return Ok(Some(file));
    }
    let io = |source| Error::Io { path: folder.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let file = entry.map_err(io)?.path();
        if file.extension().is_some_and(|end| end == "pt" || end == "safetensors") {
            found.push(file);
        }
    }
    Ok(if found.len() == 1 { found.pop() } else { None })
}
