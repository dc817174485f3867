//! Stored messages that the disk gives back otherwise than they were written: never handed out, never silently
//! gone, and in nobody's way.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Server, ids};

const REASON: &str = "stored data is damaged";

/// Flips one bit of the data of the message of that id, in the file.
fn flip_a_bit(folder: &Path, id: &str) {
    let path = folder.join("broker.sqlite");
    let mut file = std::fs::read(&path).unwrap();
    let data = format!(r#""data":{{"id":"{id}"}}"#);
    let at = file.windows(data.len()).position(|part| part == data.as_bytes()).unwrap();
    file[at + data.len() - 3] ^= 1;
    std::fs::write(&path, file).unwrap();
}

/// A broker whose queue `jobs` holds the messages one, two and three, of which two is damaged.
async fn with_damage(settings: Value) -> Server {
    let mut server = Server::with_queue("jobs", settings).await;
    server.publish_ids("jobs", &["one", "two", "three"]).await;
    server.restart_after(|folder| flip_a_bit(folder, "two")).await;
    server
}

#[tokio::test]
async fn a_damaged_message_becomes_a_dead_letter_and_the_others_are_delivered() {
    let server = with_damage(json!({})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["one", "three"]);
    let list = server.get("/queues/jobs/dead-letters").await.json();
    let letter = &list["items"][0];
    assert_eq!(
        (&letter["id"], &letter["source"], &letter["reason"]),
        (&json!("two"), &json!("/test"), &json!(REASON))
    );
    assert_eq!((&letter["damaged"], &letter["delivery_count"]), (&json!(true), &json!(0)));
    let counts = server.counts("jobs").await;
    assert_eq!((&counts["delivered"], &counts["dead"], &counts["leased"]), (&json!(2), &json!(1), &json!(2)));
}

#[tokio::test]
async fn an_auto_ack_takes_no_damaged_message_away() {
    let server = with_damage(json!({})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10, "auto_ack": true})).await), ["one", "three"]);
    assert_eq!(server.counts("jobs").await["dead"], 1);
}

#[tokio::test]
async fn a_damaged_message_does_not_hold_up_those_behind_it() {
    let server = with_damage(json!({"ordering": "fifo"})).await;
    let first = server.receive("jobs", json!({})).await.remove(0);
    server.settle("jobs", "ack", json!({"receipts": [first["receipt"]]})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"wait": "10s"})).await), ["three"]);
}

#[tokio::test]
async fn a_damaged_message_is_not_handed_out_again_to_the_same_receive_id() {
    let mut server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["one", "two"]).await;
    let receive = json!({"max": 10, "receive_id": "r"});
    assert_eq!(ids(&server.receive("jobs", receive.clone()).await), ["one", "two"]);
    server.restart_after(|folder| flip_a_bit(folder, "two")).await;
    assert_eq!(ids(&server.receive("jobs", receive).await), ["one"]);
    assert_eq!(server.counts("jobs").await["dead"], 1);
}

#[tokio::test]
async fn a_damaged_dead_letter_is_shown_without_its_message_and_can_be_discarded() {
    let server = with_damage(json!({})).await;
    server.receive("jobs", json!({"max": 10})).await;
    let shown = server.get("/queues/jobs/dead-letters/two").await.json();
    assert_eq!((&shown["message"], &shown["damaged"]), (&Value::Null, &json!(true)));
    assert_eq!(shown["history"][0]["reason"], REASON);
    assert_eq!(server.delete("/queues/jobs/dead-letters/two").await.status, 204);
    assert_eq!(server.counts("jobs").await["dead"], 0);
}

#[tokio::test]
async fn redriven_a_damaged_message_becomes_a_dead_letter_again() {
    let server = with_damage(json!({})).await;
    server.receive("jobs", json!({"max": 10})).await;
    let redriven = server.post("/queues/jobs/dead-letters/redrive", json!({})).await.json();
    assert_eq!(redriven["redriven"], 1);
    assert!(server.receive("jobs", json!({"max": 10})).await.is_empty());
    assert_eq!(server.counts("jobs").await["dead"], 1);
}

#[tokio::test]
async fn browsing_shows_that_a_message_is_damaged_instead_of_showing_it() {
    let server = with_damage(json!({})).await;
    let browsed = server.get("/queues/jobs/messages").await.json();
    let items = browsed["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!((&items[1]["message"], &items[1]["damaged"]), (&Value::Null, &json!(true)));
    assert_eq!((&items[2]["message"]["id"], items[2].get("damaged")), (&json!("three"), None));
}

#[tokio::test]
async fn a_replay_by_a_filter_leaves_out_what_is_damaged_and_reading_the_topic_shows_it() {
    let mut server = Server::with_queue("jobs", json!({})).await;
    server.put("/topics/shop", json!({"retention": "1h"})).await;
    let filter = json!({"filter": {"exact": {"type": "t"}}});
    server.put("/topics/shop/subscriptions/jobs", filter).await;
    for id in ["one", "two"] {
        let event = crate::server::event(id).to_string();
        assert_eq!(server.publish_json("/topics/shop", &event).await.status, 201);
    }
    server.post("/queues/jobs/purge", json!({})).await;
    server.restart_after(|folder| flip_a_bit(folder, "two")).await;
    let read = server.get("/topics/shop/messages").await.json();
    assert_eq!((&read["items"][1]["message"], &read["items"][1]["damaged"]), (&Value::Null, &json!(true)));
    let replayed =
        server.post("/topics/shop/subscriptions/jobs/replay", json!({"from": "earliest"})).await.json();
    assert_eq!(replayed["replayed"], 1);
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["one"]);
}
