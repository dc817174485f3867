//! What is said of orders. Every event of an order carries what its listeners need, so that none of
//! them has to ask order-service.

use std::fmt;

use serde::{Deserialize, Serialize};
use units::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Money, Sku};

/// The id of an order: a UUID, version 7. It is the partition key of all its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct OrderId(pub Uuid);

impl OrderId {
    /// A new id.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for OrderId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for OrderId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Who ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// As the customer wrote it.
    pub name: String,
    /// Where the mails go.
    pub email: String,
}

/// One line of an order, with the price it was sold at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// Its name at that time.
    pub name: String,
    /// How many: 1 to 1000.
    pub quantity: u32,
    /// The price of one.
    pub price: Money,
}

/// An order: the data of `order.placed` and `order.confirmed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Which.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer: Customer,
    /// What, at most one line a SKU.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// How it is paid: a reference at the gateway, never a card number.
    pub payment_method: String,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// The card was refused.
    PaymentDeclined,
    /// The amount could not be taken.
    PaymentFailed,
    /// Some line is not to be had.
    OutOfStock,
    /// The answers did not come in time.
    DeadlinePassed,
    /// The customer did not want it any more.
    CancelledByCustomer,
}

impl CancelReason {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentDeclined => "payment-declined",
            Self::PaymentFailed => "payment-failed",
            Self::OutOfStock => "out-of-stock",
            Self::DeadlinePassed => "deadline-passed",
            Self::CancelledByCustomer => "cancelled-by-customer",
        }
    }
}

/// The data of `order.cancelled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderCancelled {
    /// The order as it was placed.
    #[serde(flatten)]
    pub order: Order,
    /// Why.
    pub reason: CancelReason,
}
