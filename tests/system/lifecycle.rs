//! Starting, stopping, starting again; the commands and their exit codes.

use std::time::Duration;

use system_tests::{
    programs::{Program, run},
    shop::{Shop, up},
};

#[tokio::test]
async fn an_order_is_confirmed_and_still_there_after_sigterm_and_a_new_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let id = shop.place("pm_card_visa").await.unwrap();
    let before = shop.until(&id, "confirmed").await;
    shop.until_ledger(&id, &["authorize", "capture"]).await;
    shop.until_mails(&id, &["order-confirmed", "order-received"]).await;

    assert!(pipeline.terminate().await.unwrap().success());
    pipeline.restart().await.unwrap();

    let after = shop.order(&id).await.unwrap();
    assert_eq!(after["status"], "confirmed");
    assert_eq!(after["total"], before["total"]);
    assert_eq!(shop.ledger(&id).await.unwrap(), ["authorize", "capture"]);
    assert_eq!(shop.mails(&id).await.unwrap(), ["order-confirmed", "order-received"]);
}

#[tokio::test]
async fn the_demo_ends_with_zero_and_every_invariant_green() {
    let (status, printed) = run("pipeline", &["demo"], Duration::from_secs(180)).await.unwrap();
    assert!(status.success(), "{printed}");
    assert!(!printed.contains('\u{1b}'), "no colour where there is no terminal: {printed}");
}

#[tokio::test]
async fn a_second_start_on_a_folder_in_use_fails_at_once_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let data = folder.path().join("data");
    let arguments = ["up", "--port", "0", "--data", data.to_str().unwrap()];
    let (status, printed) = run("pipeline", &arguments, Duration::from_secs(10)).await.unwrap();
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("in use"), "{printed}");
    drop(pipeline);
}

#[tokio::test]
async fn a_wrong_flag_exits_with_two_and_is_named() {
    for name in ["pipeline", "broker", "order-service", "payment-service"] {
        let (status, printed) = run(name, &["--no-such-flag"], Duration::from_secs(10)).await.unwrap();
        assert_eq!(status.code(), Some(2), "{name}: {printed}");
        assert!(printed.contains("--no-such-flag"), "{name}: {printed}");
    }
}

#[tokio::test]
async fn load_places_orders_and_the_invariants_hold() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let arguments = ["load", "--orders", "200", "--in-flight", "16", "--to", &shop.orders];
    let (status, printed) = run("pipeline", &arguments, Duration::from_secs(120)).await.unwrap();
    assert!(status.success(), "{printed}");
    check_is_green(&shop).await;
}

async fn check_is_green(shop: &Shop) {
    let arguments = ["check", "--strict", "--wait", "60s", "--port", shop.port()];
    let (status, printed) = run("pipeline", &arguments, Duration::from_secs(120)).await.unwrap();
    assert!(status.success(), "{printed}");
}

#[tokio::test]
async fn each_program_runs_alone_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("order");
    let arguments =
        ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap(), "--broker-url", "http://127.0.0.1:1"];
    let mut service = Program::start("order-service", &arguments, folder.path()).await.unwrap();
    let ready = system_tests::http::get(&format!("{}/readyz", service.own_url())).await.unwrap();
    assert_eq!(ready["status"], "ok");
    assert!(service.terminate().await.unwrap().success());
}
