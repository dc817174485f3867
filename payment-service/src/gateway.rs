//! What a payment gateway must do, and how it may fail. The implementations stand in `gateway/`; the
//! time limit on a call is the caller's (`cashier`).

pub mod sandbox;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use events::{Money, OrderId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The gateway's name of one payment, opened before money moves; every later call names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(pub String);

/// What makes a repeated call the same call: a gateway carries it out once, however often it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// The key of an order's one operation of that kind.
    #[must_use]
    pub fn of(order_id: OrderId, operation: Operation) -> Self {
        Self(format!("{order_id}:{operation}"))
    }
}

/// What a gateway is asked to do with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Hold the amount on the card.
    Authorize,
    /// Take what is held.
    Capture,
    /// Give up what is held, or close a reference on which nothing is held yet.
    Void,
    /// Give back what was taken.
    Refund,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Authorize, Self::Capture, Self::Void, Self::Refund];

    /// As it stands in JSON and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    /// The operation of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// Whether it undoes: such an intent is owed until it is carried out, whoever asks.
    #[must_use]
    pub const fn undoes(self) -> bool {
        matches!(self, Self::Void | Self::Refund)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the money of a reference stands, by the gateway's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing was carried out on it.
    Open,
    /// The amount is held.
    Authorized,
    /// The amount was taken.
    Captured,
    /// The card was refused.
    Declined,
    /// The hold was given up, or the reference closed; nothing can be authorized on it.
    Voided,
    /// The amount was given back.
    Refunded,
}

/// One call that moves money.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Repeats under the same key are the same call.
    pub key: IdempotencyKey,
    /// What to do.
    pub operation: Operation,
    /// On which payment.
    pub reference: Reference,
    /// For which order.
    pub order_id: OrderId,
    /// The order's total, always the whole of it.
    pub amount: Money,
    /// The payment method; it counts for an authorization only.
    pub method: String,
}

/// Why a gateway did not answer "done".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The card was refused: a fact of business, not a fault.
    #[error("declined: {reason}")]
    Declined {
        /// The gateway's code, such as `insufficient_funds`.
        reason: String,
    },
    /// Nothing was done, and another time it may be.
    #[error("the payment gateway can't serve: {reason}")]
    Transient {
        /// What it said.
        reason: String,
    },
    /// Nothing was done: too many calls.
    #[error("the payment gateway asks to wait {after:?}")]
    Throttled {
        /// For how long.
        after: Duration,
    },
    /// No answer came: it may or may not have been done, and must be looked up.
    #[error("the payment gateway did not answer within {waited:?}")]
    Unknown {
        /// How long was waited for it.
        waited: Duration,
    },
    /// Nothing was done, and never will be.
    #[error("the payment gateway refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
}

/// A payment gateway. Every call can be repeated under its key without a second effect, by any number
/// of callers at once.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Opens a payment: no money moves, nothing is held. The same key gives the same reference.
    async fn open(&self, order_id: OrderId, amount: Money) -> Result<Reference, GatewayError>;

    /// Carries out one operation. `Ok` means that it was carried out, now or at an earlier call under
    /// this key. Voiding a reference on which nothing is authorized closes it: an authorization that
    /// comes later is refused.
    async fn carry_out(&self, instruction: &Instruction) -> Result<(), GatewayError>;

    /// Looks up how the money of a reference stands.
    async fn look_up(&self, reference: &Reference) -> Result<Standing, GatewayError>;
}
