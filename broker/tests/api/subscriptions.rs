//! Subscriptions: subscribe, change, unsubscribe, and what a full subscriber does to the others.

use serde_json::json;

use super::server::Server;

const EMAIL: &str = "/topics/orders/subscriptions/email";

async fn subscribed() -> Server {
    let server = Server::with_queue("email", json!({"max_messages": 1})).await;
    server.put("/topics/orders", json!({})).await;
    assert_eq!(server.put(EMAIL, json!({})).await.status, 201);
    server
}

#[tokio::test]
async fn a_subscription_shows_in_its_topic() {
    let server = subscribed().await;
    let changed = server.put(EMAIL, json!({"on_full": "drop"})).await;
    assert_eq!(changed.status, 200);
    let expected = json!({"queue": "email", "on_full": "drop", "from": "new", "dropped": 0});
    assert_eq!(changed.json(), expected);
    assert_eq!(server.get("/topics/orders").await.json()["subscriptions"], json!([expected]));
}

#[tokio::test]
async fn both_ends_of_a_subscription_must_exist() {
    let server = subscribed().await;
    server.put("/topics/none/subscriptions/email", json!({})).await.problem(404, "topic-not-found");
    server.put("/topics/orders/subscriptions/none", json!({})).await.problem(404, "queue-not-found");
    server.delete("/topics/none/subscriptions/email").await.problem(404, "topic-not-found");
    server.put(EMAIL, json!({"on_full": "explode"})).await.invalid("on_full");
}

#[tokio::test]
async fn a_queue_that_is_unsubscribed_keeps_what_it_has() {
    let server = subscribed().await;
    server.publish("/topics/orders", &[], "x").await;
    assert_eq!(server.delete(EMAIL).await.status, 204);
    server.delete(EMAIL).await.problem(404, "subscription-not-found");
    assert_eq!(server.counts("email").await["ready"], 1);
}

#[tokio::test]
async fn a_full_subscriber_refuses_the_whole_publish_and_is_named() {
    let server = subscribed().await;
    server.put_queue("stock", json!({})).await;
    server.put("/topics/orders/subscriptions/stock", json!({})).await;
    assert_eq!(server.publish("/topics/orders", &[], "1").await.status, 201);
    let refused = server.publish("/topics/orders", &[], "2").await;
    assert_eq!(refused.problem(429, "queue-full")["queue"], "email");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(server.counts("stock").await["ready"], 1);
}

#[tokio::test]
async fn a_full_subscriber_that_may_miss_messages_stops_nobody() {
    for (on_full, dead) in [("drop", 0), ("dead-letter", 1)] {
        let server = subscribed().await;
        server.put(EMAIL, json!({"on_full": on_full})).await;
        server.put_queue("stock", json!({})).await;
        server.put("/topics/orders/subscriptions/stock", json!({})).await;
        for body in ["1", "2"] {
            assert_eq!(server.publish("/topics/orders", &[], body).await.status, 201);
        }
        assert_eq!(server.counts("stock").await["ready"], 2);
        assert_eq!(server.counts("email").await["dead"], dead, "{on_full}");
        let topic = server.get("/topics/orders").await.json();
        assert_eq!(topic["subscriptions"][0]["dropped"], 1, "{on_full}");
    }
}
