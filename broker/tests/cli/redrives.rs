//! `broker redrives`, and redrives at a pace.

use serde_json::Value;

use crate::broker::{Broker, rows};

fn with_dead_letters(number: usize) -> Broker {
    let broker = Broker::with_queue("jobs");
    broker.dead_letters("jobs", number);
    broker
}

#[test]
fn a_paced_redrive_is_followed_to_its_end() {
    let broker = with_dead_letters(3);
    let redrive = ["dead-letters", "redrive", "jobs", "--per-second", "100", "--follow"];
    let told = broker.ok(&redrive);
    assert!(told.starts_with("redrive "), "{told}");
    assert!(
        told.ends_with("from jobs to jobs: 3 dead letters redriven, 0 dead letters to go, done\n"),
        "{told}"
    );
    assert_eq!(broker.count("jobs", "ready"), 3);
}

#[test]
fn one_that_names_an_id_which_no_dead_letter_has_redrives_the_others_and_fails() {
    let broker = Broker::with_queue("jobs");
    broker.dead_letter("jobs", "m1", "broken");
    let redrive = ["dead-letters", "redrive", "jobs", "m1", "none", "--per-second", "100", "--follow"];
    let ended = broker.run(&redrive);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, "error: no dead letter has the id none\n"));
    assert_eq!(broker.count("jobs", "ready"), 1);
}

#[test]
fn json_of_one_that_is_followed_is_how_it_stands_at_the_end() {
    let broker = with_dead_letters(1);
    let told = broker.json(&["dead-letters", "redrive", "jobs", "--per-second", "100", "--follow"]);
    assert_eq!((&told["state"], &told["redriven"]), (&Value::from("done"), &Value::from(1)));
}

#[test]
fn one_that_goes_on_by_itself_is_listed_shown_and_stopped() {
    let broker = with_dead_letters(100);
    let started = broker.json(&["dead-letters", "redrive", "jobs", "--per-second", "1"]);
    let task = started["task"].as_str().unwrap();
    let list = broker.ok(&["redrives"]);
    let row = &rows(&list)[1];
    assert_eq!(
        (row[0], row[1], row[2], row[3], *row.last().unwrap()),
        (task, "jobs", "jobs", "1", "running")
    );
    let shown = broker.ok(&["redrives", "show", task]);
    assert!(shown.starts_with(&format!("redrive {task} from jobs to jobs: ")), "{shown}");
    assert_eq!(broker.ok(&["redrives", "stop", task]), format!("redrive {task} stopped\n"));
    broker.run(&["redrives", "show", task]).failed(1, "(404 redrive-not-found)");
}

#[test]
fn those_that_are_skipped_are_told() {
    let broker = with_dead_letters(3);
    broker.ok(&["queues", "create", "small", "--max-bytes", "1"]);
    let redrive = ["dead-letters", "redrive", "jobs", "--to", "small", "--per-second", "100", "--follow"];
    let told = broker.ok(&redrive);
    assert!(
        told.ends_with(
            "to small: 0 dead letters redriven, 3 dead letters skipped, 0 dead letters to go, done\n"
        ),
        "{told}"
    );
    let list = broker.ok(&["redrives"]);
    let rows = rows(&list);
    assert_eq!(
        rows[0],
        ["TASK", "FROM", "TO", "PER", "SECOND", "REDRIVEN", "SKIPPED", "REMAINING", "AGE", "STATE"]
    );
    assert_eq!(rows[1][4..7], ["0", "3", "0"], "{list}");
}

#[test]
fn one_that_is_stopped_while_it_is_followed_fails() {
    let broker = with_dead_letters(100);
    let started = broker.json(&["dead-letters", "redrive", "jobs", "--per-second", "1"]);
    let task = started["task"].as_str().unwrap();
    let mut following = broker.command(&["redrives", "show", task, "--follow"]).spawn().unwrap();
    broker.ok(&["redrives", "stop", task]);
    assert_eq!(following.wait().unwrap().code(), Some(1));
}
