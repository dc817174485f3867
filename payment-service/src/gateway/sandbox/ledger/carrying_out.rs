//! Carries instructions out: what the books say to each, and the lines that follow, in one transaction.

use async_trait::async_trait;
use messaging::Batched;
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use super::{
    super::{
        super::{Instruction, Operation, Reference, Standing},
        books::{Books, Verdict},
        method::Method,
        mode::Mode,
    },
    Answer, LedgerError, read_books,
};

/// An instruction that is to be decided and carried out.
pub(super) struct CarryingOut(pub(super) Instruction);

#[async_trait]
impl Batched for CarryingOut {
    type Key = String;
    type Done = Answer;
    type Error = LedgerError;

    fn key(&self) -> String {
        self.0.reference.0.clone()
    }

    async fn carry_out(
        connection: &mut SqliteConnection,
        asked: &[&Self],
    ) -> Result<Vec<Answer>, LedgerError> {
        let references: Vec<&Reference> =
            asked.iter().map(|Self(instruction)| &instruction.reference).collect();
        let (mut books, mode) = read_books(connection, &references).await?;
        let (mut answers, mut lines) = (Vec::new(), Vec::new());
        for Self(instruction) in asked {
            if mode == Mode::Down {
                answers.push(Answer { verdict: Verdict::Unavailable, mode });
                continue;
            }
            let mut books = books.remove(&instruction.reference.0).unwrap_or_default();
            if may_fail(instruction) {
                books.failures = count_of_failures(connection, &instruction.reference).await?;
            }
            let (verdict, line) = decide(instruction, &books);
            if verdict == Verdict::Unavailable && may_fail(instruction) {
                count_failure(connection, &instruction.reference).await?;
            }
            lines.extend(line);
            answers.push(Answer { verdict, mode });
        }
        write_lines(connection, &lines).await?;
        Ok(answers)
    }
}

/// Whether it fails a few times before it works; how often it did is counted.
fn may_fail(instruction: &Instruction) -> bool {
    instruction.operation == Operation::Authorize && Method::named(&instruction.method) == Method::FailsTwice
}

/// What the books say to an instruction, and the line that they get, if any: what was in them before gets none
/// again.
fn decide<'i>(instruction: &'i Instruction, books: &Books) -> (Verdict, Option<Line<'i>>) {
    let verdict = books.decide(instruction);
    let line = match &verdict {
        Verdict::CarriedOut { .. } => Some(Line::of(instruction, instruction.operation.name(), None)),
        Verdict::Declined(reason) if books.standing() == Standing::Open => {
            Some(Line::of(instruction, "decline", Some(reason.clone())))
        }
        _ => None,
    };
    (verdict, line)
}

/// A line of the ledger, with its columns' names.
#[derive(Serialize)]
struct Line<'a> {
    at: i64,
    reference: &'a str,
    operation: &'static str,
    order_id: String,
    amount: i64,
    currency: &'a str,
    idempotency_key: &'a str,
    reason: Option<String>,
}

impl<'a> Line<'a> {
    fn of(instruction: &'a Instruction, operation: &'static str, reason: Option<String>) -> Self {
        Self {
            at: i64::try_from(Timestamp::now().as_millis()).unwrap_or(i64::MAX),
            reference: &instruction.reference.0,
            operation,
            order_id: instruction.order_id.to_string(),
            amount: instruction.amount.amount,
            currency: instruction.amount.currency.as_str(),
            idempotency_key: &instruction.key.0,
            reason,
        }
    }
}

async fn write_lines(connection: &mut SqliteConnection, lines: &[Line<'_>]) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO ledger (at, reference, operation, order_id, amount, currency, idempotency_key, reason)
         SELECT value ->> 'at', value ->> 'reference', value ->> 'operation', value ->> 'order_id',
                value ->> 'amount', value ->> 'currency', value ->> 'idempotency_key', value ->> 'reason'
         FROM jsonb_each(?1) ORDER BY jsonb_each.key",
    )
    .bind(Json(lines))
    .execute(connection)
    .await?;
    Ok(())
}

async fn count_of_failures(
    connection: &mut SqliteConnection,
    reference: &Reference,
) -> Result<u32, sqlx::Error> {
    let select = sqlx::query_scalar("SELECT times FROM failure WHERE reference = ?1").bind(&reference.0);
    Ok(select.fetch_optional(connection).await?.unwrap_or_default())
}

async fn count_failure(connection: &mut SqliteConnection, reference: &Reference) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO failure VALUES (?1, 1) ON CONFLICT DO UPDATE SET times = times + 1")
        .bind(&reference.0)
        .execute(connection)
        .await?;
    Ok(())
}
