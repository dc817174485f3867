//! Orders are taken while everything else is down.

use serde_json::{Value, json};
use system_tests::{
    apart::{Apart, SERVICES},
    eventually::{equal, eventually},
    http::{get, post},
    programs::run,
};

#[tokio::test]
async fn orders_placed_while_all_else_is_down_end_right_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    for name in &SERVICES[1..] {
        pipeline.service(name).kill().await.unwrap();
    }
    pipeline.broker.kill().await.unwrap();
    let shop = pipeline.shop();

    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(shop.place("pm_card_visa").await.unwrap());
    }
    eventually("order-service to be ready and to name the broker as missing", async || {
        let ready = get(&format!("{}/readyz", shop.orders)).await.map_err(|error| format!("{error:#}"))?;
        equal(ready, json!({"status": "ok", "degraded": ["broker"]}))
    })
    .await;

    pipeline.broker.restart().await.unwrap();
    for name in &SERVICES[1..] {
        pipeline.service(name).restart().await.unwrap();
    }
    for order in &orders {
        shop.until(order, "confirmed").await;
        shop.until_ledger(order, &["authorize", "capture"]).await;
        shop.until_mails(order, &["order-confirmed", "order-received"]).await;
    }
}

#[tokio::test]
async fn services_that_went_on_work_with_a_broker_that_came_back_without_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    let shop = pipeline.shop();
    let before = shop.place("pm_card_visa").await.unwrap();
    shop.until_mails(&before, &["order-confirmed", "order-received"]).await;
    pipeline.broker.kill().await.unwrap();
    std::fs::remove_dir_all(folder.path().join("broker")).unwrap();
    pipeline.broker.restart().await.unwrap();
    let order = shop.place("pm_card_visa").await.unwrap();
    shop.until(&order, "confirmed").await;
    shop.until_mails(&order, &["order-confirmed", "order-received"]).await;
}

#[tokio::test]
async fn a_broker_that_is_there_and_refuses_is_named_by_every_service() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = Apart::start(folder.path()).await.unwrap();
    let shop = pipeline.shop();
    let ready = async |server: &str| {
        let client = reqwest::Client::new();
        let answer =
            client.get(format!("{server}/readyz")).send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok::<_, String>((status, answer.json::<Value>().await.map_err(|error| error.to_string())?))
    };
    for server in [&shop.orders, &shop.inventory, &shop.payments, &shop.emails, &shop.analytics] {
        eventually("all services to be ready", async || {
            equal(ready(server).await?, (200, json!({"status": "ok"})))
        })
        .await;
    }
    // From now on it wants a token of them, and they have none.
    let admin = json!({"name": "admin", "allow": ["admin:*"]});
    let token = post(&format!("{}/tokens", pipeline.broker.own_url()), &admin).await.unwrap();
    eventually("order-service to name the broker, and to take orders", async || {
        equal(ready(&shop.orders).await?, (200, json!({"status": "ok", "degraded": ["broker"]})))
    })
    .await;
    for server in [&shop.inventory, &shop.payments, &shop.emails, &shop.analytics] {
        eventually("a service to say that it is not ready", async || {
            let (status, answer) = ready(server).await?;
            equal((status, answer["detail"].as_str().is_some_and(|why| why.contains("401"))), (503, true))
        })
        .await;
    }
    let order = shop.place("pm_card_visa").await.unwrap();
    let revoke = reqwest::Client::new().delete(format!("{}/tokens/admin", pipeline.broker.own_url()));
    let revoked = revoke.bearer_auth(token["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    shop.until(&order, "confirmed").await;
    eventually("order-service to name nothing any more", async || {
        equal(ready(&shop.orders).await?, (200, json!({"status": "ok"})))
    })
    .await;
}

#[tokio::test]
async fn a_pipeline_killed_with_orders_under_way_is_green_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = system_tests::shop::up(folder.path()).await.unwrap();
    let shop = system_tests::shop::Shop::of(&pipeline);
    for _ in 0..10 {
        shop.place("pm_card_visa").await.unwrap();
    }
    pipeline.kill().await.unwrap();
    pipeline.restart().await.unwrap();
    let arguments = ["check", "--strict", "--wait", "60s", "--port", shop.port()];
    let (status, printed) = run("pipeline", &arguments, std::time::Duration::from_secs(120)).await.unwrap();
    assert!(status.success(), "{printed}");
}
