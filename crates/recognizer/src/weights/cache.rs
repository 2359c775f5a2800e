//! Our own file: written once by the conversion, then mapped for every start of the daemon.
//!
//! A safetensors file with OpenAI's names and `f16` values. Its metadata hold the format, the
//! sizes, the alignment heads, and in words where it came from.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

#[cfg(test)]
use half::f16;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::parameters::{self, parameters};
use super::values::{self, Type};
use super::{Checkpoint, alignment, safetensors as container};
use crate::dims::ModelDimensions;
use crate::error::Error;

const FILE: &str = "model.safetensors";
/// What a file begins with while it is written; the process's number follows.
const UNFINISHED: &str = ".model.safetensors.";
/// Changes when older files can no longer be read; they are then converted again.
const FORMAT: &str = "scriven-1";

/// Whether `dir` holds a converted model that can be loaded.
pub fn is_cache(dir: &Path) -> bool {
    Weights::open(dir).is_ok()
}

/// The parameters of one model, mapped from its cache folder.
pub(crate) struct Weights {
    file: container::File,
    dims: ModelDimensions,
    alignment_heads: Vec<(usize, usize)>,
}

impl Weights {
    /// Maps the file in `dir` and checks that every parameter is there and has its shape.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let file = container::File::open(&path)?;
        let get = |key| file.metadata.metadata().as_ref().and_then(|entries| entries.get(key));
        if get("format").map(String::as_str) != Some(FORMAT) {
            let what = format!("it is not a model converted to {FORMAT}");
            return Err(Error::Unsupported { path, what });
        }
        let dims = get("dims").and_then(|json| serde_json::from_str(json).ok());
        let Some(dims) = dims else {
            return Err(Error::Damaged { path, what: "it does not tell its sizes".into() });
        };
        parameters::check(&path, &dims)?;
        for (name, expected) in parameters(&dims) {
            let info = file.info(&name)?;
            expect_shape(&path, &name, &info.shape, &expected)?;
            if info.dtype != Dtype::F16 {
                return Err(Error::Damaged { path, what: format!("tensor {name} is not f16") });
            }
        }
        let heads = get("alignment_heads").and_then(|json| serde_json::from_str(json).ok());
        let alignment_heads = heads
            .filter(|heads: &Vec<_>| alignment::are_heads_of(&dims, heads))
            .unwrap_or_else(|| alignment::heads(&dims));
        Ok(Self { file, dims, alignment_heads })
    }

    /// The sizes of the model.
    pub(crate) fn dims(&self) -> &ModelDimensions {
        &self.dims
    }

    /// The (layer, head) pairs of the decoder's cross-attention that word times are read from.
    pub(crate) fn alignment_heads(&self) -> &[(usize, usize)] {
        &self.alignment_heads
    }

    /// Checks that the model hears windows of `n_audio` positions and writes texts of `n_text`; what
    /// computes does not ask again.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] where it has room for less.
    pub(crate) fn expect_room(&self, n_audio: usize, n_text: usize) -> Result<(), Error> {
        let ModelDimensions { n_audio_ctx, n_text_ctx, .. } = self.dims;
        if n_audio_ctx >= n_audio && n_text_ctx >= n_text {
            return Ok(());
        }
        let what = format!(
            "it sees {n_audio_ctx} positions and writes {n_text_ctx}, Whisper {n_audio} and {n_text}"
        );
        Err(Error::Unsupported { path: self.file.path.clone(), what })
    }

    /// Reads a parameter, row-major.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensor`] and [`Error::Shape`] where the model asks for what it has not;
    /// [`Error::Damaged`] where a value is not a number.
    pub(crate) fn f32(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f32>, Error> {
        let (value, bytes) = self.bytes(name, expected_shape)?;
        self.finite(name, value, bytes)
    }

    /// Reads some rows of a parameter; otherwise as [`Self::f32`].
    pub(crate) fn rows(
        &self,
        name: &str,
        expected_shape: [usize; 2],
        rows: Range<usize>,
    ) -> Result<Vec<f32>, Error> {
        let (value, bytes) = self.bytes(name, &expected_shape)?;
        let row = expected_shape[1] * value.size();
        self.finite(name, value, &bytes[rows.start * row..rows.end * row])
    }

    fn finite(&self, name: &str, value: Type, bytes: &[u8]) -> Result<Vec<f32>, Error> {
        let values = values::to_f32(value, bytes);
        // Each is read once: what lies in memory twice is not worth its room.
        self.file.release(bytes);
        // A sum over all would be slower than this, which needs no order.
        match values.iter().fold(true, |all, x| all & x.is_finite()) {
            true => Ok(values),
            false => Err(self.not_finite(name)),
        }
    }

    /// Reads a parameter as it is stored; otherwise as [`Self::f32`].
    #[cfg(test)]
    pub(crate) fn f16(&self, name: &str, expected_shape: &[usize]) -> Result<Vec<f16>, Error> {
        let (value, bytes) = self.bytes(name, expected_shape)?;
        let values = values::to_f16(value, bytes);
        match values::are_finite(&values) {
            true => Ok(values),
            false => Err(self.not_finite(name)),
        }
    }

    fn bytes(&self, name: &str, expected: &[usize]) -> Result<(Type, &[u8]), Error> {
        expect_shape(&self.file.path, name, &self.file.info(name)?.shape, expected)?;
        self.file.tensor(name)
    }

    fn not_finite(&self, name: &str) -> Error {
        Error::Damaged { path: self.file.path.clone(), what: not_finite(name) }
    }
}

fn not_finite(name: &str) -> String {
    format!("tensor {name} holds values that are not finite")
}

fn expect_shape(path: &Path, name: &str, found: &[usize], expected: &[usize]) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::Shape {
            path: path.into(),
            name: name.into(),
            found: found.into(),
            expected: expected.into(),
        }),
    }
}

/// Writes the cache file of `checkpoint`, one tensor at a time.
pub(super) fn write(
    checkpoint: &dyn Checkpoint,
    source: &Path,
    dims: &ModelDimensions,
    into: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let io = |source| Error::Io { path: into.into(), source };
    fs::create_dir_all(into).map_err(io)?;
    remove_abandoned(into);
    let header = header(checkpoint, source, dims)?;
    let total = (header.len() + body_length(dims)) as u64;
    let full = |error: io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::DiskFull { path: into.into(), needed: total }
        }
        _ => io(error),
    };
    let unfinished = Unfinished(into.join(format!("{UNFINISHED}{}", std::process::id())));
    let file = File::create_new(&unfinished.0).map_err(full)?;
    // Tells other processes that this one is still at work.
    file.try_lock().map_err(|error| io(error.into()))?;
    let mut out = BufWriter::with_capacity(1 << 16, file);
    out.write_all(&header).map_err(full)?;
    let mut done = header.len() as u64;
    for (name, _) in parameters(dims) {
        let values = checkpoint.values(&name)?;
        if !values::are_finite(&values) {
            return Err(Error::Damaged { path: source.into(), what: not_finite(&name) });
        }
        values.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())).map_err(full)?;
        done += 2 * values.len() as u64;
        progress(done, total);
    }
    let file = out.into_inner().map_err(|error| full(error.into_error()))?;
    unfinished.finish(&file, into).map_err(full)
}

/// Bytes of all parameters.
fn body_length(dims: &ModelDimensions) -> usize {
    parameters(dims).iter().map(|(_, shape)| 2 * shape.iter().product::<usize>()).sum()
}

/// The length of the table, and the table.
fn header(
    checkpoint: &dyn Checkpoint,
    source: &Path,
    dims: &ModelDimensions,
) -> Result<Vec<u8>, Error> {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let heads = checkpoint
        .alignment_heads()
        .filter(|heads| alignment::are_heads_of(dims, heads))
        .unwrap_or_else(|| alignment::heads(dims));
    let metadata = HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("dims".to_owned(), serde_json::json!(dims).to_string()),
        ("alignment_heads".to_owned(), serde_json::json!(heads).to_string()),
        ("source".to_owned(), format!("{name}, {}", checkpoint.format())),
    ]);
    let mut end = 0;
    let tensors = parameters(dims).into_iter().map(|(name, shape)| {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        (name, TensorInfo { dtype: Dtype::F16, shape, data_offsets: (start, end) })
    });
    let invalid = |error: &dyn std::fmt::Display| Error::Damaged {
        path: source.into(),
        what: format!("its table cannot be written, {error}"),
    };
    let metadata =
        Metadata::new(Some(metadata), tensors.collect()).map_err(|error| invalid(&error))?;
    // Through `Value`, whose maps are sorted: the same model gives the same file.
    let json = serde_json::to_value(&metadata).map_err(|error| invalid(&error))?;
    let mut json = json.to_string().into_bytes();
    // Spaces bring the values to a multiple of eight bytes, as the format asks for.
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    Ok(header)
}

/// A file that is gone when this is dropped, unless it was finished.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Gives the file its name once all of it is on the disk.
    fn finish(self, file: &File, into: &Path) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.0, into.join(FILE))?;
        // The rename lasts only once the folder is on the disk as well.
        File::open(into)?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the rename there is nothing here any more, which is well.
        drop(fs::remove_file(&self.0));
    }
}

/// Removes what a conversion left behind that was killed: a file that nobody locks.
fn remove_abandoned(into: &Path) {
    for entry in fs::read_dir(into).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let is_free = || File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_ours && is_free() {
            drop(fs::remove_file(entry.path()));
        }
    }
}
