//! Access: who is let in, and what callers without a token see. What a token allows and how one is made stand
//! in `access/`.

mod browsers;
mod roles;
mod tokens;

use std::time::Duration;

use broker::{Config, auth::local};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::server::{Answer, Server};

/// A broker with an admin's token.
struct Guarded {
    server: Server,
    admin: String,
}

impl Guarded {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // Each endpoint is called here, and a stream would never end.
        let server = Server::start_on("127.0.0.1:0", folder, |config| config.engine.watchers = 0).await;
        let answer = server.post("/tokens", json!({"name": "admin", "allow": ["admin:*"]})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let admin = answer.json()["token"].as_str().unwrap().to_owned();
        Self { server, admin }
    }

    /// The text of a new token that allows that.
    async fn token(&self, name: &str, allow: &[&str]) -> String {
        let answer = self.post(&self.admin, "/tokens", json!({"name": name, "allow": allow})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(token)
    }

    async fn call(&self, token: &str, method: Method, path: &str) -> Answer {
        Answer::of(self.request(token, method, path)).await
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path).await
    }

    async fn put(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::PUT, path).await
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::DELETE, path).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        Answer::of(self.request(token, Method::POST, path).json(&body)).await
    }
}

/// Method and path of every operation in the document, with names filled in.
async fn operations(guarded: &Guarded) -> Vec<(Method, String)> {
    let document = guarded.get(&guarded.admin, "/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = ["queue", "topic", "id", "name", "slug", "task"]
            .iter()
            .fold(path.clone(), |path, name| path.replace(&format!("{{{name}}}"), "some"));
        for method in item.as_object().unwrap().keys() {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    operations
}

#[tokio::test]
async fn without_tokens_all_is_allowed() {
    let server = Server::with_queue("a", json!({})).await;
    assert_eq!(server.publish("/queues/a", &[], "x").await.status, 201);
    assert_eq!(server.get("/tokens").await.json(), json!({"items": []}));
    // A token that is none does not shut out who needs none.
    let answer = Answer::of(server.request(Method::GET, "/queues/a").bearer_auth("bkr_x")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn with_tokens_every_call_but_health_needs_one() {
    let guarded = Guarded::start().await;
    let operations = operations(&guarded).await;
    assert!(operations.len() > 30);
    for (method, path) in operations {
        let answer = Answer::of(guarded.server.request(method.clone(), &path)).await;
        if ["/healthz", "/readyz"].contains(&path.as_str()) {
            assert_eq!(answer.status, 200, "{path}");
        } else {
            answer.problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_wherever_it_goes() {
    let guarded = Guarded::start().await;
    let cut = &guarded.admin[..guarded.admin.len() - 1];
    for header in
        ["", "Bearer", "Bearer ", "Bearer bkr_x", "Basic YTpi", &guarded.admin, &format!("Bearer {cut}")]
    {
        for path in ["/queues/a", "/nowhere", "/queues/%ff", "/problems/unauthenticated"] {
            let request = guarded.server.request(Method::GET, path).header("authorization", header);
            let answer = Answer::of(request).await;
            answer.problem(401, "unauthenticated");
            assert!(!answer.text.contains(cut), "a token is not repeated");
        }
    }
    let twice = guarded.request(&guarded.admin, Method::GET, "/queues");
    let twice = twice.header("authorization", format!("Bearer {}", guarded.admin));
    Answer::of(twice).await.problem(401, "unauthenticated");
    Answer::of(guarded.server.request(Method::PATCH, "/queues/a")).await.problem(401, "unauthenticated");
    let lower = guarded.server.request(Method::GET, "/queues");
    let lower = lower.header("authorization", format!("bearer {}", guarded.admin));
    assert_eq!(Answer::of(lower).await.status, 200, "the scheme's case does not matter");
}

#[tokio::test]
async fn a_caller_that_is_not_known_is_answered_before_its_body_is_read() {
    let guarded = Guarded::start().await;
    let mut stream = TcpStream::connect(&guarded.server.address).await.unwrap();
    let head = "POST /queues/a/messages HTTP/1.1\r\nhost: broker\r\ncontent-length: 16000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    // The body never comes: only an answer to the head alone can be read here.
    timeout(Duration::from_secs(10), stream.read_exact(&mut start)).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_an_unknown_method_not_allowed_to_who_is_known() {
    let guarded = Guarded::start().await;
    let token = guarded.token("shop", &["publish:orders"]).await;
    guarded.get(&token, "/nowhere").await.problem(404, "not-found");
    guarded.get(&token, "/queues/%ff").await.problem(404, "not-found");
    let patched = guarded.call(&guarded.admin, Method::PATCH, "/queues/a").await;
    patched.problem(405, "method-not-allowed");
    for (method, path) in [(Method::GET, "/queues/a/receive"), (Method::POST, "/metrics")] {
        guarded.call(&token, method, path).await.problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn without_tokens_others_are_served_only_where_that_is_allowed() {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = Config::new(folder.path());
    let refused = broker::run(listener, config, Ready::new(), CancellationToken::new()).await.unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("broker tokens create admin") && said.contains("--allow-anonymous"), "{said}");
    assert!(local::read(folder.path()).unwrap().is_none());

    let server = Server::start_on("0.0.0.0:0", folder, |config| config.allow_anonymous = true).await;
    assert_eq!(server.get("/queues").await.status, 200);
}
