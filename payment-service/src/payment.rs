//! An order's payment: what the order wants, how the money stands, and the one rule that says which
//! gateway operation comes next. Pure: no I/O, no clock. `store` keeps it, `desk` acts on it.
//!
//! ```text
//!            order.placed               order.confirmed
//!   (none) ──────────────▶ pending ───▶ authorized ─────────▶ captured ──cancelled──▶ refunded
//!      │                    │   │        │      │ refused
//!      │                    │   │        │      ▼
//!      │                    │   │        │   capture-refused
//!      │ cancelled          │   ▼        │      │
//!      │ (a tombstone)      │ declined   │ cancelled
//!      └──────────────▶ voided ◀─────────┴──────┘
//! ```
//! `declined`, `voided` and `refunded` absorb: whatever is heard afterwards changes nothing.

use events::{Customer, Money, Order, OrderId};
use serde::{Deserialize, Serialize};
use units::Timestamp;

use crate::gateway::{Operation, Reference, Standing};

/// How the money of one order stands, as far as this service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing is known to be authorized; an authorization may be under way.
    Pending,
    /// The amount is held on the card.
    Authorized,
    /// Held, and the gateway refused for good to capture it: only a void can follow.
    CaptureRefused,
    /// The money was taken.
    Captured,
    /// The card was refused.
    Declined,
    /// The hold was given up, or the reference closed before there was one.
    Voided,
    /// The money was taken and given back.
    Refunded,
}

impl Status {
    /// All of them, in the order in which a payment can go through them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Authorized,
        Self::CaptureRefused,
        Self::Captured,
        Self::Declined,
        Self::Voided,
        Self::Refunded,
    ];

    /// The name under which the store keeps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::CaptureRefused => "capture-refused",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing that is heard changes it any more.
    #[must_use]
    pub const fn absorbs(self) -> bool {
        matches!(self, Self::Declined | Self::Voided | Self::Refunded)
    }
}

/// By what the gateway is to take the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The gateway's name of the method, such as `pm_card_visa`.
    pub method: String,
    /// The gateway's reference, opened before the charge is recorded.
    pub reference: Reference,
}

/// What an event of the order tells its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The order exists and wants its total authorized.
    Placed(Charge),
    /// Stock and authorization are there: take the money.
    Confirmed,
    /// Undo whatever was done or is being done.
    Cancelled,
}

/// What the rest of the pipeline is to hear of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// `payment.authorized`
    Authorized,
    /// `payment.declined`, with the gateway's reason.
    Declined(String),
    /// `payment.captured`
    Captured,
    /// `payment.capture-failed`, with the gateway's reason.
    CaptureFailed(String),
    /// `payment.voided`
    Voided,
    /// `payment.refunded`
    Refunded,
}

/// One call of the gateway and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    /// When the answer, or the lack of one, was noted.
    pub at: Timestamp,
    /// What was asked of the gateway.
    pub operation: Operation,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What the gateway said, or what went wrong, when it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How one call of the gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// The gateway carried it out.
    Done,
    /// The card was declined.
    Declined,
    /// The gateway could not serve; nothing was done.
    Failed,
    /// The gateway refused for good.
    Refused,
    /// No answer came: whether it was done had to be looked up.
    Unknown,
}

/// One order's payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Whose payment it is.
    pub order_id: OrderId,
    /// The order's total.
    pub amount: Money,
    /// Who is told of it.
    pub customer: Customer,
    /// How it is paid; `None` until `order.placed` was heard.
    pub charge: Option<Charge>,
    /// `order.confirmed` was heard.
    pub confirmed: bool,
    /// `order.cancelled` was heard.
    pub cancelled: bool,
    /// How the money stands.
    pub status: Status,
    /// What was, or is to be, asked of the gateway and is not known to have ended.
    pub intent: Option<Operation>,
    /// The calls of the gateway, oldest first: the last [`MAX_ATTEMPTS`].
    pub attempts: Vec<Attempt>,
}

/// How many calls of the gateway are kept for those who look.
pub const MAX_ATTEMPTS: usize = 50;

impl Payment {
    /// The payment of an order of which nothing was heard yet.
    #[must_use]
    pub fn unheard(order: &Order) -> Self {
        Self {
            order_id: order.order_id,
            amount: order.total,
            customer: order.customer.clone(),
            charge: None,
            confirmed: false,
            cancelled: false,
            status: Status::Pending,
            intent: None,
            attempts: vec![],
        }
    }

    /// Takes in what an event says, and opens the intent that follows from it. Heard twice it changes
    /// nothing; no order of events leads to money that a cancelled order keeps.
    pub fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Placed(charge) => {
                self.charge.get_or_insert(charge);
            }
            Heard::Confirmed => self.confirmed = true,
            Heard::Cancelled => {
                self.cancelled = true;
                if self.charge.is_none() {
                    self.status = Status::Voided;
                }
            }
        }
        self.intent = self.next();
    }

    /// The operation that brings the money to where the order wants it; `None` when it is there, or
    /// when only another event can tell.
    #[must_use]
    pub const fn next(&self) -> Option<Operation> {
        if self.charge.is_none() {
            return None;
        }
        match (self.status, self.cancelled) {
            (Status::Pending, false) => Some(Operation::Authorize),
            // Never skipped: an authorization may be under way, and the void closes its reference.
            (Status::Pending | Status::Authorized | Status::CaptureRefused, true) => Some(Operation::Void),
            (Status::Authorized, false) if self.confirmed => Some(Operation::Capture),
            (Status::Captured, true) => Some(Operation::Refund),
            _ => None,
        }
    }

    /// Takes in how the gateway says the money stands, and opens the intent that follows. What it said
    /// earlier than what is known already (an answer that came late) changes nothing.
    pub fn observe(&mut self, standing: Standing, reason: &str) -> Option<Announcement> {
        let (status, announcement) = match standing {
            Standing::Open => return None,
            Standing::Authorized => (Status::Authorized, Announcement::Authorized),
            Standing::Captured => (Status::Captured, Announcement::Captured),
            Standing::Declined => (Status::Declined, Announcement::Declined(reason.to_owned())),
            Standing::Voided => (Status::Voided, Announcement::Voided),
            Standing::Refunded => (Status::Refunded, Announcement::Refunded),
        };
        let news = status > self.status && !self.status.absorbs();
        if news {
            self.status = status;
        }
        self.intent = self.next();
        news.then_some(announcement)
    }

    /// Takes in that the gateway refused a capture for good while it still holds the money.
    pub fn refuse_capture(&mut self, reason: &str) -> Option<Announcement> {
        if self.status != Status::Authorized {
            return None;
        }
        self.status = Status::CaptureRefused;
        self.intent = self.next();
        (!self.cancelled).then(|| Announcement::CaptureFailed(reason.to_owned()))
    }

    /// Notes a call of the gateway.
    pub fn note(&mut self, attempt: Attempt) {
        if self.attempts.len() >= MAX_ATTEMPTS {
            self.attempts.remove(0);
        }
        self.attempts.push(attempt);
    }

    /// Takes in that the gateway certainly did not carry out `operation`, and may do so another time.
    /// The event's next delivery asks again; only an undo is owed without one.
    pub fn fail(&mut self, operation: Operation) {
        if self.intent == Some(operation) && !operation.undoes() {
            self.intent = None;
        }
    }
}

#[cfg(test)]
#[path = "payment/tests.rs"]
mod tests;
