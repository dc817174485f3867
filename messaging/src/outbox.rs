//! The outbox: what a service says is written in the transaction of what it did, so that it is said if
//! and only if that was committed. The relay publishes it; the statements it needs are in
//! `outbox/rows.rs`. Here: writing, looking, and what a person does with what was set aside.

pub(crate) mod rows;

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use sqlx::{FromRow, Row as _, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::Notify;
use units::Timestamp;

use crate::{
    database::{
        Database, DatabaseError,
        pending::{self, Row},
        time,
    },
    event::Event,
};

/// Says an event to a topic, on the caller's own transaction. What is stored are the bytes that will
/// be sent. Call [`Outbox::notify`] after the commit.
///
/// Inside [`Database::write`] the row is written together with those of others just before the commit,
/// so that the work itself can't see it yet; on any other connection it is written at once.
///
/// # Errors
/// What the database says.
pub async fn add(connection: &mut SqliteConnection, topic: &str, event: &Event) -> Result<(), sqlx::Error> {
    match pending::keep(Row::new(topic, event)) {
        None => Ok(()),
        Some(row) => pending::write(connection, &[row]).await,
    }
}

/// A handle on a database's outbox; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    database: Database,
    written: Arc<Notify>,
}

/// How an outbox stands: what `GET /outbox` answers.
#[derive(Clone, Debug, Serialize)]
pub struct OutboxStatus {
    /// Rows that wait to be published: not those set aside, nor what waits behind one of those.
    pub depth: u64,
    /// The age of the oldest of them.
    #[serde(with = "units::duration::option")]
    pub oldest_age: Option<Duration>,
    /// What was refused for good, oldest first, at most 1000.
    pub set_aside: Vec<SetAside>,
}

/// An event that the broker refused for good.
#[derive(Clone, Debug, Serialize)]
pub struct SetAside {
    /// The event's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its partition key: what waits behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it was refused.
    pub error: String,
    /// When.
    pub at: Timestamp,
}

impl FromRow<'_, SqliteRow> for SetAside {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let error: Option<String> = row.try_get("error")?;
        Ok(Self {
            id: row.try_get("id")?,
            kind: row.try_get("type")?,
            key: row.try_get("key")?,
            error: error.unwrap_or_default(),
            at: time(row.try_get("set_aside_at")?),
        })
    }
}

/// Rows that could go, now or after their key's earlier ones: `written_at` of each.
const COULD_GO: &str = "SELECT count(*), min(written_at) FROM outbox
    WHERE published_at IS NULL AND set_aside_at IS NULL
      AND (key IS NULL OR key NOT IN
        (SELECT key FROM outbox WHERE set_aside_at IS NOT NULL AND published_at IS NULL AND key IS NOT NULL))";

impl Outbox {
    /// The outbox of that database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, written: Arc::new(Notify::new()) }
    }

    /// Wakes the relay: call it after the commit of what was added.
    pub fn notify(&self) {
        self.written.notify_one();
    }

    /// Waits for the next [`Self::notify`], or one that nobody waited for.
    pub(crate) async fn notified(&self) {
        self.written.notified().await;
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// How it stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn status(&self) -> Result<OutboxStatus, DatabaseError> {
        let (depth, oldest_age) = self.backlog().await?;
        let rows = sqlx::query_as(
            "SELECT id, type, key, error, set_aside_at FROM outbox
             WHERE set_aside_at IS NOT NULL ORDER BY set_aside_at, position LIMIT 1000",
        );
        Ok(OutboxStatus { depth, oldest_age, set_aside: rows.fetch_all(self.database.reader()).await? })
    }

    /// How many rows could go, and the age of the oldest.
    pub(crate) async fn backlog(&self) -> Result<(u64, Option<Duration>), DatabaseError> {
        let (depth, oldest): (i64, Option<i64>) =
            sqlx::query_as(COULD_GO).fetch_one(self.database.reader()).await?;
        let now = Timestamp::now();
        Ok((u64::try_from(depth).unwrap_or_default(), oldest.map(|at| now.since(time(at)))))
    }

    /// Lets what was set aside go again; `false` when nothing of that id is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn retry(&self, id: &str) -> Result<bool, DatabaseError> {
        let found = self
            .change_set_aside(
                "UPDATE outbox SET set_aside_at = NULL, error = NULL, claimed_until = 0, claim = NULL
                 WHERE id = ?1 AND set_aside_at IS NOT NULL",
                id,
            )
            .await?;
        self.notify();
        Ok(found)
    }

    /// Removes what was set aside, unsaid; what waited behind it goes. `false` when nothing of that id is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delete(&self, id: &str) -> Result<bool, DatabaseError> {
        let found = self
            .change_set_aside("DELETE FROM outbox WHERE id = ?1 AND set_aside_at IS NOT NULL", id)
            .await?;
        self.notify();
        Ok(found)
    }

    async fn change_set_aside(&self, sql: &'static str, id: &str) -> Result<bool, DatabaseError> {
        let id = id.to_owned();
        self.database
            .write(move |connection| {
                Box::pin(async move {
                    let changed = sqlx::query(sql).bind(id).execute(connection).await?;
                    Ok(changed.rows_affected() > 0)
                })
            })
            .await
    }
}
