//! Deadlines, durable and fair. An order that is still pending when its deadline falls due is cancelled,
//! but only once all that waited for it in `order.stock` and `order.payments` at that time has been read.
//!
//! How that is known: when the deadline falls due a *mark* is published to both queues, under the order's
//! key. The queues are ordered by key, so a mark is read after whatever waited there for the order, also
//! what was backing off. When both marks have been read, the deadline has passed (`saga`). This needs
//! nothing of the transport but order, works over restarts (due times are stored, marks have fixed ids),
//! and with any number of instances. While the broker is away no deadline acts: nothing can be read.
//!
//! Compensations that are not heard of in time are called to a person's attention here, too.

use std::{sync::Arc, time::Duration};

use events::{OrderId, queue};
use messaging::{Destination, Event, Transport};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use units::Timestamp;

use crate::{
    saga::Input,
    store::{Change, Due, SOURCE, Store, StoreError},
};

/// The type of a mark. No other service ever sees one.
pub const MARK: &str = "order.deadline-mark";

/// How many orders are marked in one go.
const BATCH: u32 = 256;
/// How often all that is due is marked again: marks get lost only as dead letters, so rarely.
const AGAIN: Duration = Duration::from_secs(60);
/// The longest and the shortest time between two looks.
const LOOK: (Duration, Duration) = (Duration::from_secs(30), Duration::from_millis(50));
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The data of a mark.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    order_id: OrderId,
}

/// The order whose deadline an event marks, if it is a mark of ours.
#[must_use]
pub fn marked(event: &Event) -> Option<OrderId> {
    if event.kind() != MARK || event.source() != SOURCE {
        return None;
    }
    event.decode::<Mark>().ok().map(|mark| mark.order_id)
}

/// A mark for an order in a queue. Its id is always the same, so that a repeat is no second message.
fn mark(order: OrderId, queue: &str) -> Event {
    Event::new(SOURCE, MARK, &Mark { order_id: order })
        .with_id(format!("deadline-{queue}-{order}"))
        .with_subject(order.to_string())
        .with_partition_key(order.to_string())
        .with_correlation_id(order.to_string())
}

/// Watches over the deadlines of a database.
#[derive(Debug)]
pub struct Deadlines {
    store: Store,
    transport: Arc<dyn Transport>,
    deadline: Duration,
    /// Up to which order all that is due has been marked.
    marked: (Timestamp, i64),
    mark_again_at: Instant,
}

impl Deadlines {
    /// A watch. `deadline` is the shortest time in which a new order can fall due.
    #[must_use]
    pub fn new(store: Store, transport: Arc<dyn Transport>, deadline: Duration) -> Self {
        Self { store, transport, deadline, marked: START, mark_again_at: Instant::now() + AGAIN }
    }

    /// Watches until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let pause = match self.look().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(error = %messaging::failure::reason(&*error), "deadlines_wait");
                    PAUSE
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Does what is due, and tells when to look again.
    async fn look(&mut self) -> Result<Duration, Box<dyn std::error::Error + Send + Sync>> {
        if Instant::now() >= self.mark_again_at {
            self.marked = START;
            self.mark_again_at = Instant::now() + AGAIN;
        }
        let now = Timestamp::now();
        self.call_attention(now).await?;
        loop {
            let due = self.store.due(now, self.marked, BATCH).await?;
            let Some(last) = due.last() else { break };
            self.publish_marks(&due).await?;
            self.marked = (last.at, last.number);
        }
        let next = self.store.next_due(now).await?;
        let until = next.map_or(LOOK.0, |next| next.since(Timestamp::now()));
        // An order placed while this sleeps falls due no sooner than `deadline` from now.
        Ok(until.min(self.deadline).min(LOOK.0).max(LOOK.1))
    }

    async fn publish_marks(&self, due: &[Due]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        for queue in [queue::ORDER_STOCK, queue::ORDER_PAYMENTS] {
            let marks: Vec<Event> = due.iter().map(|due| mark(due.order, queue)).collect();
            for result in self.transport.publish(&Destination::queue(queue), &marks).await {
                result?;
            }
        }
        tracing::info!(orders = due.len(), "deadlines_due");
        Ok(())
    }

    /// Notes on each order whose compensations are overdue that a person has to look.
    async fn call_attention(&self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let overdue = self.store.overdue(now, BATCH).await?;
            if overdue.is_empty() {
                return Ok(());
            }
            for order in overdue {
                tracing::warn!(order_id = %order, "compensation_overdue");
                let change = Change {
                    order,
                    input: Input::CompensationDue,
                    what: crate::notes::OVERDUE.to_owned(),
                    detail: None,
                    at: now,
                    traceparent: None,
                };
                self.store.advance(change, Duration::ZERO).await?;
            }
        }
    }
}

/// Before the first order.
const START: (Timestamp, i64) = (Timestamp::from_millis(0), 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_order_and_is_the_same_each_time() {
        let order = OrderId::new();
        let (once, again) = (mark(order, queue::ORDER_STOCK), mark(order, queue::ORDER_STOCK));
        assert_eq!(once.id(), again.id());
        assert_ne!(once.id(), mark(order, queue::ORDER_PAYMENTS).id());
        assert_eq!(marked(&once), Some(order));
    }

    #[test]
    fn what_others_say_is_no_mark() {
        let foreign = Event::new("/elsewhere", MARK, &Mark { order_id: OrderId::new() });
        assert_eq!(marked(&foreign), None);
    }
}
