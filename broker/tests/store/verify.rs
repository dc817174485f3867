//! `verify` finds what is wrong with stored data, and names it.

use std::{fs, path::Path};

use broker::store::{
    sqlite,
    verify::{FaultKind, Report},
};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program::{Program, run, run_well};

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/tests", "type": "t", "data": {"secret": id}})
}

/// A folder with something in every table, that nobody uses.
async fn with_everything(folder: &Path) {
    let program = Program::start(folder);
    let caller = program.caller();
    let put = async |path: &str, body| caller.call(Method::PUT, path, body).await.unwrap();
    let post = async |path: &str, body| caller.call(Method::POST, path, body).await.unwrap();
    put("/queues/jobs", json!({"backoff": {"initial": "1h", "max": "1h"}})).await;
    put("/queues/mails", json!({})).await;
    put("/topics/shop", json!({"retention": "1h"})).await;
    put("/topics/shop/subscriptions/jobs", json!({})).await;
    put("/topics/shop/subscriptions/mails", json!({})).await;
    for id in ["one", "two", "three", "four"] {
        caller.publish("/topics/shop/messages", json!([event(id)])).await.unwrap();
    }
    for (id, dead_letter) in [("one", true), ("two", false)] {
        let received = post("/queues/jobs/receive", json!({})).await;
        let delivery = &received["deliveries"][0];
        assert_eq!(delivery["message"]["id"], id);
        let nack = json!({"receipts": [delivery["receipt"]], "dead_letter": dead_letter, "reason": "no"});
        post("/queues/jobs/nack", nack).await;
    }
    post("/queues/jobs/receive", json!({})).await;
    post("/queues/mails/receive", json!({"auto_ack": true})).await;
    post("/queues/jobs/dead-letters/redrive", json!({"per_second": 1, "to": "mails"})).await;
    assert!(program.terminate().success());
}

fn verify(folder: &Path) -> Report {
    sqlite::verify(folder, &mut |_, _| ()).unwrap()
}

#[tokio::test]
async fn a_flipped_bit_in_a_body_is_found_and_its_message_named() {
    let folder = tempfile::tempdir().unwrap();
    with_everything(folder.path()).await;
    let data = folder.path().to_str().unwrap();
    assert!(run_well(&["verify", "--data", data]).contains("nothing is wrong"));

    let path = folder.path().join("broker.sqlite");
    let mut file = fs::read(&path).unwrap();
    let body = br#"{"secret":"two"}"#;
    let at = file.windows(body.len()).position(|part| part == body).unwrap();
    file[at + 12] ^= 0b100;
    fs::write(&path, file).unwrap();

    let (ended, said, _) = run(&["verify", "--data", data]);
    assert_eq!(ended.code(), Some(1));
    let line =
        "checksum of message \"two\" from \"/tests\" in jobs, mails, shop: it is not as it was written";
    assert!(said.lines().any(|told| told == line), "{said}");
    let (ended, said, _) = run(&["verify", "--data", data, "--json"]);
    assert_eq!(ended.code(), Some(1));
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&told["ok"], &told["messages"]), (&json!(false), &json!(4)));
    let fault = &told["faults"][0];
    assert_eq!(
        (&fault["what"], &fault["id"], &fault["source"]),
        (&json!("checksum"), &json!("two"), &json!("/tests"))
    );
    assert_eq!(told["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_damaged_message_is_named_with_the_queues_that_hold_it_now() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let caller = program.caller();
    let call = async |method, path: &str, body| caller.call(method, path, body).await.unwrap();
    for path in ["/queues/first", "/queues/later", "/topics/shop"] {
        let settings = if path == "/topics/shop" { json!({"retention": "1h"}) } else { json!({}) };
        call(Method::PUT, path, settings).await;
    }
    call(Method::PUT, "/topics/shop/subscriptions/first", json!({})).await;
    caller.publish("/topics/shop/messages", json!([event("one")])).await.unwrap();
    call(Method::POST, "/queues/first/receive", json!({"auto_ack": true})).await;
    call(Method::PUT, "/topics/shop/subscriptions/later", json!({"from": "earliest"})).await;
    assert!(program.terminate().success());
    let database = Connection::open(folder.path().join("broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET size = size + 1", []).unwrap();
    drop(database);
    let report = verify(folder.path());
    assert_eq!(
        report.faults.iter().map(|fault| fault.queues.clone()).collect::<Vec<_>>(),
        [["later", "shop"]]
    );
}

#[tokio::test]
async fn each_kind_of_fault_is_found() {
    let folder = tempfile::tempdir().unwrap();
    with_everything(folder.path()).await;
    assert_eq!(verify(folder.path()).faults, []);
    let plants = [
        (FaultKind::Checksum, "UPDATE messages SET published_at = published_at + 1 WHERE sequence = 1"),
        (FaultKind::Checksum, "UPDATE messages SET placements = zeroblob(20) WHERE sequence = 1"),
        (FaultKind::Checksum, "UPDATE messages SET sequence = 77 WHERE sequence = 1"),
        (FaultKind::Message, "UPDATE messages SET record = x'7b7d', checksum = NULL WHERE sequence = 1"),
        (FaultKind::Message, "UPDATE messages SET whole = 'text' WHERE sequence = 1"),
        (FaultKind::Message, "UPDATE messages SET placements = x'01', checksum = NULL WHERE sequence = 1"),
        (
            FaultKind::Message,
            "UPDATE messages SET placements = x'ffffff00' || zeroblob(16), checksum = NULL WHERE sequence = 1",
        ),
        (FaultKind::Copy, "DELETE FROM messages WHERE sequence = 1"),
        (FaultKind::Copy, "UPDATE copies SET queue = 4000000000 WHERE state = 1"),
        (FaultKind::Copy, "UPDATE copies SET state = 7 WHERE state = 1"),
        (FaultKind::Copy, "UPDATE copies SET ended_lease = 1000000 WHERE state = 1"),
        (FaultKind::Failure, "DELETE FROM copies WHERE state = 1"),
        (FaultKind::Failure, "UPDATE failures SET outcome = 9"),
        (FaultKind::Failure, "UPDATE failures SET number = 9"),
        (FaultKind::Failure, "UPDATE failures SET failed_in = 4000000000"),
        (FaultKind::Failure, "UPDATE failures SET fatal = 2"),
        (FaultKind::Lease, "UPDATE leases SET queue = 4000000000"),
        (FaultKind::Lease, "UPDATE leases SET id = 1000000"),
        (FaultKind::Lease, "UPDATE leases SET sequences = x'010203'"),
        (FaultKind::Lease, "UPDATE leases SET sequences = x'ffffff0000000000'"),
        (FaultKind::RememberedIds, "UPDATE remembered_ids SET destination = 99"),
        (FaultKind::RememberedIds, "UPDATE remembered_ids SET at = at * 2"),
        (FaultKind::Counters, "INSERT INTO counters VALUES (99, zeroblob(112))"),
        (FaultKind::Counters, "DELETE FROM counters"),
        (FaultKind::Subscription, "UPDATE subscriptions SET topic = 99"),
        (
            FaultKind::Subscription,
            "UPDATE subscriptions SET queue = 4000000000 WHERE queue = (SELECT min(queue) FROM subscriptions)",
        ),
        (FaultKind::Redrive, "DELETE FROM redrive_progress"),
        (FaultKind::Redrive, "DELETE FROM redrives"),
        (FaultKind::Redrive, "UPDATE redrive_progress SET passed = 9"),
        (FaultKind::Number, "UPDATE meta SET next_sequence = 1"),
        (FaultKind::Number, "UPDATE meta SET next_destination = 2"),
        (FaultKind::Number, "UPDATE topics SET id = (SELECT min(id) FROM queues)"),
        (FaultKind::Start, "UPDATE queues SET settings = 'none' WHERE id = (SELECT min(id) FROM queues)"),
        (FaultKind::Start, "UPDATE remembered_ids SET ids = x'01'"),
    ];
    for (kind, sql) in plants {
        let damaged = tempfile::tempdir().unwrap();
        let file = damaged.path().join("broker.sqlite");
        fs::copy(folder.path().join("broker.sqlite"), &file).unwrap();
        let changed = Connection::open(&file).unwrap().execute(sql, []).unwrap();
        assert!(changed > 0, "{sql} changes nothing");
        let report = verify(damaged.path());
        assert!(report.faults.iter().any(|fault| fault.what == kind), "{sql}: {:?}", report.faults);
    }
}

#[tokio::test]
async fn a_database_whose_pages_are_garbage_is_found_so_without_an_end_of_the_check() {
    let folder = tempfile::tempdir().unwrap();
    with_everything(folder.path()).await;
    let path = folder.path().join("broker.sqlite");
    let whole = fs::read(&path).unwrap();
    // From where the tables are described, or only their rows.
    for from in [100, 4096, 65536] {
        let mut file = whole.clone();
        file[from..].fill(0xa5);
        fs::write(&path, file).unwrap();
        let report = verify(folder.path());
        let found = report.faults.iter().any(|fault| fault.what == FaultKind::Database);
        assert!(found, "from {from}: {:?}", report.faults);
    }
}

#[tokio::test]
async fn messages_without_a_checksum_are_counted_and_served() {
    let folder = tempfile::tempdir().unwrap();
    with_everything(folder.path()).await;
    let database = Connection::open(folder.path().join("broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET checksum = NULL", []).unwrap();
    drop(database);
    let report = verify(folder.path());
    assert!(report.is_clean());
    assert_eq!((report.messages, report.without_checksum), (4, 4));
    let program = Program::start(folder.path());
    let received =
        program.caller().call(Method::POST, "/queues/jobs/receive", json!({"max": 9})).await.unwrap();
    assert_eq!(received["deliveries"][0]["message"]["id"], "four");
    program.kill();
}

#[tokio::test]
async fn a_damaged_backup_is_restored_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    with_everything(&backup).await;
    let database = Connection::open(backup.join("broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET size = size + 1 WHERE sequence = 2", []).unwrap();
    drop(database);
    let data = folder.path().join("data");
    let restore = ["restore", "--from", backup.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let (ended, said, complained) = run(&restore);
    assert_eq!(ended.code(), Some(1));
    assert!(said.contains("\"two\"") && complained.contains("--allow-damaged"), "{said}{complained}");
    assert!(!data.join("broker.sqlite").exists());
    run_well(&[&restore[..], &["--allow-damaged"]].concat());
    assert_eq!(verify(&data).faults.len(), 1);
}

#[test]
fn what_holds_no_data_or_another_versions_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (ended, _, complained) = run(&["verify", "--data", data]);
    assert_eq!(ended.code(), Some(1));
    assert!(complained.contains("no broker's data"), "{complained}");
    assert!(Program::start(folder.path()).terminate().success());
    let database = Connection::open(folder.path().join("broker.sqlite")).unwrap();
    for (version, said) in [(1, "starting the broker on it"), (99, "use the newer program")] {
        database.pragma_update(None, "user_version", version).unwrap();
        let (ended, _, complained) = run(&["verify", "--data", data]);
        assert_eq!(ended.code(), Some(1));
        assert!(complained.contains(said), "{complained}");
    }
}
