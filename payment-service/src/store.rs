//! The payments' table: one row an order, read and written whole, those of many orders at once. What may
//! follow what is `payment`'s matter; when a transaction begins and ends is the caller's.

mod row;

use std::collections::HashMap;

use events::OrderId;
use sqlx::{SqliteConnection, SqlitePool, types::Json};
use units::Timestamp;

pub use row::{Cause, Stored};

/// The tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The payments of those orders, as far as there are, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn load(
    connection: &mut SqliteConnection,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Stored>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM payments WHERE order_id IN (SELECT value FROM json_each(?1))");
    let rows = select.bind(Json(orders)).fetch_all(connection).await?;
    rows.iter().map(|row| row::read(row).map(|stored| (stored.payment.order_id, stored))).collect()
}

/// Writes payments, on the caller's transaction. The intent of each may be taken up by the sweeper from the
/// time beside it on.
///
/// # Errors
/// What the database says.
pub async fn save(
    connection: &mut SqliteConnection,
    payments: &[(&Stored, Timestamp)],
) -> Result<(), sqlx::Error> {
    if payments.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = payments.iter().map(|(stored, due_at)| row::Written::of(stored, *due_at)).collect();
    sqlx::query(
        "INSERT INTO payments
         SELECT value ->> 'order_id', value ->> 'amount', value ->> 'currency', value ->> 'customer',
                value ->> 'method', value ->> 'reference', value ->> 'confirmed', value ->> 'cancelled',
                value ->> 'status', value ->> 'intent', value ->> 'due_at', value ->> 'cause',
                value ->> 'attempts'
         FROM jsonb_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET method = excluded.method, reference = excluded.reference,
             confirmed = excluded.confirmed, cancelled = excluded.cancelled, status = excluded.status,
             intent = excluded.intent, due_at = excluded.due_at, cause = excluded.cause,
             attempts = excluded.attempts",
    )
    .bind(Json(rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// The payment of an order, as it is committed.
///
/// # Errors
/// What the database says.
pub async fn get(pool: &SqlitePool, order_id: OrderId) -> Result<Option<Stored>, sqlx::Error> {
    Ok(load(&mut *pool.acquire().await?, &[order_id]).await?.remove(&order_id))
}

/// Up to `limit` payments whose order's id is below `before`, newest first; with `open`, only those
/// that have an open intent (or have none).
///
/// # Errors
/// What the database says.
pub async fn list(
    pool: &SqlitePool,
    open: Option<bool>,
    before: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Stored>, sqlx::Error> {
    let sql = match open {
        None => "SELECT * FROM payments WHERE (?1 IS NULL OR order_id < ?1) ORDER BY order_id DESC LIMIT ?2",
        Some(true) => {
            "SELECT * FROM payments WHERE intent IS NOT NULL AND (?1 IS NULL OR order_id < ?1)
             ORDER BY order_id DESC LIMIT ?2"
        }
        Some(false) => {
            "SELECT * FROM payments WHERE intent IS NULL AND (?1 IS NULL OR order_id < ?1)
             ORDER BY order_id DESC LIMIT ?2"
        }
    };
    let select = sqlx::query(sql).bind(before.map(|id| id.to_string()));
    let rows = select.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(pool).await?;
    rows.iter().map(row::read).collect()
}

/// How many intents are open, and how many of them the sweeper may take up at `now`.
///
/// # Errors
/// What the database says.
pub async fn count_open(pool: &SqlitePool, now: Timestamp) -> Result<(u64, u64), sqlx::Error> {
    let (open, due): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE due_at <= ?1) FROM payments WHERE intent IS NOT NULL",
    )
    .bind(millis(now))
    .fetch_one(pool)
    .await?;
    Ok((open.unsigned_abs(), due.unsigned_abs()))
}

/// Takes up to `limit` intents that are due, and keeps other sweepers off them until `until`.
///
/// # Errors
/// What the database says.
pub async fn claim_due(
    connection: &mut SqliteConnection,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<OrderId>, sqlx::Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "UPDATE payments SET due_at = ?2 WHERE order_id IN (
             SELECT order_id FROM payments WHERE intent IS NOT NULL AND due_at <= ?1 LIMIT ?3)
         RETURNING order_id",
    )
    .bind(millis(now))
    .bind(millis(until))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
