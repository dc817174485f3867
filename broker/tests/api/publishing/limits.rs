//! What is too large or finds no room.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::server::{Server, event};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_message_of_up_to_a_mebibyte_is_taken() {
    let server = Server::with_queue("jobs", json!({})).await;
    assert_eq!(server.publish("/queues/jobs", &[], &"x".repeat(MIB)).await.status, 201);
    server.publish("/queues/jobs", &[], &"x".repeat(MIB + 1)).await.problem(413, "body-too-large");
    let mut large = event("1");
    large["data"] = "x".repeat(MIB).into();
    server.publish_json("/queues/jobs", &large.to_string()).await.problem(413, "body-too-large");
    let batch = Value::from(vec![event("0"), large]).to_string();
    assert_eq!(server.publish_json("/queues/jobs", &batch).await.problem(413, "body-too-large")["index"], 1);
    let taken = server.receive("jobs", json!({"max_bytes": 1})).await;
    assert_eq!(taken.len(), 1, "one message always fits");
}

#[tokio::test]
async fn the_largest_message_can_be_published_again_as_it_was_received() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put_queue("others", json!({})).await;
    let headers = [("content-type", "text/plain"), ("ce-note", "a long one")];
    for (form, headers) in [("data_base64", &headers[1..]), ("data", &headers)] {
        assert_eq!(server.publish("/queues/jobs", headers, &"\"".repeat(MIB)).await.status, 201);
        let received = server.receive("jobs", json!({"auto_ack": true})).await.remove(0)["message"].clone();
        assert!(received[form].to_string().len() > MIB);
        let again = server.publish_json("/queues/others", &received.to_string()).await;
        assert_eq!(again.status, 201);
        let in_a_batch = server.publish_json("/queues/others", &json!([received]).to_string()).await;
        assert_eq!(in_a_batch.json()["results"][0]["duplicate"], true);
    }
}

#[tokio::test]
async fn data_or_attributes_over_a_mebibyte_are_too_large_in_every_form() {
    let server = Server::with_queue("jobs", json!({})).await;
    let larger = "x".repeat(MIB + 1);
    let text = |data: &str| json!({"datacontenttype": "text/plain", "data": data});
    let base64 = json!({"data_base64": BASE64_STANDARD.encode(&larger)});
    for members in [text(&larger), base64, json!({"note": larger}), json!({"data": larger})] {
        let mut event = event("1");
        let all = event.as_object_mut().unwrap();
        all.remove("data");
        all.extend(members.as_object().unwrap().clone());
        for body in [event.to_string(), json!([event]).to_string()] {
            server.publish_json("/queues/jobs", &body).await.problem(413, "body-too-large");
        }
    }
}

#[tokio::test]
async fn a_message_that_can_never_fit_is_too_large() {
    let server = Server::with_queue("jobs", json!({"max_bytes": 100})).await;
    let refused = server.publish("/queues/jobs", &[], &"x".repeat(101)).await;
    let problem = refused.problem(413, "body-too-large");
    assert_eq!((&problem["queue"], &problem["setting"]), (&json!("jobs"), &json!("max_bytes")));
}

#[tokio::test]
async fn a_full_queue_refuses_with_a_time_to_try_again() {
    let server = Server::with_queue("jobs", json!({"max_messages": 1})).await;
    server.publish_ids("jobs", &["1"]).await;
    let refused = server.publish_json("/queues/jobs", &event("2").to_string()).await;
    assert_eq!(refused.problem(429, "queue-full")["queue"], "jobs");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    let duplicate = server.publish_json("/queues/jobs", &event("1").to_string()).await;
    assert_eq!(duplicate.status, 200, "a duplicate needs no room");
}

#[tokio::test]
async fn a_queue_may_make_room_by_its_oldest_message_that_waits() {
    for (overflow, fate) in [("drop-oldest", "dropped"), ("dead-letter-oldest", "dead_lettered")] {
        let server = Server::with_queue("jobs", json!({"max_messages": 2, "overflow": overflow})).await;
        server.publish_ids("jobs", &["1", "2"]).await;
        server.receive("jobs", json!({})).await;
        server.publish_ids("jobs", &["3"]).await;
        assert_eq!(server.counts("jobs").await[fate], 1);
        server.receive("jobs", json!({})).await;
        let refused = server.publish_json("/queues/jobs", &event("4").to_string()).await;
        refused.problem(429, "queue-full");
    }
}
