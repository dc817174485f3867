//! The saga's ends, over the real services.

use serde_json::json;
use system_tests::{
    apart::{Apart, service},
    eventually::{equal, eventually},
    http::{get, put},
    programs::Program,
    shop::{Shop, up},
};

async fn until_reservation(shop: &Shop, id: &str, state: &str) {
    eventually(&format!("the reservation of {id} to be {state}"), async || {
        let found = get(&format!("{}/reservations/{id}", shop.inventory)).await.map_err(|e| e.to_string())?;
        equal(found["state"].as_str().unwrap_or_default().to_owned(), state.to_owned())
    })
    .await;
}

async fn stock(shop: &Shop, sku: &str) -> serde_json::Value {
    get(&format!("{}/stock/{sku}", shop.inventory)).await.unwrap()
}

#[tokio::test]
async fn an_order_that_is_out_of_stock_is_cancelled_and_its_authorization_voided() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    put(&format!("{}/stock/grinder", shop.inventory), &json!({"on_hand": 1})).await.unwrap();
    let lines = json!([{"sku": "grinder", "quantity": 2}, {"sku": "mug", "quantity": 1}]);
    let id = shop.place_lines("pm_card_visa", &lines).await.unwrap();

    let order = shop.until(&id, "cancelled").await;
    assert_eq!(order["reason"], "out-of-stock");
    until_reservation(&shop, &id, "rejected").await;
    shop.until_mails(&id, &["order-cancelled", "order-received"]).await;
    // Whether the authorization came first or was closed before it, no money is kept.
    eventually("no money to be kept", async || {
        let ledger = shop.ledger(&id).await.map_err(|e| e.to_string())?;
        let kept = ledger.iter().any(|operation| operation == "authorize")
            && !ledger.iter().any(|operation| operation == "void");
        if kept { Err(format!("{ledger:?}")) } else { Ok(()) }
    })
    .await;
    assert_eq!(stock(&shop, "mug").await["reserved"], 0);
}

#[tokio::test]
async fn a_confirmed_order_that_its_customer_cancels_is_refunded_and_its_stock_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let before = stock(&shop, "mug").await;
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;
    shop.until_ledger(&id, &["authorize", "capture"]).await;

    let cancelled = shop.cancel(&id).await.unwrap();
    assert_eq!(
        (&cancelled["status"], &cancelled["reason"]),
        (&json!("cancelled"), &json!("cancelled-by-customer"))
    );
    shop.until_ledger(&id, &["authorize", "capture", "refund"]).await;
    until_reservation(&shop, &id, "released").await;
    // The confirmation was due when it was confirmed; invariant 3 speaks of it only where it was not sent.
    eventually("the refund to be mailed", async || {
        let mails = shop.mails(&id).await.map_err(|e| e.to_string())?;
        let told = ["order-cancelled", "order-received", "order-refunded"];
        if told.iter().all(|kind| mails.iter().any(|mail| mail == kind)) {
            Ok(())
        } else {
            Err(format!("{mails:?}"))
        }
    })
    .await;
    assert_eq!(stock(&shop, "mug").await["on_hand"], before["on_hand"]);
    let again = shop.cancel(&id).await.unwrap_err().to_string();
    assert!(again.contains("already-cancelled"), "{again}");
}

#[tokio::test]
async fn an_order_cancelled_before_anything_was_heard_takes_no_money_and_holds_no_stock() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    shop.gateway("slow").await.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.cancel(&id).await.unwrap();
    shop.gateway("up").await.unwrap();
    until_reservation(&shop, &id, "released").await;
    eventually("the payment to be closed", async || {
        let payment = get(&format!("{}/payments/{id}", shop.payments)).await.map_err(|e| e.to_string())?;
        equal(payment["state"].as_str().unwrap_or_default().to_owned(), "voided".to_owned())
    })
    .await;
    let ledger = shop.ledger(&id).await.unwrap();
    assert!(!ledger.contains(&"capture".to_owned()), "{ledger:?}");
}

#[tokio::test]
async fn an_order_whose_deadline_passes_is_cancelled_and_a_late_payment_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = Apart::start(folder.path()).await.unwrap();
    let data = folder.path().join("order-service");
    let broker = pipeline.broker.own_url().to_owned();
    pipeline.service("order-service").kill().await.unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().unwrap(),
        "--broker-url",
        &broker,
        "--deadline",
        "1s",
    ];
    *pipeline.service("order-service") =
        Program::start("order-service", &arguments, folder.path()).await.unwrap();
    pipeline.service("payment-service").kill().await.unwrap();
    let mut shop = pipeline.shop();

    let id = shop.place("pm_card_visa").await.unwrap();
    let order = shop.until(&id, "cancelled").await;
    assert_eq!(order["reason"], "deadline-passed");
    *pipeline.service("payment-service") = service("payment-service", &broker, folder.path()).await.unwrap();
    shop = pipeline.shop();
    until_reservation(&shop, &id, "released").await;
    eventually("the payment to be closed", async || {
        let payment = get(&format!("{}/payments/{id}", shop.payments)).await.map_err(|e| e.to_string())?;
        equal(payment["state"].as_str().unwrap_or_default().to_owned(), "voided".to_owned())
    })
    .await;
    let ledger = shop.ledger(&id).await.unwrap();
    assert!(ledger.is_empty() || ledger == ["authorize", "void"], "{ledger:?}");
}
