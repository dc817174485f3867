//! Bad input to every endpoint: schemathesis against each program's own OpenAPI document finds no 5xx
//! and no answer that the document does not allow.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use system_tests::{
    http::call,
    shop::{Shop, up},
    skip::{skip, works},
};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_schema_conformance,negative_data_rejection,unsupported_method";

async fn fuzz(name: &str, of: impl Fn(&Shop) -> String) {
    if !works("schemathesis", &["--version"]) {
        return skip(name, "schemathesis (from PyPI) is not on the PATH");
    }
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let url = of(&shop);
    let command = tokio::process::Command::new("schemathesis")
        .args(["run", &format!("{url}/openapi.json"), "--url", &url, "--checks", CHECKS])
        .args(["--max-examples", "25", "--phases", "examples,coverage,fuzzing", "--no-color"])
        .args(["--request-timeout", "70", "--seed", "7"])
        // A stream without end; its answers are held in the broker's own tests.
        .args(["--exclude-path", "/events"])
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(600), command).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_brokers_document_holds() {
    fuzz("the_brokers_document_holds", |shop| shop.broker.clone()).await;
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
