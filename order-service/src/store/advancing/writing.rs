//! The one write of a step: a compare-and-set for each order, in one statement for all.

use events::{CancelReason, OrderId};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};

use super::{
    super::{StoreError, row::millis},
    Change, appended,
};
use crate::{
    order::{Attention, Happening, StatusName},
    saga::{Deadline, PaymentHeard, State, StockHeard},
};

/// What is written of an order, with its columns' names.
#[derive(Serialize)]
pub(super) struct Write {
    id: OrderId,
    before: Columns,
    next: Columns,
    owed_by: Option<i64>,
    attention: Vec<Attention>,
    at: i64,
    happenings: String,
}

/// An order's state.
#[derive(Serialize)]
struct Columns {
    status: StatusName,
    reason: Option<&'static str>,
    stock: StockHeard,
    payment: PaymentHeard,
    deadline: Deadline,
}

impl Columns {
    fn of(state: State) -> Self {
        let State { status, stock, payment, deadline } = state;
        let reason = status.reason().map(CancelReason::as_str);
        Self { status: status.name(), reason, stock, payment, deadline }
    }
}

impl Write {
    pub(super) fn new(
        change: &Change,
        before: State,
        next: State,
        owed_by: Option<i64>,
        attention: Vec<Attention>,
        happenings: &[Happening],
    ) -> Self {
        Self {
            id: change.order,
            before: Columns::of(before),
            next: Columns::of(next),
            owed_by,
            attention,
            at: millis(change.at),
            happenings: appended(happenings, ","),
        }
    }
}

/// Writes all. Nothing is written of an order whose state is not the one that was decided on.
pub(super) async fn write(connection: &mut SqliteConnection, writes: &[Write]) -> Result<(), StoreError> {
    let Some(first) = writes.first() else { return Ok(()) };
    let written = sqlx::query(
        "UPDATE orders SET status = step ->> '$.next.status', reason = step ->> '$.next.reason',
             stock = step ->> '$.next.stock', payment = step ->> '$.next.payment',
             deadline = step ->> '$.next.deadline', owed_by = step ->> 'owed_by',
             attention = step ->> 'attention', updated_at = max(updated_at, step ->> 'at'),
             timeline = timeline || (step ->> 'happenings')
         FROM (SELECT value AS step FROM jsonb_each(?))
         WHERE id = step ->> 'id' AND status = step ->> '$.before.status'
             AND stock = step ->> '$.before.stock' AND payment = step ->> '$.before.payment'
             AND deadline = step ->> '$.before.deadline'",
    )
    .bind(Json(writes))
    .execute(connection)
    .await?;
    // Of many it is not known which: each is then written alone.
    if written.rows_affected() == writes.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::ChangedMeanwhile(first.id))
    }
}
