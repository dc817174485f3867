//! A real broker in this process, and what the other services would do with it.

use std::{sync::Arc, time::Duration};

use messaging::{
    Destination, Event, Transport, topology,
    transport::{self, Mode, Receive, Settle, Settlement},
};
use serde_json::Value;
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running broker that holds the pipeline's topology.
pub(crate) struct BrokerAt {
    pub(crate) url: String,
    transport: Arc<dyn Transport>,
    _folder: TempDir,
    _stop: DropGuard,
}

impl BrokerAt {
    pub(crate) async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }

    pub(crate) async fn start_on(listener: TcpListener) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (folder, ready, stop) = (TempDir::new().unwrap(), Ready::new(), CancellationToken::new());
        let config = broker::Config::new(folder.path());
        tokio::spawn(broker::run(listener, config, ready.clone(), stop.clone()));
        ready.wait().await;
        let transport = transport::connect(&url, None).unwrap();
        assert!(topology::declare(&transport, &events::topology(), &stop).await.unwrap());
        Self { url, transport, _folder: folder, _stop: stop.drop_guard() }
    }

    /// Publishes to a topic, as another service would.
    pub(crate) async fn say(&self, topic: &str, event: Event) {
        for result in self.transport.publish(&Destination::topic(topic), &[event]).await {
            result.unwrap();
        }
    }

    /// Receives from a queue, as another service would, until there are `count` events.
    pub(crate) async fn hear(&self, queue: &str, count: usize) -> Vec<Event> {
        let mut heard = Vec::new();
        let hearing = async {
            while heard.len() < count {
                let deliveries = self.transport.receive(queue, &receive()).await.unwrap();
                let settlements: Vec<_> = deliveries
                    .iter()
                    .map(|delivery| {
                        let receipt = delivery.lease.as_ref().unwrap().receipt.clone();
                        Settlement { receipt, settle: Settle::Ack }
                    })
                    .collect();
                if !settlements.is_empty() {
                    self.transport.settle(queue, &settlements).await.unwrap();
                }
                heard.extend(deliveries.into_iter().map(|delivery| delivery.event.unwrap()));
            }
        };
        timeout(PATIENCE, hearing).await.unwrap();
        heard
    }

    /// What the broker answers.
    pub(crate) async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }
}

fn receive() -> Receive {
    Receive {
        max: 100,
        wait: Duration::from_secs(1),
        consumer: "test".to_owned(),
        mode: Mode::Leased { lease: Duration::from_secs(30), receive_id: events::OrderId::new().to_string() },
    }
}
