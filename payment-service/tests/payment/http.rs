//! The HTTP contract: what is shown, what is refused and how, also while the broker is away.

use std::net::SocketAddr;

use payment_service::config::Config;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A broker where there is none: the discard port refuses connections.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// A running service.
pub(crate) struct Served {
    base: String,
    client: reqwest::Client,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Served {
    /// Serves on a free port.
    pub(crate) async fn start(config: Config) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (ready, shutdown) = (Ready::new(), CancellationToken::new());
        let task = tokio::spawn(payment_service::run(listener, config, ready.clone(), shutdown.clone()));
        ready.wait().await;
        Self { base, client: reqwest::Client::new(), shutdown, task }
    }

    /// Stops it, cleanly.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        drop(self.client);
        self.task.await.unwrap().unwrap();
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.body(body.to_owned()).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path, "").await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
}

async fn alone() -> (TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(Config::new(folder.path().to_owned(), NOWHERE.to_owned())).await;
    (folder, served)
}

async fn problem(response: Response, status: u16, slug: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], format!("/problems/{slug}"), "{body}");
    body
}

#[tokio::test]
async fn an_order_that_was_not_heard_of_has_no_payment() {
    let (_folder, served) = alone().await;
    for id in ["0190163d-8694-739b-aea5-966c26f8ad91", "nonsense", "%20"] {
        problem(served.get(&format!("/payments/{id}")).await, 404, "payment-not-found").await;
    }
    let explained = served.json("/problems/payment-not-found").await;
    assert!(explained["help"].as_str().unwrap().contains("GET /payments"));
}

#[tokio::test]
async fn lists_are_pages_and_refuse_what_they_do_not_know() {
    let (_folder, served) = alone().await;
    for path in ["/payments", "/payments?open=true", "/sandbox/ledger?limit=1000"] {
        assert_eq!(served.json(path).await, json!({"items": []}));
    }
    for (path, field) in [
        ("/payments?limit=0", "limit"),
        ("/payments?limit=1001", "limit"),
        ("/payments?cursor=x", "cursor"),
        ("/payments?opne=true", "opne"),
        ("/payments?open=maybe", "open"),
        ("/sandbox/ledger?order=x", "order"),
        ("/sandbox/ledger?cursor=-1", "cursor"),
    ] {
        let body = problem(served.get(path).await, 422, "invalid-field").await;
        assert_eq!(body["errors"][0]["field"], field, "{path}: {body}");
    }
}

#[tokio::test]
async fn the_sandbox_plays_an_outage_until_it_is_told_otherwise_also_over_a_restart() {
    let (folder, served) = alone().await;
    assert_eq!(served.json("/sandbox").await, json!({"mode": "up"}));
    let answer = served.call(Method::PUT, "/sandbox", r#"{"mode":"down"}"#).await;
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"mode": "down"}));
    served.stop().await;
    let again = Served::start(Config::new(folder.path().to_owned(), NOWHERE.to_owned())).await;
    assert_eq!(again.json("/sandbox").await, json!({"mode": "down"}));
}

#[tokio::test]
async fn a_wrong_mode_is_refused_and_changes_nothing() {
    let (_folder, served) = alone().await;
    for (body, slug, status) in [
        (r#"{"mode":"sideways"}"#, "invalid-field", 422),
        (r#"{"mode":"down","for":"1m"}"#, "invalid-field", 422),
        ("", "invalid-field", 422),
        ("{", "malformed-json", 400),
    ] {
        problem(served.call(Method::PUT, "/sandbox", body).await, status, slug).await;
    }
    assert_eq!(served.json("/sandbox").await, json!({"mode": "up"}));
}

#[tokio::test]
async fn an_empty_outbox_says_so_and_has_nothing_to_send_again_or_delete() {
    let (_folder, served) = alone().await;
    let outbox = served.json("/outbox").await;
    assert_eq!(outbox, json!({"depth": 0, "oldest_age": null, "set_aside": []}));
    for (method, path) in [(Method::POST, "/outbox/x/retry"), (Method::DELETE, "/outbox/x")] {
        problem(served.call(method, path, "").await, 404, "outbox-row-not-found").await;
    }
}

#[tokio::test]
async fn without_the_broker_it_is_alive_but_not_ready_and_says_why() {
    let (_folder, served) = alone().await;
    assert_eq!(served.json("/healthz").await["status"], "ok");
    let body = problem(served.get("/readyz").await, 503, "not-ready").await;
    assert!(body["detail"].as_str().unwrap().contains("broker"), "{body}");
    served.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let (_folder, served) = alone().await;
    problem(served.get("/nothing").await, 404, "not-found").await;
    problem(served.call(Method::POST, "/payments", "{}").await, 405, "method-not-allowed").await;
}

#[tokio::test]
async fn its_openapi_document_describes_every_path() {
    let (_folder, served) = alone().await;
    let document = served.json("/openapi.json").await;
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        paths,
        [
            "/healthz",
            "/metrics",
            "/outbox",
            "/outbox/{id}",
            "/outbox/{id}/retry",
            "/payments",
            "/payments/{order_id}",
            "/readyz",
            "/sandbox",
            "/sandbox/ledger",
        ]
    );
}

#[tokio::test]
async fn a_data_folder_that_can_not_be_used_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let config = Config::new(file.clone(), NOWHERE.to_owned());
    let ended = payment_service::run(listener, config, Ready::new(), CancellationToken::new()).await;
    let error = format!("{:#}", ended.unwrap_err());
    assert!(error.contains(file.to_str().unwrap()), "{error}");
}
