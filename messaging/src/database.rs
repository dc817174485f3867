//! A service's SQLite: one writer with group commit, readers beside it. The tables of outbox and inbox
//! are made here; what they mean stands in their own modules. How the writer works: `database/writer.rs`.

mod batch;
mod executor;
mod opening;
pub(crate) mod pending;
mod unit;
mod upkeep;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool, migrate::Migrator};
use tokio::sync::{mpsc, oneshot};
use units::Timestamp;

pub use self::batch::Batched;
use self::unit::{Answer, Unit};
use crate::{event::Event, inbox::Heard};

const UNHEARD: &str = "only what is heard can be heard before";
/// How many units of work may wait for the writer before callers wait for room.
const MAX_WAITING: usize = 4096;

/// A handle on a service's database; cheap to clone. Several processes may open the same file.
#[derive(Clone, Debug)]
pub struct Database {
    name: Arc<str>,
    reader: SqlitePool,
    writer: mpsc::Sender<writer::Order>,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// SQLite says no: locked for too long, a full disk, a constraint.
    #[error("the database refuses")]
    Sqlite(#[from] sqlx::Error),
    /// The transaction could not be begun or committed; nothing of it is kept.
    #[error("the transaction failed: {0}")]
    Commit(Arc<sqlx::Error>),
    /// The tables can't be brought to what this version needs.
    #[error("the database can't be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The file or its folder can't be used.
    #[error("the database file can't be used")]
    File(#[from] std::io::Error),
    /// The writer has ended.
    #[error("the database is closed")]
    Closed,
}

impl Database {
    /// Opens the file, and makes it and its folder where they are not there: write-ahead log, synced at
    /// every commit. Runs the service's migrations and those of outbox and inbox; of several processes
    /// that open it at once, one after the other.
    ///
    /// # Errors
    /// When the file can't be used, is no database, or a migration fails.
    pub async fn open(file: &Path, migrator: &Migrator) -> Result<Self, DatabaseError> {
        let opened = opening::open(file, migrator).await?;
        let (writer, orders) = mpsc::channel(MAX_WAITING);
        writer::start(opened.writer, orders)?;
        let name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name: name.into(), reader: opened.reader, writer })
    }

    /// The file's name without its ending: tells databases apart in metrics.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connections to read by, outside the writer's transaction: they see what is committed.
    #[must_use]
    pub const fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// Runs `work` in a transaction, and answers after its commit is on disk. It shares the transaction
    /// with others that wait: an `Err` or a panic undoes this work alone.
    ///
    /// The connection is inside a transaction: don't begin another on it, and don't wait for anything
    /// but the database, for all other writers wait meanwhile. Where another's work in the transaction
    /// fails, this one is undone and done again, so it must change nothing but the database. It runs to
    /// its end even when the caller no longer waits.
    ///
    /// # Errors
    /// What `work` says, or [`DatabaseError`] when the transaction could not be begun or committed.
    ///
    /// # Panics
    /// When `work` panics: in its caller, and there alone.
    pub async fn write<T, E>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>>
        + Clone
        + Send
        + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.run(|caller| unit::boxed(None, work, caller)).await.map(|done| done.expect(UNHEARD))
    }

    /// As [`Self::write`], but what others ask of the same kind at the same time is done by the same call.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    ///
    /// # Panics
    /// As [`Self::write`].
    pub async fn write_batched<B: Batched>(&self, item: B) -> Result<B::Done, B::Error> {
        self.run(|caller| batch::boxed(None, item, caller)).await.map(|done| done.expect(UNHEARD))
    }

    /// As [`Self::hear`], but what others ask of the same kind at the same time is done by the same call.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    ///
    /// # Panics
    /// As [`Self::write`].
    pub async fn hear_batched<B: Batched>(
        &self,
        consumer: &str,
        event: &Event,
        item: B,
    ) -> Result<Option<B::Done>, B::Error> {
        self.run(|caller| batch::boxed(Some(Heard::new(consumer, event)), item, caller)).await
    }

    /// As [`Self::write`], if `consumer` did not hear this event before; that it did now is noted in the
    /// same transaction, in the [`crate::inbox`]. `None` means that it was heard before: acknowledge,
    /// without effect. Where the work fails, the event was not heard.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    ///
    /// # Panics
    /// As [`Self::write`].
    pub async fn hear<T, E>(
        &self,
        consumer: &str,
        event: &Event,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>>
        + Clone
        + Send
        + 'static,
    ) -> Result<Option<T>, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.run(|caller| unit::boxed(Some(Heard::new(consumer, event)), work, caller)).await
    }

    /// Gives a unit of work to the writer, and waits for its commit.
    async fn run<T, E: From<DatabaseError>>(
        &self,
        unit: impl FnOnce(oneshot::Sender<Answer<T, E>>) -> Box<dyn Unit>,
    ) -> Result<Option<T>, E> {
        let (caller, answer) = oneshot::channel();
        self.writer.send(writer::Order::Unit(unit(caller))).await.map_err(|_| DatabaseError::Closed)?;
        match answer.await.map_err(|_| DatabaseError::Closed)? {
            Answer::Worked(result) => result.map(Some),
            Answer::HeardBefore => Ok(None),
            Answer::Panicked(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Ends the writer after what waits, and closes the file. What is written later is refused.
    pub async fn close(&self) {
        let (closed, when_closed) = oneshot::channel();
        if self.writer.send(writer::Order::Close(closed)).await.is_ok() {
            // An error means that it is closed already.
            let _ = when_closed.await;
        }
        self.reader.close().await;
    }
}

/// A time as the tables have it: milliseconds since 1970.
pub(crate) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A time from the tables.
pub(crate) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// The time that much before `now`.
pub(crate) fn before(now: Timestamp, by: Duration) -> Timestamp {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(by))
}
