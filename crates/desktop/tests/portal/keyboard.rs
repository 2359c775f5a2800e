//! A compositor's end of libei: it lends a keyboard and notes which keys go down and up.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use kbvm::xkb::Context;
use kbvm::xkb::rmlvo::Group;
use reis::PendingRequestResult;
use reis::eis;
use reis::handshake::EisHandshaker;
use reis::request::{Bind, Connection, DeviceCapability, EisRequest, EisRequestConverter};
use rustix::event::{PollFd, PollFlags, poll};

/// evdev codes, down (`true`) or up.
pub(crate) type Keys = Arc<Mutex<Vec<(u32, bool)>>>;

/// The keyboard as it is when somebody connects.
#[derive(Clone, Copy, Default)]
pub(crate) struct State {
    /// Modifiers that the user holds down, as XKB counts them.
    pub(crate) depressed: u32,
}

/// Serves one connection until it ends.
pub(crate) fn serve(socket: UnixStream, state: State, keys: Keys) {
    let run = move || {
        let context = eis::Context::new(socket).unwrap();
        let mut handshaker = EisHandshaker::new(&context, 1);
        let mut converter = None;
        while readable(&context) && context.read().is_ok_and(|read| read > 0) {
            while let Some(request) = context.pending_request() {
                let PendingRequestResult::Request(request) = request else { continue };
                match &mut converter {
                    None => converter = greet(&context, &mut handshaker, request),
                    Some(converter) => obey(converter, request, state, &keys),
                }
            }
            context.flush().ok();
        }
    };
    std::thread::Builder::new().name("compositor".into()).spawn(run).unwrap();
}

fn readable(context: &eis::Context) -> bool {
    poll(&mut [PollFd::new(context, PollFlags::IN)], None).is_ok()
}

fn greet(
    context: &eis::Context,
    handshaker: &mut EisHandshaker,
    request: eis::Request,
) -> Option<EisRequestConverter> {
    let done = handshaker.handle_request(request).unwrap()?;
    let converter = EisRequestConverter::new(context, done, 1);
    // The client binds it; nothing is done with it before.
    drop(converter.handle().add_seat(Some("seat"), DeviceCapability::Keyboard.into()));
    Some(converter)
}

fn obey(converter: &mut EisRequestConverter, request: eis::Request, state: State, keys: &Keys) {
    converter.handle_request(request).unwrap();
    let connection = converter.handle().clone();
    while let Some(request) = converter.next_request() {
        match request {
            EisRequest::Bind(bind) => lend(&bind, &connection, state),
            EisRequest::KeyboardKey(key) => {
                let down = key.state == eis::keyboard::KeyState::Press;
                keys.lock().unwrap().push((key.key, down));
            }
            _ => {}
        }
    }
}

/// A keyboard with the layout `us`.
fn lend(bind: &Bind, connection: &Connection, state: State) {
    let groups = [Group { layout: "us", variant: "" }];
    let keymap =
        Context::default().keymap_from_names(&mut Vec::new(), None, None, Some(&groups), None);
    let text = format!("{}\0", keymap.format());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let kind = eis::device::DeviceType::Virtual;
    let keyboard = bind.seat.add_device(Some("keyboard"), kind, bind.capabilities, |device| {
        let keyboard: eis::Keyboard = device.interface().unwrap();
        let kind = eis::keyboard::KeymapType::Xkb;
        keyboard.keymap(kind, text.len().try_into().unwrap(), file.as_fd());
    });
    keyboard.resumed();
    let interface: eis::Keyboard = keyboard.interface().unwrap();
    connection.with_next_serial(|serial| interface.modifiers(serial, state.depressed, 0, 0, 0));
}
