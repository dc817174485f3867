//! What is said of stock.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::OrderId;

/// A stock keeping unit: what a product goes by in the shop and in the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "coffee-beans")]
pub struct Sku(pub Arc<str>);

impl Sku {
    /// A SKU of that text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
}

/// The data of `stock.reserved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockReserved {
    /// For which order.
    pub order_id: OrderId,
    /// What is held for it: all its lines.
    pub lines: Vec<StockLine>,
}

/// The data of `stock.rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockRejected {
    /// For which order.
    pub order_id: OrderId,
    /// What there was too little of.
    pub short: Vec<Sku>,
}

/// The data of `stock.released`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockReleased {
    /// For which order.
    pub order_id: OrderId,
    /// What is free again; empty when nothing had been held.
    pub lines: Vec<StockLine>,
}
