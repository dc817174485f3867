//! The whole service on a real broker.

use std::{path::Path, time::Duration};

use email_service::config::Config;
use events::{CancelReason, queue, topic};
use messaging::{
    event::Event,
    topology,
    transport::{self, Destination, Transport},
};
use serde_json::Value;
use serve::program::Ready;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::parts::{cancelled, confirmed, event, order, placed, refunded};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A broker and the service, each on a port of its own.
struct Running {
    broker: String,
    service: String,
    transport: Arc<dyn Transport>,
    _stop: DropGuard,
}

impl Running {
    async fn start(folder: &Path) -> Self {
        let stop = CancellationToken::new();
        let (listener, broker) = listen().await;
        let config = broker::Config::new(folder.join("broker"));
        tokio::spawn(broker::run(listener, config, Ready::new(), stop.clone()));
        let (listener, service) = listen().await;
        let config = Config::new(folder.join("email"), broker.clone());
        tokio::spawn(email_service::run(listener, config, Ready::new(), stop.clone()));
        let transport = transport::connect(&broker, None).unwrap();
        topology::declare(&transport, &events::topology(), &stop).await.unwrap();
        Self { broker, service, transport, _stop: stop.drop_guard() }
    }

    async fn publish(&self, topic: &str, events: &[Event]) {
        for published in self.transport.publish(&Destination::topic(topic), events).await {
            published.unwrap();
        }
    }

    /// GETs until the answer is as wanted.
    async fn until(&self, url: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = reqwest::get(url).await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            if wanted(&answer) {
                return answer;
            }
            assert!(tokio::time::Instant::now() < deadline, "{url} still answers {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn mails(&self, query: &str, number: usize) -> Value {
        let url = format!("{}/emails?{query}", self.service);
        self.until(&url, |list| list["items"].as_array().is_some_and(|items| items.len() >= number)).await
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn the_customer_is_told_of_orders_and_of_refunds() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let order = order();
    let told = [placed(&order), confirmed(&order), cancelled(&order, CancelReason::CancelledByCustomer)];
    running.publish(topic::ORDERS, &told).await;
    running.publish(topic::PAYMENTS, &[refunded(&order)]).await;
    let list = running.mails(&format!("order={}", order.order_id), 4).await;
    let mut kinds: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["order-cancelled", "order-confirmed", "order-received", "order-refunded"]);
}

#[tokio::test]
async fn a_poison_message_is_a_dead_letter_at_once_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (first, second) = (order(), order());
    let poison = event("weather.changed", first.order_id, &"rain");
    running.publish(topic::ORDERS, &[poison, placed(&first), placed(&second)]).await;
    running.mails("", 2).await;
    let url = format!("{}/queues/{}/dead-letters", running.broker, queue::EMAIL_ORDERS);
    let letters =
        running.until(&url, |list| list["items"].as_array().is_some_and(|items| !items.is_empty())).await;
    assert_eq!(letters["items"][0]["delivery_count"], 1);
    assert!(letters["items"][0]["reason"].as_str().unwrap().contains("weather.changed"), "{letters}");
}

#[tokio::test]
async fn it_is_ready_once_the_broker_is_there_and_serves_before() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, broker) = listen().await;
    let (service_listener, service) = listen().await;
    let stop = CancellationToken::new();
    let ready = Ready::new();
    let config = Config::new(folder.path().join("email"), broker);
    // Nobody answers at the broker's place yet.
    let address = listener.local_addr().unwrap();
    drop(listener);
    tokio::spawn(email_service::run(service_listener, config, ready.clone(), stop.clone()));
    tokio::time::timeout(PATIENCE, ready.wait()).await.unwrap();
    let answer = reqwest::get(format!("{service}/readyz")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("/problems/not-ready"));
    assert_eq!(reqwest::get(format!("{service}/healthz")).await.unwrap().status(), 200);
    let listener = TcpListener::bind(address).await.unwrap();
    let config = broker::Config::new(folder.path().join("broker"));
    tokio::spawn(broker::run(listener, config, Ready::new(), stop.clone()));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while reqwest::get(format!("{service}/readyz")).await.unwrap().status() != 200 {
        assert!(tokio::time::Instant::now() < deadline, "still not ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
}
