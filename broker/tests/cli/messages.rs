//! `broker messages`.

use serde_json::json;

use crate::broker::{Broker, rows};

#[test]
fn the_journey_of_a_message_is_shown_step_by_step() {
    let broker = Broker::with_queue("jobs");
    broker.dead_letter("jobs", "m1", "no answer");
    let shown = broker.ok(&["messages", "show", "m1"]);
    let steps: Vec<&str> = rows(&shown)[1..].iter().map(|cells| cells[1]).collect();
    assert_eq!(steps, ["published", "copied", "leased", "dead-lettered"], "{shown}");
    assert!(shown.trim_end().ends_with("no answer"));
    let journey = broker.json(&["messages", "show", "m1"]);
    assert_eq!((&journey["id"], &journey["complete"]), (&json!("m1"), &json!(true)));
    broker.run(&["messages", "show", "nope"]).failed(1, "(404 message-not-found)");
}

#[test]
fn an_id_may_have_anything_in_it() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "x", "--id", "a/b?c#d %"]);
    assert_eq!(broker.json(&["messages", "show", "a/b?c#d %"])["id"], "a/b?c#d %");
}

#[test]
fn what_waits_is_listed_by_state() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "now", "--id", "m1"]);
    broker.ok(&["publish", "--queue", "jobs", "later", "--id", "m2", "--delay", "1h"]);
    let delayed = broker.ok(&["messages", "list", "jobs", "--state", "delayed"]);
    assert_eq!(rows(&delayed)[0], ["ID", "STATE", "AGE", "TRIES", "TYPE", "DATA"]);
    assert_eq!((rows(&delayed).len(), rows(&delayed)[1][0]), (2, "m2"));
    assert_eq!(broker.json(&["messages", "list", "jobs"])["items"].as_array().unwrap().len(), 2);
}

#[test]
fn one_that_waits_is_removed() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "later", "--id", "m1", "--delay", "1h"]);
    assert_eq!(broker.ok(&["messages", "remove", "jobs", "m1", "--yes"]), "message m1 removed from jobs\n");
    broker.run(&["messages", "remove", "jobs", "m1", "--yes"]).failed(1, "(404 message-not-found)");
}

#[test]
fn messages_of_one_id_are_told_apart_by_their_source() {
    let broker = Broker::with_queue("jobs");
    for source in ["/a", "/b"] {
        broker.ok(&["publish", "--queue", "jobs", "x", "--id", "m1", "--source", source]);
    }
    let told = broker.run(&["messages", "show", "m1"]);
    assert!(told.stderr.contains("other messages of this id: 1; --source tells them apart"), "{told:?}");
    broker.ok(&["messages", "remove", "jobs", "m1", "--source", "/a", "--yes"]);
    assert_eq!(broker.json(&["messages", "list", "jobs"])["items"][0]["message"]["source"], "/b");
}
