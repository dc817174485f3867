//! Playing a script on a fresh broker.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{
    invariants::{Checked, Violation},
    layer::{LayerKind, Tally},
    operation::Turn,
    plants::Bug,
};

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// How many steps it had, or until it failed.
    pub steps: u64,
    /// How many turns.
    pub turns: usize,
    /// What the broker met.
    pub tally: Tally,
    /// What did not hold.
    pub violation: Option<Violation>,
}

/// Plays turns until so many steps are done, or something does not hold. A panic is something that does
/// not hold.
pub fn play(layer: LayerKind, bug: Option<Bug>, script: impl Iterator<Item = Turn>, steps: u64) -> Played {
    let mut broker = layer.open(bug);
    let mut played = Played::default();
    for turn in script {
        if played.steps >= steps {
            break;
        }
        played.steps += turn.steps();
        played.turns += 1;
        if let Err(violation) = guarded(|| broker.turn(&turn)) {
            played.violation = Some(violation);
            return played;
        }
    }
    played.violation = guarded(|| broker.finish()).err();
    played.tally = broker.tally();
    played
}

fn guarded(work: impl FnOnce() -> Checked) -> Checked {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Violation(format!("a panic: {text}")))
    })
}
