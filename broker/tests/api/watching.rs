//! Watching: a message's journey, figures, health, the description of it all.

use serde_json::{Value, json};

use super::server::Server;

#[tokio::test]
async fn a_journey_tells_what_happened_to_a_message() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.dead_letter("jobs", "1", "broken").await;
    server.post("/queues/jobs/dead-letters/redrive", json!({})).await;
    let delivery = server.receive("jobs", json!({"consumer": "me"})).await.remove(0);
    server.settle("jobs", "ack", json!({"receipts": [delivery["receipt"]]})).await;
    let told = server.get("/messages/1").await.json();
    assert_eq!((&told["id"], &told["complete"]), (&json!("1"), &json!(true)));
    let steps = told["journey"].as_array().unwrap();
    assert_eq!((&steps[0]["what"], &steps[0]["queue"]), (&json!("published"), &json!("jobs")));
    let what: Vec<&str> = steps.iter().map(|step| step["what"].as_str().unwrap()).collect();
    for (earlier, later) in [
        ("published", "leased"),
        ("leased", "dead-lettered"),
        ("dead-lettered", "redriven"),
        ("redriven", "acked"),
    ] {
        let place =
            |name: &str| what.iter().position(|what| *what == name).unwrap_or_else(|| panic!("{what:?}"));
        assert!(place(earlier) < place(later), "{what:?}");
    }
    let failed = steps.iter().find(|step| step["what"] == "dead-lettered").unwrap();
    assert_eq!((&failed["queue"], &failed["reason"]), (&json!("jobs"), &json!("broken")));
    assert!(steps.iter().any(|step| step["what"] == "leased" && step["consumer"] == "me"));
    assert!(steps.windows(2).all(|pair| pair[0]["at"].as_str() <= pair[1]["at"].as_str()));
    server.get("/messages/none").await.problem(404, "message-not-found");
    server.get("/messages/1?source=/else").await.problem(404, "message-not-found");
}

/// What happened, and in which queue.
fn steps(told: &Value) -> Vec<(&str, &str)> {
    let steps = told["journey"].as_array().unwrap().iter();
    steps.map(|step| (step["what"].as_str().unwrap(), step["queue"].as_str().unwrap_or(""))).collect()
}

#[tokio::test]
async fn a_journey_names_the_topic_that_it_began_at() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    server.put("/topics/orders/subscriptions/jobs", json!({})).await;
    server.publish("/topics/orders", &[("ce-id", "1")], "x").await;
    let told = server.get("/messages/1").await.json();
    assert_eq!(steps(&told), [("published", ""), ("copied", "jobs")]);
    assert_eq!(told["journey"][0]["topic"], "orders");
}

/// A queue in which a message failed twice, which was once too often, and another queue.
async fn died_once() -> Server {
    let settings = json!({"max_deliveries": 2, "backoff": {"initial": "1ms", "jitter": 0}});
    let server = Server::with_queue("jobs", settings).await;
    server.put_queue("parked", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    for _ in 0..2 {
        let delivery = server.receive("jobs", json!({"wait": "10s"})).await.remove(0);
        let nack = json!({"receipts": [delivery["receipt"]], "reason": "broken"});
        assert_eq!(server.settle("jobs", "nack", nack).await, ["done"]);
    }
    server
}

#[tokio::test]
async fn a_journey_to_another_queue_names_both() {
    let server = died_once().await;
    let told = server.get("/messages/1").await.json();
    let before = ["published", "copied", "leased", "nacked", "leased", "nacked", "dead-lettered"];
    assert_eq!(steps(&told).iter().map(|(what, _)| *what).collect::<Vec<_>>(), before);
    server.post("/queues/jobs/dead-letters/redrive", json!({"to": "parked"})).await;
    let told = server.get("/messages/1").await.json();
    assert_eq!(steps(&told)[7..], [("redriven", "jobs"), ("copied", "parked")]);
}

#[tokio::test]
async fn after_a_restart_a_journey_tells_what_it_died_of_and_in_which_queue() {
    let mut server = died_once().await;
    server.post("/queues/jobs/dead-letters/redrive", json!({"to": "parked"})).await;
    server.fail_next("parked", "still broken").await;
    server.restart().await;
    let told = server.get("/messages/1").await.json();
    assert_eq!(told["complete"], false);
    let told_of =
        |queue| [("nacked", queue), ("nacked", queue), ("dead-lettered", queue), ("dead-lettered", "parked")];
    assert_eq!(steps(&told), told_of("jobs"));
    server.delete("/queues/jobs").await;
    assert_eq!(steps(&server.get("/messages/1").await.json()), told_of("jobs"));
    server.restart().await;
    assert_eq!(steps(&server.get("/messages/1").await.json()), told_of(""), "nobody knows its name any more");
}

#[tokio::test]
async fn the_lease_that_ran_out_last_stands_before_the_death_it_led_to() {
    let server = Server::with_queue("jobs", json!({"lease": "100ms", "max_deliveries": 1})).await;
    server.publish_ids("jobs", &["1"]).await;
    server.receive("jobs", json!({})).await;
    server.until("a dead letter", async |server| server.counts("jobs").await["dead"] == 1).await;
    let told = server.get("/messages/1").await.json();
    assert_eq!(steps(&told)[2..], [("leased", "jobs"), ("lease-expired", "jobs"), ("dead-lettered", "jobs")]);
}

#[tokio::test]
async fn a_journey_through_a_queue_that_was_removed_names_it_and_says_so() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.put_queue("acked", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    for queue in ["jobs", "acked"] {
        server.put(&format!("/topics/orders/subscriptions/{queue}"), json!({})).await;
    }
    server.publish("/topics/orders", &[("ce-id", "1")], "x").await;
    server.receive("acked", json!({"auto_ack": true})).await;
    server.receive("jobs", json!({})).await;
    for path in ["/queues/jobs?force=true", "/queues/acked", "/topics/orders"] {
        assert_eq!(server.delete(path).await.status, 204);
    }
    let told = server.get("/messages/1").await.json();
    let through = [
        ("published", ""),
        ("copied", "jobs"),
        ("copied", "acked"),
        ("auto-acked", "acked"),
        ("leased", "jobs"),
        ("removed", "jobs"),
    ];
    assert_eq!(steps(&told), through);
    assert_eq!(told["journey"][0]["topic"], "orders");
    assert_eq!(
        (&told["journey"][5]["reason"], &told["complete"]),
        (&json!("the queue was removed"), &json!(true))
    );
}

#[tokio::test]
async fn what_only_a_topic_retains_is_known_after_a_restart() {
    let mut server = Server::start().await;
    server.put("/topics/orders", json!({"retention": "1h"})).await;
    server.publish("/topics/orders", &[("ce-id", "1")], "x").await;
    server.restart().await;
    let told = server.get("/messages/1").await.json();
    assert_eq!((&told["journey"], &told["complete"]), (&json!([]), &json!(false)));
}

#[tokio::test]
async fn a_full_subscriber_that_missed_a_message_stands_in_its_journey() {
    let server = Server::with_queue("full", json!({"max_messages": 1})).await;
    server.put_queue("jobs", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    server.put("/topics/orders/subscriptions/full", json!({"on_full": "drop"})).await;
    server.put("/topics/orders/subscriptions/jobs", json!({})).await;
    server.publish_ids("full", &["0"]).await;
    server.publish("/topics/orders", &[("ce-id", "1")], "x").await;
    let told = server.get("/messages/1").await.json();
    assert_eq!(steps(&told), [("published", ""), ("copied", "jobs"), ("dropped", "full")]);
}

#[tokio::test]
async fn metrics_count_per_queue() {
    let server = Server::with_queue("jobs.metrics", json!({})).await;
    server.publish_ids("jobs.metrics", &["1"]).await;
    let answer = server.get("/metrics").await;
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    let of_queue = answer.text.lines().filter(|line| line.contains("jobs.metrics")).collect::<Vec<_>>();
    assert!(of_queue.iter().any(|line| line.contains("ready") && line.ends_with(" 1")), "{of_queue:?}");
    assert!(answer.text.contains("# TYPE"));
}

#[tokio::test]
async fn metrics_count_per_topic() {
    let server = Server::with_queue("narrow", json!({"max_messages": 1})).await;
    server.put("/topics/orders", json!({"retention": "1h"})).await;
    let figures = async || {
        let text = server.get("/metrics").await.text;
        let figure = |name: &str| {
            let start = format!("broker_topic_{name}{{topic=\"orders\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&start)?.parse::<u64>().ok())
        };
        [
            "published_total",
            "unrouted_total",
            "duplicates_total",
            "rejected_total",
            "subscriptions",
            "retained",
        ]
        .map(figure)
        .map(Option::unwrap)
    };
    assert_eq!(figures().await, [0; 6]);
    assert_eq!(server.publish("/topics/orders", &[("ce-id", "1")], "x").await.status, 201);
    server.put("/topics/orders/subscriptions/narrow", json!({})).await;
    assert_eq!(server.publish("/topics/orders", &[("ce-id", "2")], "x").await.status, 201);
    assert_eq!(server.publish("/topics/orders", &[("ce-id", "2")], "x").await.status, 200);
    server.publish("/topics/orders", &[("ce-id", "2")], "y").await.problem(409, "id-reused");
    server.publish("/topics/orders", &[("ce-id", "3")], "x").await.problem(429, "queue-full");
    assert_eq!(figures().await, [2, 1, 1, 1, 1, 2]);
    assert!(server.get("/metrics").await.text.contains("broker_topic_retained_bytes{topic=\"orders\"} "));
}

#[tokio::test]
async fn a_running_broker_is_alive_and_ready() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.json(), json!({"status": "ok"}));
    }
}

#[tokio::test]
async fn the_description_lists_every_path_with_its_answers() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, method) in [
        ("/", "get"),
        ("/queues", "get"),
        ("/queues/{queue}", "put"),
        ("/queues/{queue}", "delete"),
        ("/queues/{queue}/purge", "post"),
        ("/queues/{queue}/messages", "get"),
        ("/queues/{queue}/messages", "post"),
        ("/queues/{queue}/messages/{id}", "delete"),
        ("/queues/{queue}/receive", "post"),
        ("/queues/{queue}/ack", "post"),
        ("/queues/{queue}/nack", "post"),
        ("/queues/{queue}/extend", "post"),
        ("/queues/{queue}/dead-letters", "get"),
        ("/queues/{queue}/dead-letters/{id}", "get"),
        ("/queues/{queue}/dead-letters/{id}", "delete"),
        ("/queues/{queue}/dead-letters/redrive", "post"),
        ("/queues/{queue}/dead-letters/purge", "post"),
        ("/dead-letters", "get"),
        ("/topics", "get"),
        ("/topics/{topic}", "put"),
        ("/topics/{topic}/subscriptions/{queue}", "put"),
        ("/topics/{topic}/messages", "post"),
        ("/messages/{id}", "get"),
        ("/events", "get"),
        ("/metrics", "get"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/openapi.json", "get"),
        ("/problems/{slug}", "get"),
    ] {
        assert!(document["paths"][path][method]["responses"].is_object(), "{method} {path}");
    }
    assert_every_reference_is_defined(&document, &document);
}

#[tokio::test]
async fn the_description_says_where_there_may_be_too_many_queues_or_too_much_at_once() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let says = |operation: &Value, status: &str, slug: &str| {
        let description = operation["responses"][status]["description"].as_str().unwrap_or_default();
        description.contains(&format!("`{slug}`"))
    };
    for path in ["/queues/{queue}", "/topics/{topic}"] {
        assert!(says(&document["paths"][path]["put"], "409", "too-many-queues"), "{path}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(says(operation, "431", "headers-too-large"), "{method} {path}");
            assert!(says(operation, "503", "overloaded"), "{method} {path}");
            let retry_after = &operation["responses"]["503"]["headers"]["Retry-After"];
            assert!(retry_after.is_object(), "{method} {path}");
            let takes_body = operation.get("requestBody").is_some();
            assert_eq!(says(operation, "400", "malformed-request"), takes_body, "{method} {path}");
        }
    }
}

fn assert_every_reference_is_defined(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            members.values().for_each(|value| assert_every_reference_is_defined(document, value));
        }
        Value::Array(items) => {
            items.iter().for_each(|item| assert_every_reference_is_defined(document, item));
        }
        _ => {}
    }
}
