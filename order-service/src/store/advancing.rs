//! Taking orders one step further: read their states, let the saga decide, write by compare-and-set
//! (`advancing/writing.rs`), publish what follows (`advancing/announcing.rs`). In one transaction, and in
//! one go for all orders of which something was heard at once.

mod announcing;
mod writing;

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use events::OrderId;
use messaging::{Batched, Event};
use sqlx::{SqliteConnection, types::Json};
use units::Timestamp;

use self::writing::Write;
use super::{
    SOURCE, Store, StoreError,
    row::{StateRow, millis},
};
use crate::{
    notes,
    order::{Happening, Order},
    saga::{self, Announcement, Decision, Input},
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
        let advance = Advance { change, cause: Some(event.clone()), grace };
        let heard = self.database.hear_batched(SOURCE, event, advance).await?;
        Ok(heard.map_or(Outcome::Repeated, |advanced| Outcome::Decided(self.tell(advanced))))
    }

    /// Does what the customer or the clock asks for.
    ///
    /// # Errors
    /// When the database fails, or there is no such order; nothing has changed then.
    pub async fn advance(&self, change: Change, grace: Duration) -> Result<Outcome, StoreError> {
        let advance = Advance { change, cause: None, grace };
        let advanced = self.database.write_batched(advance).await?;
        Ok(Outcome::Decided(self.tell(advanced)))
    }

    /// Wakes who waits for what was just committed.
    fn tell(&self, Advanced { decision, order }: Advanced) -> Decision {
        if let (Some(announcement), Some(order)) = (decision.announce, order) {
            self.outbox.notify();
            let status = match announcement {
                Announcement::Confirmed => "confirmed",
                Announcement::Cancelled(reason) => reason.as_str(),
            };
            metrics::counter!("orders_decided_total", "outcome" => status).increment(1);
            tracing::debug!(order_id = %order.id, outcome = status, "order_decided");
            self.changes.tell(order);
        }
        decision
    }
}

/// What a change came to.
struct Advanced {
    decision: Decision,
    /// The order from now on, where the others are told of it.
    order: Option<Order>,
}

/// A change that is to be carried out, and the event that caused it.
struct Advance {
    change: Change,
    cause: Option<Event>,
    grace: Duration,
}

#[async_trait]
impl Batched for Advance {
    type Key = OrderId;
    type Done = Advanced;
    type Error = StoreError;

    fn key(&self) -> OrderId {
        self.change.order
    }

    async fn carry_out(
        connection: &mut SqliteConnection,
        advances: &[&Self],
    ) -> Result<Vec<Advanced>, StoreError> {
        let mut states = states(connection, advances).await?;
        let (mut decisions, mut writes) = (Vec::new(), Vec::new());
        for advance in advances {
            let row = states.remove(&advance.key().to_string());
            let (decision, write) = advance.decide(&row.ok_or(StoreError::NoSuchOrder(advance.key()))?)?;
            decisions.push(decision);
            writes.extend(write);
        }
        writing::write(connection, &writes).await?;
        let mut told = announcing::announce(connection, advances, &decisions).await?;
        let advanced = advances.iter().zip(decisions);
        Ok(advanced
            .map(|(advance, decision)| Advanced { decision, order: told.remove(&advance.key()) })
            .collect())
    }
}

impl Advance {
    /// What the saga decides, and what of that is to be written, if anything.
    fn decide(&self, row: &StateRow) -> Result<(Decision, Option<Write>), StoreError> {
        let state = row.state()?;
        let decision = saga::decide(&state, self.change.input);
        let happenings = notes::happenings(&self.change, &decision);
        if decision.next == state && happenings.is_empty() {
            return Ok((decision, None));
        }
        let owed_by = owed_by(row, &decision, self.change.at, self.grace);
        let attention = notes::attention(row.attention.0.clone(), &self.change, &decision);
        let write = Write::new(&self.change, state, decision.next, owed_by, attention, &happenings);
        Ok((decision, Some(write)))
    }
}

/// What decides of the orders, by id.
async fn states(
    connection: &mut SqliteConnection,
    advances: &[&Advance],
) -> Result<HashMap<String, StateRow>, sqlx::Error> {
    let orders: Vec<OrderId> = advances.iter().map(|advance| advance.key()).collect();
    let rows: Vec<StateRow> = sqlx::query_as(
        "SELECT id, status, reason, stock, payment, deadline, owed_by, attention FROM orders
         WHERE id IN (SELECT value FROM json_each(?))",
    )
    .bind(Json(orders))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
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

/// What a timeline is appended by: JSON objects with commas between them, after `before`.
pub(super) fn appended(happenings: &[Happening], before: &str) -> String {
    let mut text = String::new();
    for happening in happenings {
        text.push_str(if text.is_empty() { before } else { "," });
        text.push_str(&serde_json::to_string(happening).expect("texts and times are always JSON"));
    }
    text
}
