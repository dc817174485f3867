//! What the unit of work that runs on this thread has said so far. A database's writer runs units one
//! after the other on a thread of its own; what they say is written for all of them together just before
//! their commit, in one statement. What is said elsewhere is written at once.

use std::cell::RefCell;

use bytes::Bytes;
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use super::millis;
use crate::event::Event;

thread_local! {
    /// None where no unit of work runs.
    static SAID: RefCell<Option<Vec<Row>>> = const { RefCell::new(None) };
}

/// A row to be written.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    topic: String,
    event: Event,
    /// The bytes that will be sent.
    json: Bytes,
    at: Timestamp,
}

impl Row {
    pub(crate) fn new(topic: &str, event: &Event) -> Self {
        Self { topic: topic.to_owned(), event: event.clone(), json: event.to_json(), at: Timestamp::now() }
    }
}

/// A unit of work begins on this thread.
pub(crate) fn begin() {
    SAID.set(Some(Vec::new()));
}

/// It has ended: what it said.
pub(crate) fn end() -> Vec<Row> {
    SAID.take().unwrap_or_default()
}

/// Keeps a row for the commit; gives it back where no unit of work runs.
pub(crate) fn keep(row: Row) -> Option<Row> {
    SAID.with_borrow_mut(|said| match said {
        Some(rows) => {
            rows.push(row);
            None
        }
        None => Some(row),
    })
}

macro_rules! insert {
    ($after:literal) => {
        concat!(
            "INSERT INTO outbox (topic, source, id, type, key, written_at, event)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                    substr(?2, value ->> 6, value ->> 7)
             FROM jsonb_each(?1) ORDER BY jsonb_each.key",
            $after
        )
    };
}

const INSERT: &str = insert!("");
const INSERT_AND_COMMIT: &str = insert!("; COMMIT");

/// Writes rows, in order, in one statement.
pub(crate) async fn write(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() { Ok(()) } else { run(connection, INSERT, rows).await }
}

/// Writes rows, in order, and commits, in one go.
pub(crate) async fn commit(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return sqlx::query("COMMIT").execute(connection).await.map(|_| ());
    }
    run(connection, INSERT_AND_COMMIT, rows).await
}

/// The events' bytes go as one blob, of which each row names its part: as texts in the JSON they would be
/// escaped and read once more.
async fn run(connection: &mut SqliteConnection, sql: &'static str, rows: &[Row]) -> Result<(), sqlx::Error> {
    let mut events = Vec::with_capacity(rows.iter().map(|row| row.json.len()).sum());
    let mut columns = Vec::with_capacity(rows.len());
    for Row { topic, event, json, at } in rows {
        // SQLite counts from 1.
        let (from, length) = (events.len() + 1, json.len());
        let (source, id, kind, key) = (event.source(), event.id(), event.kind(), event.partition_key());
        columns.push((topic, source, id, kind, key, millis(*at), from, length));
        events.extend_from_slice(json);
    }
    sqlx::query(sql).bind(Json(columns)).bind(events).execute(connection).await.map(|_| ())
}
