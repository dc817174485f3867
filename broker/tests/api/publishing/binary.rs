//! Binary mode: the body is the data, byte for byte; attributes are headers.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

async fn round_trip(headers: &[(&str, &str)], body: &[u8]) -> Value {
    let server = Server::with_queue("jobs", json!({})).await;
    let request = server.request(reqwest::Method::POST, "/queues/jobs/messages").body(body.to_vec());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let published = Answer::of(request).await;
    assert_eq!(published.status, 201, "{published:?}");
    server.receive("jobs", json!({})).await[0]["message"].clone()
}

#[tokio::test]
async fn what_is_missing_is_filled_in() {
    let message = round_trip(&[], b"x").await;
    assert_eq!(message["specversion"], "1.0");
    assert_eq!(message["source"], "/queues/jobs");
    assert_eq!(message["type"], "message");
    assert!(message["time"].as_str().unwrap().ends_with('Z'));
    let id = message["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "7"), "a UUID of version 7");
}

#[tokio::test]
async fn the_time_that_is_filled_in_is_not_later_than_when_it_was_published() {
    let server = Server::with_queue("jobs", json!({})).await;
    for _ in 0..20 {
        assert_eq!(server.publish("/queues/jobs", &[], "x").await.status, 201);
    }
    for delivery in server.receive("jobs", json!({"max": 20})).await {
        let (time, published) = (&delivery["message"]["time"], &delivery["published_at"]);
        assert!(time.as_str().unwrap() <= published.as_str().unwrap(), "{time} {published}");
    }
}

#[tokio::test]
async fn attributes_come_as_headers_percent_encoded() {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/shop"),
        ("ce-type", "order.placed"),
        ("ce-subject", "Euro%20%E2%82%AC"),
        ("ce-time", "2026-11-24T04:15:00Z"),
        ("ce-partitionkey", "k"),
        ("ce-dataschema", "https://example.com/order"),
        ("CE-Anything", "\"quoted\""),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        round_trip(&headers, b"[]").await,
        json!({
            "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed", "subject": "Euro €",
            "time": "2026-11-24T04:15:00Z", "partitionkey": "k", "dataschema": "https://example.com/order",
            "anything": "quoted", "datacontenttype": "application/json", "data": [],
        })
    );
}

#[tokio::test]
async fn data_is_given_back_in_the_form_that_its_content_type_asks_for() {
    let given = |content_type: &'static str, body: &'static [u8]| async move {
        let message = round_trip(&[("content-type", content_type)], body).await;
        assert_eq!(message["datacontenttype"], content_type);
        (message["data"].clone(), message["data_base64"].clone())
    };
    assert_eq!(given("application/json", b"{\"n\":1}").await, (json!({"n": 1}), Value::Null));
    assert_eq!(given("application/vnd.x+json", b"\"text\"").await, (json!("text"), Value::Null));
    assert_eq!(given("application/json", b"{\"n\":").await, (Value::Null, json!("eyJuIjo=")));
    assert_eq!(given("text/plain; charset=utf-8", "ä".as_bytes()).await, (json!("ä"), Value::Null));
    assert_eq!(given("text/plain", b"\xff").await, (Value::Null, json!("/w==")));
    assert_eq!(given("image/svg+xml", b"<svg/>").await, (json!("<svg/>"), Value::Null));
    assert_eq!(given("application/x-www-form-urlencoded", b"a=1").await, (json!("a=1"), Value::Null));
    assert_eq!(given("application/octet-stream", b"{}").await, (Value::Null, json!("e30=")));
}

#[tokio::test]
async fn json_that_many_readers_could_not_read_is_base64() {
    let deep = [b"[".repeat(101), b"]".repeat(101)].concat();
    let message = round_trip(&[("content-type", "application/json")], &deep).await;
    assert_eq!(message["data_base64"], BASE64_STANDARD.encode(&deep));
}

#[tokio::test]
async fn data_without_a_content_type_is_base64_and_an_empty_body_is_no_data() {
    assert_eq!(round_trip(&[], b"{}").await["data_base64"], "e30=");
    let message = round_trip(&[("content-type", "application/json")], b"").await;
    assert!(message.get("data").is_none() && message.get("data_base64").is_none());
}

#[tokio::test]
async fn a_wrong_header_is_named() {
    let server = Server::with_queue("jobs", json!({})).await;
    for (name, value) in [
        ("ce-specversion", "0.3"),
        ("ce-id", ""),
        ("ce-source", ""),
        ("ce-time", "yesterday"),
        ("ce-subject", "%ff"),
        ("ce-my-extension", "x"),
        ("ce-datacontenttype", "text/plain"),
        ("ce-partitionkey", ""),
        ("ce-deliverat", "soon"),
    ] {
        server.publish("/queues/jobs", &[(name, value)], "x").await.invalid(name);
    }
    server.publish("/queues/jobs", &[("ce-id", "1"), ("ce-id", "2")], "x").await.invalid("ce-id");
    assert_eq!(server.counts("jobs").await["published"], 0);
}
