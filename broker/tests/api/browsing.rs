//! Browsing: what waits in a queue, without leasing it.

use serde_json::{Value, json};

use super::server::{Server, event, ids};

async fn one_of_each() -> Server {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["leased", "ready"]).await;
    server.publish("/queues/jobs", &[("message-delay", "1h"), ("ce-id", "delayed")], "x").await;
    server.receive("jobs", json!({})).await;
    server
}

#[tokio::test]
async fn every_message_shows_in_its_state() {
    let server = one_of_each().await;
    for state in ["ready", "leased", "delayed"] {
        let page = server.get(&format!("/queues/jobs/messages?state={state}")).await.json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(ids(items), [state]);
        assert_eq!(items[0]["state"], state);
        assert!(items[0]["published_at"].is_string());
        assert_eq!(items[0].get("available_at").is_some(), state == "delayed");
        assert_eq!(items[0]["delivery_count"], u32::from(state == "leased"));
    }
    server.get("/queues/jobs/messages?state=dead").await.invalid("state");
}

#[tokio::test]
async fn without_a_state_all_of_them_show_and_nothing_is_leased() {
    let server = one_of_each().await;
    let page = server.get("/queues/jobs/messages").await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    assert!(page.get("next_cursor").is_none());
    let ready = page["items"].as_array().unwrap().iter().find(|item| item["state"] == "ready").unwrap();
    assert_eq!(ready["message"], event("ready"));
    assert_eq!(server.counts("jobs").await["leased"], 1);
    server.get("/queues/none/messages").await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1", "2", "3", "4", "5"]).await;
    let (mut seen, mut path) = (Vec::<Value>::new(), "/queues/jobs/messages?limit=2".to_owned());
    loop {
        let page = server.get(&path).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/queues/jobs/messages?limit=2&cursor={cursor}");
    }
    assert_eq!(ids(&seen), ["1", "2", "3", "4", "5"]);
}
