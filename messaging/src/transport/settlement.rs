//! How a delivery ends, and what became of that.

use std::time::Duration;

use super::Receipt;

/// What is to become of one delivery.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Which.
    pub receipt: Receipt,
    /// What.
    pub settle: Settle,
}

/// The ways to settle a delivery, or to go on holding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Done: the message is gone.
    Ack,
    /// Failed: it is delivered again after the engine's backoff for that delivery count, or after
    /// `delay`; when its deliveries are used up it is a dead letter.
    Nack {
        /// In place of the backoff.
        delay: Option<Duration>,
        /// What is kept in its history.
        reason: String,
    },
    /// Failed for good: a dead letter at once.
    DeadLetter {
        /// What is kept in its history.
        reason: String,
    },
    /// Not tried: back in its place, and the delivery does not count.
    GiveBack {
        /// When it can be received again; at once when none.
        delay: Option<Duration>,
    },
    /// Still at it: the lease runs for so long from now.
    Extend {
        /// How long: 100 ms to 12 h.
        lease: Duration,
    },
}

/// What became of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// As asked.
    Done,
    /// The message is gone already, whoever ended it: a settlement that is tried again is harmless.
    Already,
    /// The message exists, but not under this receipt: it was fenced off, and changed nothing.
    LeaseLost,
}
