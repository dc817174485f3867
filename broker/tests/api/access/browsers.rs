//! What a page of another site can do through its reader's browser: nothing.

use reqwest::Method;
use serde_json::json;

use crate::server::{Answer, Server};

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_through_its_readers_browser() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let own = format!("http://{}", server.address);
    let purge = |header: &str, value: &str| {
        Answer::of(server.request(Method::POST, "/queues/jobs/purge").header(header, value))
    };
    for (header, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        purge(header, value).await.problem(403, "foreign-page");
    }
    assert_eq!(server.counts("jobs").await["ready"], 1);
    for (header, value) in [("origin", own.as_str()), ("sec-fetch-site", "same-origin")] {
        assert_eq!(purge(header, value).await.status, 200, "{header}: {value}");
    }
}

/// What comes of a GET of that path at that name, and the broker's port.
async fn called(server: &Server, name: &str, path: &str) -> Answer {
    let (_, port) = server.address.rsplit_once(':').unwrap();
    Answer::of(server.request(Method::GET, path).header("host", format!("{name}:{port}"))).await
}

#[tokio::test]
async fn without_tokens_the_broker_answers_to_no_name_that_others_can_give() {
    let server = Server::with_queue("jobs", json!({})).await;
    let own = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "broker.localhost",
        "[::1]",
        "broker",
        "host.docker.internal",
    ];
    for name in own {
        assert_eq!(called(&server, name, "/queues/jobs").await.status, 200, "{name}");
    }
    for name in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example."] {
        for path in ["/queues/jobs", "/", "/events", "/nowhere"] {
            called(&server, name, path).await.problem(403, "foreign-page");
        }
        assert_eq!(called(&server, name, "/healthz").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn with_tokens_the_broker_answers_to_every_name() {
    let server = Server::with_queue("jobs", json!({})).await;
    let token = server.post("/tokens", json!({"name": "admin", "allow": ["admin:*"]})).await.json();
    let request = server.request(Method::GET, "/queues").header("host", "broker.example");
    assert_eq!(Answer::of(request.bearer_auth(token["token"].as_str().unwrap())).await.status, 200);
    called(&server, "broker.example", "/queues").await.problem(401, "unauthenticated");
}
