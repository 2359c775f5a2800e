use super::*;
use crate::insertion::scripted::Desktop;

fn missing(name: &'static str) -> (&'static str, Connect) {
    let reason = "not on this desktop";
    (name, Box::new(move || Err(Error::Unavailable { backend: name, reason: reason.into() })))
}

#[test]
fn the_first_way_with_something_in_focus_is_taken() {
    let (elsewhere, here) = (Desktop::default(), Desktop::new());
    let abilities = Abilities { preedit: true, ..Abilities::default() };
    let mut ladder = Ladder::new(vec![
        missing("ibus"),
        elsewhere.way("input-method", abilities),
        here.way("x11", Abilities::default()),
    ]);
    ladder.probe();
    assert_eq!(ladder.way(), Some("input-method"));
    assert_eq!(ladder.target().unwrap().id, "editor");
    assert_eq!(ladder.way(), Some("x11"));
    elsewhere.state().focus = Some("other");
    assert_eq!(ladder.target().unwrap().id, "other");
    let verdicts: Vec<_> = ladder.rungs().iter().map(|rung| rung.verdict.clone()).collect();
    assert_eq!(verdicts[1..], [Ok(abilities), Ok(Abilities::default())]);
    assert_eq!(verdicts[0], Err("ibus: not on this desktop".to_owned()));
}

#[test]
fn a_pinned_ladder_has_one_way() {
    let (first, second) = (Desktop::new(), Desktop::new());
    let ways =
        vec![first.way("ibus", Abilities::default()), second.way("x11", Abilities::default())];
    let mut ladder = Ladder::new(ways).pinned("x11");
    ladder.target().unwrap();
    assert_eq!(ladder.way(), Some("x11"));
    let verdict = ladder.rungs()[0].verdict.as_ref().unwrap_err();
    assert!(verdict.contains("asks for x11"), "{verdict}");

    second.state().focus = None;
    assert!(matches!(ladder.target(), Err(Error::NoTarget)));
    let mut nowhere = Ladder::new(vec![missing("x11")]).pinned("y12");
    assert!(matches!(nowhere.target(), Err(Error::Unavailable { .. })));
}

#[test]
fn a_lost_way_is_opened_again() {
    let desktop = Desktop::new();
    let mut ladder = Ladder::new(vec![desktop.way("x11", Abilities::default())]);
    ladder.target().unwrap();
    desktop.state().gone = true;
    assert!(matches!(ladder.target(), Err(Error::Gone { .. } | Error::Unavailable { .. })));
    assert!(ladder.rungs()[0].verdict.is_err());
    desktop.state().gone = false;
    assert_eq!(ladder.target().unwrap().id, "editor");
    assert!(ladder.rungs()[0].verdict.is_ok());
}

#[test]
fn a_way_that_comes_later_is_found() {
    let (late, always) = (Desktop::new(), Desktop::default());
    late.state().gone = true;
    let mut ladder = Ladder::new(vec![
        late.way("ibus", Abilities::default()),
        always.way("x11", Abilities::default()),
    ]);
    assert!(matches!(ladder.target(), Err(Error::NoTarget)));
    late.state().gone = false;
    ladder.target().unwrap();
    assert_eq!(ladder.way(), Some("ibus"));
}
