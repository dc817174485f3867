//! The inbox: what makes a consumer's work take effect once, however often the event comes. The row is
//! written in the transaction of the effect, so that both hold or neither does. The database's writer
//! prunes it; a service calls [`first_time`] alone.

use std::time::Duration;

use sqlx::SqliteConnection;
use units::Timestamp;

use crate::{database::millis, event::Event};

/// How long it is remembered what was heard: longer than retries, the dead letters' retention (14 days)
/// and a redrive together.
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Notes that `consumer` heard this event, on the caller's own transaction. `false` means that it did
/// already: acknowledge, without effect. When the transaction is rolled back, it was not heard.
///
/// # Errors
/// What the database says.
pub async fn first_time(
    connection: &mut SqliteConnection,
    consumer: &str,
    event: &Event,
) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query(
        "INSERT INTO inbox (consumer, source, id, heard_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(consumer)
    .bind(event.source())
    .bind(event.id())
    .bind(millis(Timestamp::now()))
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Forgets what was heard before `before`, at most `limit` rows, and tells how many.
///
/// # Errors
/// What the database says.
pub async fn prune(
    connection: &mut SqliteConnection,
    before: Timestamp,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "DELETE FROM inbox WHERE (consumer, source, id) IN (
             SELECT consumer, source, id FROM inbox WHERE heard_at < ?1 ORDER BY heard_at LIMIT ?2)",
    )
    .bind(millis(before))
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(pruned.rows_affected())
}
