//! Events over a real broker: what is placed is published, what is said is heard, deadlines act.

use std::time::Duration;

use events::{OrderId, queue, topic};
use messaging::Event;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    broker_at::{BrokerAt, PATIENCE},
    shop::{NO_BROKER, Shop, payment_event, stock_event, timeline},
};

/// The order when it is no longer pending.
async fn decided(shop: &Shop, id: OrderId) -> Value {
    let order = shop.get_json(&format!("/orders/{id}?wait=60s")).await;
    assert_ne!(order["status"], "pending", "{order}");
    order
}

/// Looks until the answer is as wanted.
async fn until(broker: &BrokerAt, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let answer = broker.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{path} never answers what is wanted"))
}

#[tokio::test]
async fn an_order_placed_reaches_every_service_that_works_on_it() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |_| {}).await;
    let id = shop.placed().await;
    for queue in [queue::INVENTORY_ORDERS, queue::PAYMENT_ORDERS, queue::EMAIL_ORDERS] {
        let event = broker.hear(queue, 1).await.remove(0);
        assert_eq!(event.kind(), "order.placed");
        assert_eq!(event.partition_key(), Some(id.to_string().as_str()));
        let order: events::Order = event.decode().unwrap();
        assert_eq!((order.order_id, order.total), (id, events::Money::eur(4497)));
    }
}

#[tokio::test]
async fn the_trace_of_the_request_goes_with_the_order() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |_| {}).await;
    let request = shop.client.post(format!("{}/orders", shop.url)).header("idempotency-key", "k");
    let request = request.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    request.json(&crate::shop::good_order()).send().await.unwrap();
    let event = broker.hear(queue::EMAIL_ORDERS, 1).await.remove(0);
    assert!(event.traceparent().unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
}

#[tokio::test]
async fn what_stock_and_payments_say_confirms_the_order_and_that_is_told_after_it_was_placed() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |_| {}).await;
    let id = shop.placed().await;
    broker.say(topic::PAYMENTS, payment_event("payment.authorized", id)).await;
    broker.say(topic::STOCK, stock_event("stock.reserved", id)).await;
    assert_eq!(decided(&shop, id).await["status"], "confirmed");
    let kinds: Vec<_> = broker.hear(queue::PAYMENT_ORDERS, 2).await;
    let kinds: Vec<_> = kinds.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["order.placed", "order.confirmed"]);
}

#[tokio::test]
async fn orders_taken_while_the_broker_is_away_are_told_when_it_is_back() {
    // A port that is free, and is the broker's later.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let shop = Shop::open_with(&format!("http://{address}"), |_| {}).await;
    let placed = [shop.placed().await, shop.placed().await, shop.placed().await];
    let broker = BrokerAt::start_on(TcpListener::bind(address).await.unwrap()).await;
    let heard = broker.hear(queue::INVENTORY_ORDERS, 3).await;
    let mut keys: Vec<_> = heard.iter().map(|event| event.partition_key().unwrap().to_owned()).collect();
    keys.sort_unstable();
    let mut expected = placed.map(|id| id.to_string());
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn an_order_still_pending_at_its_deadline_is_cancelled_and_that_is_told() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |config| config.deadline = Duration::from_millis(300)).await;
    let id = shop.placed().await;
    let order = decided(&shop, id).await;
    assert_eq!(order["reason"], "deadline-passed");
    assert_eq!(timeline(&order), ["order.placed", "deadline-passed", "order.cancelled"]);
    let told = broker.hear(queue::INVENTORY_ORDERS, 2).await;
    let cancelled: events::OrderCancelled = told[1].decode().unwrap();
    assert_eq!((cancelled.order.order_id, cancelled.reason), (id, events::CancelReason::DeadlinePassed));
}

#[tokio::test]
async fn good_answers_that_waited_when_the_deadline_fell_due_are_read_first() {
    // It falls due at once, and can't act while there is no broker.
    let shop = Shop::open_with(NO_BROKER, |config| config.deadline = Duration::from_millis(1)).await;
    let id = shop.placed().await;
    let folder = shop.close().await;
    let broker = BrokerAt::start().await;
    broker.say(topic::PAYMENTS, payment_event("payment.authorized", id)).await;
    broker.say(topic::STOCK, stock_event("stock.reserved", id)).await;
    let shop = Shop::open_on(folder, &broker.url, |_| {}).await;
    assert_eq!(decided(&shop, id).await["status"], "confirmed");
}

#[tokio::test]
async fn a_compensation_that_is_overdue_shows_in_the_order() {
    let broker = BrokerAt::start().await;
    let short = Duration::from_millis(200);
    let settings = |config: &mut order_service::Config| {
        config.deadline = short;
        config.compensation_deadline = short;
    };
    let shop = Shop::open_with(&broker.url, settings).await;
    let id = shop.placed().await;
    broker.say(topic::PAYMENTS, payment_event("payment.authorized", id)).await;
    broker.say(topic::STOCK, stock_event("stock.rejected", id)).await;
    let listed = async {
        while shop.get_json("/orders?attention=true").await["items"].as_array().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, listed).await.unwrap();
    assert_eq!(shop.show(id).await["attention"][0]["what"], "compensation-overdue");
}

#[tokio::test]
async fn a_poison_message_is_a_dead_letter_at_once_and_stops_nothing() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |_| {}).await;
    let id = shop.placed().await;
    let poison =
        Event::new("/inventory-service", "stock.exploded", &json!({})).with_partition_key(id.to_string());
    broker.say(topic::STOCK, poison).await;
    broker.say(topic::STOCK, stock_event("stock.rejected", id)).await;
    assert_eq!(decided(&shop, id).await["reason"], "out-of-stock");
    let dead = until(&broker, "/queues/order.stock/dead-letters", |dead| {
        dead["items"].as_array().is_some_and(|items| items.len() == 1)
    })
    .await;
    assert_eq!(dead["items"][0]["delivery_count"], 1);
    assert!(dead["items"][0]["reason"].as_str().unwrap().contains("stock.exploded"), "{dead}");
}

#[tokio::test]
async fn with_the_broker_there_it_is_ready_without_reserve() {
    let broker = BrokerAt::start().await;
    let shop = Shop::open_with(&broker.url, |_| {}).await;
    let ready = async {
        while shop.get_json("/readyz").await != json!({"status": "ok"}) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, ready).await.unwrap();
}
