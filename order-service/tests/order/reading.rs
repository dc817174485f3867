//! `GET /orders/{id}`, at once and with `wait`.

use std::time::Duration;

use events::OrderId;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::shop::{Shop, fields, payment_event, problem, stock_event};

#[tokio::test]
async fn an_order_that_there_is_not_is_not_found() {
    let shop = Shop::open().await;
    for id in [OrderId::new().to_string(), "nonsense".to_owned(), "%00".to_owned()] {
        problem(shop.get(&format!("/orders/{id}")).await, 404, "order-not-found").await;
        problem(shop.get(&format!("/orders/{id}?wait=10s")).await, 404, "order-not-found").await;
    }
}

#[tokio::test]
async fn times_are_in_utc_with_milliseconds() {
    let shop = Shop::open().await;
    let order = shop.show(shop.placed().await).await;
    for at in [&order["created_at"], &order["updated_at"], &order["timeline"][0]["at"]] {
        let text = at.as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 24, "{text}");
    }
}

#[tokio::test]
async fn a_wait_ends_when_the_order_is_cancelled_here() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let path = format!("/orders/{id}?wait=60s");
    let waiting = shop.get(&path);
    let cancelling = async {
        // Both orders of arrival are right: the wait may begin before or after the cancel.
        shop.post(&format!("/orders/{id}/cancel"), "").await
    };
    let (answer, _) =
        timeout(Duration::from_secs(20), async { tokio::join!(waiting, cancelling) }).await.unwrap();
    let order: Value = answer.json().await.unwrap();
    assert_eq!(order["status"], "cancelled");
}

#[tokio::test]
async fn a_wait_ends_when_another_instance_confirms_the_order() {
    let shop = Shop::open().await;
    let ear = shop.ear().await;
    let id = shop.placed().await;
    let path = format!("/orders/{id}?wait=60s");
    let waiting = shop.get_json(&path);
    let hearing = async {
        ear.stock(&stock_event("stock.reserved", id)).await;
        ear.payments(&payment_event("payment.authorized", id)).await;
    };
    let (order, ()) =
        timeout(Duration::from_secs(20), async { tokio::join!(waiting, hearing) }).await.unwrap();
    assert_eq!(order["status"], "confirmed");
}

#[tokio::test]
async fn a_wait_is_over_when_its_time_is_and_answers_what_is() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let started = Instant::now();
    let order = shop.get_json(&format!("/orders/{id}?wait=200ms")).await;
    assert_eq!(order["status"], "pending");
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_wait_that_is_no_duration_or_too_long_is_refused() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    for wait in ["61s", "10", "-1s", "", "2m"] {
        let problem =
            problem(shop.get(&format!("/orders/{id}?wait={wait}")).await, 422, "invalid-field").await;
        assert_eq!(fields(&problem), ["wait"]);
    }
    let problem = problem(shop.get(&format!("/orders/{id}?verbose=1")).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["verbose"]);
}

#[tokio::test]
async fn a_wait_ends_when_the_service_stops() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let request = shop.client.get(format!("{}/orders/{id}?wait=60s", shop.url)).send();
    let waiting = tokio::spawn(request);
    // Once the long poll counts as an open request, a stop has to wait for it.
    wait_for_open_request(&shop).await;
    timeout(Duration::from_secs(8), shop.close()).await.unwrap();
    if let Ok(response) = waiting.await.unwrap() {
        assert_eq!(response.status(), StatusCode::OK);
    }
}

/// The long poll was sent on its own connection before this one is made, so it is likely to be open.
async fn wait_for_open_request(shop: &Shop) {
    assert_eq!(reqwest::get(format!("{}/healthz", shop.url)).await.unwrap().status(), StatusCode::OK);
}
