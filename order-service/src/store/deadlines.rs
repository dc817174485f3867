//! Which orders' deadlines have fallen due, in the order in which they did.

use events::OrderId;
use units::Timestamp;

use super::{
    Store, StoreError,
    row::{from_millis, millis},
};

/// An order whose deadline fell due. They sort by when, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// The order's number, to go on after it.
    pub number: i64,
    /// Which.
    pub order: OrderId,
}

impl Store {
    /// The first `limit` pending orders that were due by `now`, after one that was seen (its time and
    /// number).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(
        &self,
        now: Timestamp,
        after: (Timestamp, i64),
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT due_at, number, id FROM orders WHERE status = 'pending' AND due_at <= ? \
             AND (due_at, number) > (?, ?) ORDER BY due_at, number LIMIT ?",
        )
        .bind(millis(now))
        .bind(millis(after.0))
        .bind(after.1)
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.into_iter()
            .map(|(at, number, id)| Ok(Due { at: from_millis(at), number, order: order_id(&id)? }))
            .collect()
    }

    /// When the next deadline or compensation falls due, after `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (deadline, owed): (Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT (SELECT min(due_at) FROM orders WHERE status = 'pending' AND due_at > ?), \
             (SELECT min(owed_by) FROM orders WHERE owed_by IS NOT NULL)",
        )
        .bind(millis(now))
        .fetch_one(self.database.reader())
        .await?;
        Ok(deadline.into_iter().chain(owed).min().map(from_millis))
    }

    /// The first `limit` cancelled orders whose compensations should have been heard of by `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM orders WHERE owed_by <= ? ORDER BY owed_by LIMIT ?")
                .bind(millis(now))
                .bind(limit)
                .fetch_all(self.database.reader())
                .await?;
        rows.into_iter().map(|(id,)| order_id(&id)).collect()
    }
}

fn order_id(text: &str) -> Result<OrderId, StoreError> {
    text.parse().map_err(|source: <OrderId as std::str::FromStr>::Err| StoreError::Unreadable {
        what: format!("order {text}"),
        source: source.into(),
    })
}
