//! `Idempotency-Key`: one order a key, the same answer each time.

use std::collections::HashSet;

use reqwest::StatusCode;
use serde_json::json;

use crate::shop::{NO_BROKER, Shop, fields, good_order, problem};

#[tokio::test]
async fn the_keys_are_listed_newest_first_in_pages_each_with_its_order() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for key in ["a", "b", "c"] {
        let order: serde_json::Value = shop.order(key, &good_order()).await.json().await.unwrap();
        placed.insert(0, serde_json::json!({"key": key, "order_id": order["id"]}));
    }
    let first = shop.get_json("/idempotency-keys?limit=2").await;
    assert_eq!(*first["items"].as_array().unwrap(), placed[..2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.get_json(&format!("/idempotency-keys?limit=2&cursor={cursor}")).await;
    assert_eq!(*second["items"].as_array().unwrap(), placed[2..]);
    assert_eq!(second.get("next_cursor"), None);
    let wrong = problem(shop.get("/idempotency-keys?cursor=x").await, 422, "invalid-field").await;
    assert_eq!(fields(&wrong), ["cursor"]);
}

#[tokio::test]
async fn without_a_key_nothing_is_taken() {
    let shop = Shop::open().await;
    let body = good_order().to_string();
    problem(shop.post("/orders", body).await, 400, "idempotency-key-missing").await;
    problem(shop.order("", &good_order()).await, 400, "idempotency-key-missing").await;
    assert_eq!(shop.get_json("/orders").await, json!({"items": []}));
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let shop = Shop::open().await;
    let problem = problem(shop.order(&"k".repeat(256), &good_order()).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["Idempotency-Key"]);
}

#[tokio::test]
async fn the_same_key_and_request_get_the_same_answer_byte_for_byte() {
    let shop = Shop::open().await;
    let first = shop.order("k", &good_order()).await;
    let location = first.headers()["location"].clone();
    let body = first.bytes().await.unwrap();
    // The same request, written otherwise.
    let other = format!("  {}", good_order().to_string().replace("\"lines\"", "\"\\u006cines\""));
    let request = shop.client.post(format!("{}/orders", shop.url)).header("idempotency-key", "k");
    let again = request.body(other).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(again.headers()["location"], location);
    assert_eq!(again.headers()["content-type"], "application/json");
    assert_eq!(again.bytes().await.unwrap(), body);
    assert_eq!(shop.get_json("/orders").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_answer_stays_the_same_when_the_order_the_price_and_the_process_have_changed() {
    let shop = Shop::open().await;
    let first = shop.order("k", &good_order()).await.text().await.unwrap();
    let id = first.split('"').nth(3).unwrap().to_owned();
    assert_eq!(shop.post(&format!("/orders/{id}/cancel"), "").await.status(), StatusCode::OK);
    let dear = json!({"name": "Mug", "price": {"amount": i64::MAX, "currency": "EUR"}});
    assert_eq!(shop.put("/products/mug", &dear).await.status(), StatusCode::OK);
    let shop = Shop::open_on(shop.close().await, NO_BROKER, |_| {}).await;
    assert_eq!(shop.order("k", &good_order()).await.text().await.unwrap(), first);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let shop = Shop::open().await;
    shop.order("k", &good_order()).await;
    let mut other = good_order();
    other["lines"][0]["quantity"] = json!(3);
    problem(shop.order("k", &other).await, 422, "idempotency-key-reused").await;
    assert_eq!(shop.get_json("/orders").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_a_taken_order_is_remembered() {
    let shop = Shop::open().await;
    let mut wrong = good_order();
    wrong["lines"][0]["sku"] = json!("unicorn");
    problem(shop.order("k", &wrong).await, 422, "invalid-field").await;
    assert_eq!(shop.order("k", &good_order()).await.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn many_at_once_under_one_key_make_one_order_even_over_two_instances() {
    let shop = Shop::open().await;
    let twin = Twin::of(&shop).await;
    let send = |url: String| {
        let request = shop.client.post(url).header("idempotency-key", "k").json(&good_order());
        async move {
            let response = request.send().await.unwrap();
            (response.status(), response.text().await.unwrap())
        }
    };
    let requests = (0..40).map(|n| {
        let url = if n % 2 == 0 { &shop.url } else { &twin.url };
        tokio::spawn(send(format!("{url}/orders")))
    });
    let mut bodies = HashSet::new();
    for request in requests.collect::<Vec<_>>() {
        match request.await.unwrap() {
            (StatusCode::ACCEPTED, body) => _ = bodies.insert(body),
            (status, body) => {
                assert_eq!(status, StatusCode::CONFLICT);
                assert!(body.contains("/problems/idempotency-key-in-flight"), "{body}");
            }
        }
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(shop.get_json("/orders").await["items"].as_array().unwrap().len(), 1);
}

/// A second instance on the folder of the first.
struct Twin {
    url: String,
}

impl Twin {
    async fn of(shop: &Shop) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = order_service::Config::new(shop.folder().to_owned(), NO_BROKER.to_owned());
        let ready = serve::program::Ready::new();
        tokio::spawn(order_service::run(listener, config, ready.clone(), Default::default()));
        ready.wait().await;
        Self { url }
    }
}
