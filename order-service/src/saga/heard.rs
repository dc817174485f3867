//! What was heard of stock, payment and deadline. Each only ever moves forward.

use serde::Serialize;

/// What inventory-service said last of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(rename_all = "kebab-case")]
pub enum StockHeard {
    /// Nothing yet.
    Unheard,
    /// All lines are held.
    Reserved,
    /// Some line is not to be had.
    Rejected,
    /// What was held is free again.
    Released,
}

impl StockHeard {
    /// What is known after hearing this too: the further of the two, and the first where both absorb.
    #[must_use]
    pub fn then(self, heard: Self) -> Self {
        if heard.rank() > self.rank() { heard } else { self }
    }

    /// Whether stock is held for the order, as far as was heard.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Reserved)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Unheard => 0,
            Self::Reserved => 1,
            Self::Rejected | Self::Released => 2,
        }
    }
}

/// What payment-service said last of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(rename_all = "kebab-case")]
pub enum PaymentHeard {
    /// Nothing yet.
    Unheard,
    /// The amount is held.
    Authorized,
    /// The amount can't be taken, for good.
    CaptureFailed,
    /// The amount was taken.
    Captured,
    /// The card was refused.
    Declined,
    /// What was held is free again.
    Voided,
    /// What was taken was given back.
    Refunded,
}

impl PaymentHeard {
    /// What is known after hearing this too: the further of the two, and the first where both absorb.
    #[must_use]
    pub fn then(self, heard: Self) -> Self {
        if heard.rank() > self.rank() { heard } else { self }
    }

    /// Whether money is held or taken for the order, as far as was heard. After a failed capture it is
    /// still held.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Authorized | Self::CaptureFailed | Self::Captured)
    }

    /// A failed capture comes before a capture: told both, the money was taken, and that must not be
    /// forgotten.
    const fn rank(self) -> u8 {
        match self {
            Self::Unheard => 0,
            Self::Authorized => 1,
            Self::CaptureFailed => 2,
            Self::Captured => 3,
            Self::Declined | Self::Voided | Self::Refunded => 4,
        }
    }
}

/// How far an order's deadline is. When it falls due, a mark goes into both queues, behind whatever
/// waits there for the order; only when both marks have been read has the deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(rename_all = "kebab-case")]
pub enum Deadline {
    /// No mark was read.
    Running,
    /// All that waited in `order.stock` has been read.
    StockRead,
    /// All that waited in `order.payments` has been read.
    PaymentsRead,
    /// Both.
    Passed,
}

impl Deadline {
    /// The mark was read in that queue.
    #[must_use]
    pub const fn read_in(self, queue: super::Queue) -> Self {
        match (self, queue) {
            (Self::Running | Self::StockRead, super::Queue::Stock) => Self::StockRead,
            (Self::Running | Self::PaymentsRead, super::Queue::Payments) => Self::PaymentsRead,
            (Self::PaymentsRead, super::Queue::Stock)
            | (Self::StockRead, super::Queue::Payments)
            | (Self::Passed, _) => Self::Passed,
        }
    }
}
