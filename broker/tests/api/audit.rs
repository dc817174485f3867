//! The audit trail: who did what by hand, and when.

use serde_json::{Value, json};

use super::server::Server;

fn actions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["action"].as_str().unwrap()).collect()
}

async fn with_dead(ids: &[&str]) -> Server {
    let server = Server::with_queue("jobs", json!({})).await;
    for id in ids {
        server.dead_letter("jobs", id, "broken").await;
    }
    server
}

#[tokio::test]
async fn who_redrove_and_purged_what_and_when_is_on_disk_newest_first() {
    let mut server = with_dead(&["1", "2", "3"]).await;
    server.post("/queues/jobs/dead-letters/redrive", json!({"ids": ["1"]})).await;
    server.post("/queues/jobs/dead-letters/purge", json!({"reason": "broken"})).await;
    server.post("/queues/jobs/purge", json!({})).await;
    server.restart().await;
    let page = server.get("/audit").await.json();
    assert_eq!(actions(&page), ["purge", "purge-dead-letters", "redrive", "put-queue"]);
    let items = page["items"].as_array().unwrap();
    for (item, count) in items.iter().zip([1, 2, 1]) {
        assert_eq!((&item["who"], &item["queue"]), (&json!("anonymous"), &json!("jobs")));
        assert_eq!(item["count"], count, "{item}");
    }
    assert_eq!(items[1]["request"], json!({"reason": "broken"}));
    assert_eq!(items[2]["request"], json!({"ids": ["1"]}));
    assert!(items[0]["at"].as_str().unwrap() >= items[2]["at"].as_str().unwrap());
}

#[tokio::test]
async fn each_thing_done_by_hand_has_its_word() {
    let server = with_dead(&["1", "2"]).await;
    server.publish_ids("jobs", &["3"]).await;
    server.put("/topics/orders", json!({"retention": "1h"})).await;
    server.put("/topics/orders/subscriptions/jobs", json!({})).await;
    server.delete("/queues/jobs/messages/3").await;
    server.delete("/queues/jobs/dead-letters/1").await;
    server.publish_json("/topics/orders", &super::server::event("4").to_string()).await;
    let delivery = server.receive("jobs", json!({})).await.remove(0);
    server.settle("jobs", "ack", json!({"receipts": [delivery["receipt"]]})).await;
    server.post("/topics/orders/subscriptions/jobs/replay", json!({"from": "earliest"})).await;
    let started =
        server.post("/queues/jobs/dead-letters/redrive", json!({"per_second": 7, "to": "jobs"})).await;
    server.delete(&format!("/redrives/{}", started.json()["task"].as_str().unwrap())).await;
    server.delete("/topics/orders").await;
    server.delete("/queues/jobs?force=true").await;
    let page = server.get("/audit").await.json();
    assert_eq!(
        actions(&page),
        [
            "delete-queue",
            "delete-topic",
            "stop-redrive",
            "redrive",
            "replay",
            "discard",
            "remove",
            "put-subscription",
            "put-topic",
            "put-queue"
        ]
    );
    let redrive = &page["items"][3];
    assert_eq!((&redrive["request"], &redrive["to"]), (&json!({"per_second": 7}), &json!("jobs")));
}

#[tokio::test]
async fn settings_that_changed_are_told_with_what_was_asked_for() {
    let server = Server::start().await;
    let (queue, topic, subscription) =
        ("/queues/jobs", "/topics/orders", "/topics/orders/subscriptions/jobs");
    server.put(queue, json!({"lease": "30s", "backoff": {"initial": "0s"}})).await;
    server.put(queue, json!({"max_deliveries": 7})).await;
    server.put(topic, json!({"retention": "1h"})).await;
    let filter = json!({"filter": {"exact": {"type": "t"}}, "from": "earliest"});
    server.put(subscription, filter.clone()).await;
    server.put(subscription, json!({"filter": null})).await;
    server.delete(subscription).await;
    let page = server.get("/audit").await.json();
    let items = page["items"].as_array().unwrap();
    let told =
        |item: &Value| [&item["action"], &item["queue"], &item["topic"], &item["request"]].map(Clone::clone);
    let (jobs, orders) = (json!("jobs"), json!("orders"));
    let expected = [
        [json!("delete-subscription"), jobs.clone(), orders.clone(), Value::Null],
        [json!("put-subscription"), jobs.clone(), orders.clone(), json!({"filter": null})],
        [json!("put-subscription"), jobs.clone(), orders.clone(), filter],
        [json!("put-topic"), Value::Null, orders, json!({"retention": "1h"})],
        [json!("put-queue"), jobs.clone(), Value::Null, json!({"max_deliveries": 7})],
        [json!("put-queue"), jobs, Value::Null, json!({"lease": "30s", "backoff": {"initial": "0s"}})],
    ];
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(items.iter().all(|item| item["who"] == "anonymous" && item["count"] == 0), "{page}");
}

/// How many commits the metrics count.
async fn commits(server: &Server) -> String {
    let metrics = server.get("/metrics").await.text;
    metrics.lines().find(|line| line.starts_with("broker_group_commit_size_count")).unwrap().to_owned()
}

#[tokio::test]
async fn a_declaration_that_changes_nothing_is_not_told_and_costs_no_commit() {
    let server = Server::start().await;
    let declarations = [
        ("/queues/jobs", json!({"lease": "30s"})),
        ("/topics/orders", json!({"retention": "1h"})),
        ("/topics/orders/subscriptions/jobs", json!({"on_full": "drop", "from": "earliest"})),
    ];
    let declare = async |status| {
        for (path, body) in &declarations {
            assert_eq!(server.put(path, body.clone()).await.status, status, "{path}");
        }
    };
    declare(201).await;
    let (trail, before) = (server.get("/audit").await.json(), commits(&server).await);
    declare(200).await;
    server.put("/queues/jobs", json!({"lease": "1ms"})).await.invalid("lease");
    server.delete("/topics/orders/subscriptions/none").await.problem(404, "queue-not-found");
    assert_eq!((server.get("/audit").await.json(), commits(&server).await), (trail, before));
}

#[tokio::test]
async fn what_came_to_nothing_is_not_in_the_trail() {
    let server = with_dead(&[]).await;
    server.post("/queues/jobs/dead-letters/redrive", json!({})).await;
    server.post("/queues/jobs/purge", json!({})).await;
    server.delete("/queues/jobs/dead-letters/1").await.problem(404, "dead-letter-not-found");
    server.delete("/queues/none").await.problem(404, "queue-not-found");
    assert_eq!(actions(&server.get("/audit").await.json()), ["put-queue"], "all that was done");
}

#[tokio::test]
async fn the_trail_comes_in_pages() {
    let server = with_dead(&["1", "2"]).await;
    for id in ["1", "2"] {
        server.delete(&format!("/queues/jobs/dead-letters/{id}")).await;
    }
    let first = server.get("/audit?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/audit?limit=1&cursor={cursor}")).await.json();
    let asked = |page: &Value| page["items"][0]["request"]["ids"][0].clone();
    assert_eq!((asked(&first), asked(&second)), (json!("2"), json!("1")));
    let cursor = second["next_cursor"].as_str().unwrap();
    let third = server.get(&format!("/audit?limit=1&cursor={cursor}")).await.json();
    assert_eq!(actions(&third), ["put-queue"]);
    assert!(third.get("next_cursor").is_none());
    server.get("/audit?cursor=x").await.invalid("cursor");
    server.get("/audit?who=me").await.invalid("who");
}
