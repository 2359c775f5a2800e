//! The permission to type that the desktop gives: asked for once, kept as a token in a file.
//!
//! Whoever has the token can type as the user. So the file is the user's alone, and the token never
//! stands in a log.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scriven_desktop::insertion::portal::{Keep, Token};
use tempfile::NamedTempFile;
use tracing::warn;

use crate::calls::answer;
use crate::config::Folders;
use crate::daemon::Reply;
use crate::error::Error;
use crate::parts::Permit;
use crate::pipeline::spawn;

/// Longer than any dialog is looked at.
const LIMIT: Duration = Duration::from_secs(60);
/// A token has some forty bytes.
const MAX_BYTES: u64 = 4096;

/// The file with the token: `$XDG_STATE_HOME/scriven/portal-token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile(pub(crate) PathBuf);

impl TokenFile {
    pub(crate) fn of(folders: &Folders) -> Self {
        Self(folders.state.join("portal-token"))
    }

    fn read(&self) -> io::Result<String> {
        let mut token = String::new();
        File::open(&self.0)?.take(MAX_BYTES).read_to_string(&mut token)?;
        Ok(token)
    }

    /// A crash leaves either the old token or the new one; nobody but the user may ever read it.
    fn write(&self, token: &Token) -> io::Result<()> {
        let folder = self.0.parent().ok_or(ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        // Such a file has the mode 0600 from its first moment on.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(token.0.as_bytes())?;
        file.as_file().sync_data()?;
        file.persist(&self.0).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Keep for TokenFile {
    fn load(&self) -> Option<Token> {
        match self.read() {
            Ok(token) if token.trim().is_empty() => None,
            Ok(token) => Some(Token(token.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                warn!(%error, "cannot read the permission to type; \"scriven permit\" gets a new one");
                None
            }
        }
    }

    fn save(&self, token: Option<&Token>) -> io::Result<()> {
        match token {
            Some(token) => self.write(token),
            None => match fs::remove_file(&self.0) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// Asks for the permission, one question at a time.
pub(crate) struct Permission {
    file: TokenFile,
    permit: Arc<Permit>,
    asking: Arc<AtomicBool>,
}

impl Permission {
    pub(crate) fn new(file: TokenFile, permit: Arc<Permit>) -> Self {
        Self { file, permit, asking: Arc::default() }
    }

    /// Lets the desktop ask the user; `reply` gets the answer, which may take a minute.
    pub(crate) fn ask(&self, reply: Reply<()>) {
        if self.asking.swap(true, Ordering::AcqRel) {
            let error = "the desktop is asking already; answer its dialog";
            return answer(&reply, Err(Error::Busy(error.into())));
        }
        let (file, permit, asking) = (self.file.clone(), self.permit.clone(), self.asking.clone());
        let failed = reply.clone();
        let asked = spawn("permission", move || {
            let result = permit(file, LIMIT);
            asking.store(false, Ordering::Release);
            answer(&reply, result.map_err(|error| Error::NotPermitted(error.to_string())));
        });
        if let Err(error) = asked {
            self.asking.store(false, Ordering::Release);
            answer(&failed, Err(Error::Overloaded(error.to_string())));
        }
    }

    /// Gives the permission up.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let forgotten = self.file.save(None);
        forgotten.map_err(|error| Error::Failed(format!("{}: {error}", self.file.0.display())))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file() -> (tempfile::TempDir, TokenFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile(folder.path().join("state/portal-token"));
        (folder, file)
    }

    #[test]
    fn a_token_is_for_its_user_alone_and_takes_the_place_of_the_last() {
        let (_folder, file) = file();
        assert_eq!(file.load(), None);
        for token in ["first", "second"].map(|token| Token(token.into())) {
            file.save(Some(&token)).unwrap();
            assert_eq!(file.load(), Some(token));
            assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(file.0.parent().unwrap()).unwrap().count(), 1, "nothing is left");
        file.save(None).unwrap();
        assert_eq!(file.load(), None);
        file.save(None).unwrap();
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let (_folder, file) = file();
        fs::create_dir_all(file.0.parent().unwrap()).unwrap();
        for bytes in [&b""[..], b" \n", b"\xff\xfe"] {
            fs::write(&file.0, bytes).unwrap();
            assert_eq!(file.load(), None, "{bytes:?}");
        }
        fs::remove_file(&file.0).unwrap();
        fs::create_dir(&file.0).unwrap();
        assert_eq!(file.load(), None);
        assert!(file.save(Some(&Token("x".into()))).is_err());
    }
}
