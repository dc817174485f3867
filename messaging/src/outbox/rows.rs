//! The relay's statements: claim, mark, set aside, release, prune. Each is one for many rows, runs on
//! the caller's transaction, and changes only rows that are still under the claim it names.

use bytes::Bytes;
use sqlx::SqliteConnection;
use units::Timestamp;

use crate::database::millis;

/// A row that a relay holds.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) position: i64,
    pub(crate) topic: String,
    pub(crate) event: Bytes,
}

/// Claims up to `limit` rows until `until`: of each key the oldest unpublished one alone, whether that
/// is free, claimed by another, or set aside. Oldest first.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    claim: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(
        "UPDATE outbox SET claim = ?1, claimed_until = ?3
         WHERE published_at IS NULL AND set_aside_at IS NULL AND claimed_until <= ?2 AND position IN (
             SELECT position FROM outbox AS candidate
             WHERE published_at IS NULL AND set_aside_at IS NULL AND claimed_until <= ?2
               AND NOT EXISTS (
                 SELECT 1 FROM outbox AS earlier
                 WHERE earlier.published_at IS NULL AND earlier.key IS NOT NULL
                   AND earlier.key = candidate.key AND earlier.position < candidate.position)
             ORDER BY position LIMIT ?4)
         RETURNING position, topic, event",
    )
    .bind(claim)
    .bind(millis(now))
    .bind(millis(until))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let mut rows: Vec<Claimed> = rows
        .into_iter()
        .map(|(position, topic, event)| Claimed { position, topic, event: event.into() })
        .collect();
    rows.sort_unstable_by_key(|row| row.position);
    Ok(rows)
}

/// Marks rows as published.
pub(crate) async fn published(
    connection: &mut SqliteConnection,
    claim: &str,
    positions: &[i64],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE outbox SET published_at = ?1, claim = NULL
         WHERE position IN (SELECT value FROM json_each(?2)) AND claim = ?3 AND published_at IS NULL",
    )
    .bind(millis(now))
    .bind(json(positions))
    .bind(claim)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Sets one row aside with the reason it was refused for. It goes on holding its key.
pub(crate) async fn set_aside(
    connection: &mut SqliteConnection,
    claim: &str,
    position: i64,
    error: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE outbox SET set_aside_at = ?1, error = ?2, claim = NULL, claimed_until = 0
         WHERE position = ?3 AND claim = ?4 AND published_at IS NULL",
    )
    .bind(millis(now))
    .bind(error)
    .bind(position)
    .bind(claim)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Gives rows back, to be claimed at once by whoever comes.
pub(crate) async fn released(
    connection: &mut SqliteConnection,
    claim: &str,
    positions: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE outbox SET claim = NULL, claimed_until = 0
         WHERE position IN (SELECT value FROM json_each(?1)) AND claim = ?2 AND published_at IS NULL",
    )
    .bind(json(positions))
    .bind(claim)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Removes up to `limit` rows that were published before `before`.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    before: Timestamp,
    limit: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM outbox WHERE position IN (
             SELECT position FROM outbox WHERE published_at < ?1 ORDER BY published_at LIMIT ?2)",
    )
    .bind(millis(before))
    .bind(limit)
    .execute(connection)
    .await
    .map(|_| ())
}

fn json(positions: &[i64]) -> String {
    serde_json::to_string(positions).expect("integers are JSON")
}
