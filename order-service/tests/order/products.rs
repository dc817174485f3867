//! `/products`: the shop's own prices.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Shop, fields, good_order, problem};

#[tokio::test]
async fn the_shop_opens_with_its_products_in_euros() {
    let shop = Shop::open().await;
    let page = shop.get_json("/products").await;
    let items = page["items"].as_array().unwrap();
    let skus: Vec<_> = items.iter().map(|product| product["sku"].as_str().unwrap()).collect();
    assert_eq!(skus, ["coffee-beans", "grinder", "mug"]);
    for product in items {
        assert_eq!(product["price"]["currency"], "EUR");
        assert!(product["price"]["amount"].as_i64().unwrap() > 0 && product["name"].is_string());
    }
}

#[tokio::test]
async fn a_product_is_added_then_changed_and_sold_at_the_new_price_at_once() {
    let shop = Shop::open().await;
    let at = |amount: i64| json!({"name": "Teapot", "price": {"amount": amount, "currency": "EUR"}});
    let mut body = good_order();
    body["lines"] = json!([{"sku": "teapot", "quantity": 3}]);
    for (amount, status) in [(2000, StatusCode::CREATED), (2500, StatusCode::OK)] {
        let response = shop.put("/products/teapot", &at(amount)).await;
        assert_eq!(response.status(), status);
        let product: Value = response.json().await.unwrap();
        assert_eq!(product["price"]["amount"], amount);
        let order: Value = shop.order(&amount.to_string(), &body).await.json().await.unwrap();
        assert_eq!(order["total"]["amount"], 3 * amount);
    }
}

#[tokio::test]
async fn products_come_in_pages() {
    let shop = Shop::open().await;
    let first = shop.get_json("/products?limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.get_json(&format!("/products?limit=2&cursor={cursor}")).await;
    assert_eq!(second["items"][0]["sku"], "mug");
    assert_eq!(second.get("next_cursor"), None);
    problem(shop.get("/products?cursor=not%20mine").await, 422, "invalid-field").await;
}

#[tokio::test]
async fn a_wrong_product_is_refused_by_its_field() {
    let shop = Shop::open().await;
    let good = json!({"name": "Teapot", "price": {"amount": 1, "currency": "EUR"}});
    for (path, pointer, wrong, field) in [
        ("/products/a%20teapot", "", json!(null), "sku"),
        ("/products/teapot", "name", json!(""), "name"),
        ("/products/teapot", "name", json!("a\nb"), "name"),
        ("/products/teapot", "price", json!(12), "price"),
        ("/products/teapot", "price", json!({"amount": -1, "currency": "EUR"}), "price.amount"),
        ("/products/teapot", "price", json!({"amount": 1, "currency": "euro"}), "price.currency"),
        ("/products/teapot", "stock", json!(1), "stock"),
    ] {
        let mut body = good.clone();
        if !pointer.is_empty() {
            body[pointer] = wrong;
        }
        let problem = problem(shop.put(path, &body).await, 422, "invalid-field").await;
        assert_eq!(fields(&problem), [field], "{problem}");
    }
}
