//! Which window has the keyboard.

use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use super::server::Server;
use crate::Error;
use crate::insertion::Target;

/// No window: keys go nowhere.
const NONE: Window = x11rb::NONE;
/// Keys go to the window under the pointer (`PointerRoot`), as without a window manager.
const POINTER_ROOT: Window = 1;
/// More windows than any program nests.
const DEEPEST: usize = 64;

/// The window that keys go to now.
///
/// # Errors
///
/// [`Error::NoTarget`], [`Error::Gone`].
pub(crate) fn window(server: &Server) -> Result<Window, Error> {
    let cookie = server.connection.get_input_focus().map_err(|err| server.gone(err))?;
    let focus = cookie.reply().map_err(|err| server.gone(err))?.focus;
    match focus {
        NONE => Err(Error::NoTarget),
        window if window == POINTER_ROOT || window == server.root => under_pointer(server),
        window => Ok(window),
    }
}

/// What is in focus, as the delivery sees it.
///
/// # Errors
///
/// [`Error::NoTarget`], [`Error::Gone`].
pub(crate) fn target(server: &Server) -> Result<(Window, Target), Error> {
    let focus = window(server)?;
    if active(server)? == Some(NONE) {
        return Err(Error::NoTarget);
    }
    let owner = owner(server, focus)?;
    // The manager keeps the focus in a window of its own, or of a helper, when no program has it.
    if owner.is_none() && has_manager(server)? {
        return Err(Error::NoTarget);
    }
    let app_id = owner.and_then(|(_, class)| class);
    Ok((focus, Target { id: format!("x11:{focus:x}"), app_id, ..Target::default() }))
}

/// The window of `focus` and its parents that the window manager deals with, and the class of the
/// program (`WM_CLASS`, of its two words the second).
///
/// # Errors
///
/// [`Error::Gone`].
pub(crate) fn owner(
    server: &Server,
    focus: Window,
) -> Result<Option<(Window, Option<String>)>, Error> {
    let mut window = focus;
    for _ in 0..DEEPEST {
        let class = property(server, window, AtomEnum::WM_CLASS.into())?;
        // That of openbox's own window is empty.
        if let Some(value) = class.filter(|value| !value.is_empty()) {
            let mut words = value.split(|&byte| byte == 0);
            let class = words.nth(1).filter(|word| !word.is_empty());
            return Ok(Some((
                window,
                class.map(|word| String::from_utf8_lossy(word).into_owned()),
            )));
        }
        let cookie = server.connection.query_tree(window).map_err(|err| server.gone(err))?;
        match server.answer(cookie.reply())? {
            Some(tree) if tree.parent != NONE && tree.parent != server.root => window = tree.parent,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// `_NET_ACTIVE_WINDOW`, where there is a window manager that tells it. On Wayland it is none
/// while a window that is not X11's has the keyboard.
fn active(server: &Server) -> Result<Option<Window>, Error> {
    window_in(server, server.atoms._NET_ACTIVE_WINDOW)
}

/// Is there a window manager? Then every window of a program has a class.
fn has_manager(server: &Server) -> Result<bool, Error> {
    Ok(window_in(server, server.atoms._NET_SUPPORTING_WM_CHECK)?.is_some())
}

/// The window that a property of the root window names.
fn window_in(server: &Server, name: u32) -> Result<Option<Window>, Error> {
    let value = property(server, server.root, name)?;
    Ok(value.and_then(|bytes| Some(Window::from_ne_bytes(bytes.get(..4)?.try_into().ok()?))))
}

/// At most 4 KB of a property.
pub(crate) fn property(
    server: &Server,
    window: Window,
    name: u32,
) -> Result<Option<Vec<u8>>, Error> {
    let cookie = server
        .connection
        .get_property(false, window, name, AtomEnum::ANY, 0, 1024)
        .map_err(|err| server.gone(err))?;
    let reply = server.answer(cookie.reply())?;
    Ok(reply.filter(|reply| reply.type_ != NONE).map(|reply| reply.value))
}

fn under_pointer(server: &Server) -> Result<Window, Error> {
    let mut window = server.root;
    for _ in 0..DEEPEST {
        let cookie = server.connection.query_pointer(window).map_err(|err| server.gone(err))?;
        match server.answer(cookie.reply())? {
            Some(pointer) if pointer.child != NONE => window = pointer.child,
            _ => break,
        }
    }
    if window == server.root { Err(Error::NoTarget) } else { Ok(window) }
}
