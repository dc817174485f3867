//! The service behind a real broker: events in, events out, dead letters looked at and redriven, two
//! instances that compete.

use std::{path::Path, sync::Arc, time::Duration};

use events::{Order, kind, queue, topic};
use messaging::{
    Event, topology,
    transport::{self, Destination, Transport},
};
use payment_service::config::Config;
use reqwest::Method;
use serde_json::{Value, json};
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
        let service = Served::start(Config::new(folder.join("payment"), broker.clone())).await;
        let transport = transport::connect(&broker, None).unwrap();
        topology::declare(&transport, &events::topology(), &stop).await.unwrap();
        Self { broker, service, transport, _stop: stop.drop_guard() }
    }

    /// Another instance of the service on the same data folder.
    async fn beside(&self, folder: &Path) -> Served {
        Served::start(Config::new(folder.join("payment"), self.broker.clone())).await
    }

    async fn publish(&self, events: &[Event]) {
        for published in self.transport.publish(&Destination::topic(topic::ORDERS), events).await {
            published.unwrap();
        }
    }

    async fn play(&self, mode: &str) {
        let answer = self.service.call(Method::PUT, "/sandbox", &json!({"mode": mode}).to_string()).await;
        assert!(answer.status().is_success());
    }

    /// Waits until an order's payment is in that state.
    async fn until(&self, order: &Order, state: &str) -> Value {
        let path = format!("/payments/{}", order.order_id);
        until(&path, || async {
            let answer = self.service.get(&path).await.json().await.unwrap();
            let answer: Value = answer;
            (answer["state"] == state).then_some(answer)
        })
        .await
    }

    /// What the gateway carried out for an order.
    async fn ledger(&self, order: &Order) -> Vec<String> {
        let page = self.service.json(&format!("/sandbox/ledger?order={}", order.order_id)).await;
        let operation = |line: &Value| line["operation"].as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(operation).collect()
    }

    /// Waits for so many messages in a queue, and gives their types.
    async fn told(&self, queue: &str, count: usize) -> Vec<String> {
        let url = format!("{}/queues/{queue}/messages?limit=1000", self.broker);
        let list = until(&url, || async {
            let list: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
            (list["items"].as_array().is_some_and(|items| items.len() >= count)).then_some(list)
        })
        .await;
        let kind = |item: &Value| item["message"]["type"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(kind).collect()
    }

    /// Waits for the dead letter of an event that has been redriven so often, with its history.
    async fn dead_letter(&self, event: &Event, redriven: u64) -> Value {
        let url = format!("{}/queues/{}/dead-letters/{}", self.broker, queue::PAYMENT_ORDERS, event.id());
        until(&url, || async {
            let answer = reqwest::get(&url).await.unwrap();
            let letter: Value = answer.json().await.unwrap();
            (letter["redrive_count"] == redriven).then_some(letter)
        })
        .await
    }

    async fn redrive(&self, event: &Event) {
        let url = format!("{}/queues/{}/dead-letters/redrive", self.broker, queue::PAYMENT_ORDERS);
        let body = json!({"ids": [event.id()]}).to_string();
        let answer = reqwest::Client::new().post(url).body(body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["redriven"], 1, "{answer}");
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
async fn orders_come_in_and_payments_go_out() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let order = order("pm_card_visa");
    running.publish(&[placed(&order), confirmed(&order), cancelled(&order)]).await;
    let shown = running.until(&order, "refunded").await;
    assert_eq!(shown["amount"], json!({"amount": 1299, "currency": "EUR"}));
    let steps: Vec<_> =
        shown["attempts"].as_array().unwrap().iter().map(|attempt| attempt["operation"].clone()).collect();
    assert_eq!(steps, ["authorize", "capture", "refund"]);
    assert_eq!(running.ledger(&order).await, ["authorize", "capture", "refund"]);
    let told = running.told(queue::ORDER_PAYMENTS, 3).await;
    assert_eq!(told, [kind::PAYMENT_AUTHORIZED, kind::PAYMENT_CAPTURED, kind::PAYMENT_REFUNDED]);
    until("ready", || async {
        let answer = running.service.get("/readyz").await;
        answer.status().is_success().then_some(Value::Null)
    })
    .await;
    running.service.stop().await;
}

#[tokio::test]
async fn a_gateway_that_stays_away_makes_a_dead_letter_after_three_deliveries_and_again_after_a_redrive() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let order = order("pm_sandbox_unavailable");
    let event = placed(&order);
    running.publish(std::slice::from_ref(&event)).await;
    for redriven in 0..2 {
        let letter = running.dead_letter(&event, redriven).await;
        assert_eq!(letter["delivery_count"], 3);
        let history = letter["history"].as_array().unwrap();
        assert_eq!(history.len() as u64, 3 * (redriven + 1));
        for entry in history {
            assert!(entry["reason"].as_str().unwrap().contains("503 Service Unavailable"), "{entry}");
        }
        if redriven == 0 {
            running.redrive(&event).await;
        }
    }
    let open = running.service.json("/payments?open=true").await;
    assert_eq!(open, json!({"items": []}), "nothing is under way at the gateway");
    assert_eq!(running.ledger(&order).await, [""; 0]);
}

#[tokio::test]
async fn dead_letters_of_an_outage_are_paid_when_redriven_but_not_if_cancelled_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.play("down").await;
    let (wanted, unwanted) = (order("pm_card_visa"), order("pm_card_visa"));
    let events = [placed(&wanted), placed(&unwanted)];
    running.publish(&events).await;
    for event in &events {
        running.dead_letter(event, 0).await;
    }
    running.play("up").await;
    running.publish(&[cancelled(&unwanted)]).await;
    running.until(&unwanted, "voided").await;
    for event in &events {
        running.redrive(event).await;
    }
    running.until(&wanted, "authorized").await;
    let nothing_waits = || async {
        let url = format!("{}/queues/{}", running.broker, queue::PAYMENT_ORDERS);
        let shown: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let counts = &shown["counts"];
        (counts["ready"] == 0 && counts["leased"] == 0 && counts["delayed"] == 0).then_some(Value::Null)
    };
    until("an empty queue", nothing_waits).await;
    assert_eq!(running.ledger(&wanted).await, ["authorize"]);
    assert_eq!(running.ledger(&unwanted).await, ["void"], "its reference was closed, no money moved");
}

#[tokio::test]
async fn two_instances_on_one_folder_compete_and_each_order_is_handled_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let other = running.beside(folder.path()).await;
    let orders: Vec<_> = (0..100).map(|_| order("pm_card_visa")).collect();
    let events: Vec<_> = orders.iter().flat_map(|order| [placed(order), confirmed(order)]).collect();
    running.publish(&events).await;
    for order in &orders {
        running.until(order, "captured").await;
        assert_eq!(running.ledger(order).await, ["authorize", "capture"]);
    }
    assert_eq!(running.told(queue::ORDER_PAYMENTS, 200).await.len(), 200);
    other.stop().await;
}

#[tokio::test]
async fn a_slow_gateway_does_not_make_orders_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.play("slow").await;
    let orders: Vec<_> = (0..150).map(|_| order("pm_card_visa")).collect();
    running.publish(&orders.iter().map(placed).collect::<Vec<_>>()).await;
    for order in &orders {
        running.until(order, "authorized").await;
    }
    let began: Vec<_> = running.service.json("/sandbox/ledger?limit=1000").await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["at"].as_str().unwrap().parse::<units::Timestamp>().unwrap())
        .collect();
    assert_eq!(began.len(), orders.len());
    let took = began[began.len() - 1].since(began[0]);
    assert!(took < Duration::from_secs(20), "one after the other they take 5 minutes, not {took:?}");
}

#[tokio::test]
async fn a_poison_message_stops_nothing_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let order = order("pm_card_visa");
    let poison =
        Event::new("/test", "weather.changed", &"rain").with_partition_key(order.order_id.to_string());
    running.publish(&[poison.clone(), placed(&order)]).await;
    running.until(&order, "authorized").await;
    let letter = running.dead_letter(&poison, 0).await;
    assert_eq!(letter["delivery_count"], 1);
    assert!(letter["reason"].as_str().unwrap().contains("weather.changed"), "{letter}");
}
