//! Text by IBus: GNOME, on Wayland and X11, and wherever else an IBus daemon runs.
//!
//! We are no engine. An engine would have to be made the global one for the moment of the
//! insertion, which changes layouts and dead keys under the user's hands and leaves them changed
//! when the program dies. We take the seat that IBus has for its emoji picker instead, a panel
//! extension: it commits text into the context in focus and shows a preedit there, whatever
//! engine is active. The bus gives the seat back to the picker when we release it or die.
//!
//! What a panel extension cannot do is to read or to delete text: that is for engines alone.

mod address;
mod focus;
mod session;
mod wire;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use address::Place;
use session::Session;

use super::{Abilities, Backend, Proof, Target};
use crate::Error;

const NAME: &str = "ibus";
/// How long an order may take in all. Longer than the session waits for the daemon, so that its
/// reason is heard.
const PATIENCE: Duration = Duration::from_millis(1900);

/// What the thread of the connection is asked to do.
enum Act {
    Target,
    Preedit(String),
    Insert(String),
}

struct Order {
    act: Act,
    answer: mpsc::SyncSender<Result<Option<Target>, Error>>,
}

/// Orders to the thread of a connection. Dropping it ends the thread, which gives back what it
/// has taken.
type Link = async_channel::Sender<Order>;

/// The way through IBus.
pub struct Ibus {
    place: Place,
    link: Option<Link>,
}

/// Connects to the daemon that the environment names.
///
/// # Errors
///
/// [`Error::Unavailable`] where no IBus daemon runs.
pub fn connect() -> Result<Box<dyn Backend>, Error> {
    Ok(Box::new(Ibus::at(Place::from_environment())?))
}

impl Ibus {
    /// Connects to the daemon of `place`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where no IBus daemon runs.
    pub fn at(place: Place) -> Result<Self, Error> {
        let link = Some(open(&place)?);
        Ok(Self { place, link })
    }

    /// Gives an order to a connection that is there, or to a new one.
    fn ask(&mut self, act: Act) -> Result<Option<Target>, Error> {
        let (answer, answered) = mpsc::sync_channel(1);
        let order = Order { act, answer };
        let (link, order) = match self.link.take() {
            Some(link) => match link.try_send(order) {
                Ok(()) => (link, None),
                // The daemon went away in between, and nothing was said yet.
                Err(refused) => (open(&self.place)?, Some(refused.into_inner())),
            },
            None => (open(&self.place)?, Some(order)),
        };
        if let Some(order) = order {
            link.try_send(order).ok();
        }
        let answer = answered.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let reason = "the IBus daemon does not answer".into();
            Err(Error::Gone { backend: NAME, reason })
        });
        if !matches!(answer, Err(Error::Gone { .. })) {
            self.link = Some(link);
        }
        answer
    }
}

impl Backend for Ibus {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { preedit: true, surrounding: false, purpose: true, keyless: true, focus: true }
    }

    fn target(&mut self) -> Result<Target, Error> {
        self.ask(Act::Target)?.ok_or(Error::NoTarget)
    }

    fn preedit(&mut self, text: &str) -> Result<(), Error> {
        self.ask(Act::Preedit(text.to_owned())).map(|_| ())
    }

    fn insert(&mut self, text: &str) -> Result<Proof, Error> {
        self.ask(Act::Insert(text.to_owned())).map(|_| Proof::Taken)
    }

    fn delete_before(&mut self, _characters: usize) -> Result<(), Error> {
        let reason = "only an engine of IBus may delete text; take it away by hand".into();
        Err(Error::Unavailable { backend: NAME, reason })
    }
}

/// Starts the thread of a connection and waits until it is there.
fn open(place: &Place) -> Result<Link, Error> {
    let unavailable = |reason: String| Error::Unavailable { backend: NAME, reason };
    let addresses = place.addresses();
    let (link, orders) = async_channel::bounded(8);
    let (ready, is_ready) = mpsc::sync_channel(1);
    let work = async move {
        let mut reason =
            "no IBus daemon runs; GNOME starts one, elsewhere \"ibus start\" does".into();
        for address in addresses {
            match Session::open(&address).await {
                Ok(session) => {
                    ready.send(Ok(())).ok();
                    if let Err(error) = session.run(&orders).await {
                        tracing::debug!(%error, "the connection to IBus has ended");
                    }
                    return;
                }
                Err(error) => reason = format!("the IBus daemon does not answer ({error})"),
            }
        }
        ready.send(Err(reason)).ok();
    };
    thread::Builder::new()
        .name("ibus".into())
        .spawn(|| zbus::block_on(work))
        .map_err(|error| unavailable(error.to_string()))?;
    match is_ready.recv_timeout(PATIENCE) {
        Ok(answer) => answer.map(|()| link).map_err(unavailable),
        Err(_) => Err(unavailable("the IBus daemon does not answer".into())),
    }
}

fn gone(error: &zbus::Error) -> Error {
    Error::Gone { backend: NAME, reason: error.to_string() }
}
