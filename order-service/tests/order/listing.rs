//! `GET /orders`: newest first, filtered, in pages.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Shop, fields, good_order, problem};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn orders_come_newest_first_and_in_pages() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, shop.placed().await.to_string());
    }
    assert_eq!(ids(&shop.get_json("/orders").await), placed);
    let mut seen = Vec::new();
    let mut path = "/orders?limit=2".to_owned();
    loop {
        let page = shop.get_json(&path).await;
        seen.push(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/orders?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [&placed[..2], &placed[2..4], &placed[4..]]);
}

#[tokio::test]
async fn a_full_last_page_has_no_next_one() {
    let shop = Shop::open().await;
    shop.placed().await;
    shop.placed().await;
    assert_eq!(shop.get_json("/orders?limit=2").await.get("next_cursor"), None);
}

#[tokio::test]
async fn a_list_can_be_narrowed_by_status_customer_and_attention() {
    let shop = Shop::open().await;
    let (first, second) = (shop.placed().await, shop.placed().await);
    shop.post(&format!("/orders/{first}/cancel"), "").await;
    let mut other = good_order();
    other["customer"]["email"] = json!("grace@example.com");
    let response = shop.order("grace", &other).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let third: Value = response.json().await.unwrap();
    let third = third["id"].as_str().unwrap();
    let (first, second) = (first.to_string(), second.to_string());
    for (query, expected) in [
        ("status=pending", vec![third, &second]),
        ("status=cancelled", vec![&first]),
        ("status=confirmed", vec![]),
        ("customer=Grace@example.com", vec![third]),
        ("customer=nobody@example.com", vec![]),
        ("customer=ada@example.com&status=pending", vec![&second]),
        ("attention=true", vec![]),
        ("attention=false&limit=1", vec![third]),
    ] {
        assert_eq!(ids(&shop.get_json(&format!("/orders?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_refused_by_name() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("status=open", "status"),
        ("attention=maybe", "attention"),
        ("color=red", "color"),
        ("limit=1&limit=2", "limit"),
    ] {
        let problem = problem(shop.get(&format!("/orders?{query}")).await, 422, "invalid-field").await;
        assert_eq!(fields(&problem), [field], "{query}");
    }
}
