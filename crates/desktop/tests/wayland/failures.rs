//! Compositors that vanish or hang, and windows that never read.

use std::path::Path;
use std::time::{Duration, Instant};

use scriven_desktop::Error;
use scriven_desktop::insertion::clipboard::wayland as clipboard;
use scriven_desktop::insertion::{Backend, Proof, input_method, virtual_keyboard};

use crate::sway::{Sway, Terminal, wait_for};
use crate::ways::{connect, target};
use crate::window::{Window, has_gtk};

type Connect = fn(&Path) -> Result<Box<dyn Backend>, Error>;
const WAYS: [(&str, Connect); 3] = [
    ("virtual-keyboard", virtual_keyboard::connect_to),
    ("input-method", input_method::connect_to),
    ("clipboard", clipboard::connect_to),
];

/// Far more than a second, so that a busy machine is no failure, but not for ever.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_compositor_that_vanishes_is_an_error_and_the_next_one_is_used() {
    for (name, to) in WAYS {
        let Some(sway) = Sway::start("us", "") else { return };
        let mut way = connect(&sway, to);
        assert_eq!(way.name(), name);
        let _terminal = Terminal::open(&sway, "foot");
        target(&mut *way);
        way.insert("before").unwrap();
        sway.signal("KILL");
        let began = Instant::now();
        for _ in 0..2 {
            assert!(
                matches!(way.insert("text\n"), Err(Error::Gone { backend, .. }) if backend == name)
            );
            assert!(matches!(way.target(), Err(Error::Gone { .. })));
            assert!(matches!(way.delete_before(1), Err(Error::Gone { .. })));
        }
        assert!(began.elapsed() < SOON);
        let gone = wait_for("its end", || to(sway.socket()).err());
        assert!(matches!(gone, Error::Unavailable { .. } | Error::Gone { .. }));
        drop(sway);

        let Some(sway) = Sway::start("us", "") else { return };
        let mut way = connect(&sway, to);
        let terminal = Terminal::open(&sway, "foot");
        target(&mut *way);
        way.insert("after\n").unwrap();
        assert_eq!(terminal.line("\n"), "after\n");
    }
}

#[test]
fn a_compositor_that_hangs_is_an_error_in_time() {
    for (name, to) in WAYS {
        let Some(sway) = Sway::start("us", "") else { return };
        let mut way = connect(&sway, to);
        let terminal = Terminal::open(&sway, "foot");
        target(&mut *way);
        sway.signal("STOP");
        let began = Instant::now();
        assert!(matches!(way.insert("text\n"), Err(Error::Gone { .. })), "{name}");
        assert!(matches!(to(sway.socket()), Err(Error::Gone { .. })), "{name}");
        assert!(began.elapsed() < SOON);
        sway.signal("CONT");
        // The old way has given its seat back, so that a new one can have it.
        drop(way);
        let mut way = wait_for("a new connection", || to(sway.socket()).ok());
        target(&mut *way);
        wait_for("an insertion", || way.insert("after\n").ok());
        assert!(terminal.line("after\n").ends_with("after\n"));
    }
}

#[test]
fn no_compositor_is_said_to_be_none() {
    for (_, to) in WAYS {
        let error = to(Path::new("/nonexistent/wayland-0")).err().unwrap();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
}

#[test]
fn a_window_that_never_reads_hangs_nobody_and_has_the_text_when_it_reads() {
    let Some(sway) = Sway::start("us", "") else { return };
    let line = format!("{}\n", "word ".repeat(100));
    for (name, to) in &WAYS[..2] {
        let mut way = connect(&sway, *to);
        let terminal = Terminal::open(&sway, name);
        wait_for("a target", || (way.target().ok()?.app_id? == *name).then_some(()));
        terminal.signal("STOP");
        assert_eq!(way.insert(&line).unwrap(), Proof::Taken);
        terminal.signal("CONT");
        assert_eq!(terminal.line("\n"), line);
    }
    let Some(()) = has_gtk("3") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    let window = Window::open(&sway, "3", "entry", "gtk3");
    wait_for("a target", || (way.target().ok()?.app_id? == "gtk3").then_some(()));
    window.signal("STOP");
    assert_eq!(way.insert("unread").unwrap(), Proof::Taken);
    window.signal("CONT");
    window.shows("text", 0, "unread");
}
