//! Keys by the RemoteDesktop portal, for windows that speak to no input method on GNOME and KDE.
//!
//! The desktop asks the user once ([`Portal::permit`]); what it answers is a token, with which each
//! later session starts without a question. A session is held only while keys are typed: it shows
//! an indicator as long as it lasts.
//!
//! The portal does not tell what is in focus. So this way takes a text only where it was asked for
//! by name; else it lends its keys to a way that sees the focus and has none.

mod session;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use session::{Ask, Session};

use super::ei::{Emulator, Keys};
use super::{Abilities, Backend, Proof, Target};
use crate::Error;

/// The name of this way.
pub const NAME: &str = "portal";
/// How long the portal may take to say whether it can type.
const PROBE: Duration = Duration::from_secs(1);
/// How long a text may take in all. Three processes and a socket have to come together first.
const TYPING: Duration = Duration::from_secs(4);
/// What helps wherever there is no permission.
const ADVICE: &str = "\"scriven permit\" lets the desktop ask you for it";

/// The permission to type without a question: a secret. Each session gives a new one, which takes
/// the place of the one that was used.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Where the token is kept from one text to the next.
pub trait Keep: Send + Sync {
    /// The token, if there is one.
    fn load(&self) -> Option<Token>;

    /// Keeps `token` in place of any other; `None` forgets it.
    ///
    /// # Errors
    ///
    /// It is not kept.
    fn save(&self, token: Option<&Token>) -> io::Result<()>;
}

/// The portal of a session bus, and the permission that it has given.
#[derive(Clone)]
pub struct Portal {
    /// `None` for the bus of the session.
    bus: Option<String>,
    keep: Arc<dyn Keep>,
}

impl Portal {
    /// The portal of this desktop session.
    pub fn new(keep: Arc<dyn Keep>) -> Self {
        Self { bus: None, keep }
    }

    /// The portal on the bus at `address`.
    pub fn on_bus(address: &str, keep: Arc<dyn Keep>) -> Self {
        Self { bus: Some(address.to_owned()), keep }
    }

    /// Looks for a portal that can type. `alone`: it was asked for by name, so it takes every text
    /// although it does not see where that goes.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where there is none, or no permission: [`permit`](Self::permit) gets
    /// one. The user is not asked.
    pub fn connect(&self, alone: bool) -> Result<Box<dyn Backend>, Error> {
        let end = Instant::now() + PROBE;
        zbus::block_on(session::probe(self.bus.as_deref(), end))?;
        let token = self.token()?;
        zbus::block_on(session::verify(self.bus.as_deref(), &token, end))?;
        Ok(Box::new(Typist { portal: self.clone(), alone }))
    }

    /// Asks the user, in a dialog of the desktop's, for the permission to type from now on. Takes
    /// as long as the user does, `limit` at most.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where it was refused, or is not to be remembered, or nobody answered.
    pub fn permit(&self, limit: Duration) -> Result<(), Error> {
        let opened = zbus::block_on(async {
            session::probe(self.bus.as_deref(), Instant::now() + PROBE).await?;
            let end = Instant::now() + limit;
            let (session, _, token) = session::open(self.bus.as_deref(), Ask::User, end).await?;
            session.close().await;
            Ok(token)
        });
        let reason = "the permission was given for this once only; let the desktop remember it";
        let token = opened?.ok_or_else(|| unavailable(reason.into()))?;
        self.save(Some(&token))
    }

    /// Gives the permission up.
    ///
    /// # Errors
    ///
    /// It could not be forgotten.
    pub fn forget(&self) -> Result<(), Error> {
        self.save(None)
    }

    fn token(&self) -> Result<Token, Error> {
        let none = || unavailable(format!("there is no permission to type yet; {ADVICE}"));
        self.keep.load().ok_or_else(none)
    }

    fn save(&self, token: Option<&Token>) -> Result<(), Error> {
        let kept = self.keep.save(token);
        kept.map_err(|error| unavailable(format!("the permission cannot be kept: {error}")))
    }

    /// Opens a session with the permission that there is. One that does not hold is given up, so
    /// that no later text makes the desktop ask.
    async fn open(&self, end: Instant) -> Result<(Session, Emulator), Error> {
        let bus = self.bus.as_deref();
        let token = self.token()?;
        let opened = async {
            session::verify(bus, &token, end).await?;
            session::open(bus, Ask::Nobody(&token), end).await
        };
        let (session, socket, token) = match opened.await {
            Err(error @ Error::Unavailable { .. }) => {
                self.save(None)?;
                return Err(error);
            }
            opened => opened?,
        };
        // The one that was used is worth nothing any more.
        self.save(token.as_ref())?;
        Ok((session, Emulator::new(NAME, socket, end)?))
    }
}

/// The way through the portal.
struct Typist {
    portal: Portal,
    alone: bool,
}

impl Typist {
    /// Types, if `still` says so when the keyboard is ready.
    fn type_keys(
        &self,
        keys: &Keys<'_>,
        still: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let end = Instant::now() + TYPING;
        let (session, mut keyboard) = zbus::block_on(self.portal.open(end))?;
        let typed = still().and_then(|()| keyboard.type_keys(keys));
        zbus::block_on(session.close());
        typed
    }
}

impl Backend for Typist {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    fn takes_text(&self) -> Result<(), Error> {
        let blind = "it does not see which window is in focus, so it only takes back what was \
                     dictated; way = \"portal\" in [output] lets it type into whichever window it is";
        self.alone.then_some(()).ok_or_else(|| unavailable(blind.into()))
    }

    /// What is in focus is not told: the target is always the same.
    fn target(&mut self) -> Result<Target, Error> {
        if let Err(error) = self.portal.token() {
            return Err(Error::Gone { backend: NAME, reason: error.to_string() });
        }
        self.takes_text()?;
        Ok(Target { id: NAME.into(), ..Target::default() })
    }

    fn preedit(&mut self, _text: &str) -> Result<(), Error> {
        Err(unavailable("keys cannot show what may still change".into()))
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        self.type_keys(&Keys::Text(text), &mut || Ok(())).map(|()| Proof::Taken)
    }

    fn delete_before(&mut self, characters: usize) -> Result<(), Error> {
        self.delete_while(characters, &mut || Ok(()))
    }

    fn delete_while(
        &mut self,
        characters: usize,
        still: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.type_keys(&Keys::BackSpaces(characters), still)
    }
}

fn unavailable(reason: String) -> Error {
    Error::Unavailable { backend: NAME, reason }
}
