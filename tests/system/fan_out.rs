//! One event, every queue that asked for it.

use system_tests::{
    eventually::eventually,
    http::get,
    shop::{Shop, up},
};

#[tokio::test]
async fn one_order_placed_reaches_four_services_each_from_its_own_queue() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;
    for queue in ["inventory.orders", "payment.orders", "email.orders", "analytics.orders"] {
        eventually(&format!("order.placed and order.confirmed to be done in {queue}"), async || {
            let queue = get(&format!("{}/queues/{queue}", shop.broker)).await.map_err(|e| e.to_string())?;
            let counts = &queue["counts"];
            if counts["published"] == 2 && counts["acked"] == 2 { Ok(()) } else { Err(counts.to_string()) }
        })
        .await;
    }
    shop.until_mails(&id, &["order-confirmed", "order-received"]).await;
    let reservation = get(&format!("{}/reservations/{id}", shop.inventory)).await.unwrap();
    assert_eq!(reservation["state"], "committed");
    let summary = get(&format!("{}/summary", shop.analytics)).await.unwrap();
    assert_eq!((&summary["placed"], &summary["confirmed"]), (&1.into(), &1.into()));
}
