//! `broker topics`.

use serde_json::json;

use crate::broker::{Broker, rows};

fn with_subscription(more: &[&str]) -> Broker {
    let broker = Broker::with_queue("audit");
    broker.ok(&["topics", "create", "orders", "--retention", "1h"]);
    let subscribed = broker.ok(&[&["topics", "subscribe", "orders", "audit"], more].concat());
    assert_eq!(subscribed, "queue audit subscribed to orders\n");
    broker
}

#[test]
fn a_topic_is_created_changed_shown_and_deleted() {
    let broker = Broker::start();
    assert_eq!(broker.ok(&["topics", "create", "orders", "--retention", "7d"]), "topic orders created\n");
    broker.run(&["topics", "create", "orders"]).failed(1, "(412 already-exists)");
    broker.run(&["topics", "set", "nope", "--retention", "1d"]).failed(1, "(404 topic-not-found)");
    let shown = broker.ok(&["topics", "set", "orders", "--retention-bytes", "5MiB"]);
    assert!(rows(&shown).contains(&vec!["retention_bytes", "5.00", "MiB"]), "{shown}");
    assert!(rows(&shown).contains(&vec!["retention", "7d"]), "{shown}");
    assert_eq!(broker.ok(&["topics", "delete", "orders", "--yes"]), "topic orders deleted\n");
    assert_eq!(broker.json(&["topics"]), json!({"items": []}));
}

#[test]
fn a_subscription_has_the_settings_that_are_given() {
    let filter = r#"{"prefix":{"type":"order."}}"#;
    let broker = with_subscription(&["--filter", filter, "--on-full", "drop", "--from", "earliest"]);
    let topic = broker.json(&["topics", "show", "orders"]);
    let expected = json!([{"queue": "audit", "on_full": "drop", "from": "earliest", "dropped": 0,
        "filter": {"prefix": {"type": "order."}}}]);
    assert_eq!(topic["subscriptions"], expected);
    let shown = broker.ok(&["topics", "show", "orders"]);
    assert!(rows(&shown).contains(&vec!["audit", "drop", "0", "earliest", filter]), "{shown}");
    assert!(rows(&broker.ok(&["topics"])).contains(&vec!["orders", "0", "0", "B", "audit"]));
}

#[test]
fn unsubscribing_ends_it() {
    let broker = with_subscription(&[]);
    let ended = broker.ok(&["topics", "unsubscribe", "orders", "audit"]);
    assert_eq!(ended, "queue audit unsubscribed from orders\n");
    broker.run(&["topics", "unsubscribe", "orders", "audit"]).failed(1, "(404 subscription-not-found)");
}

#[test]
fn what_a_topic_retains_is_listed_and_replayed() {
    let broker = with_subscription(&[]);
    for id in ["m1", "m2"] {
        broker.ok(&["publish", "--topic", "orders", "hello", "--id", id]);
    }
    broker.ok(&["receive", "audit", "--max", "2", "--auto-ack"]);
    let list = broker.ok(&["topics", "messages", "orders"]);
    let rows = rows(&list);
    assert_eq!((rows.len(), rows[1][1], rows[2][1]), (3, "m1", "m2"), "{list}");
    let replayed = broker.ok(&["topics", "replay", "orders", "audit"]);
    assert_eq!(replayed, "2 messages of orders replayed into audit\n");
    let later = broker.json(&["topics", "replay", "orders", "audit", "--to", "30m"]);
    assert_eq!(later, json!({"replayed": 0}));
}
