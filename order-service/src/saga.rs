//! The saga: what an order's state and one input make of each other. Pure: no clock, no I/O; `store`
//! keeps the state and publishes what is decided here. Payment and inventory undo on their own when they
//! hear `order.cancelled`; the saga only follows whether they did.
//!
//! ```text
//! stock:    unheard ─▶ reserved ─▶ released        payment:  unheard ─▶ authorized ─▶ captured ─▶ refunded
//!              └─────▶ rejected                                 │           ├──▶ capture-failed ─▶ voided
//!                                                               ├─▶ declined└──▶ voided
//! ```
//! What is heard only ever moves to the right, whatever the order of arrival: an event that comes late
//! or again finds its place taken and changes nothing. `rejected`, `released`, `declined`, `voided` and
//! `refunded` absorb.

mod heard;

use events::CancelReason;
pub use heard::{Deadline, PaymentHeard, StockHeard};

use crate::order::Status;

/// All that decides what happens next to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Where the order stands.
    pub status: Status,
    /// What inventory-service said last.
    pub stock: StockHeard,
    /// What payment-service said last.
    pub payment: PaymentHeard,
    /// How far its deadline is.
    pub deadline: Deadline,
}

impl State {
    /// An order that was just placed.
    pub const PLACED: Self = Self {
        status: Status::Pending,
        stock: StockHeard::Unheard,
        payment: PaymentHeard::Unheard,
        deadline: Deadline::Running,
    };

    /// Whether a compensation is still to come: the order is cancelled, and something that was done for
    /// it has not been heard to be undone.
    #[must_use]
    pub fn owed(&self) -> Option<Owed> {
        if !matches!(self.status, Status::Cancelled(_)) {
            return None;
        }
        match (self.stock.holds(), self.payment.holds()) {
            (true, true) => Some(Owed::Both),
            (true, false) => Some(Owed::Stock),
            (false, true) => Some(Owed::Money),
            (false, false) => None,
        }
    }
}

/// What a cancelled order has not got undone yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owed {
    /// The stock's release.
    Stock,
    /// The money's void or refund.
    Money,
    /// Both.
    Both,
}

/// The queue in which a deadline's mark was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// `order.stock`
    Stock,
    /// `order.payments`
    Payments,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Inventory-service said so.
    Stock(StockHeard),
    /// Payment-service said so.
    Payment(PaymentHeard),
    /// The deadline fell due, and all that waited for this order in that queue has been read.
    DeadlineMark(Queue),
    /// The customer wants it cancelled.
    Cancel,
    /// A compensation should have been heard of by now.
    CompensationDue,
}

/// What is to be told to the other services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Announcement {
    /// `order.confirmed`
    Confirmed,
    /// `order.cancelled`
    Cancelled(CancelReason),
}

/// What is to be remembered of the input besides that it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remark {
    /// It took its part in the order's way.
    Taken,
    /// It came late, twice or out of place, and changes nothing.
    NoEffect,
    /// It came after the cancel, and will have to be undone by who did it.
    AfterCancel,
    /// A compensation is done.
    Undone,
    /// It contradicts a confirmed order: a person has to look.
    Contradicts,
    /// A compensation did not come in time: a person has to look.
    Overdue(Owed),
}

/// The decision on one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The state from now on.
    pub next: State,
    /// What to tell.
    pub announce: Option<Announcement>,
    /// What to note.
    pub remark: Remark,
}

/// Decides what an input makes of an order.
#[must_use]
pub fn decide(state: &State, input: Input) -> Decision {
    let mut next = *state;
    match input {
        Input::Stock(heard) => next.stock = state.stock.then(heard),
        Input::Payment(heard) => next.payment = state.payment.then(heard),
        Input::DeadlineMark(queue) if state.status == Status::Pending => {
            next.deadline = state.deadline.read_in(queue);
        }
        Input::DeadlineMark(_) | Input::Cancel | Input::CompensationDue => {}
    }
    next.status = match state.status {
        Status::Pending => pending(&next, input),
        Status::Confirmed => confirmed(&next, input),
        cancelled @ Status::Cancelled(_) => cancelled,
    };
    let announce = if next.status == state.status { None } else { announcement(next.status) };
    Decision { next, announce, remark: remark(state, &next, input) }
}

/// A pending order ends at the first bad news, else is confirmed once both are good.
fn pending(heard: &State, input: Input) -> Status {
    match (heard.stock, heard.payment, input) {
        (StockHeard::Rejected | StockHeard::Released, _, _) => Status::Cancelled(CancelReason::OutOfStock),
        (_, PaymentHeard::Declined, _) => Status::Cancelled(CancelReason::PaymentDeclined),
        (_, PaymentHeard::CaptureFailed | PaymentHeard::Voided | PaymentHeard::Refunded, _) => {
            Status::Cancelled(CancelReason::PaymentFailed)
        }
        (_, _, Input::Cancel) => Status::Cancelled(CancelReason::CancelledByCustomer),
        (StockHeard::Reserved, PaymentHeard::Authorized | PaymentHeard::Captured, _) => Status::Confirmed,
        _ if heard.deadline == Deadline::Passed => Status::Cancelled(CancelReason::DeadlinePassed),
        _ => Status::Pending,
    }
}

/// A confirmed order ends when the customer wants it, or when the money can't be taken after all.
fn confirmed(heard: &State, input: Input) -> Status {
    match input {
        Input::Cancel => Status::Cancelled(CancelReason::CancelledByCustomer),
        Input::Payment(_) if heard.payment == PaymentHeard::CaptureFailed => {
            Status::Cancelled(CancelReason::PaymentFailed)
        }
        _ => Status::Confirmed,
    }
}

fn announcement(status: Status) -> Option<Announcement> {
    match status {
        Status::Pending => None,
        Status::Confirmed => Some(Announcement::Confirmed),
        Status::Cancelled(reason) => Some(Announcement::Cancelled(reason)),
    }
}

fn remark(before: &State, after: &State, input: Input) -> Remark {
    if input == Input::CompensationDue {
        return after.owed().map_or(Remark::NoEffect, Remark::Overdue);
    }
    if before == after {
        return Remark::NoEffect;
    }
    match (before.status, after.status) {
        (Status::Cancelled(_), _) if holds_more(before, after) => Remark::AfterCancel,
        (Status::Cancelled(_), _) => Remark::Undone,
        (_, Status::Confirmed) if !after.stock.holds() || !after.payment.holds() => Remark::Contradicts,
        _ => Remark::Taken,
    }
}

/// Whether this input told of something done for the order that was not known to be done.
fn holds_more(before: &State, after: &State) -> bool {
    (after.stock.holds() && !before.stock.holds())
        || (after.payment.holds() && before.payment != after.payment)
}

#[cfg(test)]
mod tests;
