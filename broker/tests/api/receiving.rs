//! Receiving: leases, order, long poll, what a lost answer or a closed connection does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::{Server, event, ids, receipts};

#[tokio::test]
async fn a_delivery_carries_its_receipt_and_its_times() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({"consumer": "me"})).await.remove(0);
    let mut names: Vec<&str> = delivery.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "delivery_count",
            "first_delivered_at",
            "lease_expires_at",
            "message",
            "published_at",
            "receipt",
            "redrive_count",
            "replayed",
        ]
    );
    assert_eq!((&delivery["delivery_count"], &delivery["redrive_count"]), (&json!(1), &json!(0)));
    assert_eq!(delivery["replayed"], false);
    assert_eq!(delivery["message"], event("1"));
    for name in ["lease_expires_at", "published_at", "first_delivered_at"] {
        let time = delivery[name].as_str().unwrap();
        assert_eq!((time.len(), &time[23..]), (24, "Z"), "{name} {time}");
    }
}

#[tokio::test]
async fn an_empty_or_unknown_queue_gives_nothing() {
    let server = Server::with_queue("jobs", json!({})).await;
    let answer = server.post_bytes("/queues/jobs/receive", "").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"deliveries": []})));
    server.post("/queues/none/receive", json!({})).await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn each_message_goes_to_one_of_many_consumers() {
    let server = Server::with_queue("jobs", json!({})).await;
    let all: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    server.publish_ids("jobs", &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let receives = (0..8).map(|_| server.receive("jobs", json!({"max": 5})));
    let taken: Vec<Value> = futures_util::future::join_all(receives).await.concat();
    let mut taken: Vec<u32> = ids(&taken).iter().map(|id| id.parse().unwrap()).collect();
    taken.sort_unstable();
    assert_eq!(taken, (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_poll_answers_as_soon_as_a_message_comes() {
    let server = Server::with_queue("jobs", json!({})).await;
    let started = Instant::now();
    let (taken, ()) = tokio::join!(server.receive("jobs", json!({"wait": "30s"})), async {
        server.publish_ids("jobs", &["1"]).await;
    });
    assert_eq!(ids(&taken), ["1"]);
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_long_poll_ends_empty_when_its_wait_is_over() {
    let server = Server::with_queue("jobs", json!({})).await;
    let started = Instant::now();
    assert!(server.receive("jobs", json!({"wait": "100ms"})).await.is_empty());
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_lease_that_runs_out_makes_the_message_ready_and_counts() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    server.receive("jobs", json!({"lease": "100ms"})).await;
    let again = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
    assert_eq!(again["delivery_count"], 2);
    assert_eq!(again["last_reason"], "lease expired");
}

#[tokio::test]
async fn an_auto_ack_hands_out_without_receipt_and_keeps_nothing() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({"auto_ack": true})).await.remove(0);
    assert!(delivery.get("receipt").is_none() && delivery.get("lease_expires_at").is_none());
    assert_eq!(delivery["delivery_count"], 1);
    let counts = server.counts("jobs").await;
    assert_eq!((&counts["acked"], &counts["leased"], &counts["ready"]), (&json!(1), &json!(0), &json!(0)));
    let both = json!({"auto_ack": true, "receive_id": "r"});
    server.post("/queues/jobs/receive", both).await.invalid("receive_id");
}

#[tokio::test]
async fn the_same_receive_id_gives_what_is_still_leased_of_it_again() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1", "2", "3"]).await;
    let named = json!({"receive_id": "r", "max": 2});
    let first = server.receive("jobs", named.clone()).await;
    assert_eq!(server.receive("jobs", named.clone()).await, first);
    let less = json!({"receive_id": "r", "max": 1, "max_bytes": 1});
    assert_eq!(server.receive("jobs", less).await, first, "whatever it asks for besides");
    server.settle("jobs", "ack", json!({"receipts": [first[0]["receipt"]]})).await;
    assert_eq!(server.receive("jobs", named.clone()).await, first[1..]);
    server.settle("jobs", "ack", json!({"receipts": [first[1]["receipt"]]})).await;
    assert_eq!(ids(&server.receive("jobs", named).await), ["3"], "a new receive when none is leased");
    assert_eq!(server.counts("jobs").await["delivered"], 3);
}

#[tokio::test]
async fn a_connection_closed_while_it_waits_loses_no_message_and_costs_no_delivery() {
    let server = Server::with_queue("jobs", json!({})).await;
    let mut waiting = TcpStream::connect(&server.address).await.unwrap();
    waiting
        .write_all(
            b"POST /queues/jobs/receive HTTP/1.1\r\nhost: x\r\ncontent-length: 14\r\n\r\n{\"wait\":\"30s\"}",
        )
        .await
        .unwrap();
    drop(waiting);
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
    assert_eq!(delivery["delivery_count"], 1);
}

#[tokio::test]
async fn pipelined_receives_on_one_connection_are_answered_in_turn() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = b"POST /queues/jobs/receive HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    stream
        .write_all(&[&request[..], b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"].concat())
        .await
        .unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert!(answers.contains("\"delivery_count\":1"));
}

#[tokio::test]
async fn ordering_by_key_keeps_one_message_of_a_key_in_flight() {
    let server = Server::with_queue("jobs", json!({"ordering": "key", "backoff": {"initial": "0s"}})).await;
    let keyed = |id: &str, key: &str| {
        let mut event = event(id);
        event["partitionkey"] = key.into();
        event
    };
    let batch = Value::from(vec![keyed("a1", "a"), keyed("a2", "a"), keyed("b1", "b"), event("free")]);
    server.publish_json("/queues/jobs", &batch.to_string()).await;
    let first = server.receive("jobs", json!({"max": 10})).await;
    assert_eq!(ids(&first), ["a1", "b1", "free"]);
    assert!(server.receive("jobs", json!({"max": 10})).await.is_empty(), "a1 holds its key");
    server.settle("jobs", "nack", json!({"receipts": [first[0]["receipt"]]})).await;
    let again = server.receive("jobs", json!({"max": 10, "wait": "10s"})).await;
    assert_eq!(ids(&again), ["a1"], "in its place before a2");
    server.settle("jobs", "ack", json!({"receipts": receipts(&again)})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["a2"]);
}

#[tokio::test]
async fn fifo_keeps_one_message_of_the_queue_in_flight() {
    let server = Server::with_queue("jobs", json!({"ordering": "fifo"})).await;
    server.publish_ids("jobs", &["1", "2"]).await;
    let first = server.receive("jobs", json!({"max": 10})).await;
    assert_eq!(ids(&first), ["1"]);
    assert!(server.receive("jobs", json!({})).await.is_empty());
    server.settle("jobs", "ack", json!({"receipts": receipts(&first)})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["2"]);
}

#[tokio::test]
async fn an_answer_has_at_most_max_bytes() {
    let server = Server::with_queue("jobs", json!({})).await;
    // Small ones, of which most of an answer is what stands beside them, and some that come in base64.
    for size in [0, 0, 1, 2, 1000, 1000, 3000, 0, 0, 0, 500, 2000] {
        server.publish("/queues/jobs", &[], &"x".repeat(size)).await;
    }
    loop {
        let answer = server.post("/queues/jobs/receive", json!({"max": 10, "max_bytes": 4000})).await;
        let deliveries = answer.json()["deliveries"].as_array().unwrap().len();
        if deliveries == 0 {
            break;
        }
        assert!(deliveries == 1 || answer.text.len() <= 4000, "{deliveries}: {} bytes", answer.text.len());
    }
    assert!(server.counts("jobs").await["delivered"].as_u64().unwrap() > 6);
}

#[tokio::test]
async fn what_grows_in_an_answer_beyond_max_bytes_goes_back_uncounted() {
    let server = Server::with_queue("jobs", json!({"backoff": {"initial": "0s"}, "max_deliveries": 9})).await;
    for id in 1..=6 {
        // Six times as long once it stands in JSON.
        let headers = [("ce-id", &*id.to_string()), ("content-type", "text/plain")];
        server.publish("/queues/jobs", &headers, &"\u{1}".repeat(1000)).await;
    }
    let all = server.receive("jobs", json!({"max": 6})).await;
    let nack = json!({"receipts": receipts(&all), "delay": "0s", "reason": "\"".repeat(4000)});
    server.settle("jobs", "nack", nack).await;
    let mut taken = Vec::new();
    for id in [None, Some("lost"), None] {
        let mut body = json!({"max": 6, "max_bytes": 30_000});
        if let Some(id) = id {
            body["receive_id"] = json!(id);
        }
        server.until_count("jobs", "ready", 6 - taken.len() as u64).await;
        let answer = server.post("/queues/jobs/receive", body).await;
        assert!(answer.text.len() <= 30_000, "{} bytes", answer.text.len());
        let deliveries = answer.json()["deliveries"].as_array().unwrap().clone();
        assert!(!deliveries.is_empty() && deliveries.iter().all(|it| it["delivery_count"] == 2));
        taken.extend(ids(&deliveries).into_iter().map(str::to_owned));
    }
    assert_eq!(taken, ["1", "2", "3", "4", "5", "6"]);
}
