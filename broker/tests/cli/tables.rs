//! Tables fit where they are shown.

use std::process::Command;

use crate::{
    broker::{Broker, ended},
    terminal::Terminal,
};

/// What a command shows at a terminal.
fn at(columns: u16, mut command: Command) -> String {
    command.env("NO_COLOR", "1");
    let (code, shown) = Terminal::start(command, columns).end();
    assert_eq!(code, 0, "{shown}");
    shown.replace("\r\n", "\n")
}

fn at_80(command: Command) -> String {
    at(80, command)
}

/// What a command writes to a program, with the width of the terminal that it was started at.
fn piped(mut command: Command) -> String {
    command.env("COLUMNS", "60");
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
fn columns_says_how_wide_a_terminal_is_taken_to_be() {
    let broker = with_long_texts();
    let mut command = broker.command(&["dead-letters", "list", "jobs"]);
    command.env("COLUMNS", "60");
    let shown = at(100, command);
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
}

#[test]
fn where_there_is_no_terminal_a_row_is_a_line_whatever_columns_says() {
    let broker = Broker::with_queue("jobs");
    let id = "01a20d71-d8a3-7031-8788-455592fcdbb8";
    let reason = "no answer from the gateway ".repeat(10);
    broker.dead_letter("jobs", id, &reason);
    let listed = piped(broker.command(&["dead-letters", "list", "jobs"]));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains(id) && listed.contains(reason.trim_end()), "{listed}");
    assert_eq!(broker.ok(&["dead-letters", "list", "jobs"]).lines().count(), 2);
}

#[test]
fn of_long_data_a_list_shows_the_beginning_alone_and_json_all() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["topics", "create", "orders", "--retention", "1h"]);
    let data = "word ".repeat(4000);
    broker.ok(&["publish", "--queue", "jobs", &data, "--id", "m1"]);
    broker.ok(&["publish", "--topic", "orders", &data, "--id", "m1"]);
    for arguments in [["messages", "list", "jobs"], ["topics", "messages", "orders"]] {
        let listed = piped(broker.command(&arguments));
        let row = listed.lines().nth(1).unwrap();
        assert!(row.contains("word word") && row.ends_with('…') && row.len() < 1000, "{row}");
        assert_eq!(broker.json(&arguments)["items"][0]["message"]["data"], data);
    }
}
