//! The inbox: what makes a consumer's work take effect once, however often the event comes. The row is
//! written in the transaction of the effect, so that both hold or neither does. A service calls
//! [`Database::hear`](crate::Database::hear), or [`first_time`] on a transaction of its own; the database's
//! writer prunes.

use std::{collections::HashSet, time::Duration};

use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use crate::{database::millis, event::Event};

/// How long it is remembered what was heard: longer than retries, the dead letters' retention (14 days)
/// and a redrive together.
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is noted of an event that a consumer hears.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, sqlx::FromRow)]
pub(crate) struct Heard {
    consumer: String,
    source: String,
    id: String,
}

impl Heard {
    pub(crate) fn new(consumer: &str, event: &Event) -> Self {
        Self { consumer: consumer.to_owned(), source: event.source().to_owned(), id: event.id().to_owned() }
    }
}

macro_rules! note {
    ($before:literal) => {
        concat!(
            $before,
            "INSERT INTO inbox (consumer, source, id, heard_at)
             SELECT value ->> 'consumer', value ->> 'source', value ->> 'id', ?2
             FROM jsonb_each(?1) WHERE true
             ON CONFLICT DO NOTHING RETURNING consumer, source, id"
        )
    };
}

const NOTE: &str = note!("");
const BEGIN_AND_NOTE: &str = note!("BEGIN IMMEDIATE; ");

/// Begins a transaction by noting all of these, in one go: each going to SQLite's thread and back costs more
/// than what is done there. Answers which of them are heard for the first time.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    heard: &[Heard],
) -> Result<HashSet<Heard>, sqlx::Error> {
    if heard.is_empty() {
        sqlx::query("BEGIN IMMEDIATE").execute(connection).await?;
        return Ok(HashSet::new());
    }
    note_all(connection, BEGIN_AND_NOTE, heard).await
}

async fn note_all(
    connection: &mut SqliteConnection,
    sql: &'static str,
    heard: &[Heard],
) -> Result<HashSet<Heard>, sqlx::Error> {
    let noted = sqlx::query_as(sql).bind(Json(heard)).bind(millis(Timestamp::now()));
    Ok(noted.fetch_all(connection).await?.into_iter().collect())
}

/// Takes back what was noted, where nothing was done for it.
pub(crate) async fn forget(connection: &mut SqliteConnection, heard: &Heard) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM inbox WHERE consumer = ?1 AND source = ?2 AND id = ?3")
        .bind(&heard.consumer)
        .bind(&heard.source)
        .bind(&heard.id)
        .execute(connection)
        .await
        .map(|_| ())
}

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

/// As [`first_time`], for many events that may have been heard before.
///
/// # Errors
/// What the database says.
pub async fn note<'e>(
    connection: &mut SqliteConnection,
    consumer: &str,
    events: impl IntoIterator<Item = &'e Event>,
) -> Result<(), sqlx::Error> {
    let heard: Vec<_> = events.into_iter().map(|event| Heard::new(consumer, event)).collect();
    if heard.is_empty() {
        return Ok(());
    }
    note_all(connection, NOTE, &heard).await.map(|_| ())
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
