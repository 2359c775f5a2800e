//! Where one way alone is not enough.

use super::*;

#[test]
fn a_text_that_a_way_cannot_type_takes_the_next() {
    let (portal, clipboard) = (Desktop::new(), Desktop::new());
    let ways = vec![portal.way("portal", KEYS), clipboard.way("clipboard", KEYS)];
    let mut delivery = Delivery::new(Ladder::new(ways), Live::Final);
    let cannot = || Error::Unavailable { backend: "portal", reason: "no key for it".into() };
    delivery.begin(false);
    portal.state().fails = Some(cannot());
    let delivered = delivery.finish(&insert("日本語"));
    assert!(delivered.ok);
    assert_eq!(delivered.backend, "clipboard");
    assert_eq!((portal.text("editor").as_str(), clipboard.text("editor").as_str()), ("", "日本語"));

    delivery.begin(false);
    assert_eq!(delivery.way(), Some("portal"));
    portal.state().fails = Some(cannot());
    clipboard.state().focus = None;
    let delivered = delivery.finish(&insert("日本語"));
    assert!(!delivered.ok && delivered.detail.contains("no key for it"), "{delivered:?}");
}

/// A way that sees the focus and has no keys, above one that has keys and does not.
fn eyes_and_keys(desktop: &Desktop) -> Delivery {
    let eyes = Abilities { keyless: true, focus: true, ..Abilities::default() };
    let keys = Abilities::default();
    let ways = vec![desktop.way("ibus", eyes), desktop.way("portal", keys)];
    Delivery::new(Ladder::new(ways), Live::Final)
}

fn no_engine() -> Error {
    Error::Unavailable { backend: "ibus", reason: "only an engine may delete".into() }
}

#[test]
fn a_way_that_cannot_delete_borrows_the_keys_of_one_that_sees_nothing() {
    let desktop = Desktop::new();
    let mut delivery = eyes_and_keys(&desktop);
    assert!(delivery.insert("one").ok);
    assert!(delivery.insert(" two").ok);
    desktop.state().fails = Some(no_engine());
    let undone = delivery.undo();
    assert!(undone.ok, "{undone:?}");
    assert_eq!(desktop.text("editor"), "one");
    assert_eq!(delivery.way(), Some("ibus"));

    // The focus moves between the first look and the first key.
    desktop.state().fails = Some(no_engine());
    desktop.state().moves_to = Some("other");
    let undone = delivery.undo();
    assert!(!undone.ok && undone.detail.contains("focus has moved"), "{undone:?}");
    assert_eq!(desktop.text("editor"), "one");
}
