//! A message that was published before is not stored again; another under its id is refused.

use serde_json::json;

use crate::server::{Server, event};

#[tokio::test]
async fn the_same_message_again_answers_200_with_the_first_ones_queues() {
    let server = Server::with_queue("jobs", json!({})).await;
    let first = server.publish_json("/queues/jobs", &event("1").to_string()).await;
    assert_eq!((first.status, first.json()), (201, json!({"id": "1", "duplicate": false, "queues": 1})));
    let again = server.publish_json("/queues/jobs", &event("1").to_string()).await;
    assert_eq!((again.status, again.json()), (200, json!({"id": "1", "duplicate": true, "queues": 1})));
    assert_eq!(server.receive("jobs", json!({"max": 10})).await.len(), 1);
}

#[tokio::test]
async fn the_same_message_in_another_form_is_the_same_message() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_json("/queues/jobs", &event("1").to_string()).await;
    let headers =
        [("ce-id", "1"), ("ce-source", "/test"), ("ce-type", "t"), ("content-type", "application/json")];
    let again = server.publish("/queues/jobs", &headers, "{\"id\":\"1\"}\n").await;
    assert_eq!((again.status, again.json()["duplicate"].clone()), (200, json!(true)), "{again:?}");
}

#[tokio::test]
async fn the_id_with_another_content_is_reused_but_not_with_another_source() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_json("/queues/jobs", &event("1").to_string()).await;
    for (name, value) in [
        ("type", json!("u")),
        ("subject", json!("s")),
        ("partitionkey", json!("k")),
        ("datacontenttype", json!("text/json")),
        ("data", json!({"id": "2"})),
    ] {
        let mut other = event("1");
        other[name] = value;
        server.publish_json("/queues/jobs", &other.to_string()).await.problem(409, "id-reused");
    }
    let mut other = event("1");
    other["source"] = "/else".into();
    assert_eq!(server.publish_json("/queues/jobs", &other.to_string()).await.status, 201);
    other["time"] = "2026-11-24T04:15:00Z".into();
    other["comment"] = "other extensions do not count".into();
    assert_eq!(server.publish_json("/queues/jobs", &other.to_string()).await.status, 200);
}

#[tokio::test]
async fn an_idempotency_key_stands_in_for_a_missing_id() {
    let server = Server::with_queue("jobs", json!({})).await;
    let key = [("idempotency-key", "\"k-1\"")];
    let first = server.publish("/queues/jobs", &key, "x").await;
    assert_eq!((first.status, first.json()["id"].clone()), (201, json!("k-1")));
    assert_eq!(server.publish("/queues/jobs", &key, "x").await.status, 200);
    server.publish("/queues/jobs", &key, "y").await.problem(409, "id-reused");
    let named = server.publish("/queues/jobs", &[("ce-id", "7"), ("idempotency-key", "k-1")], "x").await;
    assert_eq!(named.json()["id"], "7");
}

#[tokio::test]
async fn a_topics_window_applies_to_what_is_published_to_it() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put("/topics/news", json!({})).await;
    server.put("/topics/news/subscriptions/jobs", json!({})).await;
    server.publish_json("/queues/jobs", &event("1").to_string()).await;
    assert_eq!(server.publish_json("/topics/news", &event("1").to_string()).await.status, 201);
    assert_eq!(server.publish_json("/topics/news", &event("1").to_string()).await.status, 200);
    assert_eq!(server.counts("jobs").await["ready"], 2);
}

#[tokio::test]
async fn a_window_of_nothing_turns_it_off() {
    let server = Server::with_queue("jobs", json!({"deduplication_window": "0s"})).await;
    for _ in 0..2 {
        assert_eq!(server.publish_json("/queues/jobs", &event("1").to_string()).await.status, 201);
    }
}
