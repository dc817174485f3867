//! What was sent, in SQLite: one row an order and kind.

use std::path::Path;

use events::OrderId;
use messaging::{
    database::{Database, DatabaseError},
    event::Event,
    failure::Failure,
};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use units::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::mail::{Kind, Mail};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service's database. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

/// A mail that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Email {
    /// Its id.
    pub id: Uuid,
    /// Of which order.
    pub order_id: OrderId,
    /// What it tells.
    pub kind: Kind,
    /// The address it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// A row with its place in the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Grows with every mail.
    pub seq: i64,
    /// The mail.
    pub email: Email,
}

/// What of the list is asked for, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Of one order alone.
    pub order: Option<OrderId>,
    /// After this place; 0 from the start.
    pub after: i64,
    /// How many at the most.
    pub limit: usize,
}

impl Store {
    /// Opens the database in the data folder, and makes it where there is none.
    ///
    /// # Errors
    /// When the file can't be opened or migrated.
    pub async fn open(data: &Path) -> Result<Self, DatabaseError> {
        let database = Database::open(&data.join("email.sqlite"), &MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Whether the mail of that order and kind was sent.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn was_sent(&self, order: OrderId, kind: Kind) -> Result<bool, sqlx::Error> {
        let sent = sqlx::query("SELECT 1 FROM emails WHERE order_id = ? AND kind = ?")
            .bind(order.to_string())
            .bind(kind.as_str())
            .fetch_optional(self.database.reader())
            .await?;
        Ok(sent.is_some())
    }

    /// Records in one transaction that the event was seen and that the mail went out, if neither was
    /// known yet.
    ///
    /// # Errors
    /// When the database can't be written; then nothing is recorded.
    pub async fn record(
        &self,
        consumer: &'static str,
        event: Event,
        mail: Mail,
        message: Vec<u8>,
    ) -> Result<(), Failure> {
        let record = self.database.hear(consumer, &event, move |conn| {
            Box::pin(async move { Ok::<_, Failure>(insert(conn, &mail, &message).await?) })
        });
        record.await.map(|_| ())
    }

    /// A part of the list, oldest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn list(&self, listing: Listing) -> Result<Vec<Listed>, sqlx::Error> {
        let filter = if listing.order.is_some() { "order_id = ?1" } else { "?1 IS NULL" };
        let query = format!(
            "SELECT seq, id, order_id, kind, recipient, subject, sent_at FROM emails \
             WHERE {filter} AND seq > ?2 ORDER BY seq LIMIT ?3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(listing.order.map(|order| order.to_string()))
            .bind(listing.after)
            .bind(i64::try_from(listing.limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(listed).collect()
    }

    /// Ends the writer after what waits, and closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// The message as it was sent, if there is such a mail.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn message(&self, id: Uuid) -> Result<Option<Vec<u8>>, sqlx::Error> {
        sqlx::query_scalar("SELECT message FROM emails WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(self.database.reader())
            .await
    }
}

async fn insert(conn: &mut SqliteConnection, mail: &Mail, message: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO emails (id, order_id, kind, recipient, subject, sent_at, message) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id, kind) DO NOTHING",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(mail.order_id.to_string())
    .bind(mail.kind.as_str())
    .bind(&mail.customer.email)
    .bind(&mail.letter.subject)
    .bind(i64::try_from(Timestamp::now().as_millis()).unwrap_or(i64::MAX))
    .bind(message)
    .execute(conn)
    .await?;
    Ok(())
}

fn listed(row: &SqliteRow) -> Result<Listed, sqlx::Error> {
    let wrong = |error: &dyn std::fmt::Display| sqlx::Error::Protocol(format!("a row of emails: {error}"));
    let sent_at: i64 = row.try_get("sent_at")?;
    let email = Email {
        id: row.try_get::<&str, _>("id")?.parse().map_err(|error: uuid::Error| wrong(&error))?,
        order_id: row.try_get::<&str, _>("order_id")?.parse().map_err(|error: uuid::Error| wrong(&error))?,
        kind: row
            .try_get::<&str, _>("kind")?
            .parse()
            .map_err(|error: crate::mail::InvalidKind| wrong(&error))?,
        to: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        sent_at: Timestamp::from_millis(sent_at.unsigned_abs()),
    };
    Ok(Listed { seq: row.try_get("seq")?, email })
}
