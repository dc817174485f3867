//! `broker dead-letters`.

use serde_json::json;

use crate::broker::{Broker, rows};

fn with_dead_letters() -> Broker {
    let broker = Broker::with_queue("jobs");
    for (id, reason) in [("m1", "no answer after 30s"), ("m2", "no answer after 31s"), ("m3", "refused")] {
        broker.dead_letter("jobs", id, reason);
    }
    broker
}

fn ids(list: &str) -> Vec<&str> {
    rows(list)[1..].iter().map(|cells| cells[0]).collect()
}

#[test]
fn they_are_counted_by_queue() {
    let broker = with_dead_letters();
    assert_eq!(broker.ok(&["dead-letters"]), "QUEUE  DEAD\njobs      3\n");
    assert_eq!(broker.json(&["dlq", "count"]), json!({"items": [{"queue": "jobs", "dead": 3}]}));
}

#[test]
fn they_are_listed_newest_first_and_narrowed_by_what_is_given() {
    let broker = with_dead_letters();
    let list = |more: &[&str]| broker.ok(&[&["dead-letters", "list", "jobs"], more].concat());
    assert_eq!(ids(&list(&[])), ["m3", "m2", "m1"]);
    assert_eq!(ids(&list(&["--reason", "no answer"])), ["m2", "m1"]);
    assert_eq!(ids(&list(&["--reason", "no answer", "--limit", "1"])), ["m2"]);
    assert_eq!(ids(&list(&["--since", "1h", "--type", "t"])), ["m3", "m2", "m1"]);
    assert_eq!(list(&["--until", "1h"]), "");
    assert_eq!(list(&["--type", "other"]), "");
}

#[test]
fn one_is_shown_with_its_message_and_failures() {
    let broker = with_dead_letters();
    let shown = broker.ok(&["dead-letters", "show", "jobs", "m3"]);
    assert!(shown.starts_with("m3  t\n  data\n\nDEAD LETTER"), "{shown}");
    assert!(shown.contains("dead-lettered  -         refused\n"), "{shown}");
    assert_eq!(broker.json(&["dead-letters", "show", "jobs", "m3"])["history"][0]["reason"], "refused");
}

#[test]
fn one_is_shown_with_where_it_is_from_and_when_each_failure_was_handed_out() {
    let broker = Broker::with_queue("jobs");
    let publish =
        ["publish", "--queue", "jobs", "data", "--id", "m1", "--source", "/shop", "--subject", "17"];
    broker.ok(&[&publish[..], &["--key", "k"]].concat());
    broker.ok(&["nack", "jobs", &broker.receipt("jobs"), "--dead-letter"]);
    broker.ok(&["dead-letters", "redrive", "jobs"]);
    broker.ok(&["nack", "jobs", &broker.receipt("jobs"), "--dead-letter"]);
    let letter = broker.json(&["dead-letters", "show", "jobs", "m1"]);
    let shown = broker.ok(&["dead-letters", "show", "jobs", "m1"]);
    for row in [["source", "/shop"], ["subject", "17"], ["partitionkey", "k"], ["redrive_count", "1"]] {
        assert!(rows(&shown).iter().any(|cells| *cells == row), "{row:?}: {shown}");
    }
    let header = ["DELIVERED", "ENDED", "DELIVERY", "OUTCOME", "CONSUMER", "REASON"];
    let failures = rows(&shown).into_iter().skip_while(|cells| *cells != header).skip(1);
    let times: Vec<[&str; 2]> = failures.map(|cells| [cells[0], cells[1]]).collect();
    let history = letter["history"].as_array().unwrap().iter();
    let expected: Vec<[&str; 2]> =
        history.map(|it| ["delivered_at", "ended_at"].map(|name| it[name].as_str().unwrap())).collect();
    assert!(times.len() == 2 && times == expected, "{shown}");
}

#[test]
fn they_are_grouped_by_what_failed_alike() {
    let broker = with_dead_letters();
    let groups = broker.ok(&["dead-letters", "groups", "jobs"]);
    let rows = rows(&groups);
    assert_eq!((rows[1][0], rows[1][3], rows[2][0]), ("2", "m2", "1"), "{groups}");
    assert!(groups.contains("no answer after #s"), "{groups}");
}

#[test]
fn a_dry_run_only_says_what_would_be_redriven() {
    let broker = with_dead_letters();
    let told = broker.ok(&["dead-letters", "redrive", "jobs", "--dry-run", "--limit", "2"]);
    assert_eq!(told, "m1\nm2\n2 dead letters would be redriven\n");
    assert_eq!(broker.count("jobs", "dead"), 3);
}

#[test]
fn those_that_fit_are_redriven() {
    let broker = with_dead_letters();
    let told = broker.ok(&["dead-letters", "redrive", "jobs", "--reason", "refused"]);
    assert_eq!(told, "m3\n1 dead letter redriven\n");
    assert_eq!((broker.count("jobs", "dead"), broker.count("jobs", "ready")), (2, 1));
}

#[test]
fn they_are_redriven_into_another_queue() {
    let broker = with_dead_letters();
    broker.ok(&["queues", "create", "slow"]);
    let told = broker.json(&["dead-letters", "redrive", "jobs", "m1", "--to", "slow"]);
    assert_eq!(told, json!({"redriven": 1, "ids": ["m1"], "not_found": []}));
    assert_eq!(broker.count("slow", "ready"), 1);
}

#[test]
fn an_id_that_is_no_dead_letter_is_told_and_fails() {
    let broker = with_dead_letters();
    let told = broker.run(&["dead-letters", "redrive", "jobs", "m1", "nope"]);
    assert_eq!((told.code, told.stdout.as_str()), (1, "m1\n1 dead letter redriven\n"));
    assert!(told.stderr.contains("error: no dead letter has the id nope"), "{told:?}");
}

#[test]
fn a_redrive_that_finds_no_more_room_is_told_and_fails() {
    let broker = with_dead_letters();
    broker.ok(&["queues", "create", "small", "--max-messages", "1"]);
    let told = broker.run(&["dead-letters", "redrive", "jobs", "--to", "small"]);
    assert_eq!((told.code, told.stdout.as_str()), (1, "m1\n1 dead letter redriven\n"));
    assert!(told.stderr.contains("error: it stopped before the end: queue-full"), "{told:?}");
}

#[test]
fn what_the_other_queue_holds_already_stays_and_is_told() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["queues", "create", "other"]);
    broker.ok(&["topics", "create", "orders"]);
    for queue in ["jobs", "other"] {
        broker.ok(&["topics", "subscribe", "orders", queue]);
    }
    broker.ok(&["publish", "--topic", "orders", "data", "--id", "m1"]);
    broker.ok(&["nack", "jobs", &broker.receipt("jobs"), "--dead-letter"]);
    let told = broker.run(&["dead-letters", "redrive", "jobs", "--to", "other"]);
    assert_eq!((told.code, told.stdout.as_str()), (1, "0 dead letters redriven\n"));
    assert!(told.stderr.contains("error: these stay, as that queue holds them already: m1"), "{told:?}");
}

#[test]
fn what_the_other_queue_can_never_hold_stays_and_is_told_beside_all_that_went_wrong() {
    let broker = with_dead_letters();
    broker.ok(&["queues", "create", "small", "--max-bytes", "1"]);
    let redrive = ["dead-letters", "redrive", "jobs", "m1", "nope", "m2", "--to", "small"];
    for (more, told) in [(&[][..], "redriven"), (&["--dry-run"], "would be redriven")] {
        let ended = broker.run(&[&redrive, more].concat());
        assert_eq!((ended.code, ended.stdout), (1, format!("0 dead letters {told}\n")));
        assert_eq!(
            ended.stderr,
            "error: these stay, as that queue can never hold them: m1, m2; no dead letter has the id nope\n"
        );
    }
    assert_eq!(broker.count("jobs", "dead"), 3);
}

#[test]
fn those_that_fit_are_discarded() {
    let broker = with_dead_letters();
    let told = broker.ok(&["dead-letters", "purge", "jobs", "--reason", "no answer", "--yes"]);
    assert_eq!(told, "2 dead letters of jobs discarded\n");
    assert_eq!(broker.json(&["dead-letters", "purge", "jobs", "--yes"]), json!({"purged": 1}));
}

#[test]
fn one_is_discarded() {
    let broker = with_dead_letters();
    let told = broker.ok(&["dead-letters", "discard", "jobs", "m1", "--yes"]);
    assert_eq!(told, "dead letter m1 of jobs discarded\n");
    let again = broker.run(&["dead-letters", "discard", "jobs", "m1", "--yes"]);
    again.failed(1, "(404 dead-letter-not-found)");
}

#[test]
fn what_was_done_by_hand_is_in_the_audit_trail() {
    let broker = with_dead_letters();
    broker.ok(&["dead-letters", "redrive", "jobs", "--reason", "refused"]);
    let trail = broker.ok(&["audit"]);
    let rows = rows(&trail);
    assert_eq!(rows[0], ["AT", "WHO", "ACTION", "COUNT", "WHERE", "WHICH"]);
    assert_eq!(rows[1][1..], ["anonymous", "redrive", "1", "jobs", "{\"reason\":\"refused\"}"]);
}
