//! The drawing of `reservation` walked, and random interleavings against a shelf of one SKU.

use events::{Money, Sku};
use proptest::prelude::*;

use super::*;

/// The state after a step, given whether there was enough to reserve.
fn after(state: Option<State>, step: Step, enough: bool) -> Option<State> {
    match step {
        Step::Nothing => state,
        Step::Reserve if enough => Some(State::Reserved),
        Step::Reserve => Some(State::Rejected),
        Step::Commit => Some(State::Committed),
        Step::Release | Step::PutBack | Step::Bury => Some(State::Released),
    }
}

#[test]
fn the_drawing_is_what_happens() {
    let arrows = [
        (None, Heard::Placed, Step::Reserve),
        (None, Heard::Cancelled, Step::Bury),
        (Some(State::Reserved), Heard::Confirmed, Step::Commit),
        (Some(State::Reserved), Heard::Cancelled, Step::Release),
        (Some(State::Committed), Heard::Cancelled, Step::PutBack),
    ];
    for state in State::ALL.into_iter().map(Some).chain([None]) {
        for heard in Heard::ALL {
            let drawn = arrows.iter().find(|arrow| (arrow.0, arrow.1) == (state, heard));
            let wanted = drawn.map_or(Step::Nothing, |arrow| arrow.2);
            assert_eq!(step(state, heard), wanted, "{heard:?} in {state:?}");
        }
    }
}

#[test]
fn a_state_has_a_name_that_is_read_back() {
    for state in State::ALL {
        assert_eq!(State::named(state.name()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
}

#[test]
fn two_lines_of_a_sku_are_asked_for_together() {
    let line = |sku: &str, quantity| Line {
        sku: Sku::new(sku),
        name: sku.to_owned(),
        quantity,
        price: Money::eur(100),
    };
    let asked = asked_for(&[line("mug", 2), line("grinder", 1), line("mug", 3)]);
    let wanted = [("grinder", 1), ("mug", 5)];
    assert_eq!(asked, wanted.map(|(sku, quantity)| StockLine { sku: Sku::new(sku), quantity }));
}

proptest! {
    #[test]
    fn stock_is_neither_lost_nor_made_whatever_the_order_of_events(
        heard in proptest::collection::vec((0..4_usize, 0..3_usize), 0..60),
        quantities in proptest::array::uniform4(1..6_i64),
    ) {
        const RECEIVED: i64 = 10;
        let (mut on_hand, mut reserved, mut committed) = (RECEIVED, 0, 0);
        let mut orders = [None; 4];
        for (order, event) in heard {
            let quantity = quantities[order];
            let step = step(orders[order], Heard::ALL[event]);
            let enough = on_hand - reserved >= quantity;
            match step {
                Step::Reserve if enough => reserved += quantity,
                Step::Commit => (reserved, on_hand, committed) =
                    (reserved - quantity, on_hand - quantity, committed + quantity),
                Step::Release => reserved -= quantity,
                Step::PutBack => (on_hand, committed) = (on_hand + quantity, committed - quantity),
                Step::Nothing | Step::Reserve | Step::Bury => {}
            }
            orders[order] = after(orders[order], step, enough);
            prop_assert_eq!(RECEIVED, on_hand + committed);
            prop_assert!(on_hand >= reserved && reserved >= 0);
            let held = |state| -> i64 {
                orders.iter().zip(quantities).filter(|(is, _)| **is == Some(state)).map(|(_, q)| q).sum()
            };
            prop_assert_eq!((reserved, committed), (held(State::Reserved), held(State::Committed)));
        }
    }

    #[test]
    fn a_cancelled_order_holds_nothing_whatever_else_it_hears(
        before in proptest::collection::vec(0..3_usize, 0..6),
        later in proptest::collection::vec(0..3_usize, 0..6),
    ) {
        let hear = |state, heard: usize| after(state, step(state, Heard::ALL[heard]), true);
        let state = before.into_iter().chain([2]).chain(later).fold(None, hear);
        prop_assert_eq!(state, Some(State::Released));
    }
}
