//! Placing an order: the order, its lines and timeline, the answer under its idempotency key, and
//! `order.placed` in the outbox, in one transaction. Orders that are placed at once share its statements.

use std::collections::HashSet;

use async_trait::async_trait;
use events::{Line, OrderId, kind, topic};
use messaging::{Batched, Event, outbox};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use super::{SOURCE, Store, StoreError, advancing::appended, row::millis};
use crate::{
    idempotency::{Fingerprint, Key},
    order::{Order, StatusName},
    saga::{Deadline, PaymentHeard, State, StockHeard},
};

/// An order to place, and the answer to give and to remember.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The order, pending.
    pub order: Order,
    /// When its deadline falls due.
    pub due_at: Timestamp,
    /// Under which key the request came.
    pub key: Key,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// The body of the answer.
    pub answer: String,
    /// The trace that the request is part of.
    pub traceparent: String,
}

/// What an idempotency key stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// Which order it made.
    pub order_id: String,
    /// What was answered, byte for byte.
    pub answer: String,
}

impl Store {
    /// Places an order. Answers `false`, and changes nothing, when its key stands for an answer already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn place(&self, placement: Placement) -> Result<bool, StoreError> {
        let placed = self.database.write_batched(placement).await?;
        if placed {
            self.outbox.notify();
        }
        Ok(placed)
    }

    /// What a key stands for, if for anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let row: Option<(Vec<u8>, String, String)> =
            sqlx::query_as("SELECT fingerprint, order_id, answer FROM idempotency_keys WHERE key = ?")
                .bind(key.as_str())
                .fetch_optional(self.database.reader())
                .await?;
        Ok(row.map(|(fingerprint, order_id, answer)| Stored {
            fingerprint: Fingerprint::from_bytes(&fingerprint),
            order_id,
            answer,
        }))
    }
}

#[async_trait]
impl Batched for Placement {
    type Key = Key;
    /// Whether the order was placed: its key stood for nothing.
    type Done = bool;
    type Error = StoreError;

    fn key(&self) -> Key {
        self.key.clone()
    }

    async fn carry_out(
        connection: &mut SqliteConnection,
        placements: &[&Self],
    ) -> Result<Vec<bool>, StoreError> {
        let new_keys = insert_keys(connection, placements).await?;
        let is_new = |placement: &&&Self| new_keys.contains(placement.key.as_str());
        let new: Vec<&Self> = placements.iter().filter(is_new).copied().collect();
        insert_orders(connection, &new).await?;
        for placement in new {
            outbox::add(connection, topic::ORDERS, &placed(placement)).await?;
        }
        Ok(placements.iter().map(|placement| is_new(&placement)).collect())
    }
}

/// Stores the answers under their keys; answers which of the keys stood for nothing before.
async fn insert_keys(
    connection: &mut SqliteConnection,
    placements: &[&Placement],
) -> Result<HashSet<String>, sqlx::Error> {
    let rows: Vec<_> = placements.iter().map(|placement| KeyRow::of(placement)).collect();
    let new: Vec<String> = sqlx::query_scalar(
        "INSERT INTO idempotency_keys (key, fingerprint, order_id, answer)
         SELECT value ->> 'key', unhex(value ->> 'fingerprint'), value ->> 'order_id', value ->> 'answer'
         FROM jsonb_each(?) WHERE true ORDER BY jsonb_each.key
         ON CONFLICT DO NOTHING RETURNING key",
    )
    .bind(Json(rows))
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().collect())
}

async fn insert_orders(
    connection: &mut SqliteConnection,
    placements: &[&Placement],
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = placements.iter().map(|placement| PlacedRow::of(placement)).collect();
    sqlx::query(
        "INSERT INTO orders (id, status, stock, payment, deadline, due_at, created_at, updated_at,
             customer_name, customer_email, lines, total_amount, total_currency, payment_method, timeline)
         SELECT value ->> 'id', value ->> 'status', value ->> 'stock', value ->> 'payment',
                value ->> 'deadline', value ->> 'due_at', value ->> 'created_at', value ->> 'created_at',
                value ->> 'customer_name', value ->> 'customer_email', value ->> 'lines',
                value ->> 'total_amount', value ->> 'total_currency', value ->> 'payment_method',
                value ->> 'timeline'
         FROM jsonb_each(?) ORDER BY jsonb_each.key",
    )
    .bind(Json(rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// A row of `idempotency_keys`. The answer is a text, so that it comes back byte for byte.
#[derive(Serialize)]
struct KeyRow<'a> {
    key: &'a str,
    fingerprint: String,
    order_id: OrderId,
    answer: &'a str,
}

impl<'a> KeyRow<'a> {
    fn of(placement: &'a Placement) -> Self {
        Self {
            key: placement.key.as_str(),
            fingerprint: placement.fingerprint.to_hex(),
            order_id: placement.order.id,
            answer: &placement.answer,
        }
    }
}

/// A row of `orders` as an order is placed.
#[derive(Serialize)]
struct PlacedRow<'a> {
    id: OrderId,
    status: StatusName,
    stock: StockHeard,
    payment: PaymentHeard,
    deadline: Deadline,
    due_at: i64,
    created_at: i64,
    customer_name: &'a str,
    customer_email: &'a str,
    lines: &'a [Line],
    total_amount: i64,
    total_currency: &'a str,
    payment_method: &'a str,
    timeline: String,
}

impl<'a> PlacedRow<'a> {
    fn of(Placement { order, due_at, .. }: &'a Placement) -> Self {
        let State { status, stock, payment, deadline } = State::PLACED;
        Self {
            id: order.id,
            status: status.name(),
            stock,
            payment,
            deadline,
            due_at: millis(*due_at),
            created_at: millis(order.created_at),
            customer_name: &order.customer.name,
            customer_email: &order.customer.email,
            lines: &order.lines,
            total_amount: order.total.amount,
            total_currency: order.total.currency.as_str(),
            payment_method: &order.payment_method,
            timeline: appended(&order.timeline, ""),
        }
    }
}

fn placed(placement: &Placement) -> Event {
    let id = placement.order.id.to_string();
    Event::new(SOURCE, kind::ORDER_PLACED, &placement.order.as_told())
        .with_subject(&id)
        .with_partition_key(&id)
        .with_correlation_id(&id)
        .with_traceparent(&placement.traceparent)
}
