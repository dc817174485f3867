//! Several instances of one service share a data folder and compete for its queue.

use reqwest::{Method, StatusCode};
use serde_json::json;
use system_tests::{
    apart::{Apart, service},
    eventually::eventually,
    http::{call, get, list, put},
};

#[tokio::test]
async fn two_payment_services_handle_each_order_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = Apart::start(folder.path()).await.unwrap();
    let second = service("payment-service", pipeline.broker.own_url(), folder.path()).await.unwrap();
    let shop = pipeline.shop();
    let mut orders = Vec::new();
    for _ in 0..40 {
        orders.push(shop.place("pm_card_visa").await.unwrap());
    }
    for order in &orders {
        shop.until(order, "confirmed").await;
        shop.until_ledger(order, &["authorize", "capture"]).await;
    }
    assert_eq!(list(&format!("{}/sandbox/ledger", second.own_url())).await.unwrap().len(), 80);
}

#[tokio::test]
async fn the_same_event_a_hundred_times_over_two_instances_authorizes_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = Apart::start(folder.path()).await.unwrap();
    let _second = service("payment-service", pipeline.broker.own_url(), folder.path()).await.unwrap();
    let shop = pipeline.shop();
    let queue = format!("{}/queues/payment.orders", shop.broker);
    put(&queue, &json!({"deduplication_window": "0s"})).await.unwrap();

    let id = "01936f6e-7e5c-7b9a-8000-0000000000a1";
    let event = json!({
        "specversion": "1.0", "id": "doubled", "source": "/test", "type": "order.placed",
        "datacontenttype": "application/json",
        "data": {
            "order_id": id, "customer": {"name": "Ada", "email": "ada@example.org"},
            "lines": [{"sku": "mug", "name": "Mug", "quantity": 1, "price": {"amount": 900, "currency": "EUR"}}],
            "total": {"amount": 900, "currency": "EUR"}, "payment_method": "pm_card_visa",
            "placed_at": "2026-11-24T04:15:00.000Z"
        }
    });
    // Without a partition key nothing keeps them apart: both instances get many of them at once.
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let batch = serde_json::Value::Array(vec![event; 100]);
    let (status, answer) =
        call(Method::POST, &format!("{queue}/messages"), &headers, Some(&batch)).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{answer}");

    eventually("all hundred to be acked", async || {
        let counts = get(&queue).await.map_err(|e| e.to_string())?["counts"].take();
        if counts["acked"] == 100 { Ok(()) } else { Err(counts.to_string()) }
    })
    .await;
    assert_eq!(shop.ledger(id).await.unwrap(), ["authorize"]);
}
