//! What the others are told of a step: `order.confirmed` or `order.cancelled`, into the outbox.

use std::collections::HashMap;

use events::{OrderCancelled, OrderId, kind, topic};
use messaging::{Event, outbox};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};

use super::{
    super::{
        SOURCE, StoreError,
        row::{OrderRow, order_columns},
    },
    Advance, Change,
};
use crate::{
    order::Order,
    saga::{Announcement, Decision},
};

/// Says what was decided of each order, where that is to be told; answers those orders, as they are now.
pub(super) async fn announce(
    connection: &mut SqliteConnection,
    advances: &[&Advance],
    decisions: &[Decision],
) -> Result<HashMap<OrderId, Order>, StoreError> {
    let told: Vec<(&Advance, Announcement)> = advances
        .iter()
        .zip(decisions)
        .filter_map(|(advance, decision)| Some((*advance, decision.announce?)))
        .collect();
    if told.is_empty() {
        return Ok(HashMap::new());
    }
    let orders = orders(connection, told.iter().map(|(advance, _)| advance.change.order)).await?;
    for (Advance { change, cause, .. }, announcement) in told {
        let order = orders.get(&change.order).ok_or(StoreError::NoSuchOrder(change.order))?;
        let event = announcing(order, announcement, change, cause.as_ref());
        outbox::add(connection, topic::ORDERS, &event).await?;
    }
    Ok(orders)
}

async fn orders(
    connection: &mut SqliteConnection,
    ids: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Order>, StoreError> {
    let rows: Vec<OrderRow> = sqlx::query_as(concat!(
        "SELECT ",
        order_columns!(),
        " FROM orders WHERE id IN (SELECT value FROM json_each(?))"
    ))
    .bind(Json(ids.collect::<Vec<_>>()))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Order::try_from(row).map(|order| (order.id, order))).collect()
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
