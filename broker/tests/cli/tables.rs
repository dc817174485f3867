//! Tables fit where they are shown.

use std::process::Command;

use crate::broker::{Broker, ended};

fn at_80(mut command: Command) -> String {
    command.env("COLUMNS", "80");
    ended(command).ok()
}

/// A broker with something in every list, much of it long.
fn with_long_texts() -> Broker {
    let broker = Broker::with_queue("jobs");
    let reason = "no answer from the gateway ".repeat(10);
    for id in ["01a20d71-d8a3-7031-8788-455592fcdbb8", &"x".repeat(100)] {
        broker.dead_letter("jobs", id, &reason);
    }
    broker.ok(&["publish", "--queue", "jobs", &"word ".repeat(40), "--type", "order.placed"]);
    broker.ok(&["topics", "create", "orders", "--retention", "1h"]);
    broker.ok(&[
        "topics",
        "subscribe",
        "orders",
        "jobs",
        "--filter",
        r#"{"any":[{"prefix":{"type":"order."}},{"exact":{"region":"eu"}}]}"#,
    ]);
    broker.ok(&["publish", "--topic", "orders", &"word ".repeat(40)]);
    broker.ok(&["dead-letters", "redrive", "jobs", "--per-second", "1", "--limit", "1"]);
    broker.ok(&["dead-letters", "purge", "jobs", "--reason", &"gateway no answer ".repeat(9), "--yes"]);
    broker
}

#[test]
fn every_table_fits_80_columns() {
    let broker = with_long_texts();
    for arguments in [
        &["queues"][..],
        &["queues", "show", "jobs"],
        &["topics"],
        &["topics", "show", "orders"],
        &["topics", "messages", "orders"],
        &["messages", "list", "jobs"],
        &["messages", "show", "01a20d71-d8a3-7031-8788-455592fcdbb8"],
        &["dead-letters"],
        &["dead-letters", "list", "jobs"],
        &["dead-letters", "groups", "jobs"],
        &["redrives"],
        &["audit"],
    ] {
        let shown = at_80(broker.command(arguments));
        let wide: Vec<&str> = shown.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{arguments:?}:\n{shown}");
    }
}

#[test]
fn a_table_is_as_it_is_drawn_here() {
    let broker = Broker::with_queue("payment.orders");
    broker.ok(&["queues", "create", "jobs"]);
    broker.dead_letter("jobs", "m1", "refused");
    assert_eq!(
        at_80(broker.command(&["queues"])),
        "NAME            READY  LEASED  DELAYED  DEAD  BYTES  OLDEST\n\
         jobs                0       0        0     1    0 B       -\n\
         payment.orders      0       0        0     0    0 B       -\n"
    );
}

#[test]
fn ids_stay_whole_where_a_reason_is_wrapped() {
    let broker = Broker::with_queue("jobs");
    let id = "01a20d71-d8a3-7031-8788-455592fcdbb8";
    broker.dead_letter("jobs", id, &"no answer from the gateway ".repeat(5));
    let shown = at_80(broker.command(&["dead-letters", "list", "jobs"]));
    assert!(shown.lines().count() > 2 && shown.lines().nth(1).unwrap().starts_with(id), "{shown}");
}

#[test]
fn where_there_is_no_terminal_a_row_is_a_line() {
    let broker = Broker::with_queue("jobs");
    broker.dead_letter("jobs", "m1", &"no answer from the gateway ".repeat(10));
    assert_eq!(broker.ok(&["dead-letters", "list", "jobs"]).lines().count(), 2);
}
