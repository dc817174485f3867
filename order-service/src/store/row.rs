//! How an order stands in its row, and back.

use events::{CancelReason, Currency, Customer, Line, Money, OrderId};
use serde::{Deserialize, de::IntoDeserializer};
use sqlx::types::Json;
use units::Timestamp;

use super::StoreError;
use crate::{
    order::{Attention, Happening, Order, Status, StatusName},
    saga::{Deadline, PaymentHeard, State, StockHeard},
};

/// The columns of a whole order, in a statement's text.
macro_rules! order_columns {
    () => {
        "number, id, status, reason, customer_name, customer_email, lines, total_amount, total_currency, \
         payment_method, created_at, updated_at, timeline, attention"
    };
}
pub(super) use order_columns;

/// A whole order.
#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    pub(super) number: i64,
    id: String,
    status: StatusName,
    reason: Option<String>,
    customer_name: String,
    customer_email: String,
    lines: Json<Vec<Line>>,
    total_amount: i64,
    total_currency: String,
    payment_method: String,
    created_at: i64,
    updated_at: i64,
    timeline: String,
    attention: Json<Vec<Attention>>,
}

impl TryFrom<OrderRow> for Order {
    type Error = StoreError;

    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        let what = format!("order {}", row.id);
        read(row).map_err(|source| StoreError::Unreadable { what, source })
    }
}

fn read(row: OrderRow) -> Result<Order, Box<dyn std::error::Error + Send + Sync>> {
    let timeline: Vec<Happening> = serde_json::from_str(&format!("[{}]", row.timeline))?;
    Ok(Order {
        id: row.id.parse::<OrderId>()?,
        status: status(row.status, row.reason.as_deref())?,
        customer: Customer { name: row.customer_name, email: row.customer_email },
        lines: row.lines.0,
        total: Money::new(row.total_amount, Currency::parse(&row.total_currency)?),
        payment_method: row.payment_method,
        created_at: from_millis(row.created_at),
        updated_at: from_millis(row.updated_at),
        timeline,
        attention: row.attention.0,
    })
}

/// What decides of an order.
#[derive(sqlx::FromRow)]
pub(super) struct StateRow {
    pub(super) id: String,
    status: StatusName,
    reason: Option<String>,
    stock: StockHeard,
    payment: PaymentHeard,
    deadline: Deadline,
    pub(super) owed_by: Option<i64>,
    pub(super) attention: Json<Vec<Attention>>,
}

impl StateRow {
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let status = status(self.status, self.reason.as_deref()).map_err(|source| {
            StoreError::Unreadable { what: format!("order {}", self.id), source: source.into() }
        })?;
        Ok(State { status, stock: self.stock, payment: self.payment, deadline: self.deadline })
    }
}

fn status(name: StatusName, reason: Option<&str>) -> Result<Status, serde::de::value::Error> {
    Ok(match name {
        StatusName::Pending => Status::Pending,
        StatusName::Confirmed => Status::Confirmed,
        StatusName::Cancelled => {
            Status::Cancelled(CancelReason::deserialize(reason.unwrap_or_default().into_deserializer())?)
        }
    })
}

/// A time as it is stored.
pub(super) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

/// A time as it was stored.
pub(super) fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}
