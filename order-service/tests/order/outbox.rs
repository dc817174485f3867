//! `/outbox`: what waits, and what was set aside.

use serde_json::{Value, json};

use crate::shop::{Shop, problem};

#[tokio::test]
async fn an_empty_outbox_says_so() {
    let shop = Shop::open().await;
    assert_eq!(shop.get_json("/outbox").await, json!({"depth": 0, "oldest_age": null, "set_aside": []}));
}

#[tokio::test]
async fn what_is_not_set_aside_can_neither_be_retried_nor_deleted() {
    let shop = Shop::open().await;
    shop.placed().await;
    problem(shop.post("/outbox/nothing/retry", "").await, 404, "outbox-row-not-found").await;
    let delete = shop.client.delete(format!("{}/outbox/nothing", shop.url)).send().await.unwrap();
    problem(delete, 404, "outbox-row-not-found").await;
    assert_eq!(shop.get_json("/outbox").await["depth"], 1);
}

#[tokio::test]
async fn what_was_set_aside_is_listed_and_can_be_retried_or_deleted() {
    let shop = Shop::open().await;
    let (one, other) = (set_aside(&shop).await, set_aside(&shop).await);
    let listed = shop.get_json("/outbox").await;
    assert_eq!(listed["depth"], 0);
    assert_eq!(listed["set_aside"].as_array().unwrap().len(), 2);
    let row = &listed["set_aside"][0];
    assert_eq!(
        (&row["id"], &row["type"], &row["error"]),
        (&json!(one), &json!("order.placed"), &json!("too large"))
    );
    assert!(row["at"].is_string());
    assert_eq!(shop.post(&format!("/outbox/{one}/retry"), "").await.status(), 202);
    let delete = shop.client.delete(format!("{}/outbox/{other}", shop.url)).send().await.unwrap();
    assert_eq!(delete.status(), 204);
    let left: Value = shop.get_json("/outbox").await;
    assert_eq!((&left["depth"], &left["set_aside"]), (&json!(1), &json!([])));
}

/// Places an order and sets its event aside, as the relay does when the broker refuses it for good.
async fn set_aside(shop: &Shop) -> String {
    let order = shop.placed().await.to_string();
    let file = shop.folder().join("order.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let (id,): (String,) = sqlx::query_as(
        "UPDATE outbox SET set_aside_at = position, error = 'too large' WHERE key = ? RETURNING id",
    )
    .bind(order)
    .fetch_one(&pool)
    .await
    .unwrap();
    id
}
