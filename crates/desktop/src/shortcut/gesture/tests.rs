//! Gestures by example, and what holds for all of them.

use proptest::prelude::*;

use super::*;

const TAP_OR_HOLD: Mode = Mode::TapOrHold { hold_after: Duration::from_millis(300) };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// `h` holds, `t` toggles, `b` does both.
fn gestures(debounce: Duration) -> Gestures {
    let modes = [("h", Mode::Hold), ("t", Mode::Toggle), ("b", TAP_OR_HOLD)];
    Gestures::new(modes.map(|(action, mode)| (action.to_owned(), mode)), debounce)
}

fn press(action: &str) -> Stroke {
    Stroke::Pressed { action: action.to_owned() }
}

fn release(action: &str) -> Stroke {
    Stroke::Released { action: action.to_owned() }
}

fn start(action: &str, held: bool) -> Order {
    Order::Start { action: action.to_owned(), held }
}

fn stop(action: &str, at: u64) -> Order {
    Order::Stop { action: action.to_owned(), at: ms(at) }
}

fn cancel(action: &str) -> Order {
    Order::Cancel { action: action.to_owned() }
}

/// All that strokes at these times order.
fn ordered(gestures: &mut Gestures, strokes: &[(u64, Stroke)]) -> Vec<Order> {
    strokes.iter().flat_map(|(at, stroke)| gestures.stroke(stroke, ms(*at))).collect()
}

#[test]
fn holding_dictates_and_repeats_are_one_press() {
    let mut gestures = gestures(Duration::ZERO);
    let strokes = [
        (0, release("h")),
        (10, press("h")),
        (510, press("h")),
        (540, press("h")),
        (900, release("h")),
        (901, release("h")),
    ];
    assert_eq!(ordered(&mut gestures, &strokes), [start("h", true), stop("h", 900)]);
    assert!(!gestures.is_held());
}

#[test]
fn toggling_takes_one_press_for_each_end() {
    let mut gestures = gestures(Duration::ZERO);
    let strokes = [(0, press("t")), (80, release("t")), (2000, press("t")), (2100, release("t"))];
    assert_eq!(ordered(&mut gestures, &strokes), [start("t", false), stop("t", 2000)]);
}

#[test]
fn a_tap_goes_on_and_a_held_key_ends_with_its_release() {
    let mut gestures = gestures(Duration::ZERO);
    let tapped = [(0, press("b")), (299, release("b")), (5000, press("b")), (5100, release("b"))];
    assert_eq!(ordered(&mut gestures, &tapped), [start("b", true), stop("b", 5000)]);
    let held = [(6000, press("b")), (6300, release("b"))];
    assert_eq!(ordered(&mut gestures, &held), [start("b", true), stop("b", 6300)]);
}

#[test]
fn the_key_that_is_pressed_last_has_the_dictation() {
    let mut gestures = gestures(Duration::ZERO);
    let strokes = [
        (0, press("h")),
        (500, press("t")),
        (700, release("h")),
        (800, release("t")),
        (900, press("t")),
    ];
    let expected = [start("h", true), stop("h", 500), start("t", false), stop("t", 900)];
    assert_eq!(ordered(&mut gestures, &strokes), expected);
}

#[test]
fn escape_drops_what_is_said_and_the_held_key_means_nothing_more() {
    let mut gestures = gestures(Duration::ZERO);
    let strokes = [
        (0, Stroke::Cancelled),
        (10, press("h")),
        (500, Stroke::Cancelled),
        (530, press("h")),
        (600, Stroke::Cancelled),
        (900, release("h")),
        (1000, press("h")),
        (1500, release("h")),
    ];
    let expected = [start("h", true), cancel("h"), start("h", true), stop("h", 1500)];
    assert_eq!(ordered(&mut gestures, &strokes), expected);
}

#[test]
fn what_ended_by_itself_is_not_ended_again() {
    for action in ["h", "t", "b"] {
        let mut gestures = gestures(Duration::ZERO);
        gestures.stroke(&press(action), ms(0));
        gestures.stopped();
        assert_eq!(gestures.running(), None);
        assert_eq!(ordered(&mut gestures, &[(500, release(action))]), [], "{action}");
        assert_eq!(gestures.stroke(&press(action), ms(900)).len(), 1, "{action} starts anew");
    }
}

#[test]
fn a_release_that_is_taken_back_is_none() {
    let mut gestures = gestures(DEBOUNCE);
    assert_eq!(ordered(&mut gestures, &[(0, press("h"))]), [start("h", true)]);
    for repeat in (500..2000).step_by(30) {
        let pair = [(repeat, release("h")), (repeat + 10, press("h"))];
        assert_eq!(ordered(&mut gestures, &pair), []);
        assert_eq!(gestures.due(), None);
    }
    assert_eq!(ordered(&mut gestures, &[(2000, release("h"))]), []);
    assert_eq!(gestures.due(), Some(ms(2060)));
    assert_eq!(gestures.tick(ms(2059)), []);
    assert_eq!(gestures.tick(ms(2060)), [stop("h", 2000)]);
    assert_eq!(gestures.due(), None);
}

#[test]
fn a_debounce_that_is_known_late_counts_for_the_key_that_is_down() {
    let mut gestures = gestures(Duration::ZERO);
    assert_eq!(ordered(&mut gestures, &[(0, press("h"))]), [start("h", true)]);
    gestures.set_debounce(DEBOUNCE);
    let pair = [(500, release("h")), (510, press("h"))];
    assert_eq!(ordered(&mut gestures, &pair), []);
    assert_eq!(ordered(&mut gestures, &[(900, release("h"))]), []);
    assert_eq!(gestures.tick(ms(960)), [stop("h", 900)]);
}

#[test]
fn a_tap_is_measured_by_its_release_and_not_by_the_debounce() {
    let mut gestures = gestures(DEBOUNCE);
    gestures.stroke(&press("b"), ms(0));
    gestures.stroke(&release("b"), ms(290));
    assert_eq!(gestures.tick(ms(350)), [], "tapped: it goes on");
    assert_eq!(gestures.running(), Some("b"));
    assert_eq!(gestures.stroke(&press("b"), ms(400)), [stop("b", 400)]);
}

#[test]
fn a_release_counts_with_the_next_stroke_when_nobody_called_back() {
    let mut gestures = gestures(DEBOUNCE);
    let strokes = [(0, press("h")), (500, release("h")), (700, press("h"))];
    let expected = [start("h", true), stop("h", 500), start("h", true)];
    assert_eq!(ordered(&mut gestures, &strokes), expected);
}

#[test]
fn actions_without_a_mode_mean_nothing() {
    let mut gestures = gestures(Duration::ZERO);
    assert_eq!(ordered(&mut gestures, &[(0, press("x")), (9, release("x"))]), []);
    assert!(!gestures.is_held());
}

/// What can happen.
#[derive(Clone, Debug)]
enum Happening {
    Stroke(Stroke),
    Tick,
    Stopped,
}

fn happening() -> impl Strategy<Value = Happening> {
    let action = prop::sample::select(vec!["h", "t", "b", "x"]);
    prop_oneof![
        6 => (action, any::<bool>()).prop_map(|(action, down)| {
            Happening::Stroke(if down { press(action) } else { release(action) })
        }),
        1 => Just(Happening::Stroke(Stroke::Cancelled)),
        2 => Just(Happening::Tick),
        1 => Just(Happening::Stopped),
    ]
}

/// The action that has been started and not ended, kept by the orders alone.
#[derive(Default)]
struct Ledger(Option<String>);

impl Ledger {
    fn take(&mut self, orders: &[Order], at: Duration) {
        for order in orders {
            match order {
                Order::Start { action, .. } => {
                    assert_eq!(self.0.replace(action.clone()), None, "two starts without an end");
                }
                Order::Stop { action, at: ended } => {
                    assert_eq!(self.0.take().as_ref(), Some(action), "an end without a start");
                    assert!(*ended <= at, "an end in the future");
                }
                Order::Cancel { action } => assert_eq!(self.0.take().as_ref(), Some(action)),
            }
        }
    }
}

proptest! {
    #[test]
    fn every_start_is_ended_once_before_the_next(
        debounce in prop::sample::select(vec![0, 60]),
        happenings in prop::collection::vec((happening(), 0_u64..400), 0..60),
    ) {
        let mut gestures = gestures(ms(debounce));
        let (mut ledger, mut at) = (Ledger::default(), Duration::ZERO);
        for (happening, pause) in happenings {
            at += ms(pause);
            let orders = match happening {
                Happening::Stroke(stroke) => gestures.stroke(&stroke, at),
                Happening::Tick => gestures.tick(at),
                Happening::Stopped => {
                    gestures.stopped();
                    ledger.0 = None;
                    Vec::new()
                }
            };
            ledger.take(&orders, at);
            prop_assert_eq!(ledger.0.as_deref(), gestures.running());
        }
        // All keys go up; what goes on then was latched, and its key ends it.
        for action in ["h", "t", "b"] {
            ledger.take(&gestures.stroke(&release(action), at), at);
        }
        at += ms(debounce);
        ledger.take(&gestures.tick(at), at);
        prop_assert!(!gestures.is_held() && gestures.due().is_none());
        prop_assert_ne!(gestures.running(), Some("h"), "nothing is held");
        if let Some(action) = gestures.running().map(str::to_owned) {
            ledger.take(&gestures.stroke(&press(&action), at), at);
        }
        prop_assert_eq!(ledger.0, None);
    }
}
