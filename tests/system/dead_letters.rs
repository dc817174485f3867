//! What can't be done becomes a dead letter that can be looked at and redriven, and stops nobody.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{
    eventually::eventually,
    http::{call, get, list},
    shop::{Shop, up},
};

const QUEUE: &str = "payment.orders";

#[tokio::test]
async fn a_method_that_never_works_is_a_dead_letter_after_three_deliveries_and_again_after_a_redrive() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let id = shop.place("pm_sandbox_unavailable").await.unwrap();
    let dead = shop.until_dead(QUEUE, &id).await;
    assert_eq!(dead["delivery_count"], 3, "{dead}");
    let history = dead["history"].as_array().unwrap();
    assert_eq!(history.len(), 3, "{dead}");
    for entry in history {
        assert!(entry["reason"].as_str().unwrap().contains("503"), "the error is named: {entry}");
    }

    shop.redrive(QUEUE).await.unwrap();
    let again = eventually("it to be dead again", async || {
        let dead = shop.until_dead(QUEUE, &id).await;
        if dead["redrive_count"] == 1 { Ok(dead) } else { Err(dead.to_string()) }
    })
    .await;
    assert_eq!(again["delivery_count"], 3);
    assert_eq!(again["history"].as_array().unwrap().len(), 6, "history is kept over redrives: {again}");
}

#[tokio::test]
async fn an_order_placed_in_an_outage_is_confirmed_when_it_is_redriven_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    shop.gateway("down").await.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until_dead(QUEUE, &id).await;
    assert_eq!(shop.order(&id).await.unwrap()["status"], "pending");

    shop.gateway("up").await.unwrap();
    shop.redrive(QUEUE).await.unwrap();
    shop.until(&id, "confirmed").await;
    shop.until_ledger(&id, &["authorize", "capture"]).await;
}

#[tokio::test]
async fn a_dead_letter_of_an_order_that_was_cancelled_takes_no_money_when_it_is_redriven() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    shop.gateway("down").await.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until_dead(QUEUE, &id).await;
    shop.cancel(&id).await.unwrap();
    shop.gateway("up").await.unwrap();
    eventually("the queue to have nothing but dead letters", async || {
        shop.redrive(QUEUE).await.map_err(|e| e.to_string())?;
        let counts =
            get(&format!("{}/queues/{QUEUE}", shop.broker)).await.map_err(|e| e.to_string())?["counts"]
                .take();
        let busy = ["ready", "leased", "delayed", "dead"].iter().any(|state| counts[*state] != 0);
        if busy { Err(counts.to_string()) } else { Ok(()) }
    })
    .await;
    let ledger = shop.ledger(&id).await.unwrap();
    // The void closes the payment, so that an authorize which is still on its way is refused.
    assert!(ledger.is_empty() || ledger == ["void"] || ledger == ["authorize", "void"], "{ledger:?}");
    assert_eq!(shop.order(&id).await.unwrap()["status"], "cancelled");
}

#[tokio::test]
async fn poison_never_stops_the_queue_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let publish = format!("{}/topics/orders/messages", shop.broker);
    let unknown = json!({"n": 1});
    let headers = [("ce-type", "order.teleported"), ("ce-id", "unknown-type"), ("ce-source", "/test")];
    let (status, _) = call(Method::POST, &publish, &headers, Some(&unknown)).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);
    let headers = [("ce-type", "order.placed"), ("ce-id", "wrong-data"), ("ce-source", "/test")];
    let (status, _) =
        call(Method::POST, &publish, &headers, Some(&Value::String("no order".to_owned()))).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);
    not_json(&publish).await;

    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;
    for queue in ["inventory.orders", "payment.orders", "email.orders"] {
        eventually(&format!("three dead letters in {queue}"), async || {
            let dead = list(&format!("{}/queues/{queue}/dead-letters", shop.broker))
                .await
                .map_err(|e| e.to_string())?;
            if dead.len() == 3 { Ok(()) } else { Err(format!("{dead:?}")) }
        })
        .await;
    }
}

/// An event that says it is an order, in bytes that are no JSON.
async fn not_json(url: &str) {
    let response = reqwest::Client::new()
        .post(url)
        .header("ce-type", "order.placed")
        .header("ce-id", "not-json")
        .header("ce-source", "/test")
        .header("content-type", "application/json")
        .body("{\"order_id\":")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
}
