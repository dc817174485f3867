//! A broker that wants tokens, and the services that work with it.

use std::{path::Path, time::Duration};

use serde_json::json;
use system_tests::{
    apart::{self, Apart, SERVICES},
    http::post,
    programs::{Program, run},
    shop::{self, Shop},
};

/// The text of the first token that a broker is given.
async fn first_token(broker: &str) -> String {
    let made =
        post(&format!("{broker}/tokens"), &json!({"name": "ops", "allow": ["admin:*"]})).await.unwrap();
    made["token"].as_str().unwrap().to_owned()
}

/// Whether a checked pipeline is well, and what was printed.
async fn check(shop: &Shop, token: Option<&str>) -> (bool, String) {
    let mut arguments = vec!["check", "--strict", "--wait", "60s", "--port", shop.port()];
    arguments.extend(token.map(|token| ["--broker-token", token]).into_iter().flatten());
    let (status, printed) = run("pipeline", &arguments, Duration::from_secs(120)).await.unwrap();
    (status.success(), printed)
}

async fn confirmed_and_mailed(shop: &Shop) {
    let order = shop.place("pm_card_visa").await.unwrap();
    shop.until(&order, "confirmed").await;
    shop.until_mails(&order, &["order-confirmed", "order-received"]).await;
}

async fn with_token(name: &str, broker: &Program, token: &str, folder: &Path) -> Program {
    let data = folder.join(name);
    let arguments =
        ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap(), "--broker-url", broker.own_url()];
    Program::start_in(&[("BROKER_TOKEN", token)], name, &arguments, folder).await.unwrap()
}

#[tokio::test]
async fn services_that_are_given_a_token_work_with_a_broker_that_wants_one() {
    let folder = tempfile::tempdir().unwrap();
    let broker = apart::broker(folder.path()).await.unwrap();
    let token = first_token(broker.own_url()).await;
    let mut services = Vec::new();
    for name in SERVICES {
        services.push(with_token(name, &broker, &token, folder.path()).await);
    }
    confirmed_and_mailed(&Apart { broker, services }.shop()).await;
}

#[tokio::test]
async fn a_pipeline_goes_on_when_its_broker_is_given_tokens_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = shop::up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let token = first_token(&shop.broker).await;
    confirmed_and_mailed(&shop).await;
    pipeline.terminate().await.unwrap();
    pipeline.restart().await.unwrap();
    confirmed_and_mailed(&shop).await;
    let (is_well, printed) = check(&shop, Some(&token)).await;
    assert!(is_well, "{printed}");
    let (is_well, printed) = check(&shop, None).await;
    assert!(!is_well && printed.contains("401"), "{printed}");
}
