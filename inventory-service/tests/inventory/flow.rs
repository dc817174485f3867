//! The service behind a real broker: events in, events out, two instances that compete.

use std::{path::Path, sync::Arc, time::Duration};

use events::{kind, queue, topic};
use inventory_service::config::Config;
use messaging::{
    Event, topology,
    transport::{self, Destination, Transport},
};
use serde_json::Value;
use serve::program::Ready;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    http::Served,
    scene::{cancelled, confirmed, order, placed},
};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// A broker, and a service on it.
struct Running {
    broker: String,
    service: Served,
    transport: Arc<dyn Transport>,
    _stop: DropGuard,
}

impl Running {
    async fn start(folder: &Path) -> Self {
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broker = format!("http://{}", listener.local_addr().unwrap());
        let config = broker::Config::new(folder.join("broker"));
        tokio::spawn(broker::run(listener, config, Ready::new(), stop.clone()));
        let service = Served::start(Config::new(folder.join("inventory"), broker.clone())).await;
        let transport = transport::connect(&broker, None).unwrap();
        topology::declare(&transport, &events::topology(), &stop).await.unwrap();
        Self { broker, service, transport, _stop: stop.drop_guard() }
    }

    async fn publish(&self, events: &[Event]) {
        for published in self.transport.publish(&Destination::topic(topic::ORDERS), events).await {
            published.unwrap();
        }
    }

    /// Waits for so many messages in a queue, and gives their types.
    async fn told(&self, queue: &str, count: usize) -> Vec<String> {
        let url = format!("{}/queues/{queue}/messages?limit=1000", self.broker);
        let list = until(&url, || async {
            let list: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
            list["items"].as_array().is_some_and(|items| items.len() >= count).then_some(list)
        })
        .await;
        let kind = |item: &Value| item["message"]["type"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(kind).collect()
    }

    /// Waits until nothing waits in the service's queue.
    async fn drained(&self) {
        let url = format!("{}/queues/{}", self.broker, queue::INVENTORY_ORDERS);
        until(&url, || async {
            let shown: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
            let counts = &shown["counts"];
            (counts["ready"] == 0 && counts["leased"] == 0 && counts["delayed"] == 0).then_some(shown)
        })
        .await;
    }
}

/// Looks until there is something to see.
async fn until<F: Future<Output = Option<Value>>>(what: &str, look: impl Fn() -> F) -> Value {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

#[tokio::test]
async fn orders_come_in_and_news_of_the_stock_go_out() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (order, too_much) = (order(&[("mug", 2)]), order(&[("mug", 1_000_001)]));
    running.publish(&[placed(&order), confirmed(&order), cancelled(&order)]).await;
    let told = running.told(queue::ORDER_STOCK, 2).await;
    assert_eq!(told, [kind::STOCK_RESERVED, kind::STOCK_RELEASED]);
    running.publish(&[placed(&too_much)]).await;
    assert_eq!(running.told(queue::ORDER_STOCK, 3).await[2], kind::STOCK_REJECTED);
    let shown = running.service.json(&format!("/reservations/{}", order.order_id)).await;
    assert_eq!(shown["state"], "released");
    until("ready", || async {
        let answer = running.service.get("/readyz").await;
        answer.status().is_success().then_some(Value::Null)
    })
    .await;
    running.service.stop().await;
}

#[tokio::test]
async fn two_instances_on_one_folder_compete_and_each_order_is_handled_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let other = Served::start(Config::new(folder.path().join("inventory"), running.broker.clone())).await;
    let orders: Vec<_> = (0..100).map(|_| order(&[("mug", 1), ("grinder", 2)])).collect();
    let events: Vec<_> = orders.iter().flat_map(|order| [placed(order), confirmed(order)]).collect();
    running.publish(&events).await;
    assert_eq!(running.told(queue::ORDER_STOCK, 100).await, vec![kind::STOCK_RESERVED; 100]);
    running.drained().await;
    for (sku, pieces) in [("mug", 100), ("grinder", 200)] {
        let stock = other.json(&format!("/stock/{sku}")).await;
        assert_eq!((&stock["committed"], &stock["reserved"]), (&Value::from(pieces), &Value::from(0)));
    }
    other.stop().await;
}
