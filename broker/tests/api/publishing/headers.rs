//! The headers that go with any form of body: delay, TTL, trace.

use serde_json::{Value, json};

use crate::server::{Server, event, ids};

#[tokio::test]
async fn a_delayed_message_can_not_be_received_before_its_time() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish("/queues/jobs", &[("message-delay", "1h"), ("ce-id", "later")], "x").await;
    server.publish("/queues/jobs", &[("message-delay", "200ms"), ("ce-id", "soon")], "x").await;
    assert_eq!(server.counts("jobs").await["delayed"], 2);
    assert!(server.receive("jobs", json!({})).await.is_empty());
    assert_eq!(ids(&server.receive("jobs", json!({"wait": "10s", "max": 2})).await), ["soon"]);
}

#[tokio::test]
async fn each_event_of_a_batch_is_delayed_but_its_own_time_goes_first() {
    let server = Server::with_queue("jobs", json!({})).await;
    let mut due = event("due");
    due["deliverat"] = "2020-01-01T00:00:00Z".into();
    let batch = Value::from(vec![event("delayed"), due.clone()]);
    let headers = [("content-type", "application/cloudevents-batch+json"), ("message-delay", "1h")];
    assert_eq!(server.publish("/queues/jobs", &headers, &batch.to_string()).await.status, 201);
    assert_eq!(server.receive("jobs", json!({"max": 10})).await[0]["message"], due);
    assert_eq!(server.counts("jobs").await["delayed"], 1);
}

#[tokio::test]
async fn a_message_that_outlived_its_ttl_is_gone() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish("/queues/jobs", &[("message-ttl", "50ms")], "x").await;
    let mut expired = event("1");
    expired["expiresat"] = "2020-01-01T00:00:00Z".into();
    server.publish_json("/queues/jobs", &expired.to_string()).await;
    server.until_count("jobs", "expired", 2).await;
    assert!(server.receive("jobs", json!({})).await.is_empty());
}

#[tokio::test]
async fn a_wrong_header_is_named() {
    let server = Server::with_queue("jobs", json!({})).await;
    for (name, value) in [
        ("Message-Delay", "soon"),
        ("Message-Delay", "-1s"),
        ("Message-Delay", "99999d"),
        ("Message-TTL", "0s"),
        ("Message-TTL", "1"),
        ("Require-Route", "yes"),
        ("Idempotency-Key", "\"\""),
        ("Idempotency-Key", "a\tb"),
        ("Idempotency-Key", "ä"),
    ] {
        server.publish("/queues/jobs", &[(name, value)], "x").await.invalid(name);
    }
}

#[tokio::test]
async fn beside_an_event_in_json_the_headers_of_binary_mode_mean_nothing_but_must_be_right() {
    let server = Server::with_queue("jobs", json!({})).await;
    let body = event("1").to_string();
    let json = ("content-type", "application/cloudevents+json");
    for (name, value) in [
        ("ce-type", ""),
        ("ce-type", "a\tb"),
        ("ce-id", "%00"),
        ("ce-time", "today"),
        ("ce-partitionkey", "%FF"),
        ("Idempotency-Key", ""),
    ] {
        server.publish("/queues/jobs", &[json, (name, value)], &body).await.invalid(name);
    }
    let repeated = [json, ("ce-id", "other"), ("ce-datacontenttype", "text/plain")];
    assert_eq!(server.publish("/queues/jobs", &repeated, &body).await.status, 201);
    assert_eq!(server.receive("jobs", json!({})).await[0]["message"]["id"], "1");
}

#[tokio::test]
async fn a_tab_in_a_header_that_becomes_an_attribute_is_a_blank_there() {
    let server = Server::with_queue("jobs", json!({})).await;
    let headers = [
        ("content-type", "text/plain;\tcharset=utf-8"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "a=1,\tb=2"),
    ];
    assert_eq!(server.publish("/queues/jobs", &headers, "x").await.status, 201);
    let message = server.receive("jobs", json!({})).await.remove(0)["message"].clone();
    assert_eq!(
        (&message["datacontenttype"], &message["tracestate"]),
        (&json!("text/plain; charset=utf-8"), &json!("a=1, b=2"))
    );
    assert_eq!(server.publish_json("/queues/jobs", &message.to_string()).await.status, 201, "it can go on");
    let control = [("content-type", "text/plain; x=\u{85}")];
    server.publish("/queues/jobs", &control, "x").await.invalid("Content-Type");
}

#[tokio::test]
async fn the_trace_of_the_request_is_kept_unless_the_event_brings_its_own() {
    let server = Server::with_queue("jobs", json!({})).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", parent), ("tracestate", "a=1")];
    server.publish("/queues/jobs", &headers, "x").await;
    let message = &server.receive("jobs", json!({})).await[0]["message"];
    assert_eq!((&message["traceparent"], &message["tracestate"]), (&json!(parent), &json!("a=1")));
    let own = [("traceparent", parent), ("tracestate", "a=1"), ("ce-traceparent", "its-own")];
    server.publish("/queues/jobs", &own, "x").await;
    let message = &server.receive("jobs", json!({})).await[0]["message"];
    assert_eq!((&message["traceparent"], &message["tracestate"]), (&json!("its-own"), &Value::Null));
    server.publish("/queues/jobs", &[("traceparent", "nonsense")], "x").await;
    assert_eq!(server.receive("jobs", json!({})).await[0]["message"]["traceparent"], Value::Null);
}

#[tokio::test]
async fn a_body_in_a_coding_is_refused_and_not_taken_for_what_it_is_not() {
    let server = Server::with_queue("jobs", json!({})).await;
    let refused = server.publish("/queues/jobs", &[("content-encoding", "gzip")], "x").await;
    refused.invalid("Content-Encoding");
    assert_eq!(server.publish("/queues/jobs", &[("content-encoding", "identity")], "x").await.status, 201);
}
