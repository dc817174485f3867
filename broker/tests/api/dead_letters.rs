//! Dead letters: list, look with history, redrive, discard.

use serde_json::{Value, json};

use super::server::{Server, event, ids};

mod groups;
mod purge;
mod redrive;

const JOBS: &str = "/queues/jobs/dead-letters";

/// A broker with a queue of dead letters: each with the type of its event and the reason that it failed for.
async fn with_letters(letters: &[(&str, &str, &str)]) -> Server {
    let server = jobs().await;
    for (id, kind, reason) in letters {
        let mut event = event(id);
        event["type"] = (*kind).into();
        server.publish_json("/queues/jobs", &event.to_string()).await;
        server.fail_next("jobs", reason).await;
    }
    server
}

async fn jobs() -> Server {
    Server::with_queue("jobs", json!({"backoff": {"initial": "0s"}})).await
}

fn listed(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_last_of_max_deliveries_makes_a_dead_letter_with_its_whole_history() {
    let server = jobs().await;
    let mut keyed = event("1");
    keyed["subject"] = "s".into();
    keyed["partitionkey"] = "k".into();
    server.publish_json("/queues/jobs", &keyed.to_string()).await;
    for reason in ["first", "second", "third"] {
        let delivery = server.receive("jobs", json!({"wait": "10s", "consumer": "me"})).await.remove(0);
        let nack = json!({"receipts": [delivery["receipt"]], "reason": reason});
        assert_eq!(server.settle("jobs", "nack", nack).await, ["done"]);
    }
    let letter = server.get(&format!("{JOBS}/1")).await.json();
    assert_eq!(letter["message"], keyed);
    assert_eq!((&letter["delivery_count"], &letter["reason"]), (&json!(3), &json!("third")));
    assert_eq!((&letter["others"], &letter["redrive_count"]), (&json!(0), &json!(0)));
    let history = letter["history"].as_array().unwrap();
    assert_eq!(history.len(), 3);
    for (place, (entry, reason)) in history.iter().zip(["first", "second", "third"]).enumerate() {
        assert_eq!(entry["delivery_count"], place + 1);
        assert_eq!((&entry["consumer"], &entry["outcome"]), (&json!("me"), &json!("nacked")));
        assert_eq!(entry["reason"], reason);
        assert!(entry["delivered_at"].as_str().unwrap() <= entry["ended_at"].as_str().unwrap());
    }
    let item = &server.get(JOBS).await.json()["items"][0];
    for name in ["id", "source", "type", "subject", "partitionkey"] {
        assert_eq!(item[name], keyed[name], "{name}");
    }
    assert_eq!(item["first_failed_at"], history[0]["ended_at"]);
    assert_eq!(item["last_failed_at"], history[2]["ended_at"]);
}

#[tokio::test]
async fn each_way_to_fail_has_its_outcome() {
    let server = Server::with_queue("jobs", json!({"max_deliveries": 2, "backoff": {"initial": "0s"}})).await;
    server.publish_ids("jobs", &["1"]).await;
    server.receive("jobs", json!({"lease": "100ms"})).await;
    let delivery = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
    server.settle("jobs", "nack", json!({"receipts": [delivery["receipt"]], "dead_letter": true})).await;
    let letter = server.get(&format!("{JOBS}/1")).await.json();
    let outcomes: Vec<&Value> = letter["history"].as_array().unwrap().iter().map(|e| &e["outcome"]).collect();
    assert_eq!(outcomes, ["lease-expired", "dead-lettered"]);
    assert_eq!(letter["history"][0]["reason"], "lease expired");
    assert!(letter["history"][0].get("consumer").is_none());
}

#[tokio::test]
async fn the_list_is_newest_first_in_pages_and_narrowed_by_type_reason_and_time() {
    let server = jobs().await;
    for (id, reason) in [("1", "card declined"), ("2", "timeout"), ("3", "card expired")] {
        server.dead_letter("jobs", id, reason).await;
    }
    let page = server.get(JOBS).await.json();
    assert_eq!(listed(&page), ["3", "2", "1"]);
    assert!(page.get("next_cursor").is_none());
    let first = server.get(&format!("{JOBS}?limit=2")).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("{JOBS}?limit=2&cursor={cursor}")).await.json();
    assert_eq!((listed(&first), listed(&second)), (vec!["3", "2"], vec!["1"]));
    assert_eq!(listed(&server.get(&format!("{JOBS}?reason=card")).await.json()), ["3", "1"]);
    assert_eq!(listed(&server.get(&format!("{JOBS}?reason=card&limit=1")).await.json()), ["3"]);
    assert!(listed(&server.get(&format!("{JOBS}?type=other")).await.json()).is_empty());
    let time = page["items"][0]["last_failed_at"].as_str().unwrap();
    assert!(listed(&server.get(&format!("{JOBS}?since={time}")).await.json()).contains(&"3"));
    assert!(listed(&server.get(&format!("{JOBS}?until=2020-01-01T00:00:00Z")).await.json()).is_empty());
    server.get(&format!("{JOBS}?since=yesterday")).await.invalid("since");
    server.get(&format!("{JOBS}?cursor=x")).await.invalid("cursor");
}

#[tokio::test]
async fn redriven_by_id_a_message_starts_again_and_keeps_its_history() {
    let server = jobs().await;
    server.dead_letter("jobs", "1", "broken").await;
    let answer = server.post(&format!("{JOBS}/redrive"), json!({"ids": ["1", "none"]})).await;
    assert_eq!(answer.json(), json!({"redriven": 1, "ids": ["1"], "not_found": ["none"]}));
    let delivery = server.receive("jobs", json!({})).await.remove(0);
    assert_eq!((&delivery["delivery_count"], &delivery["redrive_count"]), (&json!(1), &json!(1)));
    assert_eq!(delivery["message"], event("1"));
    let nack = json!({"receipts": [delivery["receipt"]], "dead_letter": true, "reason": "again"});
    server.settle("jobs", "nack", nack).await;
    let letter = server.get(&format!("{JOBS}/1")).await.json();
    let reasons: Vec<&Value> = letter["history"].as_array().unwrap().iter().map(|e| &e["reason"]).collect();
    assert_eq!(reasons, ["broken", "again"]);
    assert_eq!(letter["redrive_count"], 1);
}

#[tokio::test]
async fn an_empty_redrive_takes_all_oldest_first_up_to_its_limit() {
    let server = jobs().await;
    for id in ["1", "2", "3"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    let path = format!("{JOBS}/redrive");
    let dry = server.post(&path, json!({"dry_run": true, "limit": 2})).await.json();
    assert_eq!(dry, json!({"redriven": 2, "ids": ["1", "2"], "not_found": []}));
    assert_eq!(server.counts("jobs").await["dead"], 3);
    assert_eq!(server.post(&path, json!({"limit": 2})).await.json(), dry);
    let rest = server.post_bytes(&path, "").await.json();
    assert_eq!(rest, json!({"redriven": 1, "ids": ["3"], "not_found": []}));
    assert_eq!(ids(&server.receive("jobs", json!({"max": 10})).await), ["1", "2", "3"]);
    for (body, field) in
        [(json!({"limit": 0}), "limit"), (json!({"ids": "1"}), "ids"), (json!({"to": "-"}), "to")]
    {
        server.post(&path, body).await.invalid(field);
    }
}

#[tokio::test]
async fn a_redrive_into_another_queue_stops_when_that_is_full() {
    let server = jobs().await;
    server.put_queue("parked", json!({"max_messages": 1})).await;
    for id in ["1", "2"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    let path = format!("{JOBS}/redrive");
    let answer = server.post(&path, json!({"to": "parked"})).await.json();
    assert_eq!(answer, json!({"redriven": 1, "ids": ["1"], "not_found": [], "stopped": "queue-full"}));
    assert_eq!(ids(&server.receive("parked", json!({})).await), ["1"]);
    assert_eq!(server.counts("jobs").await["redriven_out"], 1);
    assert_eq!(server.counts("parked").await["redriven_in"], 1);
    server.post(&path, json!({"to": "none"})).await.problem(404, "queue-not-found");
    server.post(&path, json!({"to": "none", "dry_run": true})).await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn an_id_of_several_sources_shows_the_newest_and_how_many_others() {
    let server = jobs().await;
    server.dead_letter("jobs", "1", "broken").await;
    let mut other = event("1");
    other["source"] = "/else".into();
    server.publish_json("/queues/jobs", &other.to_string()).await;
    let delivery = server.receive("jobs", json!({})).await.remove(0);
    server.settle("jobs", "nack", json!({"receipts": [delivery["receipt"]], "dead_letter": true})).await;
    let newest = server.get(&format!("{JOBS}/1")).await.json();
    assert_eq!((&newest["source"], &newest["others"]), (&json!("/else"), &json!(1)));
    let narrowed = server.get(&format!("{JOBS}/1?source=/test")).await.json();
    assert_eq!((&narrowed["source"], &narrowed["others"]), (&json!("/test"), &json!(0)));
    let one =
        server.post(&format!("{JOBS}/redrive?source=/test"), json!({"ids": ["1"], "dry_run": true})).await;
    assert_eq!(one.json()["redriven"], 1);
    assert_eq!(server.delete(&format!("{JOBS}/1")).await.status, 204);
    assert_eq!(server.counts("jobs").await["dead"], 0);
}

#[tokio::test]
async fn dead_letters_are_discarded_one_by_one_or_all() {
    let server = jobs().await;
    for id in ["1", "2", "3"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    assert_eq!(server.get("/dead-letters").await.json(), json!({"items": [{"queue": "jobs", "dead": 3}]}));
    assert_eq!(server.delete(&format!("{JOBS}/1")).await.status, 204);
    server.delete(&format!("{JOBS}/1")).await.problem(404, "dead-letter-not-found");
    server.get(&format!("{JOBS}/1")).await.problem(404, "dead-letter-not-found");
    assert_eq!(server.post(&format!("{JOBS}/purge"), json!({})).await.json(), json!({"purged": 2}));
    server.post(&format!("{JOBS}/purge"), json!({"colour": "red"})).await.invalid("colour");
    assert_eq!(server.counts("jobs").await["discarded"], 3);
    for path in ["/queues/none/dead-letters", "/queues/none/dead-letters/1"] {
        server.get(path).await.problem(404, "queue-not-found");
    }
}
