//! What a topic retains: read, replayed, and what a subscription begins with.

use serde_json::{Value, json};

use super::server::{Server, event, ids};

const JOBS: &str = "/topics/orders/subscriptions/jobs";

/// A topic that retains for an hour, with the queue `jobs` not yet subscribed.
async fn retaining() -> Server {
    let server = Server::with_queue("jobs", json!({})).await;
    assert_eq!(server.put("/topics/orders", json!({"retention": "1h"})).await.status, 201);
    server
}

async fn publish(server: &Server, of: &[&str]) {
    let events: Vec<Value> = of.iter().map(|id| event(id)).collect();
    let answer = server.publish_json("/topics/orders", &Value::from(events).to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn consume(server: &Server) -> Vec<Value> {
    server.receive("jobs", json!({"max": 100, "auto_ack": true})).await
}

#[tokio::test]
async fn retained_messages_are_read_oldest_first_page_by_page_without_being_consumed() {
    let server = retaining().await;
    publish(&server, &["1", "2", "3"]).await;
    let first = server.get("/topics/orders/messages?limit=2").await.json();
    let items = first["items"].as_array().unwrap();
    assert_eq!(ids(items), ["1", "2"]);
    assert!(items[0]["published_at"].is_string());
    assert_eq!(items[0]["message"]["data"], json!({"id": "1"}));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/topics/orders/messages?limit=2&cursor={cursor}")).await.json();
    assert_eq!(ids(rest["items"].as_array().unwrap()), ["3"]);
    assert_eq!(rest.get("next_cursor"), None);
    let all = server.get("/topics/orders/messages?from=earliest").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let none = server.get("/topics/orders/messages?from=2100-01-01T00:00:00Z").await.json();
    assert_eq!(none, json!({"items": []}));
    let retained = &server.get("/topics/orders").await.json()["retained"];
    assert_eq!(retained["messages"], 3);
    assert!(retained["bytes"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn reading_names_what_is_wrong() {
    let server = retaining().await;
    server.get("/topics/none/messages").await.problem(404, "topic-not-found");
    server.get("/topics/orders/messages?from=yesterday").await.invalid("from");
    server.get("/topics/orders/messages?cursor=x").await.invalid("cursor");
    server.get("/topics/orders/messages?limit=0").await.invalid("limit");
    server.put("/topics/orders", json!({"retention": "1 week"})).await.invalid("retention");
    server.put("/topics/orders", json!({"retention_bytes": 0})).await.invalid("retention_bytes");
}

#[tokio::test]
async fn a_replay_puts_retained_messages_into_the_queue_again() {
    let server = retaining().await;
    server.put(JOBS, json!({})).await;
    publish(&server, &["1", "2"]).await;
    assert_eq!(consume(&server).await.len(), 2);
    let replayed = server.post(&format!("{JOBS}/replay"), json!({"from": "earliest"})).await;
    assert_eq!((replayed.status, replayed.json()), (200, json!({"replayed": 2})));
    let again = consume(&server).await;
    assert_eq!(ids(&again), ["1", "2"]);
    assert_eq!((&again[0]["replayed"], &again[0]["delivery_count"]), (&json!(true), &json!(1)));
    assert_eq!(server.counts("jobs").await["replayed"], 2);
}

#[tokio::test]
async fn a_replay_goes_from_a_time_to_a_time_and_by_the_subscriptions_filter() {
    let server = retaining().await;
    server.put(JOBS, json!({})).await;
    publish(&server, &["1", "2"]).await;
    consume(&server).await;
    let replay = |body: Value| server.post_owned(format!("{JOBS}/replay"), body);
    let until = json!({"from": "earliest", "to": "2001-01-01T00:00:00Z"});
    assert_eq!(replay(until).await.json()["replayed"], 0);
    assert_eq!(replay(json!({"from": "2100-01-01T00:00:00Z"})).await.json()["replayed"], 0);
    server.put(JOBS, json!({"filter": {"exact": {"id": "2"}}})).await;
    replay(json!({})).await.invalid("from");
    assert_eq!(replay(json!({"from": "earliest"})).await.json()["replayed"], 1);
    assert_eq!(ids(&consume(&server).await), ["2"]);
    replay(json!({"from": "soon"})).await.invalid("from");
    replay(json!({"until": "soon"})).await.invalid("until");
}

#[tokio::test]
async fn a_replay_needs_a_subscription_and_room() {
    let server = retaining().await;
    let replay = || server.post_owned(format!("{JOBS}/replay"), json!({"from": "earliest"}));
    replay().await.problem(404, "subscription-not-found");
    server.put(JOBS, json!({})).await;
    publish(&server, &["1", "2"]).await;
    consume(&server).await;
    server.put("/queues/jobs", json!({"max_messages": 2})).await;
    server.publish("/queues/jobs", &[], "x").await;
    let full = replay().await;
    assert_eq!(full.problem(429, "queue-full")["queue"], "jobs");
    assert!(full.header("retry-after").is_some());
    assert_eq!(server.counts("jobs").await["replayed"], 0);
}

#[tokio::test]
async fn a_subscription_begins_with_what_it_asks_for() {
    let server = retaining().await;
    publish(&server, &["1", "2"]).await;
    let made = server.put(JOBS, json!({"from": "earliest", "filter": {"exact": {"id": "2"}}})).await;
    assert_eq!((made.status, &made.json()["from"]), (201, &json!("earliest")));
    assert_eq!(ids(&consume(&server).await), ["2"]);
    assert_eq!(server.put(JOBS, json!({"from": "earliest"})).await.status, 200);
    let conflict = server.put(JOBS, json!({"from": "new"})).await.problem(409, "setting-conflict");
    assert_eq!(conflict["setting"], "from");
    server.put_queue("late", json!({})).await;
    let late = "/topics/orders/subscriptions/late";
    let made = server.put(late, json!({"from": "2100-01-01T00:00:00+01:00"})).await;
    assert_eq!(made.json()["from"], "2099-12-31T23:00:00.000Z");
    assert_eq!(server.counts("late").await["ready"], 0);
    server.put(late, json!({"from": "often"})).await.invalid("from");
}
