//! A running order-service, and what tests ask of it.

use std::{path::Path, time::Duration};

use events::OrderId;
use messaging::{Event, Handler};
use order_service::{
    Config,
    handlers::Hearing,
    saga::Queue,
    store::{SOURCE, Store},
};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A broker's address where none listens.
pub(crate) const NO_BROKER: &str = "http://127.0.0.1:9";

/// A running service with a data folder of its own.
pub(crate) struct Shop {
    pub(crate) url: String,
    pub(crate) client: Client,
    folder: TempDir,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Shop {
    /// Started on an empty folder, without a broker.
    pub(crate) async fn open() -> Self {
        Self::open_with(NO_BROKER, |_| {}).await
    }

    /// Started on an empty folder, with that broker and settings.
    pub(crate) async fn open_with(broker_url: &str, settings: impl FnOnce(&mut Config)) -> Self {
        Self::open_on(TempDir::new().unwrap(), broker_url, settings).await
    }

    /// Started on that folder.
    pub(crate) async fn open_on(
        folder: TempDir,
        broker_url: &str,
        settings: impl FnOnce(&mut Config),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::new(folder.path().to_owned(), broker_url.to_owned());
        settings(&mut config);
        let (ready, stop) = (Ready::new(), CancellationToken::new());
        let running = tokio::spawn(order_service::run(listener, config, ready.clone(), stop.clone()));
        ready.wait().await;
        Self { url, client: Client::new(), folder, stop, running }
    }

    /// Stops it cleanly and gives its folder back.
    pub(crate) async fn close(self) -> TempDir {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.folder
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.client.post(format!("{}{path}", self.url)).body(body).send().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Response {
        self.client.put(format!("{}{path}", self.url)).json(body).send().await.unwrap()
    }

    /// `POST /orders` under that key.
    pub(crate) async fn order(&self, key: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}/orders", self.url)).header("idempotency-key", key);
        request.json(body).send().await.unwrap()
    }

    /// Places a good order and gives its id.
    pub(crate) async fn placed(&self) -> OrderId {
        let response = self.order(&OrderId::new().to_string(), &good_order()).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        id_of(&response.json().await.unwrap())
    }

    /// The order as the service shows it.
    pub(crate) async fn show(&self, id: OrderId) -> Value {
        self.get_json(&format!("/orders/{id}")).await
    }

    /// Another instance on the same folder that hears events without a broker.
    pub(crate) async fn ear(&self) -> Ear {
        Ear { store: Store::open(self.folder()).await.unwrap(), grace: Duration::from_secs(900) }
    }
}

/// Hears events as a second instance on the same data folder does.
pub(crate) struct Ear {
    pub(crate) store: Store,
    pub(crate) grace: Duration,
}

impl Ear {
    /// Hears an event on order.stock; it must go well.
    pub(crate) async fn stock(&self, event: &Event) {
        self.hearing(Queue::Stock).handle(event).await.unwrap();
    }

    /// Hears an event on order.payments; it must go well.
    pub(crate) async fn payments(&self, event: &Event) {
        self.hearing(Queue::Payments).handle(event).await.unwrap();
    }

    pub(crate) fn hearing(&self, queue: Queue) -> Hearing {
        Hearing::new(self.store.clone(), queue, self.grace)
    }
}

/// An order that nothing is wrong with: 2 mugs and 1 coffee-beans.
pub(crate) fn good_order() -> Value {
    json!({
        "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
        "lines": [{"sku": "mug", "quantity": 2}, {"sku": "coffee-beans", "quantity": 1}],
        "payment_method": "pm_card_visa",
    })
}

/// The id of an order's JSON.
pub(crate) fn id_of(order: &Value) -> OrderId {
    order["id"].as_str().unwrap().parse().unwrap()
}

/// What inventory-service says.
pub(crate) fn stock_event(kind: &str, order: OrderId) -> Event {
    let data = match kind {
        "stock.rejected" => json!({"order_id": order, "short": ["mug"]}),
        _ => json!({"order_id": order, "lines": [{"sku": "mug", "quantity": 2}]}),
    };
    Event::new("/inventory-service", kind, &data).with_partition_key(order.to_string())
}

/// What payment-service says.
pub(crate) fn payment_event(kind: &str, order: OrderId) -> Event {
    let amount = json!({"amount": 4497, "currency": "EUR"});
    let data = match kind {
        "payment.declined" | "payment.capture-failed" => {
            json!({"order_id": order, "amount": amount, "reason": "card_declined"})
        }
        _ => json!({"order_id": order, "amount": amount,
                    "customer": {"name": "Ada Lovelace", "email": "ada@example.com"}}),
    };
    Event::new("/payment-service", kind, &data).with_partition_key(order.to_string())
}

/// A deadline's mark, as order-service makes it.
pub(crate) fn mark_event(order: OrderId) -> Event {
    Event::new(SOURCE, order_service::deadline::MARK, &json!({"order_id": order}))
        .with_partition_key(order.to_string())
}

/// Asserts a problem's status and slug, and gives it.
pub(crate) async fn problem(response: Response, status: u16, slug: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
    assert_eq!(problem["status"], status);
    problem
}

/// The fields that a problem names.
pub(crate) fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
}

/// What a timeline says, in order.
pub(crate) fn timeline(order: &Value) -> Vec<&str> {
    order["timeline"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect()
}
