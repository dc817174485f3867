//! Bad input to every endpoint: schemathesis against each program's own OpenAPI document finds no 5xx
//! and no answer that the document does not allow.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    http::{call, get, post},
    programs::Program,
    shop::{Shop, up},
    skip::{skip, works},
};

/// Where the rules stand that a document can't say.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis.toml");

/// All that schemathesis checks, against the server at `url`, with these arguments besides.
async fn hold(url: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let command = tokio::process::Command::new("schemathesis")
        .args(["--config-file", CONFIGURATION, "run", &format!("{url}/openapi.json"), "--url", url])
        .args(["--checks", "all", "--max-examples", "25", "--no-color"])
        .args(["--request-timeout", "75", "--seed", "7"])
        .args(arguments)
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), command).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}

fn is_missing(test: &str) -> bool {
    let is_missing = !works("schemathesis", &["--version"]);
    if is_missing {
        skip(test, "schemathesis (from PyPI) is not on the PATH");
    }
    is_missing
}

async fn fuzz(name: &str, of: impl Fn(&Shop) -> String) {
    if is_missing(name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    // Their documents allow texts that no cursor is, which are refused by their name.
    hold(&of(&Shop::of(&pipeline)), &["--exclude-checks", "positive_data_acceptance"]).await;
}

/// With tokens, so that what each call needs is looked at too; the data folder's own can't be revoked.
#[tokio::test]
async fn the_brokers_document_holds() {
    if is_missing("the_brokers_document_holds") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--data", data];
    let broker = Program::start("broker", &arguments, folder.path()).await.unwrap();
    let url = broker.own_url();
    post(&format!("{url}/tokens"), &json!({"name": "somebody", "allow": ["admin:*"]})).await.unwrap();
    let local = std::fs::read(folder.path().join("local.json")).unwrap();
    let local: Value = serde_json::from_slice(&local).unwrap();
    let header = format!("Authorization: Bearer {}", local["token"].as_str().unwrap());
    // A stream without end; its answers are held in the broker's own tests.
    hold(url, &["-H", &header, "--exclude-path", "/events"]).await;
}

#[tokio::test]
async fn order_services_document_holds() {
    fuzz("order_services_document_holds", |shop| shop.orders.clone()).await;
}

#[tokio::test]
async fn inventory_services_document_holds() {
    fuzz("inventory_services_document_holds", |shop| shop.inventory.clone()).await;
}

#[tokio::test]
async fn payment_services_document_holds() {
    fuzz("payment_services_document_holds", |shop| shop.payments.clone()).await;
}

#[tokio::test]
async fn email_services_document_holds() {
    fuzz("email_services_document_holds", |shop| shop.emails.clone()).await;
}

#[tokio::test]
async fn analytics_services_document_holds() {
    fuzz("analytics_services_document_holds", |shop| shop.analytics.clone()).await;
}

#[tokio::test]
async fn what_an_endpoint_does_not_take_in_its_query_or_body_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let Shop { broker, orders, inventory, payments, emails, analytics } = Shop::of(&pipeline);
    for server in [broker, orders, inventory, payments, emails, analytics] {
        let document = get(&format!("{server}/openapi.json")).await.unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let path = path.replace(['{', '}'], "");
            for method in item.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let url = format!("{server}{path}?colour=red");
                let (status, problem) = call(method.clone(), &url, &[], None).await.unwrap();
                assert_eq!(status.as_u16(), 422, "{method} {url}: {problem}");
                assert_eq!(problem["errors"][0]["field"], "colour", "{method} {url}: {problem}");
                if matches!(method, Method::GET | Method::DELETE) {
                    let (url, body) = (format!("{server}{path}"), json!({"source": "/shop"}));
                    let (status, problem) = call(method.clone(), &url, &[], Some(&body)).await.unwrap();
                    assert_eq!(status.as_u16(), 422, "{method} {url}: {problem}");
                    assert_eq!(problem["errors"][0]["field"], "source", "{method} {url}: {problem}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let lines = json!([{"sku": "mug", "quantity": 0}]);
    let (status, problem) =
        shop.try_place("wrong-field", &system_tests::shop::order("pm_card_visa", &lines)).await.unwrap();
    assert_eq!(status.as_u16(), 422);
    assert_eq!(problem["errors"][0]["field"], "lines[0].quantity", "{problem}");
    let url = format!("{}/queues/email.orders/receive", shop.broker);
    let (status, problem) = call(Method::POST, &url, &[], Some(&json!({"maximum": 1}))).await.unwrap();
    assert_eq!(status.as_u16(), 422, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "maximum", "{problem}");
}
