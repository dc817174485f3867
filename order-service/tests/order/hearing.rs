//! What stock and payments say, in any order, late or twice; and what becomes of the order. The events
//! are heard by a second instance on the same data folder.

use events::OrderId;
use messaging::{Event, Failure, Handler};
use order_service::saga::Queue;
use serde_json::json;

use crate::shop::{Shop, payment_event, stock_event, timeline};

#[tokio::test]
async fn both_good_confirm_the_order_whichever_comes_first() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let (one, other) = (shop.placed().await, shop.placed().await);
    ear.stock(&stock_event("stock.reserved", one)).await;
    assert_eq!(shop.show(one).await["status"], "pending");
    ear.payments(&payment_event("payment.authorized", one)).await;
    ear.payments(&payment_event("payment.authorized", other)).await;
    ear.stock(&stock_event("stock.reserved", other)).await;
    for order in [one, other] {
        assert_eq!(shop.show(order).await["status"], "confirmed");
    }
    let order = shop.show(one).await;
    assert_eq!(timeline(&order), ["order.placed", "stock.reserved", "payment.authorized", "order.confirmed"]);
    assert_eq!(order["timeline"][2]["detail"], "44.97 EUR");
}

#[tokio::test]
async fn either_bad_cancels_the_order_and_says_why() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let (short, poor) = (shop.placed().await, shop.placed().await);
    ear.stock(&stock_event("stock.rejected", short)).await;
    ear.payments(&payment_event("payment.declined", poor)).await;
    let (short, poor) = (shop.show(short).await, shop.show(poor).await);
    assert_eq!((&short["status"], &short["reason"]), (&json!("cancelled"), &json!("out-of-stock")));
    assert_eq!((&poor["status"], &poor["reason"]), (&json!("cancelled"), &json!("payment-declined")));
    assert_eq!(short["timeline"][1]["detail"], "too little of mug");
    assert_eq!(poor["timeline"][1]["detail"], "card_declined");
}

#[tokio::test]
async fn a_capture_refused_for_good_cancels_a_confirmed_order() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let order = shop.placed().await;
    ear.stock(&stock_event("stock.reserved", order)).await;
    ear.payments(&payment_event("payment.authorized", order)).await;
    ear.payments(&payment_event("payment.capture-failed", order)).await;
    let order = shop.show(order).await;
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("payment-failed")));
}

#[tokio::test]
async fn an_event_delivered_twice_takes_effect_once() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let order = shop.placed().await;
    let event = stock_event("stock.reserved", order);
    ear.stock(&event).await;
    ear.stock(&event).await;
    assert_eq!(timeline(&shop.show(order).await), ["order.placed", "stock.reserved"]);
}

#[tokio::test]
async fn what_comes_late_is_recorded_without_effect() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let order = shop.placed().await;
    ear.stock(&stock_event("stock.rejected", order)).await;
    let depth = shop.get_json("/outbox").await["depth"].clone();
    ear.payments(&payment_event("payment.authorized", order)).await;
    ear.stock(&stock_event("stock.rejected", order)).await;
    ear.payments(&payment_event("payment.voided", order)).await;
    let shown = shop.show(order).await;
    assert_eq!(shown["reason"], "out-of-stock");
    let details: Vec<_> =
        shown["timeline"].as_array().unwrap()[3..].iter().map(|e| e["detail"].as_str().unwrap()).collect();
    assert!(details[0].contains("will be undone"), "{details:?}");
    assert!(details[1].contains("recorded, no effect"), "{details:?}");
    assert_eq!(details[2], "44.97 EUR");
    assert_eq!(shop.get_json("/outbox").await["depth"], depth);
}

#[tokio::test]
async fn each_decision_is_told_once_with_the_order_and_its_cause() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let order = shop.placed().await;
    ear.stock(&stock_event("stock.reserved", order)).await;
    let cause = payment_event("payment.authorized", order);
    ear.payments(&cause).await;
    let said = said(&shop).await;
    let kinds: Vec<_> = said.iter().map(|event| event.kind().to_owned()).collect();
    assert_eq!(kinds, ["order.placed", "order.confirmed"]);
    let confirmed: events::Order = said[1].decode().unwrap();
    assert_eq!((confirmed.order_id, confirmed.total), (order, events::Money::eur(4497)));
    assert_eq!(said[1].causation_id(), Some(cause.id()));
    for event in &said {
        assert_eq!(event.partition_key(), Some(order.to_string().as_str()));
        assert_eq!(event.correlation_id(), Some(order.to_string().as_str()));
    }
}

#[tokio::test]
async fn what_contradicts_a_confirmed_order_calls_for_a_person() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let (odd, _fine) = (shop.placed().await, shop.placed().await);
    ear.stock(&stock_event("stock.reserved", odd)).await;
    ear.payments(&payment_event("payment.authorized", odd)).await;
    ear.payments(&payment_event("payment.voided", odd)).await;
    let shown = shop.show(odd).await;
    assert_eq!(
        (&shown["status"], &shown["attention"][0]["what"]),
        (&json!("confirmed"), &json!("contradiction"))
    );
    let list = shop.get_json("/orders?attention=true").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0], shown);
}

#[tokio::test]
async fn what_is_not_understood_or_of_no_known_order_is_refused_for_good() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let hearing = ear.hearing(Queue::Stock);
    for event in [
        stock_event("stock.reserved", OrderId::new()),
        Event::new("/inventory-service", "stock.counted", &json!({})),
        Event::new("/inventory-service", "stock.reserved", &json!({"order_id": 7})),
    ] {
        let failure = hearing.handle(&event).await.unwrap_err();
        assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn what_failed_was_not_heard_and_takes_effect_when_it_comes_again() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let order = shop.placed().await;
    let event = stock_event("stock.rejected", order);
    let pool = database(&shop).await;
    sqlx::query("UPDATE orders SET id = 'away' WHERE id = ?")
        .bind(order.to_string())
        .execute(&pool)
        .await
        .unwrap();
    ear.hearing(Queue::Stock).handle(&event).await.unwrap_err();
    sqlx::query("UPDATE orders SET id = ?").bind(order.to_string()).execute(&pool).await.unwrap();
    ear.stock(&event).await;
    assert_eq!(shop.show(order).await["reason"], "out-of-stock");
}

#[tokio::test]
async fn a_known_event_of_no_interest_is_left_alone() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let placed = said(&shop).await.remove(0);
    shop.ear().await.stock(&placed).await;
    assert_eq!(timeline(&shop.show(order).await), ["order.placed"]);
}

/// What stands in the outbox, oldest first, as the relay would send it.
async fn said(shop: &Shop) -> Vec<Event> {
    let pool = database(shop).await;
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT event FROM outbox ORDER BY position").fetch_all(&pool).await.unwrap();
    rows.into_iter().map(|(json,)| Event::from_json(json.into()).unwrap()).collect()
}

/// The service's database, beside the service.
async fn database(shop: &Shop) -> sqlx::SqlitePool {
    let file = shop.folder().join("order.db");
    sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}
