//! An order's reservation: its states, and what each event of the order does to them and to the stock.
//! Pure: no I/O. `warehouse` carries it out.
//!
//! ```text
//!   order.placed          order.confirmed
//!  ─────────────▶ reserved ─────────────▶ committed
//!        │           │                       │
//!        │ too little│ order.cancelled       │ order.cancelled: the stock is put back
//!        ▼           ▼                       │
//!    rejected     released ◀─────────────────┘
//!                    ▲
//!                    └── order.cancelled before its order.placed: a tombstone
//! ```
//! `rejected` and `released` absorb: whatever is heard afterwards changes nothing.

use events::{Line, StockLine};
use serde::Serialize;

/// How an order's reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All lines are held.
    Reserved,
    /// All lines have left the stock.
    Committed,
    /// Nothing is held any more, or ever was.
    Released,
    /// There was too little of some line, so nothing was held.
    Rejected,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reserved, Self::Committed, Self::Released, Self::Rejected];

    /// As it stands in JSON and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an event of the order tells its reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// The order exists and wants its lines held.
    Placed,
    /// The order will be: its lines leave the stock.
    Confirmed,
    /// The order will not be.
    Cancelled,
}

impl Heard {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Placed, Self::Confirmed, Self::Cancelled];
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing: it was done already, or comes too late.
    Nothing,
    /// Hold all lines if there is enough of each (then [`State::Reserved`]), else none
    /// ([`State::Rejected`]).
    Reserve,
    /// What is held leaves the stock: [`State::Committed`].
    Commit,
    /// What is held is free again: [`State::Released`].
    Release,
    /// What has left the stock comes back: [`State::Released`].
    PutBack,
    /// Note that nothing may be held for this order: [`State::Released`].
    Bury,
}

/// What `heard` does to a reservation in `state`; `None` is an order of which nothing was heard.
#[must_use]
pub const fn step(state: Option<State>, heard: Heard) -> Step {
    match (state, heard) {
        (None, Heard::Placed) => Step::Reserve,
        (None, Heard::Cancelled) => Step::Bury,
        (Some(State::Reserved), Heard::Confirmed) => Step::Commit,
        (Some(State::Reserved), Heard::Cancelled) => Step::Release,
        (Some(State::Committed), Heard::Cancelled) => Step::PutBack,
        // An order is confirmed only after it was told that its lines are held: before that, nothing.
        (None, Heard::Confirmed)
        | (Some(State::Reserved | State::Committed), Heard::Placed)
        | (Some(State::Committed), Heard::Confirmed)
        | (Some(State::Released | State::Rejected), _) => Step::Nothing,
    }
}

/// What an order's lines ask of the stock: one line a SKU, by SKU.
#[must_use]
pub fn asked_for(lines: &[Line]) -> Vec<StockLine> {
    let mut asked = std::collections::BTreeMap::new();
    for line in lines {
        let quantity: &mut u32 = asked.entry(line.sku.clone()).or_default();
        *quantity = quantity.saturating_add(line.quantity);
    }
    asked.into_iter().map(|(sku, quantity)| StockLine { sku, quantity }).collect()
}

#[cfg(test)]
#[path = "reservation/tests.rs"]
mod tests;
