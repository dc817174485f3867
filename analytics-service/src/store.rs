//! The counts, in SQLite. A batch is added in one transaction.

use std::path::Path;

use messaging::database::{Database, DatabaseError};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use units::Timestamp;
use uuid::Uuid;

use crate::{
    summary::{Counts, MinuteCounts},
    tally::Tally,
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// How many minutes are kept: a day.
const MINUTES_KEPT: i64 = 1440;
/// How many minutes are told.
const MINUTES_TOLD: i64 = 60;

/// The service's database. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Database,
    /// Tells this run of this process from others on the same folder.
    instance: String,
}

impl Store {
    /// Opens the database in the data folder, and makes it where there is none.
    ///
    /// # Errors
    /// When the file can't be opened or migrated.
    pub async fn open(data: &Path) -> Result<Self, DatabaseError> {
        let database = Database::open(&data.join("analytics.sqlite"), &MIGRATIONS).await?;
        Ok(Self { database, instance: Uuid::now_v7().to_string() })
    }

    /// Notes that from now on up to `most` events of `queue` may be in this instance's hands.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn begin(&self, queue: &'static str, most: i64) -> Result<(), StoreError> {
        let instance = self.instance.clone();
        let write = self.database.write(move |conn| {
            Box::pin(async move {
                sqlx::query("INSERT OR REPLACE INTO receivers (instance, queue, most) VALUES (?, ?, ?)")
                    .bind(instance)
                    .bind(queue)
                    .bind(most)
                    .execute(conn)
                    .await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await
    }

    /// Notes that nothing of `queue` is in this instance's hands any more.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn end(&self, queue: &'static str) -> Result<(), StoreError> {
        let instance = self.instance.clone();
        let write = self.database.write(move |conn| {
            Box::pin(async move {
                sqlx::query("DELETE FROM receivers WHERE instance = ? AND queue = ?")
                    .bind(instance)
                    .bind(queue)
                    .execute(conn)
                    .await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await
    }

    /// Adds what a batch counted.
    ///
    /// # Errors
    /// When the database can't be written; then nothing of it is added.
    pub async fn add(&self, tally: Tally) -> Result<(), StoreError> {
        let write = self.database.write(move |conn| {
            Box::pin(async move {
                add_counts(conn, &tally).await?;
                add_minutes(conn, &tally).await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await
    }

    /// All counts.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn counts(&self) -> Result<Counts, sqlx::Error> {
        let rows = sqlx::query_as("SELECT name, detail, n FROM counts").fetch_all(self.database.reader());
        Ok(Counts::new(rows.await?))
    }

    /// The last minutes in which anything happened, oldest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn minutes(&self) -> Result<Vec<MinuteCounts>, sqlx::Error> {
        let query = "SELECT minute, placed, confirmed, cancelled FROM minutes ORDER BY minute DESC LIMIT ?";
        let rows = sqlx::query(query).bind(MINUTES_TOLD).fetch_all(self.database.reader()).await?;
        rows.iter().rev().map(minute).collect()
    }

    /// Ends the writer after what waits, and closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// How many events may be in the hands of other instances, or were in those of one that ended
    /// without a clean stop.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn in_other_hands(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT COALESCE(SUM(most), 0) FROM receivers WHERE instance <> ?")
            .bind(&self.instance)
            .fetch_one(self.database.reader())
            .await
    }
}

/// Why the counts could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The transaction as a whole failed.
    #[error("the counts can't be written")]
    Database(#[from] DatabaseError),
    /// A statement failed.
    #[error("the counts can't be written")]
    Statement(#[from] sqlx::Error),
}

async fn add_counts(conn: &mut SqliteConnection, tally: &Tally) -> Result<(), sqlx::Error> {
    let rows = serde_json::to_string(&tally.rows()).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO counts (name, detail, n) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true \
         ON CONFLICT (name, detail) DO UPDATE SET n = n + excluded.n",
    )
    .bind(rows)
    .execute(conn)
    .await?;
    Ok(())
}

async fn add_minutes(conn: &mut SqliteConnection, tally: &Tally) -> Result<(), sqlx::Error> {
    for (minute, counts) in &tally.minutes {
        sqlx::query(
            "INSERT INTO minutes (minute, placed, confirmed, cancelled) VALUES (?, ?, ?, ?) \
             ON CONFLICT (minute) DO UPDATE SET placed = placed + excluded.placed, \
             confirmed = confirmed + excluded.confirmed, cancelled = cancelled + excluded.cancelled",
        )
        .bind(i64::try_from(minute.as_millis()).unwrap_or(i64::MAX))
        .bind(counts.placed)
        .bind(counts.confirmed)
        .bind(counts.cancelled)
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query(
        "DELETE FROM minutes WHERE minute <= \
         (SELECT minute FROM minutes ORDER BY minute DESC LIMIT 1 OFFSET ?)",
    )
    .bind(MINUTES_KEPT)
    .execute(conn)
    .await?;
    Ok(())
}

fn minute(row: &SqliteRow) -> Result<MinuteCounts, sqlx::Error> {
    let began: i64 = row.try_get("minute")?;
    Ok(MinuteCounts {
        minute: Timestamp::from_millis(began.unsigned_abs()),
        placed: row.try_get("placed")?,
        confirmed: row.try_get("confirmed")?,
        cancelled: row.try_get("cancelled")?,
    })
}
