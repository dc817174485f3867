//! The sandbox's file: its ledger, its mode, and how often a method failed. Several processes may have
//! it open; each answer is synced before it is given. What is answered is decided in `books`, and carried out
//! in `ledger/carrying_out.rs`.

mod carrying_out;

use std::{collections::HashMap, path::Path};

use events::{Currency, Money, OrderId};
use messaging::database::{Database, DatabaseError};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow, types::Json};
use units::Timestamp;
use utoipa::ToSchema;

use self::carrying_out::CarryingOut;
use super::{
    super::{Instruction, Operation, Reference, Standing},
    books::{Books, Entry, Verdict},
    mode::Mode,
};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./sandbox-migrations");

/// The books of the sandbox.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Database,
}

/// Why the sandbox's file failed.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox gateway's ledger failed: {0}")]
pub struct LedgerError(#[from] DatabaseError);

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

/// An operation that the sandbox carried out: what really happened to the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Carried {
    /// When.
    pub at: Timestamp,
    /// What.
    pub operation: Operation,
    /// For which order.
    #[schema(value_type = String, format = Uuid)]
    pub order_id: String,
    /// How much.
    pub amount: Money,
    /// The key that it was asked under.
    pub idempotency_key: String,
}

/// A page of the ledger, oldest first.
#[derive(Debug)]
pub struct LedgerPage {
    /// The lines.
    pub items: Vec<Carried>,
    /// After which line the next page starts; `None` on the last one.
    pub next_after: Option<i64>,
}

/// The sandbox's answer, and how it is given.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) mode: Mode,
}

/// The sandbox names a payment after its order.
pub(super) fn reference_of(order_id: OrderId) -> Reference {
    Reference(format!("sandbox_{order_id}"))
}

impl Ledger {
    pub(super) async fn open(file: &Path) -> Result<Self, DatabaseError> {
        Ok(Self { database: Database::open(file, &MIGRATOR).await? })
    }

    /// Decides and carries out an instruction in one transaction.
    pub(super) async fn carry_out(&self, instruction: Instruction) -> Result<Answer, LedgerError> {
        self.database.write_batched(CarryingOut(instruction)).await
    }

    /// How a reference stands, and the mode to answer in.
    pub(super) async fn look_up(&self, reference: &Reference) -> Result<(Standing, Mode), LedgerError> {
        let mut connection = self.database.reader().acquire().await?;
        let (books, mode) = read_books(&mut connection, &[reference]).await?;
        Ok((books.get(&reference.0).map_or(Standing::Open, Books::standing), mode))
    }

    /// The mode that is played.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn mode(&self) -> Result<Mode, LedgerError> {
        let name: String =
            sqlx::query_scalar("SELECT mode FROM mode").fetch_one(self.database.reader()).await?;
        Ok(Mode::named(&name).unwrap_or_default())
    }

    /// Plays another mode, from the next call on, over restarts and in all processes.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn set_mode(&self, mode: Mode) -> Result<(), LedgerError> {
        self.database
            .write(move |connection| {
                Box::pin(async move {
                    let update = sqlx::query("UPDATE mode SET mode = ?1").bind(mode.name());
                    update.execute(connection).await?;
                    Ok(())
                })
            })
            .await
    }

    /// What was carried out after line `after`, oldest first, of one order where one is named.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn page(
        &self,
        order: Option<OrderId>,
        after: i64,
        limit: usize,
    ) -> Result<LedgerPage, LedgerError> {
        let reference = order.map(|order| reference_of(order).0);
        let rows = sqlx::query(
            "SELECT seq, at, operation, order_id, amount, currency, idempotency_key FROM ledger
             WHERE seq > ?1 AND operation <> 'decline' AND (?2 IS NULL OR reference = ?2)
             ORDER BY seq LIMIT ?3",
        )
        .bind(after)
        .bind(reference)
        .bind(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .fetch_all(self.database.reader())
        .await?;
        let more = rows.len() > limit;
        let rows = &rows[..rows.len().min(limit)];
        let next_after = rows.last().filter(|_| more).map(|row| row.try_get("seq")).transpose()?;
        let items = rows.iter().map(carried).collect::<Result<_, _>>()?;
        Ok(LedgerPage { items, next_after })
    }

    /// Closes the file after what is under way.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// What the ledger says of those references, as far as it does, with the mode: one statement, one row at
/// least.
async fn read_books(
    connection: &mut SqliteConnection,
    references: &[&Reference],
) -> Result<(HashMap<String, Books>, Mode), sqlx::Error> {
    let references: Vec<&str> = references.iter().map(|reference| reference.0.as_str()).collect();
    let rows = sqlx::query(
        "SELECT mode.mode, reference, operation, idempotency_key, amount, currency, reason
         FROM mode LEFT JOIN ledger ON reference IN (SELECT value FROM json_each(?1)) ORDER BY seq",
    )
    .bind(Json(references))
    .fetch_all(connection)
    .await?;
    let mode = rows.first().map(|row| row.try_get::<String, _>("mode")).transpose()?;
    let mode = mode.and_then(|name| Mode::named(&name)).unwrap_or_default();
    let mut books: HashMap<String, Books> = HashMap::new();
    for row in &rows {
        if let Some(reference) = row.try_get::<Option<String>, _>("reference")? {
            let entry = entry(row.try_get("operation")?, row)?;
            let line = (entry, row.try_get("idempotency_key")?, money(row)?);
            books.entry(reference).or_default().entries.push(line);
        }
    }
    Ok((books, mode))
}

fn entry(operation: &str, row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    if operation == "decline" {
        return Ok(Entry::Declined(row.try_get("reason")?));
    }
    Operation::named(operation).map(Entry::Carried).ok_or_else(|| strange("operation", operation))
}

fn money(row: &SqliteRow) -> Result<Money, sqlx::Error> {
    let currency: String = row.try_get("currency")?;
    let currency = Currency::parse(&currency).map_err(|_| strange("currency", &currency))?;
    Ok(Money::new(row.try_get("amount")?, currency))
}

fn strange(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds {value:?}").into())
}

fn carried(row: &SqliteRow) -> Result<Carried, sqlx::Error> {
    let operation: String = row.try_get("operation")?;
    let at: i64 = row.try_get("at")?;
    Ok(Carried {
        at: Timestamp::from_millis(u64::try_from(at).unwrap_or_default()),
        operation: Operation::named(&operation).ok_or_else(|| strange("operation", &operation))?,
        order_id: row.try_get("order_id")?,
        amount: money(row)?,
        idempotency_key: row.try_get("idempotency_key")?,
    })
}
