//! The outbox over real processes: what was committed arrives, whoever is killed when.

use std::time::Duration;

use system_tests::{
    apart::{Apart, SERVICES, broker, service},
    shop::Shop,
};

#[tokio::test]
async fn an_order_service_killed_between_commit_and_publish_publishes_after_its_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    let shop = pipeline.shop();
    // With the broker away nothing can be published: the kill falls between commit and publish.
    pipeline.broker.kill().await.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    pipeline.service("order-service").kill().await.unwrap();
    pipeline.broker.restart().await.unwrap();
    pipeline.service("order-service").restart().await.unwrap();
    shop.until(&id, "confirmed").await;
    shop.until_ledger(&id, &["authorize", "capture"]).await;
}

#[tokio::test]
async fn two_order_services_with_two_relays_killed_in_turn_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    let mut second = service("order-service", pipeline.broker.own_url(), folder.path()).await.unwrap();
    let shop = pipeline.shop();
    let mut orders = Vec::new();
    for round in 0..4 {
        let mut placed = Vec::new();
        for _ in 0..10 {
            placed.push(shop.place("pm_card_visa").await.unwrap());
        }
        orders.append(&mut placed);
        // The instance that goes may hold claims: they run out, and the other relay takes the rows.
        if round % 2 == 0 {
            second.kill().await.unwrap();
            second.restart().await.unwrap();
        } else {
            pipeline.service("order-service").kill().await.unwrap();
            pipeline.service("order-service").restart().await.unwrap();
        }
    }
    for order in &orders {
        shop.until(order, "confirmed").await;
        shop.until_ledger(order, &["authorize", "capture"]).await;
    }
}

#[tokio::test]
async fn services_started_in_any_order_on_empty_folders_lose_no_first_event() {
    for first in 0..SERVICES.len() {
        let folder = tempfile::tempdir().unwrap();
        // Everybody's queues are declared by whoever comes first, so a late service finds its events.
        let broker = broker(folder.path()).await.unwrap();
        let orders = service("order-service", broker.own_url(), folder.path()).await.unwrap();
        let mut shop = Shop {
            broker: broker.own_url().to_owned(),
            orders: orders.own_url().to_owned(),
            inventory: String::new(),
            payments: String::new(),
            emails: String::new(),
            analytics: String::new(),
        };
        let id = shop.place("pm_card_visa").await.unwrap();
        let mut others = Vec::new();
        for place in 0..SERVICES.len() {
            let name = SERVICES[(first + place) % SERVICES.len()];
            if name != "order-service" {
                others.push((name, service(name, broker.own_url(), folder.path()).await.unwrap()));
            }
        }
        let url = |wanted: &str| {
            let found = others.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, program)| program.own_url().to_owned()).unwrap()
        };
        (shop.payments, shop.emails) = (url("payment-service"), url("email-service"));
        shop.until(&id, "confirmed").await;
        shop.until_ledger(&id, &["authorize", "capture"]).await;
        shop.until_mails(&id, &["order-confirmed", "order-received"]).await;
    }
}

#[tokio::test]
async fn a_service_that_starts_before_the_broker_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    let shop = pipeline.shop();
    pipeline.broker.kill().await.unwrap();
    for service in &mut pipeline.services {
        service.kill().await.unwrap();
    }
    let Apart { broker, services } = &mut pipeline;
    let restarts = async {
        for service in services {
            service.restart().await.unwrap();
        }
    };
    let all = async { tokio::join!(restarts, broker.restart()) };
    let ((), broker) = tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    broker.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;
}
