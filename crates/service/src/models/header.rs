//! What the file of an installed model tells about itself, without loading it.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

/// Bytes; the largest model has a tenth of it. Whoever claims more is not believed.
const MAX_HEADER: u64 = 4 << 20;
/// Tokens of an English-only model; multilingual ones have more.
const ENGLISH_TOKENS: u64 = 51_864;

/// The table a safetensors file begins with; of that, what concerns us.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    /// JSON again: values of the metadata are strings.
    dims: String,
}

#[derive(Deserialize)]
struct Dimensions {
    n_vocab: u64,
}

/// Whether the model knows more than English; `None` where the file does not tell.
pub(super) fn is_multilingual(path: &Path) -> Option<bool> {
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return None;
    }
    let header: Header = serde_json::from_reader(BufReader::new(file.take(length))).ok()?;
    let dims: Dimensions = serde_json::from_str(&header.metadata.dims).ok()?;
    Some(dims.n_vocab > ENGLISH_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(length: Option<u64>, header: &str) -> Option<bool> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = length.unwrap_or(header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        std::fs::write(file.path(), bytes).unwrap();
        is_multilingual(file.path())
    }

    #[test]
    fn the_vocabulary_tells_whether_a_model_knows_more_than_english() {
        let header = |n_vocab: u32| {
            format!(r#"{{"__metadata__":{{"dims":"{{\"n_vocab\":{n_vocab}}}"}},"a":{{}}}}  "#)
        };
        assert_eq!(told(None, &header(51_864)), Some(false));
        assert_eq!(told(None, &header(51_865)), Some(true));
    }

    #[test]
    fn a_header_that_says_nothing_is_not_believed() {
        for (length, header) in [
            (None, ""),
            (None, "{}"),
            (None, r#"{"__metadata__":{"dims":"{}"}}"#),
            (Some(u64::MAX), "{}"),
            (Some(1), "{}"),
        ] {
            assert_eq!(told(length, header), None, "{header}");
        }
        assert_eq!(is_multilingual(Path::new("/nowhere")), None);
    }
}
