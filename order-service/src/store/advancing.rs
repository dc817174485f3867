//! Taking an order one step further: read its state, let the saga decide, write by compare-and-set,
//! publish what follows. On the caller's transaction.

use std::time::Duration;

use events::{CancelReason, OrderCancelled, OrderId, kind, topic};
use messaging::{Event, outbox};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use super::{
    SOURCE, Store, StoreError,
    row::{OrderRow, StateRow, millis, order_columns},
};
use crate::{
    notes,
    order::{Attention, Happening, Order},
    saga::{self, Announcement, Decision, Input, State},
};

/// One thing that happened to an order.
#[derive(Debug, Clone)]
pub struct Change {
    /// To which order.
    pub order: OrderId,
    /// What the saga makes of it.
    pub input: Input,
    /// What it is called in the timeline.
    pub what: String,
    /// What there is to say of it.
    pub detail: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The trace that it is part of, where no event caused it.
    pub traceparent: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The saga decided.
    Decided(Decision),
    /// The event was handled before.
    Repeated,
}

impl Store {
    /// Hears an event, once.
    ///
    /// # Errors
    /// When the database fails, or there is no such order; nothing has changed then, and the event may be
    /// heard again.
    pub async fn hear(&self, event: &Event, change: Change, grace: Duration) -> Result<Outcome, StoreError> {
        let (cause, order) = (event.clone(), change.order);
        let heard = self.database.hear(SOURCE, event, move |connection| {
            Box::pin(async move { advance(connection, &change, Some(&cause), grace).await })
        });
        let outcome = heard.await?.unwrap_or(Outcome::Repeated);
        self.tell(order, outcome);
        Ok(outcome)
    }

    /// Does what the customer or the clock asks for.
    ///
    /// # Errors
    /// When the database fails, or there is no such order; nothing has changed then.
    pub async fn advance(&self, change: Change, grace: Duration) -> Result<Outcome, StoreError> {
        let order = change.order;
        let advanced = self.database.write(move |connection| {
            Box::pin(async move { advance(connection, &change, None, grace).await })
        });
        let outcome = advanced.await?;
        self.tell(order, outcome);
        Ok(outcome)
    }

    /// Wakes who waits for what was just committed.
    fn tell(&self, order: OrderId, outcome: Outcome) {
        if let Outcome::Decided(Decision { announce: Some(announcement), .. }) = outcome {
            self.outbox.notify();
            self.changes.tell(order);
            let status = match announcement {
                Announcement::Confirmed => "confirmed",
                Announcement::Cancelled(reason) => reason.as_str(),
            };
            metrics::counter!("orders_decided_total", "outcome" => status).increment(1);
            tracing::debug!(order_id = %order, outcome = status, "order_decided");
        }
    }
}

async fn advance(
    connection: &mut SqliteConnection,
    change: &Change,
    cause: Option<&Event>,
    grace: Duration,
) -> Result<Outcome, StoreError> {
    let row: Option<StateRow> = sqlx::query_as(
        "SELECT status, reason, stock, payment, deadline, owed_by, attention FROM orders WHERE id = ?",
    )
    .bind(change.order.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    let row = row.ok_or(StoreError::NoSuchOrder(change.order))?;
    let state = row.state(change.order)?;
    let decision = saga::decide(&state, change.input);
    let happenings = notes::happenings(change, &decision);
    if decision.next == state && happenings.is_empty() {
        return Ok(Outcome::Decided(decision));
    }
    let write = Write {
        order: change.order,
        before: state,
        next: decision.next,
        owed_by: owed_by(&row, &decision, change.at, grace),
        attention: notes::attention(row.attention.0, change, &decision),
        happenings,
        at: change.at,
    };
    write.run(connection, decision.announce.map(|announcement| (announcement, change, cause))).await?;
    Ok(Outcome::Decided(decision))
}

/// Until when what is owed should have been heard of: set when it begins to be owed; once overdue it
/// was said, and is not said again.
fn owed_by(row: &StateRow, decision: &Decision, now: Timestamp, grace: Duration) -> Option<i64> {
    let overdue = matches!(decision.remark, saga::Remark::Overdue(_));
    let told = row.attention.iter().any(|attention| attention.what == notes::OVERDUE);
    if overdue || told || decision.next.owed().is_none() {
        return None;
    }
    Some(row.owed_by.unwrap_or_else(|| millis(now.plus(grace))))
}

/// The one write of a step.
struct Write {
    order: OrderId,
    before: State,
    next: State,
    owed_by: Option<i64>,
    attention: Vec<Attention>,
    happenings: Vec<Happening>,
    at: Timestamp,
}

impl Write {
    /// Writes, and where there is something to announce, puts it into the outbox.
    async fn run(
        self,
        connection: &mut SqliteConnection,
        announce: Option<(Announcement, &Change, Option<&Event>)>,
    ) -> Result<(), StoreError> {
        let Some((announcement, change, cause)) = announce else {
            let written = self.query(UPDATE).execute(connection).await?;
            return if written.rows_affected() == 1 {
                Ok(())
            } else {
                Err(StoreError::ChangedMeanwhile(self.order))
            };
        };
        let row = self.query(UPDATE_AND_READ).fetch_optional(&mut *connection).await?;
        let row = row.ok_or(StoreError::ChangedMeanwhile(self.order))?;
        let order = Order::try_from(<OrderRow as sqlx::FromRow<_>>::from_row(&row)?)?;
        let event = announcing(&order, announcement, change, cause);
        outbox::add(connection, topic::ORDERS, &event).await?;
        Ok(())
    }

    fn query(
        &self,
        text: &'static str,
    ) -> sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
        sqlx::query(text)
            .bind(self.next.status.name())
            .bind(self.next.status.reason().map(CancelReason::as_str))
            .bind(self.next.stock)
            .bind(self.next.payment)
            .bind(self.next.deadline)
            .bind(self.owed_by)
            .bind(Json(self.attention.clone()))
            .bind(millis(self.at))
            .bind(appended(&self.happenings, ","))
            .bind(self.order.to_string())
            .bind(self.before.status.name())
            .bind(self.before.stock)
            .bind(self.before.payment)
            .bind(self.before.deadline)
    }
}

/// The compare-and-set: nothing is written unless the state is the one that was decided on.
macro_rules! update {
    () => {
        "UPDATE orders SET status = ?, reason = ?, stock = ?, payment = ?, deadline = ?, owed_by = ?, \
         attention = ?, updated_at = max(updated_at, ?), timeline = timeline || ? \
         WHERE id = ? AND status = ? AND stock = ? AND payment = ? AND deadline = ?"
    };
}

const UPDATE: &str = update!();
const UPDATE_AND_READ: &str = concat!(update!(), " RETURNING ", order_columns!());

/// What a timeline is appended by: JSON objects with commas between them, after `before`.
pub(super) fn appended(happenings: &[Happening], before: &str) -> String {
    let mut text = String::new();
    for happening in happenings {
        text.push_str(if text.is_empty() { before } else { "," });
        text.push_str(&serde_json::to_string(happening).expect("texts and times are always JSON"));
    }
    text
}

/// The event that tells the others.
fn announcing(order: &Order, announcement: Announcement, change: &Change, cause: Option<&Event>) -> Event {
    let told = order.as_told();
    match announcement {
        Announcement::Confirmed => event(order, kind::ORDER_CONFIRMED, &told, change, cause),
        Announcement::Cancelled(reason) => {
            let cancelled = OrderCancelled { order: told, reason };
            event(order, kind::ORDER_CANCELLED, &cancelled, change, cause)
        }
    }
}

fn event(order: &Order, kind: &str, data: &impl Serialize, change: &Change, cause: Option<&Event>) -> Event {
    let id = order.id.to_string();
    let event =
        cause.map_or_else(|| Event::new(SOURCE, kind, data), |cause| cause.caused(SOURCE, kind, data));
    let event = event.with_subject(&id).with_partition_key(&id).with_correlation_id(&id);
    match &change.traceparent {
        Some(traceparent) => event.with_traceparent(traceparent),
        None => event,
    }
}
