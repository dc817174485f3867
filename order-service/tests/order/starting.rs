//! Health, description, unknown paths; stopping and starting again.

use std::time::Duration;

use serde_json::json;

use crate::shop::{NO_BROKER, Shop, problem};

#[tokio::test]
async fn without_the_broker_it_is_ready_and_says_what_it_does_without() {
    let shop = Shop::open().await;
    assert_eq!(shop.get_json("/healthz").await, json!({"status": "ok"}));
    let degraded = json!({"status": "ok", "degraded": ["broker"]});
    let said = async {
        while shop.get_json("/readyz").await != degraded {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), said).await.unwrap();
}

#[tokio::test]
async fn it_describes_itself_and_counts_what_it_does() {
    let shop = Shop::open().await;
    shop.placed().await;
    let document = shop.get_json("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, method) in [
        ("/orders", "post"),
        ("/orders", "get"),
        ("/orders/{id}", "get"),
        ("/orders/{id}/cancel", "post"),
        ("/products", "get"),
        ("/products/{sku}", "put"),
        ("/outbox", "get"),
        ("/outbox/{id}", "delete"),
        ("/outbox/{id}/retry", "post"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/metrics", "get"),
    ] {
        assert!(document["paths"][path][method]["responses"].is_object(), "{method} {path}");
    }
    let metrics = shop.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("orders_placed_total"), "{metrics}");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_and_each_problem_is_explained() {
    let shop = Shop::open().await;
    problem(shop.get("/nowhere").await, 404, "not-found").await;
    problem(shop.post("/products", "{}").await, 405, "method-not-allowed").await;
    for slug in ["order-not-found", "idempotency-key-reused", "already-cancelled", "invalid-field"] {
        let explanation = shop.get_json(&format!("/problems/{slug}")).await;
        assert!(explanation["help"].is_string());
    }
}

#[tokio::test]
async fn stopped_and_started_again_everything_is_still_there() {
    let shop = Shop::open().await;
    let id = shop.placed().await;
    let before = shop.show(id).await;
    let shop = Shop::open_on(shop.close().await, NO_BROKER, |_| {}).await;
    assert_eq!(shop.show(id).await, before);
    assert_eq!(shop.get_json("/outbox").await["depth"], 1);
}
