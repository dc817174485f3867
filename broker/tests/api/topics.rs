//! Topics: declare, look, list, remove.

use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server};

#[tokio::test]
async fn a_topic_is_made_changed_listed_and_removed() {
    let server = Server::start().await;
    let made = server.put("/topics/orders", json!({})).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        made.json(),
        json!({
            "name": "orders",
            "settings": {
                "retention": "0s",
                "retention_bytes": 1_u64 << 30,
                "deduplication_window": "5m",
                "max_deduplication_ids": 2_000_000,
            },
            "retained": {"messages": 0, "bytes": 0},
            "subscriptions": [],
        })
    );
    let changed = server.put("/topics/orders", json!({"deduplication_window": "60s"})).await;
    assert_eq!((changed.status, &changed.json()["settings"]["deduplication_window"]), (200, &json!("1m")));
    assert_eq!(server.get("/topics").await.json()["items"], Value::from(vec![changed.json()]));
    assert_eq!(server.delete("/topics/orders").await.status, 204);
    server.get("/topics/orders").await.problem(404, "topic-not-found");
    server.delete("/topics/orders").await.problem(404, "topic-not-found");
}

#[tokio::test]
async fn if_none_match_only_creates() {
    let server = Server::start().await;
    let create = || server.request(Method::PUT, "/topics/orders").header("if-none-match", "*");
    assert_eq!(Answer::of(create()).await.status, 201);
    Answer::of(create()).await.problem(412, "already-exists");
}

#[tokio::test]
async fn a_message_is_copied_to_every_subscribed_queue() {
    let server = Server::start().await;
    server.put("/topics/orders", json!({})).await;
    for queue in ["email", "stock"] {
        server.put_queue(queue, json!({})).await;
        assert_eq!(server.put(&format!("/topics/orders/subscriptions/{queue}"), json!({})).await.status, 201);
    }
    let published = server.publish("/topics/orders", &[("ce-id", "7")], "hello").await;
    assert_eq!(published.json(), json!({"id": "7", "duplicate": false, "queues": 2}));
    for queue in ["email", "stock"] {
        let delivery = &server.receive(queue, json!({})).await[0];
        assert_eq!(delivery["message"]["source"], "/topics/orders");
    }
}

#[tokio::test]
async fn a_publish_that_no_queue_takes_is_refused_only_when_a_route_is_required() {
    let server = Server::start().await;
    server.put("/topics/orders", json!({})).await;
    let taken = server.publish("/topics/orders", &[("ce-id", "1")], "x").await;
    assert_eq!((taken.status, taken.json()["queues"].clone()), (201, json!(0)));
    let again = server.publish("/topics/orders", &[("ce-id", "1")], "y").await;
    assert_eq!((again.status, again.json()["duplicate"].clone()), (201, json!(false)));
    server.publish("/topics/orders", &[("require-route", "true")], "x").await.problem(409, "no-route");
    server.publish("/topics/none", &[], "x").await.problem(404, "topic-not-found");
}
