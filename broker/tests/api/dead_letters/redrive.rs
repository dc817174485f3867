//! Redriving what fits a filter.

use serde_json::json;

use super::{JOBS, with_letters};
use crate::server::{Server, event, ids, receipts};

#[tokio::test]
async fn only_what_fits_the_filter_is_redriven_oldest_first() {
    let server = with_letters(&[
        ("1", "order.placed", "timeout after 30s"),
        ("2", "order.placed", "card declined"),
        ("3", "other", "timeout after 31s"),
        ("4", "order.placed", "timeout after 32s"),
    ])
    .await;
    let path = format!("{JOBS}/redrive");
    let timeouts = json!({"type": "order.placed", "reason": "timeout", "dry_run": true});
    let dry = server.post(&path, timeouts.clone()).await.json();
    assert_eq!(dry, json!({"redriven": 2, "ids": ["1", "4"], "not_found": []}));
    assert_eq!(server.counts("jobs").await["dead"], 4);

    let mut oldest = timeouts;
    oldest["limit"] = 1.into();
    oldest["dry_run"] = false.into();
    assert_eq!(server.post(&path, oldest).await.json()["ids"], json!(["1"]));
    assert_eq!(server.post(&path, json!({"reason": "timeout"})).await.json()["ids"], json!(["3", "4"]));
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["1", "3", "4"]);
    assert_eq!(server.counts("jobs").await["dead"], 1);
}

#[tokio::test]
async fn a_dry_run_stops_where_the_redrive_would_for_want_of_room() {
    let server = with_letters(&[("1", "t", "broken"), ("2", "t", "broken"), ("3", "t", "broken")]).await;
    server.put_queue("narrow", json!({"max_messages": 2})).await;
    let path = format!("{JOBS}/redrive");
    let would = server.post(&path, json!({"to": "narrow", "dry_run": true})).await.json();
    assert_eq!(would, json!({"redriven": 2, "ids": ["1", "2"], "not_found": [], "stopped": "queue-full"}));
    assert_eq!(server.post(&path, json!({"to": "narrow"})).await.json(), would);
    let rest = server.post(&path, json!({"to": "narrow", "dry_run": true})).await.json();
    assert_eq!((&rest["redriven"], &rest["stopped"]), (&json!(0), &json!("queue-full")));
    server.post(&path, json!({"to": "none", "dry_run": true})).await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn what_the_other_queue_of_its_topic_holds_already_stays_and_is_told() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put_queue("other", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    for queue in ["jobs", "other"] {
        server.put(&format!("/topics/orders/subscriptions/{queue}"), json!({})).await;
    }
    for id in ["1", "2"] {
        server.publish_json("/topics/orders", &event(id).to_string()).await;
        server.fail_next("jobs", "broken").await;
    }
    let held = server.receive("other", json!({"max": 2})).await;
    server.settle("other", "ack", json!({"receipts": [held[1]["receipt"]]})).await;
    let path = format!("{JOBS}/redrive");
    for dry_run in [true, false] {
        let answer = server.post(&path, json!({"to": "other", "limit": 1, "dry_run": dry_run})).await;
        let expected = json!({"redriven": 1, "ids": ["2"], "not_found": [], "already_there": ["1"]});
        assert_eq!(answer.json(), expected);
    }
    let rest = server.post(&path, json!({"to": "other", "limit": 1})).await.json();
    assert_eq!(rest, json!({"redriven": 0, "ids": [], "not_found": [], "already_there": ["1"]}));
    let paced = server.post(&path, json!({"to": "other", "per_second": 1000})).await.json();
    let task = format!("/redrives/{}", paced["task"].as_str().unwrap());
    server.until("it to end", async |server| server.get(&task).await.json()["state"] == "done").await;
    let seen = server.get(&task).await.json();
    assert_eq!((&seen["redriven"], &seen["skipped"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_can_never_fit_stays_and_is_told_and_those_behind_it_go_on() {
    let server = with_letters(&[("1", "t", "broken"), ("2", "t", "broken")]).await;
    server.put_queue("small", json!({"max_bytes": 1})).await;
    let path = format!("{JOBS}/redrive");
    let none = json!({"redriven": 0, "ids": [], "not_found": [], "too_large": ["1", "2"]});
    for dry_run in [true, false] {
        let answer = server.post(&path, json!({"to": "small", "dry_run": dry_run})).await;
        assert_eq!(answer.json(), none);
    }
}

#[tokio::test]
async fn more_than_go_in_one_slice_are_all_redriven_and_named_and_audited_as_one() {
    let server = with_letters(&[]).await;
    let wanted: Vec<String> = (1..=1200).map(|id| id.to_string()).collect();
    server.publish_ids("jobs", &wanted.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for max in [1000, 200] {
        let deliveries = server.receive("jobs", json!({"max": max})).await;
        let nack = json!({"receipts": receipts(&deliveries), "dead_letter": true});
        assert_eq!(server.settle("jobs", "nack", nack).await.len(), max);
    }
    let path = format!("{JOBS}/redrive");
    let some = server.post(&path, json!({"limit": 1100})).await.json();
    assert_eq!((&some["redriven"], &some["ids"]), (&json!(1100), &json!(wanted[..1100])));
    let rest = server.post(&path, json!({"ids": ["1", "1150"]})).await.json();
    assert_eq!((&rest["ids"], &rest["not_found"]), (&json!(["1150"]), &json!(["1"])));
    assert_eq!(server.post(&format!("{JOBS}/purge"), json!({})).await.json(), json!({"purged": 99}));
    let trail = server.get("/audit").await.json();
    let counts: Vec<_> = trail["items"].as_array().unwrap().iter().map(|item| &item["count"]).collect();
    assert_eq!(counts, [99, 1, 1100, 0], "the last is of the queue that was made");
}

#[tokio::test]
async fn a_filter_by_time_means_when_they_last_failed() {
    let server = with_letters(&[("1", "t", "broken")]).await;
    let at = server.get(&format!("{JOBS}/1")).await.json()["last_failed_at"].clone();
    let path = format!("{JOBS}/redrive");
    let before = json!({"until": "2020-01-01T00:00:00Z", "dry_run": true});
    assert_eq!(server.post(&path, before).await.json()["redriven"], 0);
    let just_then = json!({"since": at, "until": at, "dry_run": true});
    assert_eq!(server.post(&path, just_then).await.json()["ids"], json!(["1"]));
}

#[tokio::test]
async fn a_source_narrows_a_filter_as_it_narrows_ids() {
    let server = with_letters(&[("1", "t", "broken")]).await;
    let mut other = event("2");
    other["source"] = "/else".into();
    server.publish_json("/queues/jobs", &other.to_string()).await;
    server.fail_next("jobs", "broken").await;
    let redriven = server.post(&format!("{JOBS}/redrive?source=/else"), json!({"reason": "broken"})).await;
    assert_eq!(redriven.json()["ids"], json!(["2"]));
    let purged = server.post(&format!("{JOBS}/purge?source=/test"), json!({})).await;
    assert_eq!(purged.json(), json!({"purged": 1}));
}

#[tokio::test]
async fn what_no_filter_can_be_is_named() {
    let server = with_letters(&[]).await;
    for (body, field) in [
        (json!({"per_second": 0}), "per_second"),
        (json!({"per_second": 100_001}), "per_second"),
        (json!({"dry_run": "yes"}), "dry_run"),
        (json!({"type": 7}), "type"),
        (json!({"colour": "red"}), "colour"),
    ] {
        server.post(&format!("{JOBS}/redrive"), body).await.invalid(field);
    }
}
