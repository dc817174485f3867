//! The groups of a queue's dead letters.

use serde_json::{Value, json};

use super::{JOBS, with_letters};

fn told(page: &Value) -> Vec<(&str, Option<&str>, u64, &str)> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let text = |name: &str| group[name].as_str();
            let count = group["count"].as_u64().unwrap();
            (text("type").unwrap(), text("reason"), count, text("sample_id").unwrap())
        })
        .collect()
}

#[tokio::test]
async fn what_failed_alike_is_one_group_whatever_its_numbers_ids_and_addresses() {
    let server = with_letters(&[
        ("1", "order.placed", "order 17: connect to 10.0.0.17:5432 refused"),
        ("2", "order.placed", "order 18: connect to 10.0.0.18:5432 refused"),
        ("3", "order.placed", "no order 0192f3c4-7b1a-7c3e-9d00-1a2b3c4d5e6f"),
        ("4", "order.cancelled", "order 19: connect to 10.0.0.17:5432 refused"),
        ("5", "order.placed", "order 20: connect to 10.0.0.17:5432 refused"),
    ])
    .await;
    let page = server.get(&format!("{JOBS}/groups")).await.json();
    let refused = Some("order #: connect to <address> refused");
    assert_eq!(
        told(&page),
        [
            ("order.placed", refused, 3, "5"),
            ("order.cancelled", refused, 1, "4"),
            ("order.placed", Some("no order <id>"), 1, "3"),
        ]
    );
    let failed_at = |id: &str| {
        let path = format!("{JOBS}/{id}");
        let server = &server;
        async move { server.get(&path).await.json()["last_failed_at"].clone() }
    };
    let largest = &page["items"][0];
    assert_eq!(
        (&largest["first_seen"], &largest["last_seen"]),
        (&failed_at("1").await, &failed_at("5").await)
    );
}

#[tokio::test]
async fn groups_come_in_pages_the_largest_first() {
    let server = with_letters(&[("1", "t", "rare"), ("2", "t", "often"), ("3", "t", "often")]).await;
    let first = server.get(&format!("{JOBS}/groups?limit=1")).await.json();
    assert_eq!(told(&first), [("t", Some("often"), 2, "3")]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("{JOBS}/groups?limit=1&cursor={cursor}")).await.json();
    assert_eq!(told(&second), [("t", Some("rare"), 1, "1")]);
    assert!(second.get("next_cursor").is_none());
    server.get(&format!("{JOBS}/groups?cursor=x")).await.invalid("cursor");
    server.get("/queues/none/dead-letters/groups").await.problem(404, "queue-not-found");
}

#[tokio::test]
async fn a_queue_without_dead_letters_has_no_groups() {
    let server = with_letters(&[]).await;
    assert_eq!(server.get(&format!("{JOBS}/groups")).await.json(), json!({"items": []}));
}
