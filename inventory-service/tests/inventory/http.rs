//! The HTTP contract: what is shown, what is refused and how, also while the broker is away.

use std::net::SocketAddr;

use inventory_service::config::Config;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, confirmed, order, placed};

/// A broker where there is none: the discard port refuses connections.
const NOWHERE: &str = "http://127.0.0.1:9";

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
        let task = tokio::spawn(inventory_service::run(listener, config, ready.clone(), shutdown.clone()));
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

    async fn put(&self, sku: &str, body: &str) -> Response {
        self.call(Method::PUT, &format!("/stock/{sku}"), body).await
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
async fn the_stock_is_a_list_by_sku_in_pages() {
    let (_folder, served) = alone().await;
    let first = served.json("/stock?limit=2").await;
    let skus = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["sku"].to_string()).collect()
    };
    assert_eq!(skus(&first), ["\"coffee-beans\"", "\"grinder\""]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = served.json(&format!("/stock?limit=2&cursor={cursor}")).await;
    assert_eq!(skus(&second), ["\"mug\""]);
    assert!(second.get("next_cursor").is_none());
    let wanted = json!({"sku": "mug", "on_hand": 1_000_000, "reserved": 0, "available": 1_000_000,
        "received": 1_000_000, "committed": 0});
    assert_eq!(served.json("/stock/mug").await, wanted);
}

#[tokio::test]
async fn setting_the_stock_counts_the_difference_as_received() {
    let (_folder, served) = alone().await;
    let added = served.put("teapot", r#"{"on_hand":5}"#).await;
    assert_eq!(added.status(), StatusCode::CREATED);
    for on_hand in [9, 2] {
        let answer = served.put("teapot", &json!({"on_hand": on_hand}).to_string()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let wanted = json!({"sku": "teapot", "on_hand": on_hand, "reserved": 0, "available": on_hand,
            "received": on_hand, "committed": 0});
        assert_eq!(answer.json::<Value>().await.unwrap(), wanted);
        assert_eq!(served.json("/stock/teapot").await, wanted);
    }
}

#[tokio::test]
async fn what_is_reserved_can_not_be_taken_out_and_what_was_committed_stays_received() {
    let scene = Scene::new().await;
    let (held, gone) = (order(&[("mug", 3)]), order(&[("mug", 4)]));
    for event in [placed(&held), placed(&gone), confirmed(&gone)] {
        scene.deliver(&event).await.unwrap();
    }
    let served = Served::start(Config::new(scene.folder(), NOWHERE.to_owned())).await;
    let body = problem(served.put("mug", r#"{"on_hand":2}"#).await, 409, "below-reserved").await;
    assert!(body["detail"].as_str().unwrap().contains("3 pieces"), "{body}");
    let answer: Value = served.put("mug", r#"{"on_hand":3}"#).await.json().await.unwrap();
    let wanted =
        json!({"sku": "mug", "on_hand": 3, "reserved": 3, "available": 0, "received": 7, "committed": 4});
    assert_eq!(answer, wanted);
}

#[tokio::test]
async fn wrong_stock_is_refused_and_changes_nothing() {
    let (_folder, served) = alone().await;
    for (body, slug, status) in [
        (r#"{"on_hand":-1}"#, "invalid-field", 422),
        (r#"{"on_hand":1000000000001}"#, "invalid-field", 422),
        (r#"{"on_hand":1.5}"#, "invalid-field", 422),
        (r#"{"on_hand":1,"reserved":0}"#, "invalid-field", 422),
        ("", "invalid-field", 422),
        ("[", "malformed-json", 400),
    ] {
        problem(served.put("mug", body).await, status, slug).await;
    }
    for sku in ["-mug", "m%20ug", "%C3%A4", &"x".repeat(65)] {
        problem(served.put(sku, r#"{"on_hand":1}"#).await, 422, "invalid-field").await;
    }
    assert_eq!(served.json("/stock/mug").await["on_hand"], 1_000_000);
    problem(served.get("/stock/teapot").await, 404, "stock-not-found").await;
    for (path, field) in [
        ("/stock?limit=0", "limit"),
        ("/stock?cursor=%20", "cursor"),
        ("/stock?skip=1", "skip"),
        ("/reservations?state=held", "state"),
        ("/reservations?cursor=x", "cursor"),
    ] {
        let body = problem(served.get(path).await, 422, "invalid-field").await;
        assert_eq!(body["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn a_reservation_is_shown_with_its_lines() {
    let scene = Scene::new().await;
    let order = order(&[("mug", 3)]);
    scene.deliver(&placed(&order)).await.unwrap();
    let served = Served::start(Config::new(scene.folder(), NOWHERE.to_owned())).await;
    let id = order.order_id.to_string();
    let wanted = json!({"order_id": id, "state": "reserved", "lines": [{"sku": "mug", "quantity": 3}]});
    assert_eq!(served.json(&format!("/reservations/{id}")).await, wanted);
    for id in ["0190163d-8694-739b-aea5-966c26f8ad91", "nonsense"] {
        problem(served.get(&format!("/reservations/{id}")).await, 404, "reservation-not-found").await;
    }
}

#[tokio::test]
async fn the_reservations_are_a_list_newest_first_in_pages_and_by_state() {
    let scene = Scene::new().await;
    let orders = [order(&[("mug", 1)]), order(&[("mug", 2)]), order(&[("mug", 3)])];
    for order in &orders {
        scene.deliver(&placed(order)).await.unwrap();
    }
    scene.deliver(&confirmed(&orders[1])).await.unwrap();
    let served = Served::start(Config::new(scene.folder(), NOWHERE.to_owned())).await;
    let pieces = |page: &Value| -> Vec<i64> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["lines"][0]["quantity"].as_i64().unwrap()).collect()
    };
    let first = served.json("/reservations?limit=2").await;
    assert_eq!(pieces(&first), [3, 2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = served.json(&format!("/reservations?limit=2&cursor={cursor}")).await;
    assert_eq!((pieces(&second), second.get("next_cursor")), (vec![1], None));
    assert_eq!(pieces(&served.json("/reservations?state=reserved").await), [3, 1]);
    assert_eq!(pieces(&served.json("/reservations?state=committed").await), [2]);
}

#[tokio::test]
async fn an_outbox_that_waits_for_the_broker_says_how_much_and_has_nothing_to_send_again_or_delete() {
    let scene = Scene::new().await;
    scene.deliver(&placed(&order(&[("mug", 3)]))).await.unwrap();
    let served = Served::start(Config::new(scene.folder(), NOWHERE.to_owned())).await;
    let outbox = served.json("/outbox").await;
    assert_eq!((&outbox["depth"], &outbox["set_aside"]), (&json!(1), &json!([])));
    assert!(outbox["oldest_age"].is_string(), "{outbox}");
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
    problem(served.call(Method::POST, "/stock", "{}").await, 405, "method-not-allowed").await;
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
            "/readyz",
            "/reservations",
            "/reservations/{order_id}",
            "/stock",
            "/stock/{sku}",
        ]
    );
}
