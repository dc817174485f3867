//! Queues: declare, change, look, list, remove, purge, remove one message.

use reqwest::Method;
use serde_json::json;

use super::server::{Answer, Server, ids};

#[tokio::test]
async fn a_queue_is_made_with_the_defaults() {
    let server = Server::start().await;
    let made = server.put("/queues/jobs", json!({})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json(), server.get("/queues/jobs").await.json());
    assert_eq!(
        made.json()["settings"],
        json!({
            "lease": "30s", "max_deliveries": 3,
            "backoff": {"initial": "1s", "factor": 2.0, "max": "1m", "jitter": 0.1},
            "ordering": "none", "deduplication_window": "5m", "max_deduplication_ids": 2_000_000,
            "max_messages": 1_000_000, "max_bytes": 1_073_741_824, "overflow": "reject", "delay": "0s",
            "ttl": null, "on_expiry": "drop", "dead_letter_retention": "14d", "max_dead_letters": 1_000_000,
        })
    );
    assert_eq!(
        made.json()["counts"],
        json!({
            "ready": 0, "leased": 0, "delayed": 0, "dead": 0, "bytes": 0, "oldest_age": null,
            "published": 0, "replayed": 0, "redriven_in": 0, "redriven_out": 0, "delivered": 0,
            "redelivered": 0, "acked": 0, "dead_lettered": 0, "discarded": 0, "expired": 0, "dropped": 0,
            "purged": 0, "rejected": 0, "duplicates": 0,
        })
    );
}

#[tokio::test]
async fn a_change_names_what_changes_and_keeps_the_rest() {
    let server =
        Server::with_queue("jobs", json!({"lease": "90s", "ttl": "3600s", "max_bytes": "2MiB"})).await;
    let change = json!({"backoff": {"initial": "10ms"}, "overflow": "dead-letter-oldest"});
    let changed = server.put("/queues/jobs", change).await;
    assert_eq!(changed.status, 200);
    let settings = &changed.json()["settings"];
    assert_eq!(settings["lease"], "90s");
    assert_eq!(settings["ttl"], "1h");
    assert_eq!(settings["max_bytes"], 2 << 20);
    assert_eq!(settings["backoff"], json!({"initial": "10ms", "factor": 2.0, "max": "1m", "jitter": 0.1}));
    assert_eq!(settings["overflow"], "dead-letter-oldest");
    let without_ttl = server.put("/queues/jobs", json!({"ttl": null})).await;
    assert!(without_ttl.json()["settings"]["ttl"].is_null());
    assert_eq!(server.put("/queues/jobs", changed.json()["settings"].clone()).await.json(), changed.json());
}

#[tokio::test]
async fn if_none_match_only_creates() {
    let server = Server::start().await;
    let create = || server.request(Method::PUT, "/queues/jobs").header("if-none-match", "*").body("{}");
    assert_eq!(Answer::of(create()).await.status, 201);
    Answer::of(create()).await.problem(412, "already-exists");
}

#[tokio::test]
async fn ordering_can_not_change_while_messages_wait() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    server.put("/queues/jobs", json!({"ordering": "fifo"})).await.problem(409, "setting-conflict");
    assert_eq!(server.put("/queues/jobs", json!({"ordering": "none"})).await.status, 200);
    server.post("/queues/jobs/purge", json!({})).await;
    assert_eq!(server.put("/queues/jobs", json!({"ordering": "fifo"})).await.status, 200);
}

#[tokio::test]
async fn ordering_can_change_beside_dead_letters_which_are_redriven_in_the_new_order() {
    let server = Server::with_queue("jobs", json!({})).await;
    for id in ["1", "2"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    assert_eq!(server.put("/queues/jobs", json!({"ordering": "fifo"})).await.status, 200);
    server.post("/queues/jobs/dead-letters/redrive", json!({})).await;
    assert_eq!(ids(&server.receive("jobs", json!({"max": 2})).await), ["1"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = Server::start().await;
    server.get("/queues/none").await.problem(404, "queue-not-found");
    server.delete("/queues/none").await.problem(404, "queue-not-found");
    server.post("/queues/none/purge", json!({})).await.problem(404, "queue-not-found");
    server.delete("/queues/none/messages/1").await.problem(404, "queue-not-found");
    server.put_queue("jobs", json!({})).await;
    server.delete("/queues/jobs/messages/1").await.problem(404, "message-not-found");
}

#[tokio::test]
async fn a_queue_with_anything_in_it_is_removed_only_by_force() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.dead_letter("jobs", "1", "broken").await;
    let refused = server.delete("/queues/jobs").await.problem(409, "queue-not-empty");
    let holds = "the queue holds messages: 0 ready, leased or delayed, 1 dead";
    assert_eq!(refused["detail"], format!("{holds}; ?force=true removes it with all of them"));
    server.delete("/queues/jobs?force=false").await.problem(409, "queue-not-empty");
    assert_eq!(server.delete("/queues/jobs?force=true").await.status, 204);
    server.get("/queues/jobs").await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn purge_drops_what_is_ready_or_delayed_and_nothing_else() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.dead_letter("jobs", "dead", "broken").await;
    server.publish_ids("jobs", &["leased", "ready"]).await;
    server.publish("/queues/jobs", &[("message-delay", "1h")], "x").await;
    assert_eq!(server.receive("jobs", json!({})).await.len(), 1);
    assert_eq!(server.post("/queues/jobs/purge", json!({})).await.json(), json!({"purged": 2}));
    let counts = server.counts("jobs").await;
    assert_eq!((&counts["leased"], &counts["dead"], &counts["purged"]), (&json!(1), &json!(1), &json!(2)));
}

#[tokio::test]
async fn one_waiting_message_is_removed_by_its_percent_encoded_id() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["a/b c?ä", "other"]).await;
    server
        .delete("/queues/jobs/messages/a%2Fb%20c%3F%C3%A4?source=/else")
        .await
        .problem(404, "message-not-found");
    assert_eq!(server.delete("/queues/jobs/messages/a%2Fb%20c%3F%C3%A4?source=/test").await.status, 204);
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["other"]);
    server.delete("/queues/jobs/messages/other").await.problem(409, "message-leased");
}

#[tokio::test]
async fn counts_add_up_after_a_message_of_every_fate() {
    let settings = json!({"max_deliveries": 1, "max_messages": 4});
    let server = Server::with_queue("jobs", settings).await;
    server.publish_ids("jobs", &["1", "2", "3", "4"]).await;
    server.publish_json("/queues/jobs", &super::server::event("1").to_string()).await;
    server.publish("/queues/jobs", &[], "x").await.problem(429, "queue-full");
    let taken = server.receive("jobs", json!({"max": 2})).await;
    server.settle("jobs", "ack", json!({"receipts": [taken[0]["receipt"]]})).await;
    server.settle("jobs", "nack", json!({"receipts": [taken[1]["receipt"]]})).await;
    server.receive("jobs", json!({"auto_ack": true})).await;
    let counts = server.counts("jobs").await;
    for (name, wanted) in [
        ("published", 4),
        ("acked", 2),
        ("dead_lettered", 1),
        ("dead", 1),
        ("ready", 1),
        ("leased", 0),
        ("delivered", 3),
        ("rejected", 1),
        ("duplicates", 1),
    ] {
        assert_eq!(counts[name], wanted, "{name} of {counts}");
    }
    assert!(counts["oldest_age"].is_string());
}
