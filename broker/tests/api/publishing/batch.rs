//! Batches: stored all or none, in order.

use serde_json::{Value, json};

use crate::server::{Answer, Server, event, ids};

#[tokio::test]
async fn a_batch_is_stored_in_order_with_a_result_each() {
    let server = Server::with_queue("jobs", json!({})).await;
    let batch = Value::from(vec![event("1"), event("2"), event("1")]);
    let answer = server.publish_json("/queues/jobs", &batch.to_string()).await;
    assert_eq!(answer.status, 201);
    let result = |id: &str, duplicate: bool| json!({"id": id, "duplicate": duplicate, "queues": 1});
    assert_eq!(
        answer.json(),
        json!({"results": [result("1", false), result("2", false), result("1", true)]})
    );
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["1", "2"]);
}

#[tokio::test]
async fn a_fault_in_one_event_names_its_place_and_stores_nothing() {
    let server = Server::with_queue("jobs", json!({"max_messages": 2})).await;
    let mut wrong = event("2");
    wrong["source"] = "".into();
    let batch = Value::from(vec![event("1"), wrong]);
    server.publish_json("/queues/jobs", &batch.to_string()).await.invalid("[1].source");
    server.publish_json("/queues/jobs", "[]").await.invalid("body");
    server.publish_json("/queues/jobs", "[7]").await.invalid("[0]");
    server.publish_json("/queues/jobs", "[{]").await.problem(400, "malformed-json");
    let too_many = Value::from(vec![event("1"), event("2"), event("3")]);
    server.publish_json("/queues/jobs", &too_many.to_string()).await.problem(413, "body-too-large");
    assert_eq!(server.counts("jobs").await["published"], 0);
}

#[tokio::test]
async fn an_id_used_again_for_another_message_is_named_by_its_place() {
    let server = Server::with_queue("jobs", json!({})).await;
    let mut other = event("1");
    other["type"] = "u".into();
    let batch = Value::from(vec![event("0"), event("1"), other]);
    let refused = server.publish_json("/queues/jobs", &batch.to_string()).await;
    assert_eq!(refused.problem(409, "id-reused")["index"], 2);
    assert_eq!(server.counts("jobs").await["published"], 0);
}

#[tokio::test]
async fn an_idempotency_key_is_not_for_batches() {
    let server = Server::with_queue("jobs", json!({})).await;
    let headers = [("content-type", "application/cloudevents-batch+json"), ("idempotency-key", "k")];
    server
        .publish("/queues/jobs", &headers, &json!([event("1")]).to_string())
        .await
        .invalid("Idempotency-Key");
}

#[tokio::test]
async fn the_first_event_that_no_queue_takes_is_named_by_its_place() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    server.put("/topics/orders/subscriptions/jobs", json!({"filter": {"exact": {"type": "a"}}})).await;
    let event = |id: &str, kind: &str| json!({"specversion": "1.0", "id": id, "source": "/t", "type": kind});
    let batch = json!([event("1", "a"), event("1", "a"), event("2", "b"), event("3", "b")]).to_string();
    let request = server.request(reqwest::Method::POST, "/topics/orders/messages");
    let request = request.header("content-type", "application/cloudevents-batch+json");
    let refused = Answer::of(request.header("require-route", "true").body(batch)).await;
    assert_eq!(refused.problem(409, "no-route")["index"], 2);
    assert_eq!(server.counts("jobs").await["ready"], 0);
}
