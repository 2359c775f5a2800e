//! Keys by the RemoteDesktop portal, for windows that speak to no input method on GNOME and KDE.
//!
//! The desktop asks the user once; what it answers is a token, with which each later session
//! starts without a question. A session is held only while keys are typed: it shows an indicator
//! as long as it lasts.

mod session;

use std::time::{Duration, Instant};

use super::ei::{Emulator, Keys};
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

const NAME: &str = "portal";
/// How long the portal may take to say whether it can type.
const PROBE: Duration = Duration::from_secs(1);
/// How long a text may take in all. Three processes and a socket have to come together first.
const TYPING: Duration = Duration::from_secs(4);

/// The permission to type without a question. Each session gives a new one, which takes the
/// place of the one that was used. Kept by the caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// The way through the portal.
pub struct Portal {
    token: Option<Token>,
    keep: Box<dyn FnMut(&Token) + Send>,
}

/// Looks for a portal that can type. `keep` is given each new token.
///
/// # Errors
///
/// [`Error::Unavailable`] where there is none, or where there is no token yet: [`permit`] gets one.
pub fn connect(
    token: Option<Token>,
    keep: impl FnMut(&Token) + Send + 'static,
) -> Result<Box<dyn Backend>, Error> {
    zbus::block_on(session::probe(Instant::now() + PROBE))?;
    if token.is_none() {
        let reason = "the desktop has not been asked for the permission to type yet".into();
        return Err(Error::Unavailable { backend: NAME, reason });
    }
    Ok(Box::new(Portal { token, keep: Box::new(keep) }))
}

/// Asks the user, in a dialog of the desktop's, for the permission to type from now on. Takes as
/// long as the user does, `limit` at most.
///
/// # Errors
///
/// [`Error::Unavailable`] where it was refused, or not to be remembered.
pub fn permit(limit: Duration) -> Result<Token, Error> {
    zbus::block_on(async {
        let (session, _socket, token) = session::open(None, Instant::now() + limit).await?;
        session.close().await;
        let reason = "the permission was given for once only".into();
        token.ok_or(Error::Unavailable { backend: NAME, reason })
    })
}

impl Portal {
    fn type_keys(&mut self, keys: &Keys<'_>) -> Result<Proof, Error> {
        let end = Instant::now() + TYPING;
        let opened = zbus::block_on(session::open(self.token.as_ref(), end));
        let (session, socket, token) = opened?;
        if let Some(token) = token {
            (self.keep)(&token);
            self.token = Some(token);
        }
        let typed =
            Emulator::new(NAME, socket, end).and_then(|mut keyboard| keyboard.type_keys(keys));
        zbus::block_on(session.close());
        typed.map(|()| Proof::Taken)
    }
}

impl Backend for Portal {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// The portal does not tell what is in focus: the target is always the same.
    fn target(&mut self) -> Result<Target, Error> {
        Ok(Target { id: NAME.into(), ..Target::default() })
    }

    fn preedit(&mut self, _text: &str) -> Result<(), Error> {
        let reason = "keys cannot show what may still change".into();
        Err(Error::Unavailable { backend: NAME, reason })
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        self.type_keys(&Keys::Text(text))
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        self.type_keys(&Keys::BackSpaces(characters)).map(|_| ())
    }
}
