//! What the disk gave back otherwise than it was written is shown as damaged, beside all that is whole.

use std::path::Path;

use rusqlite::Connection;

use crate::broker::{Broker, rows};

/// Changes the data of the messages whose data is `two`, in the file.
fn damage(folder: &Path) {
    let database = Connection::open(folder.join("broker.sqlite")).unwrap();
    let changed = r#"replace(CAST(record AS TEXT), '"data":"two"', '"data":"twO"')"#;
    let sql = format!("UPDATE messages SET record = CAST({changed} AS BLOB)");
    database.execute(&sql, []).unwrap();
}

/// Publishes the messages one, two and three, whose data is as their id.
fn publish(broker: &Broker, to: [&str; 2]) {
    for id in ["one", "two", "three"] {
        broker.ok(&["publish", to[0], to[1], id, "--id", id, "--source", "/test", "--type", "t"]);
    }
}

/// A broker whose queue `jobs` holds three messages, of which the second is damaged.
fn with_damage() -> Broker {
    let mut broker = Broker::with_queue("jobs");
    publish(&broker, ["--queue", "jobs"]);
    broker.restart_after(damage);
    broker
}

#[test]
fn a_damaged_message_is_listed_as_damaged_between_the_others() {
    let broker = with_damage();
    let listed = broker.ok(&["messages", "list", "jobs"]);
    let cells: Vec<[&str; 2]> = rows(&listed)[1..].iter().map(|row| [row[0], row[5]]).collect();
    assert_eq!(cells, [["one", "one"], ["-", "damaged"], ["three", "three"]], "{listed}");
}

#[test]
fn a_damaged_message_that_a_topic_retains_is_listed_as_damaged_between_the_others() {
    let mut broker = Broker::start();
    broker.ok(&["topics", "create", "orders", "--retention", "1h"]);
    publish(&broker, ["--topic", "orders"]);
    broker.restart_after(damage);
    let listed = broker.ok(&["topics", "messages", "orders"]);
    let cells: Vec<[&str; 2]> = rows(&listed)[1..].iter().map(|row| [row[1], row[3]]).collect();
    assert_eq!(cells, [["one", "one"], ["-", "damaged"], ["three", "three"]], "{listed}");
}

#[test]
fn a_damaged_dead_letter_is_shown_as_damaged_with_its_failures() {
    let broker = with_damage();
    let received = broker.ok(&["receive", "jobs", "--max", "3"]);
    assert!(received.contains("one") && received.contains("three"), "{received}");
    assert!(broker.ok(&["dead-letters", "list", "jobs"]).contains("stored data is damaged"));
    assert!(broker.ok(&["dead-letters", "groups", "jobs"]).contains("stored data is damaged"));
    let shown = broker.ok(&["dead-letters", "show", "jobs", "two"]);
    assert!(shown.starts_with("two  t\n  damaged\n\n"), "{shown}");
    assert!(shown.contains("dead-lettered") && shown.contains("stored data is damaged"), "{shown}");
}

#[test]
fn the_journey_of_a_damaged_message_is_shown() {
    let broker = with_damage();
    broker.ok(&["receive", "jobs", "--max", "3"]);
    assert!(broker.ok(&["messages", "show", "two"]).contains("stored data is damaged"));
}
