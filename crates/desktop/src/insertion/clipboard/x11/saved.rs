//! What a selection holds, in every form that its owner offers.

use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, GetPropertyReply, Property,
    Window, WindowClass,
};

use super::owner::{Content, Owner};
use crate::Error;
use crate::insertion::x11::server::Server;

/// How long the owner may take for all forms together.
const PATIENCE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(1);
/// Forms that are kept; programs offer about twenty.
const MOST_FORMS: usize = 64;
/// Bytes of one form, so that one request can give it back.
const LARGEST: usize = 8 << 20;

/// Everything that `selection` holds; nothing if nobody owns it.
///
/// # Errors
///
/// [`Error::Unavailable`]: the owner does not answer, so that what it holds would be lost.
/// [`Error::Gone`].
pub(super) fn save(server: &Server, owner: &Owner, selection: Atom) -> Result<Vec<Content>, Error> {
    let asked = server.connection.get_selection_owner(selection).map_err(|err| server.gone(err))?;
    let now = asked.reply().map_err(|err| server.gone(err))?.owner;
    if now == x11rb::NONE {
        return Ok(Vec::new());
    }
    if now == owner.window() {
        return Ok(owner.contents(selection));
    }
    let mut asker = Asker::new(server, selection)?;
    let Some(forms) = asker.ask(server.atoms.TARGETS)? else { return Ok(Vec::new()) };
    let forms: Vec<Atom> = forms
        .data
        .chunks_exact(4)
        .filter_map(|atom| Some(Atom::from_ne_bytes(atom.try_into().ok()?)))
        .filter(|atom| !is_request(server, *atom))
        .take(MOST_FORMS)
        .collect();
    let mut contents = Vec::new();
    for form in forms {
        contents.extend(asker.ask(form)?.filter(|content| content.data.len() <= LARGEST));
    }
    Ok(contents)
}

/// Is `form` a question to the owner and no form of what is held?
fn is_request(server: &Server, form: Atom) -> bool {
    let atoms = &server.atoms;
    [atoms.TARGETS, atoms.MULTIPLE, atoms.TIMESTAMP, atoms.SAVE_TARGETS].contains(&form)
}

/// A window that the owner sends to.
struct Asker<'a> {
    server: &'a Server,
    selection: Atom,
    window: Window,
    deadline: Instant,
}

impl<'a> Asker<'a> {
    fn new(server: &'a Server, selection: Atom) -> Result<Self, Error> {
        let connection = &server.connection;
        let window = connection.generate_id().map_err(|err| server.gone(err))?;
        let events = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let (depth, class, visual) = (0, WindowClass::INPUT_ONLY, x11rb::COPY_FROM_PARENT);
        connection
            .create_window(depth, window, server.root, 0, 0, 1, 1, 0, class, visual, &events)
            .map_err(|err| server.gone(err))?;
        Ok(Self { server, selection, window, deadline: Instant::now() + PATIENCE })
    }

    /// What the selection holds in `form`; none if the owner refuses.
    fn ask(&mut self, form: Atom) -> Result<Option<Content>, Error> {
        let Server { connection, atoms, .. } = self.server;
        let (selection, property) = (self.selection, atoms.SCRIVEN_OLD);
        connection
            .convert_selection(self.window, selection, form, property, x11rb::CURRENT_TIME)
            .map_err(|err| self.server.gone(err))?;
        connection.flush().map_err(|err| self.server.gone(err))?;
        let given = self.wait(|event| match event {
            Event::SelectionNotify(event) if event.target == form => Some(event.property),
            _ => None,
        })?;
        if given == x11rb::NONE {
            return Ok(None);
        }
        let first = self.take()?;
        let (kind, format) = (first.type_, first.format);
        if kind != atoms.INCR {
            return Ok(Some(Content { form, kind, format, data: first.value }));
        }
        self.piece_by_piece(form).map(Some)
    }

    /// A large value, which comes in pieces until one is empty (ICCCM 2.7.2).
    fn piece_by_piece(&self, form: Atom) -> Result<Content, Error> {
        let mut content = Content { form, kind: x11rb::NONE, format: 8, data: Vec::new() };
        loop {
            let property = self.server.atoms.SCRIVEN_OLD;
            self.wait(|event| match event {
                Event::PropertyNotify(event) => {
                    (event.atom == property && event.state == Property::NEW_VALUE).then_some(())
                }
                _ => None,
            })?;
            let piece = self.take()?;
            if piece.value.is_empty() {
                return Ok(content);
            }
            (content.kind, content.format) = (piece.type_, piece.format);
            // What is too large is still fetched to the end: the owner waits for it.
            if content.data.len() <= LARGEST {
                content.data.extend(piece.value);
            }
        }
    }

    /// Reads the property and deletes it, which asks for the next piece.
    fn take(&self) -> Result<GetPropertyReply, Error> {
        let property = self.server.atoms.SCRIVEN_OLD;
        let any = AtomEnum::ANY;
        self.server
            .connection
            .get_property(true, self.window, property, any, 0, u32::MAX)
            .map_err(|err| self.server.gone(err))?
            .reply()
            .map_err(|err| self.server.gone(err))
    }

    /// The first event that `wanted` takes.
    fn wait<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> Result<T, Error> {
        while Instant::now() < self.deadline {
            let event = self.server.connection.poll_for_event();
            match event.map_err(|err| self.server.gone(err))?.as_ref() {
                Some(event) => {
                    if let Some(found) = wanted(event) {
                        return Ok(found);
                    }
                }
                None => thread::sleep(TICK),
            }
        }
        let reason = "the program that owns the clipboard does not answer, and its contents are \
                      not to be lost: end that program, or copy something else";
        Err(Error::Unavailable { backend: self.server.backend(), reason: reason.into() })
    }
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        // A server that is gone has no window of ours.
        if let Err(err) = self.server.connection.destroy_window(self.window) {
            tracing::debug!("clipboard: {err}");
        }
    }
}
