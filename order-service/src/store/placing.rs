//! Placing an order: the order, its lines and timeline, the answer under its idempotency key, and
//! `order.placed` in the outbox, in one transaction.

use events::{kind, topic};
use messaging::{Event, outbox};
use sqlx::SqliteConnection;
use units::Timestamp;

use super::{SOURCE, Store, StoreError, row::millis};
use crate::{
    idempotency::{Fingerprint, Key},
    order::{Order, StatusName},
    saga::{Deadline, PaymentHeard, StockHeard},
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
        let event = placed(&placement);
        let placed = self.database.write(move |connection| {
            Box::pin(async move {
                insert(connection, &placement).await?;
                Ok::<_, StoreError>(outbox::add(connection, topic::ORDERS, &event).await?)
            })
        });
        match placed.await {
            Ok(()) => {
                self.outbox.notify();
                Ok(true)
            }
            Err(StoreError::Statement(sqlx::Error::Database(error))) if error.is_unique_violation() => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
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

/// Two statements in one go; the key comes first, so that a repeated request ends there.
async fn insert(connection: &mut SqliteConnection, placement: &Placement) -> Result<(), sqlx::Error> {
    let order = &placement.order;
    let id = order.id.to_string();
    let query = sqlx::query(
        "INSERT INTO idempotency_keys (key, fingerprint, order_id, answer) VALUES (?, ?, ?, ?); \
         INSERT INTO orders (id, status, stock, payment, deadline, due_at, created_at, updated_at, \
         customer_name, customer_email, lines, total_amount, total_currency, payment_method, timeline) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    query
        .bind(placement.key.as_str())
        .bind(placement.fingerprint.as_bytes())
        .bind(&id)
        .bind(&placement.answer)
        .bind(&id)
        .bind(StatusName::Pending)
        .bind(StockHeard::Unheard)
        .bind(PaymentHeard::Unheard)
        .bind(Deadline::Running)
        .bind(millis(placement.due_at))
        .bind(millis(order.created_at))
        .bind(millis(order.updated_at))
        .bind(&order.customer.name)
        .bind(&order.customer.email)
        .bind(sqlx::types::Json(&order.lines))
        .bind(order.total.amount)
        .bind(order.total.currency.as_str())
        .bind(&order.payment_method)
        .bind(super::advancing::appended(&order.timeline, ""))
        .execute(connection)
        .await?;
    Ok(())
}

fn placed(placement: &Placement) -> Event {
    let id = placement.order.id.to_string();
    Event::new(SOURCE, kind::ORDER_PLACED, &placement.order.as_told())
        .with_subject(&id)
        .with_partition_key(&id)
        .with_correlation_id(&id)
        .with_traceparent(&placement.traceparent)
}
