//! `POST /orders`: what is taken, what is refused, and what an order is like.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Shop, fields, good_order, problem};

#[tokio::test]
async fn an_order_is_taken_while_the_broker_is_down_at_our_prices() {
    let shop = Shop::open().await;
    let response = shop.order("k", &good_order()).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let order: Value = response.json().await.unwrap();
    assert_eq!(location, format!("/orders/{}", order["id"].as_str().unwrap()));
    assert_eq!(order["status"], "pending");
    assert_eq!(order.get("reason"), None);
    assert_eq!(order["total"], json!({"amount": 2 * 1299 + 1899, "currency": "EUR"}));
    assert_eq!(
        order["lines"][0],
        json!({"sku": "mug", "name": "Mug", "quantity": 2, "price": {"amount": 1299, "currency": "EUR"}})
    );
    assert_eq!(order["timeline"][0]["what"], "order.placed");
    assert_eq!(order["attention"], json!([]));
    assert_eq!(shop.get_json(&location).await, order);
}

#[tokio::test]
async fn an_order_goes_into_the_outbox_with_it() {
    let shop = Shop::open().await;
    shop.placed().await;
    let outbox = shop.get_json("/outbox").await;
    assert_eq!((&outbox["depth"], &outbox["set_aside"]), (&json!(1), &json!([])));
    assert!(outbox["oldest_age"].is_string());
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_path_and_nothing_is_taken() {
    let shop = Shop::open().await;
    for (pointer, wrong, field) in [
        ("/customer/name", json!(""), "customer.name"),
        ("/customer/name", json!("Ada\r\nBcc: all@example.com"), "customer.name"),
        ("/customer/email", json!("nowhere"), "customer.email"),
        ("/customer/email", json!(7), "customer.email"),
        ("/customer/phone", json!("1"), "customer.phone"),
        ("/lines", json!([]), "lines"),
        ("/lines", json!([{"sku": "mug"}]), "lines[0].quantity"),
        ("/lines/0/quantity", json!(0), "lines[0].quantity"),
        ("/lines/1/quantity", json!(1001), "lines[1].quantity"),
        ("/lines/1/quantity", json!(-1), "lines[1].quantity"),
        ("/lines/1/quantity", json!(1.5), "lines[1].quantity"),
        ("/lines/1/sku", json!("mug"), "lines[1].sku"),
        ("/lines/1/sku", json!("unicorn"), "lines[1].sku"),
        ("/lines/1/sku", json!("not a sku"), "lines[1].sku"),
        ("/lines/1/price", json!({"amount": 1, "currency": "EUR"}), "lines[1].price"),
        ("/total", json!({"amount": 1, "currency": "EUR"}), "total"),
        ("/payment_method", json!("4242424242424242"), "payment_method"),
        ("/payment_method", json!("pm_"), "payment_method"),
    ] {
        let mut body = good_order();
        put(&mut body, pointer, wrong);
        let problem = problem(shop.order("k", &body).await, 422, "invalid-field").await;
        assert_eq!(fields(&problem), [field], "{problem}");
    }
    assert_eq!(shop.get_json("/orders").await, json!({"items": []}));
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let shop = Shop::open().await;
    for field in ["customer", "lines", "payment_method"] {
        let mut body = good_order();
        body.as_object_mut().unwrap().remove(field);
        let problem = problem(shop.order("k", &body).await, 422, "invalid-field").await;
        assert_eq!(fields(&problem), [field]);
    }
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let shop = Shop::open().await;
    let mut body = good_order();
    put(&mut body, "/customer/email", json!("nowhere"));
    put(&mut body, "/lines/0/quantity", json!(0));
    let problem = problem(shop.order("k", &body).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["customer.email", "lines[0].quantity"]);
}

#[tokio::test]
async fn a_hundred_lines_are_taken_and_one_more_is_not() {
    let shop = Shop::open().await;
    for number in 0..101 {
        let product = json!({"name": "Spoon", "price": {"amount": 100, "currency": "EUR"}});
        shop.put(&format!("/products/spoon-{number}"), &product).await;
    }
    let with_lines = |n: u32| {
        let mut body = good_order();
        let lines: Vec<_> = (0..n).map(|n| json!({"sku": format!("spoon-{n}"), "quantity": 1000})).collect();
        body["lines"] = json!(lines);
        body
    };
    assert_eq!(shop.order("hundred", &with_lines(100)).await.status(), StatusCode::ACCEPTED);
    let problem = problem(shop.order("more", &with_lines(101)).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["lines"]);
}

#[tokio::test]
async fn a_total_beyond_all_bounds_is_refused() {
    let shop = Shop::open().await;
    let price = json!({"name": "Moon", "price": {"amount": i64::MAX, "currency": "EUR"}});
    assert_eq!(shop.put("/products/moon", &price).await.status(), StatusCode::CREATED);
    let mut body = good_order();
    body["lines"] = json!([{"sku": "mug", "quantity": 1}, {"sku": "moon", "quantity": 1}]);
    let problem = problem(shop.order("k", &body).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["lines[1].quantity"]);
}

#[tokio::test]
async fn an_order_in_two_currencies_is_refused() {
    let shop = Shop::open().await;
    let price = json!({"name": "Kettle", "price": {"amount": 4900, "currency": "USD"}});
    shop.put("/products/kettle", &price).await;
    let mut body = good_order();
    body["lines"] = json!([{"sku": "mug", "quantity": 1}, {"sku": "kettle", "quantity": 1}]);
    let problem = problem(shop.order("k", &body).await, 422, "invalid-field").await;
    assert_eq!(fields(&problem), ["lines[1].sku"]);
}

#[tokio::test]
async fn what_is_not_json_is_malformed_and_what_is_too_large_is_refused() {
    let shop = Shop::open().await;
    let send = |body: Vec<u8>| {
        shop.client.post(format!("{}/orders", shop.url)).header("idempotency-key", "k").body(body).send()
    };
    problem(send(b"{".to_vec()).await.unwrap(), 400, "malformed-json").await;
    problem(send(vec![b' '; (1 << 20) + 1]).await.unwrap(), 413, "body-too-large").await;
}

/// Puts a value where the pointer says, also where there is nothing yet.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
}
