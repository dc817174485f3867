//! Backups: taken while the program works, checked, put back.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    folder::assert_is_its_owners_alone,
    program::{Caller, Program, run, run_well},
    running::LONG,
};

/// What publishers and consumers did so far, by the numbers of the messages.
#[derive(Clone, Default)]
struct Done {
    /// Sent to be published, answered or not.
    sent: u64,
    answered: BTreeSet<u64>,
    /// Whose ack was sent, answered or not.
    ack_sent: BTreeSet<u64>,
    acked: BTreeSet<u64>,
}

/// Clients that work until they are told to stop.
struct Load {
    done: Arc<Mutex<Done>>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Load {
    fn start(caller: &Caller) -> Self {
        let (done, stop) = (Arc::<Mutex<Done>>::default(), Arc::<AtomicBool>::default());
        let mut clients = JoinSet::new();
        for _ in 0..3 {
            clients.spawn(until(Arc::clone(&stop), caller.clone(), Arc::clone(&done), publish_some));
            clients.spawn(until(Arc::clone(&stop), caller.clone(), Arc::clone(&done), consume_some));
        }
        Self { done, stop, clients }
    }

    fn so_far(&self) -> Done {
        self.done.lock().unwrap().clone()
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
    }
}

async fn until(
    stop: Arc<AtomicBool>,
    caller: Caller,
    done: Arc<Mutex<Done>>,
    work: impl AsyncFn(&Caller, &Mutex<Done>),
) {
    while !stop.load(Ordering::Relaxed) {
        work(&caller, &done).await;
    }
}

async fn publish_some(caller: &Caller, done: &Mutex<Done>) {
    let numbers = {
        let mut done = done.lock().unwrap();
        done.sent += 10;
        done.sent - 10..done.sent
    };
    let events: Vec<Value> = numbers.clone().map(|number| event(&number.to_string())).collect();
    caller.publish("/queues/q/messages", json!(events)).await.unwrap();
    done.lock().unwrap().answered.extend(numbers);
}

/// Acks every other message; the others wait for their lease to end, or are in the backup leased.
async fn consume_some(caller: &Caller, done: &Mutex<Done>) {
    let deliveries = receive(caller, json!({"max": 12, "wait": "50ms"})).await;
    let chosen: Vec<_> = deliveries.iter().filter(|it| number(it).is_multiple_of(2)).collect();
    if chosen.is_empty() {
        return;
    }
    let numbers: Vec<u64> = chosen.iter().map(|it| number(it)).collect();
    done.lock().unwrap().ack_sent.extend(&numbers);
    let receipts: Vec<_> = chosen.iter().map(|it| it["receipt"].clone()).collect();
    caller.call(Method::POST, "/queues/q/ack", json!({"receipts": receipts})).await.unwrap();
    done.lock().unwrap().acked.extend(numbers);
}

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/tests", "type": "t", "data": "x".repeat(300)})
}

async fn receive(caller: &Caller, asked: Value) -> Vec<Value> {
    let answer = caller.call(Method::POST, "/queues/q/receive", asked).await.unwrap();
    answer["deliveries"].as_array().unwrap().clone()
}

fn number(delivery: &Value) -> u64 {
    delivery["message"]["id"].as_str().unwrap().parse().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// All that a queue hands out and keeps for good, each message once.
async fn drain(caller: &Caller) -> BTreeSet<u64> {
    let mut drained = BTreeSet::new();
    let all = async {
        while !is_empty(caller).await {
            for delivery in receive(caller, json!({"max": 1000, "wait": "100ms", "auto_ack": true})).await {
                assert!(drained.insert(number(&delivery)), "{} came twice", number(&delivery));
            }
        }
    };
    timeout(LONG, all).await.expect("all that is there comes in time");
    drained
}

async fn is_empty(caller: &Caller) -> bool {
    caller.call(Method::GET, "/queues/q", json!({})).await.unwrap()["counts"]["oldest_age"].is_null()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_restores_to_what_one_moment_was() {
    let folder = tempfile::tempdir().unwrap();
    let (data, parent) = (folder.path().join("data"), folder.path());
    let program = Program::start(&data);
    let settings = json!({"lease": "1s", "max_deliveries": 1000});
    program.caller().call(Method::PUT, "/queues/q", settings).await.unwrap();
    let load = Load::start(&program.caller());
    let mut moments = Vec::new();
    for round in 0..3 {
        let wanted = 300 * (round + 1);
        let enough = async {
            while load.so_far().acked.len() < wanted {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, enough).await.expect("the clients are served");
        let backup = parent.join(format!("backup-{round}"));
        let before = load.so_far();
        let (from, to) = (data.clone(), backup.clone());
        let taken = move || run_well(&["backup", "--data", text(&from), "--to", text(&to)]);
        tokio::task::spawn_blocking(taken).await.unwrap();
        moments.push((backup, before, load.so_far()));
        // The folder that is in use is whole at every moment too.
        let used = data.clone();
        tokio::task::spawn_blocking(move || run_well(&["verify", "--data", text(&used)])).await.unwrap();
    }
    load.stop().await;
    program.kill();

    for (backup, before, after) in moments {
        let restored = backup.with_extension("restored");
        run_well(&["restore", "--from", text(&backup), "--data", text(&restored)]);
        run_well(&["verify", "--data", text(&restored)]);
        let program = Program::start(&restored);
        let drained = drain(&program.caller()).await;
        let due: BTreeSet<u64> = before.answered.difference(&after.ack_sent).copied().collect();
        assert!(due.len() > 100, "too little was there to be worth a backup");
        assert!(due.is_subset(&drained), "{:?} are lost", due.difference(&drained));
        assert!(drained.is_disjoint(&before.acked), "what was acked before comes again");
        assert!(drained.iter().all(|number| *number < after.sent));
        let counts = program.caller().call(Method::GET, "/queues/q", json!({})).await.unwrap();
        assert_eq!(counts["counts"]["published"], counts["counts"]["acked"]);
        program.kill();
    }
}

#[tokio::test]
async fn a_receipt_that_was_given_after_the_backup_acts_on_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let program = Program::start(&data);
    let caller = program.caller();
    caller.call(Method::PUT, "/queues/q", json!({})).await.unwrap();
    caller.publish("/queues/q/messages", json!([event("1")])).await.unwrap();
    run_well(&["backup", "--data", text(&data), "--to", text(&backup)]);
    caller.publish("/queues/q/messages", json!([event("2")])).await.unwrap();
    let later = receive(&caller, json!({"max": 2})).await;
    program.kill();

    // Twice: what the first restore gave out is as foreign to the second.
    let mut foreign: Vec<Value> = later.iter().map(|it| it["receipt"].clone()).collect();
    for round in 0..2 {
        let restored = folder.path().join(format!("restored-{round}"));
        run_well(&["restore", "--from", text(&backup), "--data", text(&restored)]);
        let program = Program::start(&restored);
        let caller = program.caller();
        caller.publish("/queues/q/messages", json!([event("3"), event("4")])).await.unwrap();
        let own = receive(&caller, json!({"max": 3})).await;
        assert_eq!(own.iter().map(number).collect::<Vec<_>>(), [1, 3, 4]);
        let ack = json!({"receipts": foreign});
        let answer = caller.call(Method::POST, "/queues/q/ack", ack).await.unwrap();
        let statuses: Vec<_> = answer["results"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
        assert_eq!(statuses.iter().filter(|status| **status == "done").count(), 0, "{answer}");
        assert_eq!(statuses[0], "lease-lost");
        let receipts: Vec<Value> = own.iter().map(|it| it["receipt"].clone()).collect();
        foreign.extend(receipts.clone());
        let answer = caller.call(Method::POST, "/queues/q/ack", json!({"receipts": receipts})).await.unwrap();
        assert!(answer["results"].as_array().unwrap().iter().all(|it| it["status"] == "done"), "{answer}");
        program.kill();
    }
}

/// A data folder with one message, that nobody uses, and a backup of it.
async fn with_backup(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (data, backup) = (folder.join("data"), folder.join("backup"));
    let program = Program::start(&data);
    program.caller().call(Method::PUT, "/queues/q", json!({})).await.unwrap();
    program.caller().publish("/queues/q/messages", json!([event("1")])).await.unwrap();
    program.kill();
    run_well(&["backup", "--data", text(&data), "--to", text(&backup)]);
    (data, backup)
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_leaves_nothing_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = with_backup(folder.path()).await;
    let (ended, _, complained) = run(&["backup", "--data", text(&data), "--to", text(&backup)]);
    assert_eq!(ended.code(), Some(1));
    assert!(complained.contains("exists already"), "{complained}");
    let nothing = folder.path().join("nothing");
    let (ended, _, complained) = run(&["backup", "--data", text(&nothing), "--to", text(&nothing)]);
    assert_eq!(ended.code(), Some(1));
    assert!(complained.contains("no broker's data"), "{complained}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_restore_refuses_a_folder_that_holds_something_or_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = with_backup(folder.path()).await;
    let restore = ["restore", "--from", text(&backup), "--data", text(&data)];
    let (ended, _, complained) = run(&restore);
    assert_eq!(ended.code(), Some(1));
    assert!(complained.contains("not empty") && complained.contains("--force"), "{complained}");
    let program = Program::start(&data);
    let (ended, _, complained) = run(&[&restore[..], &["--force"]].concat());
    assert_eq!(ended.code(), Some(1));
    assert!(complained.contains("in use"), "{complained}");
    program.kill();
}

#[tokio::test]
async fn a_forced_restore_sets_aside_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = with_backup(folder.path()).await;
    let program = Program::start(&data);
    program.caller().publish("/queues/q/messages", json!([event("2")])).await.unwrap();
    // A log with commits in it is left.
    program.kill();
    run_well(&["restore", "--from", text(&backup), "--data", text(&data), "--force"]);
    let program = Program::start(&data);
    assert_eq!(drain(&program.caller()).await, BTreeSet::from([1]));
    program.kill();

    let entries = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let aside = entries.filter(|path| path.is_dir()).collect::<Vec<_>>();
    assert_eq!(aside.len(), 1, "one folder with what was there: {aside:?}");
    let mode = std::fs::metadata(&aside[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "for its owner alone");
    let program = Program::start(&aside[0]);
    assert_eq!(drain(&program.caller()).await, BTreeSet::from([1, 2]));
    program.kill();
}

#[tokio::test]
async fn a_forced_restore_leaves_the_tokens_of_the_backup_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = with_backup(folder.path()).await;
    let program = Program::start(&data);
    let token = json!({"name": "root", "allow": ["admin:*"]});
    program.caller().call(Method::POST, "/tokens", token).await.unwrap();
    program.kill();
    run_well(&["restore", "--from", text(&backup), "--data", text(&data), "--force"]);
    assert!(!data.join("tokens.json").exists(), "the backup has none");
    let mut aside = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.find(|path| path.is_dir()).unwrap();
    assert!(aside.join("tokens.json").exists(), "what was there is kept");
}

#[tokio::test]
async fn a_backup_and_what_comes_of_it_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let program = Program::start(&data);
    let token = json!({"name": "root", "allow": ["admin:*"]});
    program.caller().call(Method::POST, "/tokens", token).await.unwrap();
    run_well(&["backup", "--data", text(&data), "--to", text(&backup)]);
    assert!(program.terminate().success());
    let restored = folder.path().join("restored");
    run_well(&["restore", "--from", text(&backup), "--data", text(&restored)]);
    for folder in [&backup, &restored] {
        let tokens = std::fs::read(folder.join("tokens.json")).unwrap();
        assert_eq!(tokens, std::fs::read(data.join("tokens.json")).unwrap());
        assert_is_its_owners_alone(folder);
    }
}
