//! The order as its customer sees it: who, what, how much, its status, what happened to it. How it gets
//! from one status to the next is in `saga`, how it is kept in `store`.

use events::{CancelReason, Customer, Line, Money, OrderId};
use serde::{Deserialize, Serialize};
use units::Timestamp;
use utoipa::ToSchema;

/// Where an order stands. `confirmed` can still become `cancelled`; `cancelled` is the end.
///
/// ```text
///              both good                       cancelled by the customer,
///   pending ───────────────▶ confirmed ───────  capture failed
///      │                                           │
///      └── either bad, deadline, customer ──▶ cancelled (reason)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", content = "reason", rename_all = "kebab-case")]
pub enum Status {
    /// Stock or payment has not answered yet.
    Pending,
    /// Stock is held and the money is authorized.
    Confirmed,
    /// It will not be, and why; whatever was done is undone.
    Cancelled(CancelReason),
}

impl Status {
    /// The status without its reason, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> StatusName {
        match self {
            Self::Pending => StatusName::Pending,
            Self::Confirmed => StatusName::Confirmed,
            Self::Cancelled(_) => StatusName::Cancelled,
        }
    }

    /// Why it is cancelled, if it is.
    #[must_use]
    pub const fn reason(self) -> Option<CancelReason> {
        match self {
            Self::Cancelled(reason) => Some(reason),
            Self::Pending | Self::Confirmed => None,
        }
    }
}

/// The name of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(rename_all = "kebab-case")]
pub enum StatusName {
    /// Stock or payment has not answered yet.
    Pending,
    /// Stock is held and the money is authorized.
    Confirmed,
    /// It will not be.
    Cancelled,
}

/// One thing that was heard or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Happening {
    /// When order-service heard or did it.
    pub at: Timestamp,
    /// What: an event's type, or what was asked for.
    #[schema(example = "stock.reserved")]
    pub what: String,
    /// What there is to say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Something that a person has to look after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attention {
    /// Since when.
    pub at: Timestamp,
    /// What kind of thing.
    #[schema(example = "compensation-overdue")]
    pub what: String,
    /// What is wrong.
    pub detail: String,
}

/// An order with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Which.
    pub id: OrderId,
    /// Where it stands: `status`, and `reason` when it is cancelled.
    #[serde(flatten)]
    pub status: Status,
    /// Who ordered.
    pub customer: Customer,
    /// What, at the prices of the time.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// A reference at the payment gateway.
    pub payment_method: String,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When something last happened to it.
    pub updated_at: Timestamp,
    /// All that happened, oldest first.
    pub timeline: Vec<Happening>,
    /// What needs a person; empty else.
    pub attention: Vec<Attention>,
}

impl Order {
    /// The order as its events tell it.
    #[must_use]
    pub fn as_told(&self) -> events::Order {
        events::Order {
            order_id: self.id,
            customer: self.customer.clone(),
            lines: self.lines.clone(),
            total: self.total,
            payment_method: self.payment_method.clone(),
            placed_at: self.created_at,
        }
    }
}
