//! The input method.

use scriven_desktop::Error;
use scriven_desktop::insertion::{Proof, input_method, virtual_keyboard};

use crate::sway::{Sway, Terminal, rounds, wait_for};
use crate::ways::{connect, target};
use crate::window::{Window, has_gtk};
use crate::{ASCII, WORLD};

/// The versions of GTK that are here.
fn toolkits() -> Vec<&'static str> {
    ["3", "4"].into_iter().filter(|gtk| has_gtk(gtk).is_some()).collect()
}

fn exact(layout: &str) {
    let Some(sway) = Sway::start(layout, "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        let app_id = format!("gtk{gtk}");
        let window = Window::open(&sway, gtk, "entry", &app_id);
        let began = target(&mut *way);
        assert_eq!(began.app_id, Some(app_id));
        assert!(!began.secret && !began.keyed);
        let (mut wanted, mut seen) = (String::new(), false);
        for _ in 0..rounds() {
            for text in [ASCII, WORLD] {
                seen |= way.insert(text).unwrap() == Proof::Seen;
                wanted.push_str(text);
                window.shows("text", 0, &wanted);
            }
        }
        assert!(seen, "GTK {gtk} tells its text");
        assert_eq!(way.target().unwrap().id, began.id);
        assert_eq!(window.count("key"), 0, "text came as keys");
    }
    let terminal = Terminal::open(&sway, "foot");
    let began = wait_for("a target", || {
        way.target().ok().filter(|target| target.app_id.as_deref() == Some("foot"))
    });
    assert!(began.keyed);
    let mut wanted = String::new();
    for round in 0..rounds() {
        for text in [ASCII, WORLD] {
            let line = format!("{round}{text}\n");
            way.insert(&line).unwrap();
            wanted.push_str(&line);
            assert_eq!(terminal.line(&line), wanted, "{layout}, round {round}");
        }
    }
}

#[test]
fn committed_text_is_exact_where_the_layout_is_us() {
    exact("us");
}

#[test]
fn committed_text_is_exact_where_the_layout_is_german() {
    exact("de");
}

#[test]
fn committed_text_is_exact_where_the_layout_is_french() {
    exact("fr");
}

#[test]
fn tentative_text_stands_in_the_window_until_it_is_replaced() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        let app_id = format!("gtk{gtk}");
        let window = Window::open(&sway, gtk, "entry", &app_id);
        wait_for("a target", || (way.target().ok()?.app_id? == app_id).then_some(()));
        way.insert("Said before. ").unwrap();
        for tentative in ["so für", "so far 日本"] {
            way.preedit(tentative).unwrap();
            window.shows("preedit", 0, tentative);
        }
        sway.picture(&format!("preedit-gtk{gtk}"));
        way.insert("So far.").unwrap();
        window.shows("preedit", 0, "");
        window.shows("text", 0, "Said before. So far.");
        way.preedit("never mind").unwrap();
        window.shows("preedit", 0, "never mind");
        way.preedit("").unwrap();
        window.shows("preedit", 0, "");
        assert_eq!(window.now("text", 0), "Said before. So far.");
    }
}

#[test]
fn tentative_text_in_a_terminal_never_reaches_its_program() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    way.insert("Said before. ").unwrap();
    way.preedit("so far 日本").unwrap();
    sway.picture("preedit-foot");
    way.insert("So far.\n").unwrap();
    assert_eq!(terminal.line("\n"), "Said before. So far.\n");
}

#[test]
fn fields_for_passwords_are_refused() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        for kind in ["password", "pin"] {
            let app_id = format!("{kind}{gtk}");
            let window = Window::open(&sway, gtk, kind, &app_id);
            let field = wait_for("a field", || {
                way.target().ok().filter(|target| target.app_id.as_ref() == Some(&app_id))
            });
            assert!(field.secret, "GTK {gtk}, {kind}");
            assert!(matches!(way.insert("text"), Err(Error::SecretTarget)));
            assert!(matches!(way.preedit("text"), Err(Error::SecretTarget)));
            assert!(matches!(way.delete_before(1), Err(Error::SecretTarget)));
            assert_eq!((window.count("text"), window.count("preedit")), (0, 0));
        }
    }
}

#[test]
fn text_before_the_cursor_is_told_and_deleted_by_what_reads_as_one_character() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        let app_id = format!("gtk{gtk}");
        let window = Window::open(&sway, gtk, "entry", &app_id);
        wait_for("a target", || (way.target().ok()?.app_id? == app_id).then_some(()));
        let text = "für 日本語 e\u{301}👩\u{200d}👩\u{200d}👧";
        way.insert(text).unwrap();
        wait_for("its text", || (way.target().ok()?.before? == text).then_some(()));
        way.delete_before(1).unwrap();
        window.shows("text", 0, "für 日本語 e\u{301}");
        way.delete_before(2).unwrap();
        window.shows("text", 0, "für 日本語");
        way.delete_before(5).unwrap();
        window.shows("text", 0, "fü");
        way.insert("r").unwrap();
        window.shows("text", 0, "für");
    }
}

#[test]
fn a_terminal_deletes_by_keys() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    let terminal = Terminal::open(&sway, "foot");
    target(&mut *way);
    way.insert("abcé").unwrap();
    way.delete_before(2).unwrap();
    way.insert("x\n").unwrap();
    assert_eq!(terminal.line("\n"), "abx\n");
}

#[test]
fn another_field_is_another_target_and_keeps_nothing_tentative() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        let app_id = format!("two{gtk}");
        let mut window = Window::open(&sway, gtk, "two", &app_id);
        let first = wait_for("a field", || {
            way.target().ok().filter(|target| target.app_id.as_ref() == Some(&app_id))
        });
        way.preedit("tentative").unwrap();
        window.shows("preedit", 0, "tentative");
        window.focus(1);
        wait_for("another field", || (way.target().ok()?.id != first.id).then_some(()));
        window.shows("preedit", 0, "");
        way.insert("there").unwrap();
        window.shows("text", 1, "there");
        assert_eq!(window.now("text", 0), "", "GTK {gtk}");
        // Another window takes the focus while something is shown tentatively.
        let second = way.target().unwrap();
        way.preedit("tentative").unwrap();
        window.shows("preedit", 1, "tentative");
        let other = Window::open(&sway, gtk, "entry", "other");
        wait_for("another window", || (way.target().ok()?.id != second.id).then_some(()));
        window.shows("preedit", 1, "");
        assert_eq!((window.now("text", 1), other.count("text")), ("there".to_owned(), 0));
    }
}

#[test]
fn a_seat_has_one_input_method() {
    let Some(sway) = Sway::start("us", "") else { return };
    let first = connect(&sway, input_method::connect_to);
    let refused = wait_for("an answer", || match input_method::connect_to(sway.socket()) {
        Err(Error::Gone { .. }) => None,
        answer => Some(answer.err().unwrap()),
    });
    assert!(matches!(&refused, Error::Unavailable { reason, .. } if reason.contains("another")));
    drop(first);
    wait_for("the seat", || input_method::connect_to(sway.socket()).ok());
}

#[test]
fn a_seat_is_free_while_this_way_rests_and_the_field_is_then_still_the_same() {
    let Some(sway) = Sway::start("us", "") else { return };
    let mut way = connect(&sway, input_method::connect_to);
    for gtk in toolkits() {
        let app_id = format!("gtk{gtk}");
        let mut window = Window::open(&sway, gtk, "two", &app_id);
        wait_for("a target", || (way.target().ok()?.app_id? == app_id).then_some(()));
        way.insert("Said before. ").unwrap();
        let began = wait_for("its text", || {
            way.target().ok().filter(|target| target.before.as_deref() == Some("Said before. "))
        });
        way.rest();
        // The user's own input method starts.
        let other = wait_for("the seat", || input_method::connect_to(sway.socket()).ok());
        assert!(matches!(way.target(), Err(Error::Gone { .. })));
        drop(other);
        assert_eq!(wait_for("the seat again", || way.target().ok()), began);
        way.delete_before(2).unwrap();
        window.shows("text", 0, "Said before");
        // Elsewhere it is not.
        way.preedit("tentative").unwrap();
        window.shows("preedit", 0, "tentative");
        way.rest();
        window.shows("preedit", 0, "");
        window.focus(1);
        wait_for("another field", || {
            way.target().ok().filter(|now| now.id != began.id && now.before.as_deref() == Some(""))
        });
        assert_eq!(window.now("text", 0), "Said before");
    }
}

#[test]
fn a_window_without_text_input_is_left_to_the_keys() {
    let Some(sway) = Sway::start("us", "") else { return };
    let Some(()) = has_gtk("3") else { return };
    let mut method = connect(&sway, input_method::connect_to);
    let mut keys = connect(&sway, virtual_keyboard::connect_to);
    let plain = Window::open_with(
        &sway,
        "3",
        "entry",
        "plain",
        &[("GTK_IM_MODULE", "gtk-im-context-simple")],
    );
    let window = target(&mut *keys);
    assert_eq!(window.app_id.as_deref(), Some("plain"));
    assert!(matches!(method.target(), Err(Error::NoTarget)));
    assert!(matches!(method.insert("text"), Err(Error::NoTarget)));
    keys.insert(WORLD).unwrap();
    plain.shows("text", 0, WORLD);
    // And the other way round in the next window.
    let speaks = Window::open(&sway, "3", "entry", "speaks");
    let field = target(&mut *method);
    assert_eq!(field.app_id.as_deref(), Some("speaks"));
    method.insert(WORLD).unwrap();
    speaks.shows("text", 0, WORLD);
    assert_eq!(plain.now("text", 0), WORLD);
}
