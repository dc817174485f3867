//! Settling: ack, nack, extend, and receipts that are worth nothing any more.

use serde_json::{Value, json};

use super::server::{Server, ids, receipts};

async fn one_leased(settings: Value) -> (Server, Value) {
    let server = Server::with_queue("jobs", settings).await;
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({"consumer": "me"})).await.remove(0);
    (server, delivery["receipt"].clone())
}

#[tokio::test]
async fn an_ack_ends_the_message_and_again_is_harmless() {
    let (server, receipt) = one_leased(json!({})).await;
    let body = json!({"receipts": [receipt]});
    let answer = server.post("/queues/jobs/ack", body.clone()).await;
    assert_eq!(answer.json(), json!({"results": [{"receipt": receipt, "status": "done"}]}));
    assert_eq!(server.settle("jobs", "ack", body.clone()).await, ["already-settled"]);
    assert_eq!(server.settle("jobs", "nack", body).await, ["already-settled"]);
}

#[tokio::test]
async fn a_receipt_whose_lease_ran_out_changes_nothing() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let old = server.receive("jobs", json!({"lease": "100ms"})).await.remove(0);
    let new = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
    assert_ne!(old["receipt"], new["receipt"]);
    let body = json!({"receipts": [old["receipt"]]});
    for how in ["ack", "nack"] {
        assert_eq!(server.settle("jobs", how, body.clone()).await, ["lease-lost"]);
    }
    assert_eq!(server.counts("jobs").await["leased"], 1);
}

#[tokio::test]
async fn a_nack_counts_and_backs_off() {
    let (server, receipt) = one_leased(json!({"backoff": {"initial": "50ms", "jitter": 0}})).await;
    let nack = json!({"receipts": [receipt], "reason": "no luck"});
    assert_eq!(server.settle("jobs", "nack", nack.clone()).await, ["done"]);
    assert_eq!(server.settle("jobs", "nack", nack).await, ["done"], "the same nack again");
    let again = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
    assert_eq!((&again["delivery_count"], &again["last_reason"]), (&json!(2), &json!("no luck")));
}

#[tokio::test]
async fn a_nack_may_name_its_delay() {
    let (server, receipt) = one_leased(json!({})).await;
    server.settle("jobs", "nack", json!({"receipts": [receipt], "delay": "1h"})).await;
    assert_eq!(server.counts("jobs").await["delayed"], 1);
}

#[tokio::test]
async fn an_uncounted_nack_hands_the_message_back_in_its_place() {
    let server = Server::with_queue("jobs", json!({"max_deliveries": 1})).await;
    server.publish_ids("jobs", &["1", "2"]).await;
    let first = server.receive("jobs", json!({})).await;
    let back = json!({"receipts": receipts(&first), "count": false});
    assert_eq!(server.settle("jobs", "nack", back).await, ["done"]);
    let again = server.receive("jobs", json!({"max": 2})).await;
    assert_eq!(ids(&again), ["1", "2"]);
    assert_eq!(again[0]["delivery_count"], 1);
}

#[tokio::test]
async fn why_a_message_was_handed_back_stands_in_its_journey_and_not_in_its_history() {
    let (server, receipt) = one_leased(json!({})).await;
    let back = json!({"receipts": [receipt], "count": false, "reason": "shutting down"});
    assert_eq!(server.settle("jobs", "nack", back).await, ["done"]);
    let told = server.get("/messages/1").await.json();
    let last = told["journey"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], &last["reason"]), (&json!("returned"), &json!("shutting down")));
    let again = server.receive("jobs", json!({})).await.remove(0);
    assert_eq!(again.get("last_reason"), None);
}

#[tokio::test]
async fn a_permanent_fault_is_a_dead_letter_at_once() {
    let (server, receipt) = one_leased(json!({})).await;
    let both = json!({"receipts": [receipt], "dead_letter": true, "count": false});
    server.post("/queues/jobs/nack", both).await.invalid("count");
    let late = json!({"receipts": [receipt], "dead_letter": true, "delay": "1h"});
    server.post("/queues/jobs/nack", late).await.invalid("delay");
    server.settle("jobs", "nack", json!({"receipts": [receipt], "dead_letter": true})).await;
    assert_eq!(server.counts("jobs").await["dead"], 1);
    assert_eq!(server.settle("jobs", "ack", json!({"receipts": [receipt]})).await, ["lease-lost"]);
}

#[tokio::test]
async fn an_extend_lets_the_lease_run_on_from_now() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({"lease": "1s"})).await.remove(0);
    let body = json!({"receipts": [delivery["receipt"]], "lease": "12h"});
    let result = server.post("/queues/jobs/extend", body.clone()).await.json()["results"][0].clone();
    assert_eq!(result["status"], "done");
    assert!(result["lease_expires_at"].as_str() > delivery["lease_expires_at"].as_str());
    server.settle("jobs", "ack", json!({"receipts": [delivery["receipt"]]})).await;
    let gone = server.post("/queues/jobs/extend", body).await.json()["results"][0].clone();
    assert_eq!((&gone["status"], gone.get("lease_expires_at")), (&json!("already-settled"), None));
}

#[tokio::test]
async fn results_come_in_the_order_of_the_receipts() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1", "2", "3"]).await;
    let taken = server.receive("jobs", json!({"max": 3})).await;
    let all = receipts(&taken);
    server.settle("jobs", "ack", json!({"receipts": [all[1]]})).await;
    let body = json!({"receipts": [all[2], all[1], all[0], all[0]]});
    let statuses = server.settle("jobs", "ack", body).await;
    assert_eq!(statuses, ["done", "already-settled", "done", "already-settled"]);
}

#[tokio::test]
async fn wrong_receipts_are_named() {
    let (server, receipt) = one_leased(json!({})).await;
    server.put_queue("other", json!({})).await;
    for how in ["ack", "nack", "extend"] {
        let path = format!("/queues/jobs/{how}");
        let body = |receipts: Value| match how {
            "extend" => json!({"receipts": receipts, "lease": "1s"}),
            _ => json!({"receipts": receipts}),
        };
        server.post(&path, body(json!([]))).await.invalid("receipts");
        server.post(&path, body(json!("x"))).await.invalid("receipts");
        server.post(&path, body(json!(vec![&receipt; 1001]))).await.invalid("receipts");
        server.post(&path, body(json!([receipt, "nonsense"]))).await.invalid("receipts[1]");
        server.post(&path, body(json!([receipt, 7]))).await.invalid("receipts[1]");
        let other = format!("/queues/other/{how}");
        server.post(&other, body(json!([receipt]))).await.invalid("receipts[0]");
    }
    server.post("/queues/jobs/ack", json!({})).await.invalid("receipts");
    server.post("/queues/jobs/extend", json!({"receipts": [receipt]})).await.invalid("lease");
    let short = json!({"receipts": [receipt], "lease": "99ms"});
    server.post("/queues/jobs/extend", short).await.invalid("lease");
    server.post("/queues/none/ack", json!({"receipts": [receipt]})).await.problem(404, "queue-not-found");
    assert_eq!(server.counts("jobs").await["leased"], 1);
}
