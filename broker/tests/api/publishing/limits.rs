//! What is too large or finds no room.

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
async fn data_in_base64_counts_as_what_it_stands_for() {
    let server = Server::with_queue("jobs", json!({})).await;
    assert_eq!(server.publish("/queues/jobs", &[], &"x".repeat(MIB - 1000)).await.status, 201);
    let received = server.receive("jobs", json!({})).await.remove(0)["message"].clone();
    assert!(received["data_base64"].as_str().unwrap().len() > MIB);
    server.put_queue("others", json!({})).await;
    for body in [received.to_string(), json!([received]).to_string()] {
        assert!([200, 201].contains(&server.publish_json("/queues/others", &body).await.status));
    }
    let mut larger = received;
    larger["id"] = "larger".into();
    larger["note"] = "x".repeat(1000).into();
    for body in [larger.to_string(), json!([larger]).to_string()] {
        server.publish_json("/queues/others", &body).await.problem(413, "body-too-large");
    }
}

#[tokio::test]
async fn a_message_that_can_never_fit_is_too_large() {
    let server = Server::with_queue("jobs", json!({"max_bytes": 100})).await;
    let refused = server.publish("/queues/jobs", &[], &"x".repeat(101)).await;
    assert_eq!(refused.problem(413, "body-too-large")["queue"], "jobs");
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
