//! What each trial works with: a topic, two queues that hear it, and short ways to say what is done.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{DeadLetter, Engine};
use crate::{
    event::Event,
    topology::{OnFull, QueueSpec, SubscriptionSpec, Topology},
    transport::{
        Delivery, Destination, Guarantee, Mode, PublishError, Receive, Settle, Settled, Settlement,
        Transport, TransportError,
    },
};

/// What was seen instead of what was promised.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

pub(super) type Checked = Result<(), Broken>;

/// How long a lease runs where the trial does not say.
const LEASE: Duration = Duration::from_secs(30);
/// How long is waited for a delivery that must come.
const WAIT: Duration = Duration::from_secs(5);

pub(super) struct Bench<'a> {
    engine: &'a dyn Engine,
    transport: Arc<dyn Transport>,
    pub(super) topic: String,
    /// Ordered by key.
    pub(super) queue: String,
    /// Not ordered.
    pub(super) other: String,
}

impl From<TransportError> for Broken {
    fn from(error: TransportError) -> Self {
        Self(error.to_string())
    }
}

impl From<PublishError> for Broken {
    fn from(error: PublishError) -> Self {
        Self(error.to_string())
    }
}

/// Holds, or is broken with what was seen.
pub(super) fn hold(condition: bool, seen: impl FnOnce() -> String) -> Checked {
    if condition { Ok(()) } else { Err(Broken(seen())) }
}

impl<'a> Bench<'a> {
    /// Declares what the trial of that promise works with.
    pub(super) async fn new(
        engine: &'a dyn Engine,
        prefix: &str,
        guarantee: Guarantee,
    ) -> Result<Self, Broken> {
        let name = |part: &str| format!("{prefix}.{guarantee:?}.{part}");
        let bench = Self {
            engine,
            transport: engine.transport(),
            topic: name("topic"),
            queue: name("ordered"),
            other: name("other"),
        };
        let queue = |name: &String, ordered_by_key| QueueSpec { name: name.clone(), ordered_by_key };
        let hears = |queue: &String| SubscriptionSpec {
            topic: bench.topic.clone(),
            queue: queue.clone(),
            on_full: OnFull::Reject,
            without_types: vec![],
        };
        let topology = Topology {
            topics: vec![bench.topic.clone()],
            queues: vec![queue(&bench.queue, true), queue(&bench.other, false)],
            subscriptions: vec![hears(&bench.queue), hears(&bench.other)],
        };
        bench.transport.declare(&topology).await?;
        Ok(bench)
    }

    /// The same, after the engine was stopped and started.
    pub(super) async fn after_restart(&self) -> Self {
        self.engine.restart().await;
        Self {
            engine: self.engine,
            transport: self.engine.transport(),
            topic: self.topic.clone(),
            queue: self.queue.clone(),
            other: self.other.clone(),
        }
    }

    pub(super) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.engine.dead_letters(&self.queue).await
    }

    pub(super) fn event(key: &str, n: u32) -> Event {
        Event::new("/conformance", "tried", &n).with_partition_key(key)
    }

    pub(super) async fn publish_to(
        &self,
        to: &Destination,
        events: &[Event],
    ) -> Vec<Result<(), PublishError>> {
        self.transport.publish(to, events).await
    }

    /// To the ordered queue alone.
    pub(super) async fn publish(&self, events: &[Event]) -> Checked {
        let results = self.publish_to(&Destination::queue(&self.queue), events).await;
        results.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(())
    }

    pub(super) fn leased(lease: Duration) -> Mode {
        Mode::Leased { lease, receive_id: Uuid::now_v7().to_string() }
    }

    pub(super) async fn receive(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
        mode: Mode,
    ) -> Result<Vec<Delivery>, Broken> {
        let receive = Receive { max, wait, consumer: "conformance".to_owned(), mode };
        Ok(self.transport.receive(queue, &receive).await?)
    }

    /// The one message that must come from the ordered queue.
    pub(super) async fn one(&self) -> Result<Delivery, Broken> {
        self.one_for(LEASE).await
    }

    pub(super) async fn one_for(&self, lease: Duration) -> Result<Delivery, Broken> {
        let delivery = self.receive(&self.queue, 1, WAIT, Self::leased(lease)).await?.pop();
        delivery.ok_or_else(|| Broken("nothing was delivered".to_owned()))
    }

    /// Nothing comes from the ordered queue.
    pub(super) async fn none(&self, why: &str) -> Checked {
        let deliveries = self.receive(&self.queue, 1, Duration::ZERO, Self::leased(LEASE)).await?;
        hold(deliveries.is_empty(), || format!("something was delivered {why}"))
    }

    /// All that waits in a queue, taken at most as often as there may be messages of one key.
    pub(super) async fn drain(&self, queue: &str) -> Result<Vec<Event>, Broken> {
        let mut events = Vec::new();
        loop {
            let deliveries = self.receive(queue, 100, Duration::ZERO, Self::leased(LEASE)).await?;
            if deliveries.is_empty() {
                return Ok(events);
            }
            for delivery in &deliveries {
                self.settle_in(queue, delivery, Settle::Ack).await?;
                events.push(event_of(delivery)?);
            }
        }
    }

    pub(super) async fn settle(&self, delivery: &Delivery, settle: Settle) -> Result<Settled, Broken> {
        self.settle_in(&self.queue, delivery, settle).await
    }

    async fn settle_in(&self, queue: &str, delivery: &Delivery, settle: Settle) -> Result<Settled, Broken> {
        let Some(lease) = &delivery.lease else { return Err(Broken("a delivery has no lease".to_owned())) };
        let settlement = Settlement { receipt: lease.receipt.clone(), settle };
        let settled = self.transport.settle(queue, &[settlement]).await?;
        settled.first().copied().ok_or_else(|| Broken("a settlement has no result".to_owned()))
    }
}

pub(super) fn event_of(delivery: &Delivery) -> Result<Event, Broken> {
    delivery.event.clone().map_err(|error| Broken(error.to_string()))
}

pub(super) fn id_of(delivery: &Delivery) -> Result<String, Broken> {
    Ok(event_of(delivery)?.id().to_owned())
}

pub(super) fn nack(delay: Duration) -> Settle {
    Settle::Nack { delay: Some(delay), reason: "on trial".to_owned() }
}
