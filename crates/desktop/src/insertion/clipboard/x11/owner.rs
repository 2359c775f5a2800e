//! Owning selections: a thread gives what is offered to whoever asks.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionClearEvent, SelectionNotifyEvent, SelectionRequestEvent,
    Window, WindowClass,
};

use crate::Error;
use crate::insertion::x11::server::Server;

/// A window that has fetched the text may ask once more.
const AGAIN: Duration = Duration::from_millis(50);
/// Bytes of a request besides what it carries.
const HEADER: usize = 64;

/// One form of what a selection holds.
#[derive(Clone)]
pub(super) struct Content {
    /// What to ask for.
    pub(super) form: Atom,
    /// What comes then.
    pub(super) kind: Atom,
    /// Bits of each item: 8, 16 or 32.
    pub(super) format: u8,
    pub(super) data: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    /// What is offered, by selection.
    offers: Mutex<Offers>,
    fetched: Condvar,
}

#[derive(Default)]
struct Offers {
    by_selection: HashMap<Atom, Vec<Content>>,
    /// Windows that have fetched the text since it is offered.
    fetched_by: Vec<Window>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Offers> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The owner of selections, as long as it lives.
pub(super) struct Owner {
    server: Arc<Server>,
    window: Window,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub(super) fn new(display: Option<&str>, backend: &'static str) -> Result<Self, Error> {
        let server = Arc::new(Server::listen(display, backend)?);
        let connection = &server.connection;
        // Asked for now, as no answers are waited for later. An old server allows less.
        connection.prefetch_maximum_request_bytes();
        connection.maximum_request_bytes();
        let window = connection.generate_id().map_err(|err| server.gone(err))?;
        let nothing = CreateWindowAux::new();
        let (depth, class, visual) = (0, WindowClass::INPUT_ONLY, x11rb::COPY_FROM_PARENT);
        connection
            .create_window(depth, window, server.root, 0, 0, 1, 1, 0, class, visual, &nothing)
            .and_then(|_| connection.flush())
            .map_err(|err| server.gone(err))?;
        let shared = Arc::new(Shared::default());
        let (of_thread, offers) = (server.clone(), shared.clone());
        let thread = thread::Builder::new()
            .name("x11-clipboard".into())
            .spawn(move || serve(&of_thread, &offers))
            .map_err(|err| Error::Unavailable { backend, reason: err.to_string() })?;
        Ok(Self { server, window, shared, thread: Some(thread) })
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// What is offered as `selection`.
    pub(super) fn contents(&self, selection: Atom) -> Vec<Content> {
        self.shared.lock().by_selection.get(&selection).cloned().unwrap_or_default()
    }

    /// Offers `text` as `selections`.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`].
    pub(super) fn offer_text(&self, selections: &[Atom], text: &str) -> Result<(), Error> {
        let contents = forms_of(&self.server, text);
        let mut offers = self.shared.lock();
        offers.fetched_by.clear();
        for &selection in selections {
            offers.by_selection.insert(selection, contents.clone());
        }
        // With the lock held, so that the thread does not take an older loss for one of these.
        selections.iter().try_for_each(|&selection| self.own(selection))
    }

    /// Waits until the program of `window` has fetched the text. What a clipboard manager fetches
    /// does not count.
    pub(super) fn wait_until_fetched(&self, window: Window, limit: Duration) -> bool {
        let program = |window: Window| window & !self.server.connection.setup().resource_id_mask;
        let waits = |offers: &mut Offers| {
            !offers.fetched_by.iter().any(|&by| program(by) == program(window))
        };
        let waited = self.shared.fetched.wait_timeout_while(self.shared.lock(), limit, waits);
        let (offers, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(offers);
        if !timeout.timed_out() {
            thread::sleep(AGAIN);
        }
        !timeout.timed_out()
    }

    /// Offers `contents` again, unless somebody else owns the selection by now. Where nobody owned
    /// it, nothing is offered: to give it up could take it from a program that has just come.
    pub(super) fn restore(&self, selection: Atom, contents: Vec<Content>) {
        if let Some(offered) = self.shared.lock().by_selection.get_mut(&selection) {
            *offered = contents;
        }
    }

    fn own(&self, selection: Atom) -> Result<(), Error> {
        let connection = &self.server.connection;
        connection
            .set_selection_owner(self.window, selection, x11rb::CURRENT_TIME)
            .and_then(|_| connection.flush())
            .map_err(|err| self.server.gone(err))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let stop = ClientMessageEvent::new(32, self.window, self.server.atoms.SCRIVEN_STOP, [0; 5]);
        let connection = &self.server.connection;
        let sent = connection.send_event(false, self.window, EventMask::NO_EVENT, stop);
        let sent = sent.and_then(|_| connection.flush());
        // Where it cannot be told, the thread ends by the same error.
        if let (Ok(()), Some(thread)) = (sent, self.thread.take()) {
            drop(thread.join());
        }
    }
}

/// The forms of a text, and the word that it is nothing to be remembered (KDE and others).
fn forms_of(server: &Server, text: &str) -> Vec<Content> {
    let atoms = &server.atoms;
    let of = |form, kind, text: &str| Content { form, kind, format: 8, data: text.into() };
    let mut forms: Vec<Content> = [atoms.UTF8_STRING, atoms.TEXT_PLAIN_UTF8, atoms.TEXT_PLAIN]
        .map(|form| of(form, form, text))
        .into();
    forms.push(of(atoms.TEXT, atoms.UTF8_STRING, text));
    // STRING is Latin-1.
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    if let Some(data) = latin {
        let string = AtomEnum::STRING.into();
        forms.push(Content { form: string, kind: string, format: 8, data });
    }
    forms.push(of(atoms.PASSWORD_HINT, atoms.PASSWORD_HINT, "secret"));
    forms
}

/// Answers until it is told to stop or the server is gone.
fn serve(server: &Server, shared: &Shared) {
    loop {
        let served = match server.connection.wait_for_event() {
            Ok(Event::SelectionRequest(request)) => answer(server, shared, &request),
            Ok(Event::SelectionClear(event)) => forget(server, shared, &event),
            Ok(Event::ClientMessage(event)) if event.type_ == server.atoms.SCRIVEN_STOP => return,
            Ok(_) => Ok(()),
            Err(err) => Err(server.gone(err)),
        };
        if let Err(err) = served {
            tracing::debug!("{err}");
            return;
        }
    }
}

/// Forgets what is offered as a selection that somebody else owns now.
fn forget(server: &Server, shared: &Shared, event: &SelectionClearEvent) -> Result<(), Error> {
    let mut offers = shared.lock();
    let asked = server.connection.get_selection_owner(event.selection);
    let now = asked.map_err(|err| server.gone(err))?.reply().map_err(|err| server.gone(err))?;
    // It may be ours again by now.
    if now.owner != event.owner {
        offers.by_selection.remove(&event.selection);
    }
    Ok(())
}

fn answer(server: &Server, shared: &Shared, request: &SelectionRequestEvent) -> Result<(), Error> {
    // A client of the oldest kind names no property.
    let property = match request.property {
        x11rb::NONE => request.target,
        property => property,
    };
    let mut offers = shared.lock();
    let offered = offers.by_selection.get(&request.selection);
    let content = offered.and_then(|contents| content(server, contents, request.target));
    let limit = server.connection.maximum_request_bytes() - HEADER;
    let content = content.filter(|content| content.data.len() <= limit);
    if let Some(content) = &content {
        put(server, request.requestor, property, content)?;
    }
    let reply = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: request.requestor,
        selection: request.selection,
        target: request.target,
        property: if content.is_some() { property } else { x11rb::NONE },
    };
    let connection = &server.connection;
    connection
        .send_event(false, request.requestor, EventMask::NO_EVENT, reply)
        .and_then(|_| connection.flush())
        .map_err(|err| server.gone(err))?;
    let hint = server.atoms.PASSWORD_HINT;
    if content.is_some() && ![server.atoms.TARGETS, hint].contains(&request.target) {
        offers.fetched_by.push(request.requestor);
        shared.fetched.notify_all();
    }
    Ok(())
}

/// What is held in `form`; the list of all forms is one of them.
fn content(server: &Server, contents: &[Content], form: Atom) -> Option<Content> {
    if form != server.atoms.TARGETS {
        return contents.iter().find(|content| content.form == form).cloned();
    }
    if contents.is_empty() {
        return None;
    }
    let all = std::iter::once(form).chain(contents.iter().map(|content| content.form));
    let data = all.flat_map(Atom::to_ne_bytes).collect();
    Some(Content { form, kind: AtomEnum::ATOM.into(), format: 32, data })
}

fn put(server: &Server, window: Window, property: Atom, content: &Content) -> Result<(), Error> {
    let items = content.data.len() / usize::from(content.format / 8).max(1);
    server
        .connection
        .change_property(
            PropMode::REPLACE,
            window,
            property,
            content.kind,
            content.format,
            items as u32,
            &content.data,
        )
        .map_err(|err| server.gone(err))?;
    Ok(())
}
