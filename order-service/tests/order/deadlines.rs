//! Deadlines: durable, and acting only once what waited has been read. Marks are heard by a second
//! instance on the same data folder.

use std::time::Duration;

use serde_json::json;
use units::Timestamp;

use crate::shop::{NO_BROKER, Shop, mark_event, payment_event, stock_event, timeline};

#[tokio::test]
async fn a_deadline_acts_when_both_queues_have_been_read() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let id = shop.placed().await;
    ear.stock(&mark_event(id)).await;
    assert_eq!(shop.show(id).await["status"], "pending");
    ear.payments(&mark_event(id)).await;
    let order = shop.show(id).await;
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("deadline-passed")));
    assert_eq!(timeline(&order), ["order.placed", "deadline-passed", "order.cancelled"]);
}

#[tokio::test]
async fn good_answers_that_waited_when_it_fell_due_win() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let id = shop.placed().await;
    ear.stock(&stock_event("stock.reserved", id)).await;
    ear.stock(&mark_event(id)).await;
    ear.payments(&payment_event("payment.authorized", id)).await;
    ear.payments(&mark_event(id)).await;
    let order = shop.show(id).await;
    assert_eq!(order["status"], "confirmed");
    assert_eq!(timeline(&order), ["order.placed", "stock.reserved", "payment.authorized", "order.confirmed"]);
}

#[tokio::test]
async fn when_an_order_falls_due_is_on_disk_with_the_deadline_of_its_time() {
    let shop = Shop::open_with(NO_BROKER, |config| config.deadline = Duration::from_secs(60)).await;
    let id = shop.placed().await;
    let placed_at: Timestamp = shop.show(id).await["created_at"].as_str().unwrap().parse().unwrap();
    let shop = Shop::open_on(shop.close().await, NO_BROKER, |_| {}).await;
    let due = async |at: Timestamp| {
        let due = shop.ear().await.store.due(at, (Timestamp::from_millis(0), 0), 10).await.unwrap();
        due.into_iter().map(|due| due.order).collect::<Vec<_>>()
    };
    assert_eq!(due(placed_at.plus(Duration::from_millis(59_999))).await, []);
    assert_eq!(due(placed_at.plus(Duration::from_secs(60))).await, [id]);
}
