//! `broker queues`.

use serde_json::json;

use crate::broker::{Broker, rows};

#[test]
fn a_queue_is_created_with_the_settings_that_are_given() {
    let broker = Broker::start();
    let arguments =
        ["queues", "create", "jobs", "--lease", "90s", "--max-deliveries", "5", "--ordering", "key"];
    let more = ["--backoff-max", "10m", "--max-bytes", "5MiB", "--ttl", "1h", "--on-expiry", "dead-letter"];
    assert_eq!(broker.ok(&[&arguments[..], &more].concat()), "queue jobs created\n");
    let settings = &broker.json(&["queues", "show", "jobs"])["settings"];
    let backoff = json!({"initial": "1s", "factor": 2.0, "max": "10m", "jitter": 0.1});
    for (name, value) in [
        ("lease", json!("90s")),
        ("max_deliveries", json!(5)),
        ("ordering", json!("key")),
        ("backoff", backoff),
        ("max_bytes", json!(5 << 20)),
        ("ttl", json!("1h")),
        ("on_expiry", json!("dead-letter")),
    ] {
        assert_eq!(settings[name], value, "{name}");
    }
}

#[test]
fn creating_one_that_exists_fails_unless_it_may_be_set() {
    let broker = Broker::with_queue("jobs");
    broker.run(&["queues", "create", "jobs", "--lease", "1m"]).failed(1, "(412 already-exists)");
    assert_eq!(broker.json(&["queues", "show", "jobs"])["settings"]["lease"], "30s");
    let created = broker.ok(&["queues", "create", "jobs", "--lease", "1m", "--or-set"]);
    assert_eq!(created, "queue jobs is there, as asked\n");
    assert_eq!(broker.json(&["queues", "show", "jobs"])["settings"]["lease"], "1m");
}

#[test]
fn setting_changes_what_is_named_and_shows_all() {
    let broker = Broker::with_queue("jobs");
    let shown = broker.ok(&["queues", "set", "jobs", "--max-messages", "5000", "--ttl", "1h"]);
    assert!(rows(&shown).contains(&vec!["max_messages", "5,000"]), "{shown}");
    let shown = broker.ok(&["queues", "set", "jobs", "--ttl", "none"]);
    assert!(rows(&shown).contains(&vec!["ttl", "none"]), "{shown}");
    assert!(rows(&shown).contains(&vec!["max_messages", "5,000"]), "{shown}");
}

#[test]
fn setting_one_that_is_not_there_creates_none() {
    let broker = Broker::start();
    broker.run(&["queues", "set", "jobs", "--ttl", "1h"]).failed(1, "(404 queue-not-found)");
    assert_eq!(broker.json(&["queues"]), json!({"items": []}));
}

#[test]
fn the_list_shows_what_is_in_each_queue() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["queues", "create", "later"]);
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], b"a\nb\nc\n").ok();
    broker.ok(&["publish", "--queue", "later", "d", "--delay", "1h"]);
    broker.ok(&["receive", "jobs"]);
    let list = broker.ok(&["queues"]);
    let rows = rows(&list);
    assert_eq!(rows[0], ["NAME", "READY", "LEASED", "DELAYED", "DEAD", "BYTES", "OLDEST"]);
    assert_eq!(rows[1][..5], ["jobs", "2", "1", "0", "0"]);
    assert_eq!(rows[2][..5], ["later", "0", "0", "1", "0"]);
    assert_eq!(broker.ok(&["queues", "list"]).lines().count(), 3);
}

#[test]
fn one_is_shown_with_its_counts_totals_and_settings() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "a"]);
    let shown = broker.ok(&["queues", "show", "jobs"]);
    for row in
        [&["ready", "1"][..], &["published", "1"], &["max_bytes", "1.00", "GiB"], &["backoff.factor", "2.0"]]
    {
        assert!(rows(&shown).iter().any(|cells| cells == row), "{row:?}: {shown}");
    }
}

#[test]
fn one_that_is_not_empty_is_deleted_by_force_alone() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "a"]);
    let told = broker.run(&["queues", "delete", "jobs", "--yes"]);
    told.failed(1, "(409 queue-not-empty)");
    told.failed(1, "--force deletes it with all messages in it");
    assert_eq!(broker.ok(&["queues", "delete", "jobs", "--force"]), "queue jobs deleted\n");
    broker.run(&["queues", "delete", "jobs", "--yes"]).failed(1, "(404 queue-not-found)");
}

#[test]
fn purging_says_how_many_were_dropped() {
    let broker = Broker::with_queue("jobs");
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], b"a\nb\n").ok();
    assert_eq!(broker.ok(&["queues", "purge", "jobs", "--yes"]), "2 messages of jobs dropped\n");
    assert_eq!(broker.json(&["queues", "purge", "jobs", "-y"]), json!({"purged": 0}));
}
