//! What each role allows, and on which names.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::{Guarded, operations};
use crate::server::{Answer, Server};

#[track_caller]
fn forbidden(answer: &Answer, role: &str, name: &str) {
    let problem = answer.problem(403, "forbidden");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("{role} on {name} ")), "{detail}");
    assert_eq!((&problem["role"], &problem["name"]), (&json!(role), &json!(name)));
}

#[tokio::test]
async fn a_token_without_any_right_on_a_name_may_only_list() {
    let guarded = Guarded::start().await;
    let token = guarded.token("other", &["publish:elsewhere", "consume:elsewhere", "admin:elsewhere"]).await;
    let mut allowed = BTreeSet::new();
    for (method, path) in operations(&guarded).await {
        let answer = guarded.call(&token, method.clone(), &path).await;
        assert_ne!(answer.status, 401, "{method} {path}");
        if answer.status == 403 {
            answer.problem(403, "forbidden");
        } else {
            allowed.insert(format!("{method} {path}"));
        }
    }
    let expected = [
        // Whose it is says the redrive itself.
        "DELETE /redrives/some",
        "GET /",
        "GET /dead-letters",
        "GET /events",
        "GET /healthz",
        "GET /messages/some",
        "GET /metrics",
        "GET /openapi.json",
        "GET /problems/some",
        "GET /queues",
        "GET /readyz",
        "GET /redrives",
        "GET /redrives/some",
        "GET /topics",
        "POST /filters/test",
    ];
    assert_eq!(allowed, expected.map(str::to_owned).into());
}

#[tokio::test]
async fn a_publisher_publishes_to_its_names_and_does_nothing_else() {
    let guarded = Guarded::start().await;
    for path in ["/queues/orders", "/queues/orders.eu", "/queues/other", "/topics/orders"] {
        assert_eq!(guarded.put(&guarded.admin, path).await.status, 201);
    }
    let token = guarded.token("shop", &["publish:orders*"]).await;
    for path in ["/queues/orders", "/queues/orders.eu", "/topics/orders"] {
        assert_eq!(guarded.post(&token, &format!("{path}/messages"), json!({})).await.status, 201, "{path}");
    }
    forbidden(&guarded.post(&token, "/queues/other/messages", json!({})).await, "publish", "other");
    // Whether a queue exists is not told to who may not know.
    forbidden(&guarded.post(&token, "/queues/none-such/messages", json!({})).await, "publish", "none-such");
    forbidden(&guarded.post(&token, "/queues/orders/receive", json!({})).await, "consume", "orders");
    forbidden(&guarded.get(&token, "/queues/orders").await, "consume", "orders");
    forbidden(&guarded.put(&token, "/queues/orders").await, "admin", "orders");
    assert_eq!(guarded.get(&token, "/topics/orders").await.status, 200, "its own topic");
}

#[tokio::test]
async fn a_consumer_receives_settles_and_reads_and_does_nothing_else() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/queues/jobs").await;
    guarded.post(&guarded.admin, "/queues/jobs/messages", json!({})).await;
    let token = guarded.token("worker", &["consume:jobs"]).await;
    let received = guarded.post(&token, "/queues/jobs/receive", json!({})).await.json();
    let receipts = json!({"receipts": [received["deliveries"][0]["receipt"]]});
    let extend = json!({"receipts": receipts["receipts"], "lease": "30s"});
    assert_eq!(guarded.post(&token, "/queues/jobs/extend", extend).await.status, 200);
    assert_eq!(guarded.post(&token, "/queues/jobs/nack", receipts.clone()).await.status, 200);
    assert_eq!(guarded.post(&token, "/queues/jobs/ack", receipts).await.status, 200);
    for path in ["/queues/jobs", "/queues/jobs/messages", "/queues/jobs/dead-letters"] {
        assert_eq!(guarded.get(&token, path).await.status, 200, "{path}");
    }
    forbidden(&guarded.post(&token, "/queues/jobs/messages", json!({})).await, "publish", "jobs");
    for path in ["/queues/jobs/purge", "/queues/jobs/dead-letters/redrive"] {
        forbidden(&guarded.post(&token, path, json!({})).await, "admin", "jobs");
    }
    for path in ["/queues/jobs", "/queues/jobs/messages/some", "/queues/jobs/dead-letters/some"] {
        forbidden(&guarded.delete(&token, path).await, "admin", "jobs");
    }
}

#[tokio::test]
async fn an_admin_of_names_does_all_with_them_but_makes_no_tokens() {
    let guarded = Guarded::start().await;
    let token = guarded.token("team", &["admin:team.*"]).await;
    assert_eq!(guarded.put(&token, "/queues/team.jobs").await.status, 201);
    assert_eq!(guarded.post(&token, "/queues/team.jobs/messages", json!({})).await.status, 201);
    assert_eq!(guarded.post(&token, "/queues/team.jobs/receive", json!({})).await.status, 200);
    forbidden(&guarded.put(&token, "/queues/others").await, "admin", "others");
    let more = json!({"name": "more", "allow": ["admin:team.*"]});
    forbidden(&guarded.post(&token, "/tokens", more).await, "admin", "*");
    forbidden(&guarded.get(&token, "/tokens").await, "admin", "*");
    forbidden(&guarded.delete(&token, "/tokens/admin").await, "admin", "*");
}

#[tokio::test]
async fn a_subscription_needs_admin_on_the_topic_and_on_the_queue() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/topics/orders").await;
    guarded.put(&guarded.admin, "/queues/email").await;
    let path = "/topics/orders/subscriptions/email";
    let of_topic = guarded.token("topic", &["admin:orders"]).await;
    forbidden(&guarded.put(&of_topic, path).await, "admin", "email");
    let of_queue = guarded.token("queue", &["admin:email"]).await;
    forbidden(&guarded.put(&of_queue, path).await, "admin", "orders");
    let of_both = guarded.token("both", &["admin:email", "admin:orders"]).await;
    assert_eq!(guarded.put(&of_both, path).await.status, 201);
    assert_eq!(guarded.delete(&of_both, path).await.status, 204);
}

#[tokio::test]
async fn a_redrive_to_another_queue_needs_admin_on_that_too() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let token = guarded.token("a", &["admin:a", "publish:b", "consume:b"]).await;
    let redrive = "/queues/a/dead-letters/redrive";
    for body in [json!({"to": "b"}), json!({"to": "b", "dry_run": true}), json!({"to": "none-such"})] {
        let name = body["to"].as_str().unwrap().to_owned();
        forbidden(&guarded.post(&token, redrive, body).await, "admin", &name);
    }
    assert_eq!(guarded.post(&token, redrive, json!({})).await.status, 200);
    assert_eq!(guarded.post(&guarded.admin, redrive, json!({"to": "b"})).await.status, 200);
}

#[tokio::test]
async fn a_paced_redrive_is_shown_and_stopped_by_those_who_may_start_it() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let (of_a, of_both) =
        (guarded.token("a", &["admin:a"]).await, guarded.token("ab", &["admin:a", "admin:b"]).await);
    let other = guarded.token("other", &["admin:b"]).await;
    let start = json!({"per_second": 1, "to": "b"});
    let task = guarded.post(&of_both, "/queues/a/dead-letters/redrive", start).await.json()["task"].clone();
    let path = format!("/redrives/{}", task.as_str().unwrap());
    assert_eq!(guarded.get(&of_a, &path).await.json()["queue"], "a");
    forbidden(&guarded.get(&other, &path).await, "consume", "a");
    assert_eq!(guarded.get(&of_a, "/redrives").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(guarded.get(&other, "/redrives").await.json()["items"], json!([]));
    forbidden(&guarded.delete(&of_a, &path).await, "admin", "b");
    assert_eq!(guarded.delete(&of_both, &path).await.status, 204);
    let trail = guarded.get(&guarded.admin, "/audit").await.json();
    let stopped = &trail["items"][0];
    assert_eq!(
        (&stopped["queue"], &stopped["to"], &stopped["who"]),
        (&json!("a"), &json!("b"), &json!("ab"))
    );
}

#[tokio::test]
async fn a_list_shows_what_its_caller_may_see() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b", "/queues/c", "/topics/a", "/topics/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let token = guarded.token("some", &["consume:b", "admin:c", "publish:a"]).await;
    let listed = async |token: &str, path: &str, field: &str| {
        let items = guarded.get(token, path).await.json()["items"].clone();
        let names = items.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed(&token, "/queues", "name").await, ["b", "c"]);
    assert_eq!(listed(&token, "/dead-letters", "queue").await, ["b", "c"]);
    assert_eq!(listed(&token, "/topics", "name").await, ["a", "b"]);
    assert_eq!(listed(&guarded.admin, "/queues", "name").await, ["a", "b", "c"]);
    let first = guarded.get(&token, "/queues?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(listed(&token, &format!("/queues?limit=1&cursor={cursor}"), "name").await, ["c"]);
}

#[tokio::test]
async fn a_journey_shows_what_its_caller_may_see() {
    let guarded = Guarded::start().await;
    for path in ["/queues/open", "/queues/secret", "/topics/orders"] {
        guarded.put(&guarded.admin, path).await;
    }
    for queue in ["open", "secret"] {
        guarded.put(&guarded.admin, &format!("/topics/orders/subscriptions/{queue}")).await;
    }
    let publish = async |path: &str| {
        let request = guarded.request(&guarded.admin, Method::POST, path).header("ce-id", "1");
        assert_eq!(Answer::of(request.header("ce-source", path)).await.status, 201);
    };
    publish("/topics/orders/messages").await;
    publish("/queues/secret/messages").await;
    let seen = async |token: &str, source: &str| {
        let answer = guarded.get(token, &format!("/messages/1{source}")).await;
        let told =
            if answer.status == 200 { answer.json() } else { answer.problem(404, "message-not-found") };
        let steps = told["journey"].as_array().into_iter().flatten();
        let names = steps.map(|step| step["queue"].as_str().or(step["topic"].as_str()).unwrap().to_owned());
        (names.collect::<Vec<_>>(), told["complete"] == true, told["others"].as_u64())
    };
    let consumer = guarded.token("consumer", &["consume:open"]).await;
    let publisher = guarded.token("publisher", &["publish:orders"]).await;
    let (to_topic, to_queue) = ("?source=/topics/orders/messages", "?source=/queues/secret/messages");
    assert_eq!(seen(&guarded.admin, to_topic).await.0.len(), 3);
    for newest in ["", to_topic] {
        assert_eq!(seen(&consumer, newest).await, (vec!["open".to_owned()], false, Some(0)));
        assert_eq!(seen(&publisher, newest).await, (vec!["orders".to_owned()], false, Some(0)));
    }
    for token in [&consumer, &publisher] {
        assert_eq!(seen(token, to_queue).await, (vec![], false, None));
    }
    let secret = vec!["secret".to_owned(), "secret".to_owned()];
    assert_eq!(seen(&guarded.admin, "").await, (secret, true, Some(1)));
}

#[tokio::test]
async fn a_name_is_checked_as_the_router_decodes_it() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/queues/secret").await;
    let token = guarded.token("a", &["consume:open*", "admin:open*"]).await;
    forbidden(&guarded.get(&token, "/queues/%73ecret").await, "consume", "secret");
    // A slash in a name makes it none; it never leads to another path.
    guarded.get(&token, "/queues/open%2F..%2Fsecret/messages").await.invalid("queue");
}

#[tokio::test]
async fn the_document_says_what_each_call_needs() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let guarded = !["/healthz", "/readyz"].contains(&path.as_str());
            let answers = &operation["responses"];
            assert_eq!(operation["security"][0]["bearer"].is_array(), guarded, "{method} {path}");
            assert_eq!(answers["401"].is_object() && answers["403"].is_object(), guarded, "{method} {path}");
        }
    }
    let publish = document["paths"]["/queues/{queue}/messages"]["post"]["description"].as_str().unwrap();
    assert!(publish.contains("Needs the role `publish` on the queue."), "{publish}");
}
