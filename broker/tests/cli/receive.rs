//! `broker receive`, `ack`, `nack`, `extend`.

use serde_json::json;

use crate::broker::{Broker, rows};

fn with_messages(ids: &[&str]) -> Broker {
    let broker = Broker::with_queue("jobs");
    for id in ids {
        broker.ok(&["publish", "--queue", "jobs", "{\"n\":1}", "--id", id, "--type", "t", "--key", "k"]);
    }
    broker
}

#[test]
fn a_delivery_shows_its_message_and_receipt() {
    let broker = with_messages(&["m1"]);
    let shown = broker.ok(&["receive", "jobs"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!((lines[0], lines[3]), ("m1  t  key k", "  {\"n\":1}"));
    assert!(lines[1].starts_with("  published ") && lines[1].ends_with(" ago, delivery 1"), "{shown}");
    let (receipt, _) = lines[2].strip_prefix("  receipt ").unwrap().split_once(" until ").unwrap();
    assert!(receipt.ends_with("-1-1"), "{shown}");
    broker.ok(&["ack", "jobs", receipt]);
    assert_eq!((broker.count("jobs", "acked"), broker.count("jobs", "leased")), (1, 0));
}

#[test]
fn nothing_to_receive_is_an_empty_list_and_no_failure() {
    let broker = Broker::with_queue("jobs");
    assert_eq!(broker.json(&["receive", "jobs", "--wait", "10ms"]), json!({"deliveries": []}));
    let told = broker.run(&["receive", "jobs", "--ack"]);
    let told = (told.code, told.stdout.as_str(), told.stderr.as_str());
    assert_eq!(told, (0, "", "there is nothing to receive\n"));
}

#[test]
fn what_is_received_with_ack_is_settled_and_gone() {
    let broker = with_messages(&["m1", "m2"]);
    let handout = broker.json(&["receive", "jobs", "--max", "2", "--ack"]);
    assert_eq!(handout["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!((broker.count("jobs", "acked"), broker.count("jobs", "leased")), (2, 0));
}

#[test]
fn auto_ack_hands_out_without_receipts() {
    let broker = with_messages(&["m1"]);
    let shown = broker.ok(&["receive", "jobs", "--auto-ack"]);
    assert!(shown.starts_with("m1  t") && !shown.contains("receipt"), "{shown}");
    broker.run(&["receive", "jobs", "--auto-ack", "--ack"]).failed(2, "cannot be used with");
}

#[test]
fn receipts_are_acked_and_a_repeat_is_harmless() {
    let broker = with_messages(&["m1"]);
    let receipt = broker.receipt("jobs");
    assert_eq!(
        rows(&broker.ok(&["ack", "jobs", &receipt])),
        [vec!["RECEIPT", "STATUS"], vec![&receipt, "done"]]
    );
    let again = broker.json(&["ack", "jobs", &receipt]);
    assert_eq!(again, json!({"results": [{"receipt": receipt, "status": "already-settled"}]}));
}

#[test]
fn a_lost_lease_is_shown_and_fails() {
    let broker = with_messages(&["m1"]);
    let receipt = broker.receipt("jobs");
    broker.ok(&["nack", "jobs", &receipt, "--no-count"]);
    broker.receipt("jobs");
    let told = broker.run(&["ack", "jobs", &receipt]);
    assert_eq!((told.code, rows(&told.stdout)[1][1]), (1, "lease-lost"));
    assert!(told.stderr.contains("error: 1 receipt had lost the lease"), "{told:?}");
}

#[test]
fn a_nacked_message_comes_again_with_its_reason() {
    let broker = with_messages(&["m1"]);
    let receipt = broker.receipt("jobs");
    broker.ok(&["nack", "jobs", &receipt, "--reason", "no answer", "--delay", "0s"]);
    let shown = broker.ok(&["receive", "jobs", "--wait", "10s"]);
    assert!(shown.contains("delivery 2\n") && shown.contains("  failed before: no answer\n"), "{shown}");
}

#[test]
fn a_message_handed_back_uncounted_was_not_delivered() {
    let broker = with_messages(&["m1"]);
    let receipt = broker.receipt("jobs");
    broker.ok(&["nack", "jobs", &receipt, "--no-count"]);
    assert_eq!(broker.json(&["receive", "jobs"])["deliveries"][0]["delivery_count"], 1);
}

#[test]
fn a_lease_is_extended_to_the_time_that_is_shown() {
    let broker = with_messages(&["m1"]);
    let receipt = broker.receipt("jobs");
    let shown = broker.ok(&["extend", "jobs", &receipt, "--lease", "1h"]);
    let rows = rows(&shown);
    assert_eq!((rows[0].join(" "), rows[1][1]), ("RECEIPT STATUS LEASE UNTIL".to_owned(), "done"));
    assert!(rows[1][2].ends_with('Z'), "{shown}");
}

#[test]
fn data_can_not_drive_the_terminal() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "\u{1b}]0;owned\u{7}"]);
    let shown = broker.ok(&["receive", "jobs"]);
    assert!(!shown.contains('\u{1b}') && shown.contains(r"\u{1b}]0;owned"));
}
