//! The payments' table: one row an order, read and written whole. What may follow what is `payment`'s
//! matter; when a transaction begins and ends is the caller's.

mod row;

use events::OrderId;
use sqlx::{SqliteConnection, SqlitePool};
use units::Timestamp;

pub use row::{Cause, Stored};

/// The tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The payment of an order, on the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn load(
    connection: &mut SqliteConnection,
    order_id: OrderId,
) -> Result<Option<Stored>, sqlx::Error> {
    let select = sqlx::query("SELECT * FROM payments WHERE order_id = ?1").bind(order_id.to_string());
    select.fetch_optional(connection).await?.as_ref().map(row::read).transpose()
}

/// Writes a payment, on the caller's transaction. Its intent may be taken up by the sweeper from
/// `due_at` on.
///
/// # Errors
/// What the database says.
pub async fn save(
    connection: &mut SqliteConnection,
    stored: &Stored,
    due_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let payment = &stored.payment;
    sqlx::query(
        "INSERT INTO payments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT DO UPDATE SET method = ?5, reference = ?6, confirmed = ?7, cancelled = ?8, status = ?9,
             intent = ?10, due_at = ?11, cause = ?12, attempts = ?13",
    )
    .bind(payment.order_id.to_string())
    .bind(payment.amount.amount)
    .bind(payment.amount.currency.as_str())
    .bind(row::json(&payment.customer))
    .bind(payment.charge.as_ref().map(|charge| charge.method.as_str()))
    .bind(payment.charge.as_ref().map(|charge| charge.reference.0.as_str()))
    .bind(payment.confirmed)
    .bind(payment.cancelled)
    .bind(payment.status.name())
    .bind(payment.intent.map(crate::gateway::Operation::name))
    .bind(millis(due_at))
    .bind(row::json(&stored.cause))
    .bind(row::json(&payment.attempts))
    .execute(connection)
    .await?;
    Ok(())
}

/// The payment of an order, as it is committed.
///
/// # Errors
/// What the database says.
pub async fn get(pool: &SqlitePool, order_id: OrderId) -> Result<Option<Stored>, sqlx::Error> {
    load(&mut *pool.acquire().await?, order_id).await
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
