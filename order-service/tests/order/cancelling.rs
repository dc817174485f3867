//! `POST /orders/{id}/cancel`.

use std::time::Duration;

use events::OrderId;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Shop, fields, payment_event, problem, stock_event, timeline};

#[tokio::test]
async fn a_pending_order_is_cancelled_by_its_customer() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let response = shop.post(&format!("/orders/{id}/cancel"), "").await;
    assert_eq!(response.status(), StatusCode::OK);
    let order: Value = response.json().await.unwrap();
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("cancelled-by-customer")));
    assert_eq!(timeline(&order), ["order.placed", "cancel-requested", "order.cancelled"]);
    assert_eq!(shop.get_json("/outbox").await["depth"], 2);
}

#[tokio::test]
async fn a_confirmed_order_is_cancelled_too() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let id = shop.placed().await;
    ear.stock(&stock_event("stock.reserved", id)).await;
    ear.payments(&payment_event("payment.authorized", id)).await;
    ear.payments(&payment_event("payment.captured", id)).await;
    assert_eq!(shop.post(&format!("/orders/{id}/cancel"), "{}").await.status(), StatusCode::OK);
    ear.payments(&payment_event("payment.refunded", id)).await;
    let order = shop.show(id).await;
    assert_eq!((&order["status"], &order["attention"]), (&json!("cancelled"), &json!([])));
}

#[tokio::test]
async fn an_order_is_cancelled_once_however_many_ask_at_once() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let path = format!("/orders/{id}/cancel");
    let asked = (shop.post(&path, ""), shop.post(&path, ""), shop.post(&path, ""));
    let answers = tokio::join!(asked.0, asked.1, asked.2);
    let mut statuses = [answers.0, answers.1, answers.2].map(|answer| answer.status().as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409]);
    problem(shop.post(&path, "").await, 409, "already-cancelled").await;
    assert_eq!(shop.get_json("/outbox").await["depth"], 2);
}

#[tokio::test]
async fn an_order_that_there_is_not_can_not_be_cancelled() {
    let shop = Shop::open().await;
    for id in [OrderId::new().to_string(), "nonsense".to_owned()] {
        problem(shop.post(&format!("/orders/{id}/cancel"), "").await, 404, "order-not-found").await;
    }
}

#[tokio::test]
async fn nothing_else_can_be_asked_for_with_a_cancel() {
    let shop = Shop::open().await;
    let path = format!("/orders/{}/cancel", shop.placed().await);
    let problem = problem(shop.post(&path, r#"{"refund": false}"#).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["refund"]);
}

#[tokio::test]
async fn a_compensation_that_is_not_heard_of_in_time_calls_for_a_person_until_it_is() {
    let shop = Shop::open().await;
    let mut ear = shop.ear().await;
    ear.grace = Duration::ZERO;
    let id = shop.placed().await;
    ear.payments(&payment_event("payment.authorized", id)).await;
    ear.stock(&stock_event("stock.rejected", id)).await;
    let now = units::Timestamp::now();
    assert_eq!(ear.store.overdue(now, 10).await.unwrap(), [id]);
    let change = order_service::store::Change {
        order: id,
        input: order_service::saga::Input::CompensationDue,
        what: "compensation-overdue".to_owned(),
        detail: None,
        at: now,
        traceparent: None,
    };
    ear.store.advance(change, ear.grace).await.unwrap();
    assert_eq!(ear.store.overdue(now, 10).await.unwrap(), []);
    let shown = shop.get_json("/orders?attention=true").await["items"][0].clone();
    assert_eq!(shown["id"], id.to_string());
    assert!(shown["attention"][0]["detail"].as_str().unwrap().contains("payment.voided"));
    ear.payments(&payment_event("payment.voided", id)).await;
    assert_eq!(shop.show(id).await["attention"], json!([]));
    assert_eq!(shop.get_json("/orders?attention=true").await["items"], json!([]));
}
