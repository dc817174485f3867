//! Paced redrives: how far they are, stopped, and gone on with after a restart.

use serde_json::{Value, json};

use super::server::Server;

const REDRIVE: &str = "/queues/jobs/dead-letters/redrive";

/// A broker with a queue that has so many dead letters.
async fn with_dead(count: u32) -> Server {
    let server = Server::with_queue("jobs", json!({})).await;
    for id in 1..=count {
        server.dead_letter("jobs", &id.to_string(), "broken").await;
    }
    server
}

/// Starts one, and gives its task's path.
async fn start(server: &Server, body: Value) -> String {
    let answer = server.post(REDRIVE, body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    format!("/redrives/{}", answer.json()["task"].as_str().unwrap())
}

#[tokio::test]
async fn a_paced_redrive_ends_by_itself_and_says_how_many_it_redrove() {
    let server = with_dead(3).await;
    let task = start(&server, json!({"per_second": 1000, "limit": 2})).await;
    server.until_count("jobs", "ready", 2).await;
    let seen = server.get(&task).await.json();
    assert_eq!(
        (&seen["state"], &seen["redriven"], &seen["remaining"]),
        (&json!("done"), &json!(2), &json!(0))
    );
    assert_eq!(
        (&seen["queue"], &seen["to"], &seen["per_second"]),
        (&json!("jobs"), &json!("jobs"), &json!(1000))
    );
    assert!(seen["ended_at"].as_str().unwrap() >= seen["started_at"].as_str().unwrap());
    assert_eq!(server.counts("jobs").await["dead"], 1);
}

#[tokio::test]
async fn ids_that_no_dead_letter_has_are_told_as_it_starts() {
    let server = with_dead(2).await;
    let answer = server.post(REDRIVE, json!({"ids": ["none", "2", "nor this"], "per_second": 1000})).await;
    assert_eq!((answer.status, &answer.json()["not_found"]), (202, &json!(["none", "nor this"])));
    server.until_count("jobs", "ready", 1).await;
}

#[tokio::test]
async fn while_it_runs_it_says_how_far_it_is_and_can_be_stopped() {
    let server = with_dead(20).await;
    let task = start(&server, json!({"per_second": 1})).await;
    server.until_count("jobs", "redriven_in", 1).await;
    let seen = server.get(&task).await.json();
    assert_eq!((&seen["state"], &seen["ended_at"]), (&json!("running"), &Value::Null));
    assert_eq!(seen["redriven"].as_u64().unwrap() + seen["remaining"].as_u64().unwrap(), 20);
    assert_eq!(server.delete(&task).await.status, 204);
    server.delete(&task).await.problem(404, "redrive-not-found");
    server.get(&task).await.problem(404, "redrive-not-found");
    server.get("/redrives/none").await.problem(404, "redrive-not-found");
    assert!(server.counts("jobs").await["dead"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_paced_redrive_goes_on_after_a_restart() {
    let mut server = with_dead(10).await;
    let task = start(&server, json!({"per_second": 4})).await;
    server.until_count("jobs", "redriven_in", 1).await;
    server.restart().await;
    let seen = server.get(&task).await.json();
    assert_eq!(seen["state"], "running");
    server.until_count("jobs", "redriven_in", 10).await;
    assert_eq!(server.get(&task).await.json()["state"], "done");
}

#[tokio::test]
async fn what_goes_to_a_full_queue_waits_for_room() {
    let server = with_dead(2).await;
    server.put_queue("parked", json!({"max_messages": 1})).await;
    let task = start(&server, json!({"to": "parked", "per_second": 1000})).await;
    server.until_count("parked", "ready", 1).await;
    server
        .until("the redrive to wait", async |server| {
            server.get(&task).await.json()["waiting_for"] == "queue-full"
        })
        .await;
    let delivery = server.receive("parked", json!({})).await.remove(0);
    server.settle("parked", "ack", json!({"receipts": [delivery["receipt"]]})).await;
    server.until_count("parked", "redriven_in", 2).await;
    assert_eq!(server.get(&task).await.json()["state"], "done");
}

#[tokio::test]
async fn one_whose_queue_is_removed_stops_and_says_why() {
    for removed in ["jobs", "parked"] {
        let server = with_dead(50).await;
        server.put_queue("parked", json!({})).await;
        let task = start(&server, json!({"to": "parked", "per_second": 1})).await;
        assert_eq!(server.delete(&format!("/queues/{removed}?force=true")).await.status, 204);
        server
            .until("the redrive to stop", async |server| server.get(&task).await.json()["state"] == "stopped")
            .await;
        let seen = server.get(&task).await.json();
        assert_eq!(seen["stopped"], "queue-not-found", "{removed}: {seen}");
    }
}

#[tokio::test]
async fn redrives_are_listed_newest_first_in_pages() {
    let server = with_dead(0).await;
    let older = start(&server, json!({"per_second": 1})).await;
    let newer = start(&server, json!({"per_second": 1})).await;
    let path_of = |page: &Value| format!("/redrives/{}", page["items"][0]["task"].as_str().unwrap());
    let first = server.get("/redrives?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/redrives?limit=1&cursor={cursor}")).await.json();
    assert_eq!((path_of(&first), path_of(&second)), (newer, older));
    assert!(second.get("next_cursor").is_none());
    server.get("/redrives?cursor=x").await.invalid("cursor");
}

#[tokio::test]
async fn one_that_ended_keeps_no_list_on_disk_and_still_says_how_many_it_redrove() {
    let mut server = with_dead(3).await;
    let task = start(&server, json!({"per_second": 1000})).await;
    server
        .until("the redrive to end", async |server| server.get(&task).await.json()["state"] == "done")
        .await;
    server
        .restart_after(|folder| {
            let database = rusqlite::Connection::open(folder.join("broker.sqlite")).unwrap();
            let sql = "SELECT total, length(sequences) FROM redrives";
            let row: (u32, u32) = database.query_row(sql, [], |row| row.try_into()).unwrap();
            assert_eq!(row, (3, 0));
        })
        .await;
    let seen = server.get(&task).await.json();
    assert_eq!((&seen["redriven"], &seen["remaining"]), (&json!(3), &json!(0)));
}
