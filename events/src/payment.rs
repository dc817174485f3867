//! What is said of payments. No card data, ever.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Customer, Money, OrderId};

/// The data of `payment.authorized`, `payment.captured`, `payment.voided` and `payment.refunded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// For which order.
    pub order_id: OrderId,
    /// Who is told.
    pub customer: Customer,
    /// How much.
    pub amount: Money,
}

/// The data of `payment.declined`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentDeclined {
    /// For which order.
    pub order_id: OrderId,
    /// How much was asked for.
    pub amount: Money,
    /// What the gateway said.
    pub reason: String,
}

/// The data of `payment.capture-failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureFailed {
    /// For which order.
    pub order_id: OrderId,
    /// How much was asked for.
    pub amount: Money,
    /// What the gateway said.
    pub reason: String,
}
