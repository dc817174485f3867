//! `GET /events`: what happens in the broker, as server-sent events.

use std::time::Duration;

use broker::config::Config;
use futures_util::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use super::server::{Answer, Server};

/// Longer than anything here takes on a busy machine; reached only by a failure.
const LONG: Duration = Duration::from_secs(20);

/// An event as it came over the wire.
#[derive(Debug)]
struct Event {
    id: String,
    kind: String,
    data: Value,
}

/// A stream that is being read.
struct Watching {
    response: Response,
    buffer: String,
}

impl Watching {
    async fn start(server: &Server, query: &str) -> Self {
        Self::resume(server, query, "").await
    }

    async fn resume(server: &Server, query: &str, last_id: &str) -> Self {
        let request = server.request(Method::GET, &format!("/events{query}"));
        Self::of(request.header("last-event-id", last_id)).await
    }

    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event; `None` where the stream ends instead.
    async fn next(&mut self) -> Option<Event> {
        timeout(LONG, self.read()).await.expect("something happens in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| Some(line.strip_prefix(name)?.trim_start().to_owned()))
                };
                if let (Some(id), Some(kind), Some(data)) = (field("id:"), field("event:"), field("data:")) {
                    return Some(Event { id, kind, data: serde_json::from_str(&data).unwrap() });
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Event> {
        let events = futures_util::stream::unfold(self, |it| async { Some((it.next().await?, it)) });
        events.take(count).collect().await
    }
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn started(configure: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start_on("127.0.0.1:0", TempDir::new().unwrap(), configure).await;
    server.put_queue("jobs", json!({"backoff": {"initial": "0s"}})).await;
    server
}

#[tokio::test]
async fn whoever_watches_is_told_each_step_of_a_message_in_order() {
    let server = started(|_| ()).await;
    server.put("/topics/orders", json!({})).await;
    server.put("/topics/orders/subscriptions/jobs", json!({})).await;
    let mut watching = Watching::start(&server, "").await;
    let event = r#"{"specversion":"1.0","id":"a \"1\"","source":"/shop","type":"order.placed"}"#;
    server.publish_json("/topics/orders", event).await;
    let first = server.receive("jobs", json!({"consumer": "me"})).await.remove(0);
    let nack = json!({"receipts": [first["receipt"]], "reason": "busy"});
    server.settle("jobs", "nack", nack).await;
    let second = server.receive("jobs", json!({"consumer": "you"})).await.remove(0);
    server.settle("jobs", "ack", json!({"receipts": [second["receipt"]]})).await;

    let events = watching.take(6).await;
    assert_eq!(kinds(&events), ["published", "copied", "leased", "nacked", "leased", "acked"]);
    for event in &events {
        let Event { data, .. } = event;
        assert_eq!((&data["id"], &data["source"]), (&json!("a \"1\""), &json!("/shop")), "{event:?}");
        assert_eq!(data["type"], "order.placed");
        assert!(data["at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(data.get("queue"), (event.kind != "published").then_some(&json!("jobs")), "{event:?}");
    }
    assert_eq!(events[0].data["topic"], "orders");
    assert_eq!((&events[2].data["consumer"], &events[3].data["reason"]), (&json!("me"), &json!("busy")));
    let mut ids: Vec<_> = events.iter().map(|event| &event.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), events.len(), "each has an id of its own");
}

#[tokio::test]
async fn a_watcher_chooses_queues_and_kinds() {
    let server = started(|_| ()).await;
    server.put_queue("others", json!({})).await;
    let mut of_queue = Watching::start(&server, "?queue=jobs").await;
    let mut of_kinds = Watching::start(&server, "?kind=copied,dead-lettered&queue=jobs,others").await;
    server.publish_ids("others", &["1"]).await;
    server.dead_letter("jobs", "2", "broken").await;
    assert_eq!(kinds(&of_queue.take(4).await), ["published", "copied", "leased", "dead-lettered"]);
    let events = of_kinds.take(3).await;
    assert_eq!(kinds(&events), ["copied", "copied", "dead-lettered"]);
    assert_eq!(events[0].data["queue"], "others");
}

#[tokio::test]
async fn what_can_not_be_chosen_is_refused_by_its_name() {
    let server = started(|_| ()).await;
    for (query, field) in [
        ("?kind=eaten", "kind"),
        ("?kind=", "kind"),
        ("?kind=acked,,nacked", "kind"),
        ("?queue=.a", "queue"),
        ("?colour=red", "colour"),
        ("?queue=jobs&queue=jobs", "queue"),
    ] {
        server.get(&format!("/events{query}")).await.invalid(field);
    }
    server.get("/events?queue=none").await.problem(404, "queue-not-found");
    for id in ["nonsense", "1-2-3", "12", "-1--1", "+1-2", "01-2", "1-02"] {
        let request = server.request(Method::GET, "/events").header("last-event-id", id);
        Answer::of(request).await.invalid("Last-Event-ID");
    }
}

#[tokio::test]
async fn who_comes_again_with_the_last_id_misses_nothing_and_hears_nothing_twice() {
    let server = started(|_| ()).await;
    let mut watching = Watching::start(&server, "?kind=copied").await;
    server.publish_ids("jobs", &["1", "2"]).await;
    let last = watching.take(2).await.pop().unwrap();
    drop(watching);
    server.publish_ids("jobs", &["3", "4", "5"]).await;
    let mut again = Watching::resume(&server, "?kind=copied", &last.id).await;
    server.publish_ids("jobs", &["6"]).await;
    let told: Vec<_> = again.take(4).await.into_iter().map(|event| event.data["id"].clone()).collect();
    assert_eq!(told, ["3", "4", "5", "6"]);
}

#[tokio::test]
async fn an_id_of_another_run_is_answered_by_a_gap_of_unknown_size() {
    let server = started(|_| ()).await;
    let mut watching = Watching::resume(&server, "", "1000-84").await;
    server.publish_ids("jobs", &["1"]).await;
    let events = watching.take(2).await;
    assert_eq!(kinds(&events), ["skipped", "published"]);
    assert_eq!(events[0].data["count"], Value::Null);
}

#[tokio::test]
async fn under_load_it_is_told_how_many_were_left_out() {
    let server = started(|_| ()).await;
    let mut watching = Watching::start(&server, "?kind=copied").await;
    let ids: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    server.publish_ids("jobs", &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (mut told, mut left_out) = (0, 0);
    while told + left_out < 1000 {
        let event = watching.next().await.unwrap();
        match event.kind.as_str() {
            "copied" => told += 1,
            "left-out" => left_out += event.data["count"].as_u64().unwrap(),
            other => panic!("{other}"),
        }
    }
    assert_eq!(told + left_out, 1000);
    assert!(told > 0 && left_out > 0, "{told} were told, {left_out} left out");
}

#[tokio::test]
async fn so_many_watch_and_the_next_one_is_told_to_come_later() {
    let server = started(|config| config.engine.watchers = 1).await;
    let watching = Watching::start(&server, "").await;
    let answer = server.get("/events").await;
    answer.problem(503, "too-many-watchers");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    drop(watching);
    let again = async {
        while server.request(Method::GET, "/events").send().await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, again).await.expect("the place of one who has gone is free");
}

#[tokio::test]
async fn it_ends_at_once_when_the_broker_stops() {
    let mut server = started(|config| config.http.drain_time = LONG * 10).await;
    let mut watching = Watching::start(&server, "").await;
    timeout(LONG, server.stop()).await.expect("no stream holds it");
    assert!(watching.next().await.is_none());
}

#[tokio::test]
async fn it_outlasts_the_time_that_a_request_may_take() {
    let server = started(|config| config.http.request_time = Duration::from_millis(200)).await;
    let mut watching = Watching::start(&server, "?kind=expired").await;
    server.publish("/queues/jobs", &[("message-ttl", "500ms")], "x").await;
    assert_eq!(kinds(&watching.take(1).await), ["expired"]);
}

#[tokio::test]
async fn what_happens_in_a_queue_is_told_to_those_who_may_consume_from_it() {
    let server = started(|_| ()).await;
    server.publish_ids("jobs", &["1"]).await;
    let delivery = server.receive("jobs", json!({})).await.remove(0);
    let mut tokens = Vec::new();
    for allow in ["admin:*", "consume:jobs", "publish:jobs"] {
        let name = allow.replace([':', '*'], "-");
        let request = server.request(Method::POST, "/tokens").json(&json!({"name": name, "allow": [allow]}));
        let request = tokens.first().into_iter().fold(request, RequestBuilder::bearer_auth);
        tokens.push(Answer::of(request).await.json()["token"].as_str().unwrap().to_owned());
    }
    let events = |token: &String, query: &str| {
        server.request(Method::GET, &format!("/events{query}")).bearer_auth(token)
    };
    let mut consumer = Watching::of(events(&tokens[1], "?kind=nacked")).await;
    let mut publisher = Watching::of(events(&tokens[2], "")).await;
    Answer::of(events(&tokens[2], "?queue=jobs")).await.problem(403, "forbidden");
    let nack = json!({"receipts": [delivery["receipt"]], "reason": "card 4711 declined"});
    let nack = server.request(Method::POST, "/queues/jobs/nack").json(&nack).bearer_auth(&tokens[1]);
    assert_eq!(Answer::of(nack).await.status, 200);
    assert_eq!(consumer.take(1).await[0].data["reason"], "card 4711 declined");
    for path in ["/topics/jobs", "/topics/jobs/subscriptions/jobs"] {
        let put = server.request(Method::PUT, path).bearer_auth(&tokens[0]);
        assert_eq!(Answer::of(put).await.status, 201);
    }
    let publish = server.request(Method::POST, "/topics/jobs/messages").bearer_auth(&tokens[2]);
    assert_eq!(Answer::of(publish.body("x")).await.status, 201);
    assert_eq!(kinds(&publisher.take(1).await), ["published"]);

    let journey = |token: &String| {
        let request = server.request(Method::GET, "/messages/1").bearer_auth(token);
        async { Answer::of(request).await.text }
    };
    assert!(journey(&tokens[1]).await.contains("4711") && !journey(&tokens[2]).await.contains("4711"));
}

#[tokio::test]
async fn it_ends_when_its_token_is_revoked() {
    let server = started(|_| ()).await;
    let mut anonymous = Watching::start(&server, "").await;
    let made = server.post("/tokens", json!({"name": "admin", "allow": ["admin:*"]})).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let publish = |id: &'static str| {
        let request = server.request(Method::POST, "/queues/jobs/messages");
        Answer::of(request.header("authorization", &bearer).header("ce-id", id).body("x"))
    };
    assert_eq!(publish("1").await.status, 201);
    assert!(anonymous.next().await.is_none());
    server.get("/events").await.problem(401, "unauthenticated");
}
