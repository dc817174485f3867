//! What the unit of work that runs on this thread has said so far. A database's writer runs units one
//! after the other on a thread of its own; what they say is written for all of them together just before
//! their commit, in few statements. What is said elsewhere is written at once.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use sqlx::{AssertSqlSafe, SqliteConnection};
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

/// How many rows go in one statement: each size is prepared once for a connection.
const MANY: usize = 16;
static INSERT_MANY: LazyLock<Arc<str>> = LazyLock::new(|| insert_sql(MANY));
static INSERT_ONE: LazyLock<Arc<str>> = LazyLock::new(|| insert_sql(1));

fn insert_sql(rows: usize) -> Arc<str> {
    let values = vec!["(?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!("INSERT INTO outbox (topic, source, id, type, key, written_at, event) VALUES {values}").into()
}

/// Writes rows, in order.
pub(crate) async fn write(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    let (many, ones) = rows.as_chunks::<MANY>();
    for rows in many {
        insert(connection, &INSERT_MANY, rows).await?;
    }
    for row in ones {
        insert(connection, &INSERT_ONE, std::slice::from_ref(row)).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, sql: &Arc<str>, rows: &[Row]) -> Result<(), sqlx::Error> {
    // The text is made above of constants alone.
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
    for Row { topic, event, json, at } in rows {
        query = query
            .bind(topic.as_str())
            .bind(event.source())
            .bind(event.id())
            .bind(event.kind())
            .bind(event.partition_key())
            .bind(millis(*at))
            .bind(json.as_ref());
    }
    query.execute(connection).await.map(|_| ())
}
