//! Receives one queue and counts. At most once by choice: an event is gone from the queue as it is
//! handed out, so what is lost between there and the commit stays lost, and is only owned up to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use events::ParseError;
use messaging::{
    status::Report,
    transport::{Delivery, Mode, Receive, Transport, TransportError},
};
use tokio_util::sync::CancellationToken;
use units::Timestamp;

use crate::{
    store::{Store, StoreError},
    tally::Tally,
};

/// At most so many events are in hand at a time; so many may be lost in one accident.
const MOST: usize = 100;
const MOST_LOST: i64 = 100;
/// How long one receive waits for the first event. It is not cut short at a stop, for what was just
/// handed out would be lost: so it is short.
const WAIT: Duration = Duration::from_millis(500);
/// The pause after something failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Publishers repeat themselves after a crash, and the broker tells repeats within its deduplication
/// window of 5 minutes. An event that is older may be one that was counted before.
const REPEAT_AGE: Duration = Duration::from_secs(300);

/// Counts the events of one queue.
#[derive(Clone)]
pub struct Counter {
    /// Where the events come from.
    pub transport: Arc<dyn Transport>,
    /// Which queue.
    pub queue: &'static str,
    /// Where the counts are kept.
    pub store: Store,
    /// How many events are handed out and not counted yet, of all queues.
    pub in_hand: Arc<AtomicI64>,
    /// Whether it gets what there is to count.
    pub report: Arc<Report>,
}

impl Counter {
    /// Counts until `shutdown`. What is in hand then is counted before it ends.
    pub async fn run(self, shutdown: CancellationToken) {
        if self.until_written(&shutdown, || self.store.begin(self.queue, MOST_LOST)).await.is_none() {
            return;
        }
        let mut missed = 0;
        while !shutdown.is_cancelled() {
            match self.transport.receive(self.queue, &self.receive()).await {
                Ok(deliveries) if deliveries.is_empty() && missed == 0 => self.report.well(),
                Ok(deliveries) => {
                    self.report.well();
                    let tally = tally(&deliveries, Timestamp::now(), std::mem::take(&mut missed));
                    if self.add(deliveries.len(), tally, &shutdown).await.is_none() {
                        // Not counted: the row of `begin` stays, and owns up to it.
                        return;
                    }
                }
                Err(error) => {
                    missed += may_be_lost(&error);
                    self.wait_until_ready(&error, &shutdown).await;
                }
            }
        }
        self.finish(missed).await;
    }

    fn receive(&self) -> Receive {
        Receive { max: MOST, wait: WAIT, consumer: "analytics-service".to_owned(), mode: Mode::AtMostOnce }
    }

    async fn add(&self, events: usize, tally: Tally, shutdown: &CancellationToken) -> Option<()> {
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        self.in_hand.fetch_add(events, Ordering::Relaxed);
        self.until_written(shutdown, || self.store.add(tally.clone())).await?;
        self.in_hand.fetch_sub(events, Ordering::Relaxed);
        metrics::counter!("analytics_events_total", "queue" => self.queue).increment(events.unsigned_abs());
        Some(())
    }

    /// Notes what was missed last, and that nothing is in hand. When that can't be written, the row of
    /// `begin` stays and says more than enough.
    async fn finish(&self, missed: i64) {
        let noted = self.store.add(Tally { missed, ..Tally::default() }).await;
        if let Err(error) = noted.and(self.store.end(self.queue).await) {
            tracing::warn!(error = %messaging::failure::reason(&error), queue = self.queue, "clean_stop_not_noted");
        }
    }

    /// Writes, again after a pause where it fails; `None` when it is time to stop and it still fails.
    async fn until_written<W: Future<Output = Result<(), StoreError>>>(
        &self,
        shutdown: &CancellationToken,
        write: impl Fn() -> W,
    ) -> Option<()> {
        loop {
            let Err(error) = write().await else { return Some(()) };
            tracing::error!(error = %messaging::failure::reason(&error), queue = self.queue, "counts_not_written");
            if shutdown.is_cancelled() {
                return None;
            }
            pause(shutdown).await;
        }
    }

    /// Asks for nothing before the broker says that it is there: each receive that fails may have cost
    /// a batch, so none is tried in vain.
    async fn wait_until_ready(&self, error: &TransportError, shutdown: &CancellationToken) {
        if self.report.trouble(error.to_string()) {
            tracing::warn!(%error, queue = self.queue, "receive_failed");
        }
        loop {
            pause(shutdown).await;
            if shutdown.is_cancelled() || self.transport.ready().await.is_ok() {
                return;
            }
        }
    }
}

async fn pause(shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(PAUSE) => {}
    }
}

/// How many events an answer that did not come may have held.
const fn may_be_lost(error: &TransportError) -> i64 {
    match error {
        TransportError::Unreachable { .. } | TransportError::Protocol(_) => MOST_LOST,
        _ => 0,
    }
}

/// What a batch counts. What can't be read is missed; what is old may be a repeat.
fn tally(deliveries: &[Delivery], now: Timestamp, missed: i64) -> Tally {
    let mut tally = Tally { missed, ..Tally::default() };
    for delivery in deliveries {
        let Ok(event) = &delivery.event else {
            tally.missed += 1;
            continue;
        };
        match events::parse(event) {
            Ok(fact) => {
                let at = event.time().unwrap_or(now);
                tally.doubled += i64::from(now.since(at) > REPEAT_AGE);
                tally.count(&fact, at);
            }
            // Of a type that nobody here counts.
            Err(ParseError::UnknownType(_)) => {}
            Err(_) => tally.missed += 1,
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use events::{Customer, Money, OrderId, Payment, kind};
    use messaging::event::Event;

    use super::*;

    fn captured(at: Timestamp) -> Delivery {
        let customer = Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() };
        let payment = Payment { order_id: OrderId::new(), customer, amount: Money::eur(100) };
        let event = Event::new("/payment-service", kind::PAYMENT_CAPTURED, &payment);
        delivery(Event::from_json(json_at(&event, at).into()))
    }

    /// The event as it would be, had it happened at that time.
    fn json_at(event: &Event, at: Timestamp) -> String {
        let mut json: serde_json::Value = serde_json::from_slice(&event.to_json()).unwrap();
        json["time"] = at.to_string().into();
        json.to_string()
    }

    fn delivery(event: Result<Event, messaging::event::InvalidEvent>) -> Delivery {
        Delivery { event, lease: None, delivery_count: 1 }
    }

    #[test]
    fn what_is_older_than_the_deduplication_window_may_have_been_counted_before() {
        let now = Timestamp::now();
        let old = Timestamp::from_millis(now.as_millis() - 300_001);
        let tally = tally(&[captured(now), captured(old)], now, 0);
        assert_eq!((tally.doubled, tally.captured.values().sum::<i64>()), (1, 200));
    }

    #[test]
    fn what_can_not_be_read_is_missed() {
        let no_event = delivery(Event::from_json("{}".into()));
        let wrong_data = delivery(Ok(Event::new("/x", kind::ORDER_PLACED, &"poison")));
        let not_counted = delivery(Ok(Event::new("/x", "weather.changed", &"rain")));
        assert_eq!(tally(&[no_event, wrong_data, not_counted], Timestamp::now(), 3).missed, 5);
    }

    #[test]
    fn an_answer_that_did_not_come_may_have_held_a_whole_batch() {
        let unreachable = TransportError::Unreachable { detail: String::new(), retry_after: None };
        assert_eq!(may_be_lost(&unreachable), MOST_LOST);
        assert_eq!(may_be_lost(&TransportError::Missing(String::new())), 0);
    }
}
