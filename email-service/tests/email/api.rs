//! `GET /emails` and `GET /emails/{id}` over HTTP.

use email_service::{api, store::Store};
use messaging::consumer::Handler;
use reqwest::StatusCode;
use serde_json::Value;
use serve::{health::Health, http::Limits};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::parts::{config, confirmed, files, handlers, order, placed};

/// The API on a store that a test has filled.
struct Api {
    url: String,
    _stop: tokio_util::sync::DropGuard,
}

impl Api {
    async fn serve(store: Store) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let router = api::router(store, &Health::starting());
        tokio::spawn(serve::http::run(listener, router, Limits::default(), stop.clone()));
        Self { url, _stop: stop.drop_guard() }
    }

    async fn get(&self, path: &str) -> (StatusCode, String, String) {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status(), kind, answer.text().await.unwrap())
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await.2).unwrap()
    }
}

/// Three orders received, the first one confirmed too.
async fn filled() -> (TempDir, Api, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let handlers = handlers(&config(folder.path())).await;
    let orders = [order(), order(), order()];
    for order in &orders {
        handlers.handle(&placed(order)).await.unwrap();
    }
    handlers.handle(&confirmed(&orders[0])).await.unwrap();
    let api = Api::serve(handlers.store).await;
    (folder, api, orders.iter().map(|order| order.order_id.to_string()).collect())
}

fn kinds(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|mail| mail["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_mails_of_an_order_are_listed_oldest_first() {
    let (_folder, api, orders) = filled().await;
    let list = api.json(&format!("/emails?order={}", orders[0])).await;
    assert_eq!(kinds(&list), ["order-received", "order-confirmed"]);
    let mail = &list["items"][0];
    assert_eq!(mail["order_id"], orders[0]);
    assert_eq!(mail["to"], "ada@example.com");
    assert!(mail["subject"].as_str().unwrap().contains(&orders[0]));
    assert!(mail["sent_at"].as_str().unwrap().ends_with('Z'));
    assert!(list.get("next_cursor").is_none());
}

#[tokio::test]
async fn an_order_without_mails_has_an_empty_list() {
    let (_folder, api, _) = filled().await;
    let list = api.json(&format!("/emails?order={}", events::OrderId::new())).await;
    assert_eq!(list, serde_json::json!({"items": []}));
}

#[tokio::test]
async fn all_mails_are_read_page_by_page_each_once() {
    let (_folder, api, _) = filled().await;
    let (mut ids, mut path) = (Vec::new(), Some("/emails?limit=3".to_owned()));
    let mut pages = 0;
    while let Some(next) = path {
        let page = api.json(&next).await;
        ids.extend(page["items"].as_array().unwrap().iter().map(|mail| mail["id"].to_string()));
        path = page["next_cursor"].as_str().map(|cursor| format!("/emails?limit=3&cursor={cursor}"));
        pages += 1;
    }
    ids.sort();
    ids.dedup();
    assert_eq!((pages, ids.len()), (2, 4));
}

#[tokio::test]
async fn a_mail_is_shown_as_it_was_sent() {
    let (folder, api, orders) = filled().await;
    let list = api.json(&format!("/emails?order={}", orders[1])).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let (status, kind, text) = api.get(&format!("/emails/{id}")).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "message/rfc822"));
    let name = format!("{}.order-received.eml", orders[1]);
    let (_, sent) = files(folder.path()).into_iter().find(|(file, _)| *file == name).unwrap();
    assert_eq!(text, sent);
}

#[tokio::test]
async fn a_mail_that_is_not_there_is_404() {
    let (_folder, api, _) = filled().await;
    for id in ["no-such-id", "0199b1c6-0000-7000-8000-000000000000"] {
        let (status, kind, text) = api.get(&format!("/emails/{id}")).await;
        assert_eq!((status, kind.as_str()), (StatusCode::NOT_FOUND, "application/problem+json"));
        assert!(text.contains("/problems/email-not-found"), "{text}");
    }
    assert_eq!(api.get("/problems/email-not-found").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_parameter_is_422_and_named() {
    let (_folder, api, _) = filled().await;
    for (query, field) in [
        ("order=nope", "order"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=nope", "cursor"),
        ("cursor=-1", "cursor"),
        ("kind=order-received", "kind"),
    ] {
        let (status, _, text) = api.get(&format!("/emails?{query}")).await;
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(problem["errors"][0]["field"], field, "{text}");
    }
}

#[tokio::test]
async fn the_document_names_every_path() {
    let (_folder, api, _) = filled().await;
    let document = api.json("/openapi.json").await;
    for path in ["/emails", "/emails/{id}", "/healthz", "/readyz", "/metrics"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
}
