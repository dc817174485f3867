//! Our own broker, held to the suite; and the suite, held to find out who promises too much.

use std::sync::Arc;

use async_trait::async_trait;
use messaging::{
    Destination, Event, Topology, Transport,
    conformance::{self, DeadLetter, Engine},
    transport::{Delivery, Guarantee, PublishError, Receive, Settled, Settlement, TransportError, Verdict},
};
use tokio::sync::Mutex;

use crate::broker::Broker;

struct OurBroker {
    broker: Mutex<Broker>,
    url: String,
}

impl OurBroker {
    async fn start() -> Self {
        let broker = Broker::start().await;
        Self { url: broker.url(), broker: Mutex::new(broker) }
    }
}

#[async_trait]
impl Engine for OurBroker {
    fn transport(&self) -> Arc<dyn Transport> {
        messaging::transport::connect(&self.url, None).unwrap()
    }

    async fn restart(&self) {
        let mut broker = self.broker.lock().await;
        broker.stop();
        broker.start_again().await;
    }

    async fn dead_letters(&self, queue: &str) -> Vec<DeadLetter> {
        let page = self.broker.lock().await.get(&format!("/queues/{queue}/dead-letters")).await;
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| DeadLetter { id: text(&item["id"]), reason: text(&item["reason"]) }).collect()
    }
}

#[tokio::test]
async fn our_broker_keeps_every_promise() {
    let report = conformance::run(&OurBroker::start().await, "conformance").await;
    println!("{report}");
    assert!(report.is_kept(), "{report}");
    assert!(report.rows.iter().all(|row| row.verdict == Verdict::Holds));
}

/// Our broker behind a transport that doubles what it publishes, forgets who holds what, and owns up to
/// having no order.
struct Sloppy(OurBroker);

#[derive(Debug)]
struct SloppyTransport(Arc<dyn Transport>);

#[async_trait]
impl Engine for Sloppy {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(SloppyTransport(self.0.transport()))
    }

    async fn restart(&self) {
        self.0.restart().await;
    }

    async fn dead_letters(&self, queue: &str) -> Vec<DeadLetter> {
        self.0.dead_letters(queue).await
    }
}

#[async_trait]
impl Transport for SloppyTransport {
    fn system(&self) -> &'static str {
        "sloppy"
    }

    fn guarantee(&self, guarantee: Guarantee) -> Verdict {
        if guarantee == Guarantee::OrderByKey { Verdict::NotGuaranteed } else { Verdict::Emulated }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.0.declare(topology).await
    }

    async fn publish(&self, to: &Destination, events: &[Event]) -> Vec<Result<(), PublishError>> {
        let renamed: Vec<Event> =
            events.iter().map(|event| event.clone().with_id(Event::new("/s", "t", &1).id())).collect();
        self.0.publish(to, &renamed).await
    }

    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError> {
        self.0.receive(queue, receive).await
    }

    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError> {
        let settled = self.0.settle(queue, settlements).await?;
        Ok(settled.into_iter().map(|_| Settled::Done).collect())
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.0.ready().await
    }
}

#[tokio::test]
async fn a_transport_that_promises_too_much_is_found_out_and_one_that_owns_up_is_not_blamed() {
    let report = conformance::run(&Sloppy(OurBroker::start().await), "conformance").await;
    let broken = |guarantee| report.rows.iter().any(|row| row.guarantee == guarantee && row.broken.is_some());
    assert!(broken(Guarantee::Deduplication) && broken(Guarantee::FencedReceipts), "{report}");
    assert!(broken(Guarantee::DurableConfirm), "{report}");
    assert!(!broken(Guarantee::OrderByKey) && !broken(Guarantee::NackDelay), "{report}");
    assert!(report.to_string().contains("| OrderByKey | not guaranteed |"));
    assert_eq!(report.rows.len(), Guarantee::ALL.len());
}
