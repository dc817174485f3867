//! What was sent, in SQLite: one row an order and kind.

use std::path::Path;

use async_trait::async_trait;
use events::OrderId;
use messaging::{
    database::{Batched, Database, DatabaseError},
    event::Event,
    failure::Failure,
};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow, types::Json};
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
        event: &Event,
        mail: Mail,
        message: Vec<u8>,
    ) -> Result<(), Failure> {
        let sent = Sent { mail, message, at: Timestamp::now() };
        self.database.hear_batched(consumer, event, sent).await.map(|_| ())
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

/// A mail that went out.
struct Sent {
    mail: Mail,
    message: Vec<u8>,
    at: Timestamp,
}

#[async_trait]
impl Batched for Sent {
    type Key = (OrderId, Kind);
    type Done = ();
    type Error = Failure;

    fn key(&self) -> (OrderId, Kind) {
        (self.mail.order_id, self.mail.kind)
    }

    /// The messages go as one blob, of which each row names its part.
    async fn carry_out(connection: &mut SqliteConnection, mails: &[&Self]) -> Result<Vec<()>, Failure> {
        let (mut rows, mut messages) = (Vec::with_capacity(mails.len()), Vec::new());
        for Self { mail, message, at } in mails {
            // SQLite counts from 1.
            rows.push(SentRow {
                id: Uuid::now_v7(),
                order_id: mail.order_id,
                kind: mail.kind,
                recipient: &mail.customer.email,
                subject: &mail.letter.subject,
                sent_at: i64::try_from(at.as_millis()).unwrap_or(i64::MAX),
                from: messages.len() + 1,
                length: message.len(),
            });
            messages.extend_from_slice(message);
        }
        sqlx::query(
            "INSERT INTO emails (id, order_id, kind, recipient, subject, sent_at, message)
             SELECT value ->> 'id', value ->> 'order_id', value ->> 'kind', value ->> 'recipient',
                    value ->> 'subject', value ->> 'sent_at',
                    substr(?2, value ->> 'from', value ->> 'length')
             FROM jsonb_each(?1) WHERE true ORDER BY jsonb_each.key
             ON CONFLICT (order_id, kind) DO NOTHING",
        )
        .bind(Json(rows))
        .bind(messages)
        .execute(connection)
        .await?;
        Ok(vec![(); mails.len()])
    }
}

/// A row of `emails`, with its columns' names; of the message, where it stands among the others.
#[derive(Serialize)]
struct SentRow<'a> {
    id: Uuid,
    order_id: OrderId,
    kind: Kind,
    recipient: &'a str,
    subject: &'a str,
    sent_at: i64,
    from: usize,
    length: usize,
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
