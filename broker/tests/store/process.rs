//! The program as a process: killed at any moment, stopped in good order, started twice.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    program::{Caller, Program},
    running::LONG,
};

const QUEUE: &str = "/queues/q";
/// Leases of the dead end soon, and no message is given up.
fn settings() -> Value {
    json!({"lease": "1s", "max_deliveries": 1000, "backoff": {"initial": "0s"}})
}

/// What publishers and consumers know, over all kills.
#[derive(Default)]
struct Known {
    /// How many messages were published at all, answered or not; their numbers are below.
    published: u64,
    /// Batches that were not answered: they are published again.
    unanswered: Vec<Vec<u64>>,
    seen: BTreeSet<u64>,
    /// Whose ack was answered.
    acked: BTreeSet<u64>,
    /// Whose ack was answered before the latest start.
    gone: BTreeSet<u64>,
}

impl Known {
    /// The next batch: one that was not answered, or a new one.
    fn next_batch(&mut self) -> Vec<u64> {
        self.unanswered.pop().unwrap_or_else(|| {
            let first = self.published;
            self.published += 1 + first % 7;
            (first..self.published).collect()
        })
    }
}

fn event(number: &u64) -> Value {
    json!({"specversion": "1.0", "id": number.to_string(), "source": "/tests", "type": "numbered"})
}

/// Publishes one batch; false when the program is gone.
async fn publish_one(caller: &Caller, known: &Mutex<Known>, batch: Vec<u64>) -> bool {
    let events = batch.iter().map(event).collect();
    let answered = caller.publish("/queues/q/messages", events).await.is_some();
    if !answered {
        known.lock().unwrap().unanswered.push(batch);
    }
    answered
}

async fn publish_until_gone(caller: Caller, known: Arc<Mutex<Known>>) {
    loop {
        let batch = known.lock().unwrap().next_batch();
        if !publish_one(&caller, &known, batch).await {
            return;
        }
    }
}

async fn consume_until_gone(caller: Caller, known: Arc<Mutex<Known>>) {
    while consume_once(&caller, &known).await.is_some() {}
}

/// Receives and acks; `None` when the program is gone.
async fn consume_once(caller: &Caller, known: &Mutex<Known>) -> Option<()> {
    let asked = json!({"max": 5, "wait": "100ms"});
    let answer = caller.call(Method::POST, "/queues/q/receive", asked).await?;
    let deliveries = answer["deliveries"].as_array().unwrap();
    let numbers: Vec<u64> =
        deliveries.iter().map(|it| it["message"]["id"].as_str().unwrap().parse().unwrap()).collect();
    {
        let mut known = known.lock().unwrap();
        for number in &numbers {
            assert!(*number < known.published, "{number} was never published");
            assert!(!known.gone.contains(number), "{number} was acked before the broker was killed");
            known.seen.insert(*number);
        }
    }
    if numbers.is_empty() {
        return Some(());
    }
    let receipts: Vec<_> = deliveries.iter().map(|it| it["receipt"].clone()).collect();
    let answer = caller.call(Method::POST, "/queues/q/ack", json!({"receipts": receipts})).await?;
    let done = answer["results"].as_array().unwrap().iter().zip(&numbers);
    let done = done.filter(|(it, _)| it["status"] == "done").map(|(_, number)| *number);
    known.lock().unwrap().acked.extend(done);
    Some(())
}

async fn counts(caller: &Caller) -> Value {
    let queue = caller.call(Method::GET, QUEUE, json!({})).await.expect("the broker lives");
    queue["counts"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_has_exactly_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let known = Arc::new(Mutex::new(Known::default()));
    for round in 0..8 {
        let program = Program::start(folder.path());
        program.caller().call(Method::PUT, QUEUE, settings()).await.unwrap();
        let mut clients = JoinSet::new();
        for _ in 0..6 {
            clients.spawn(publish_until_gone(program.caller(), Arc::clone(&known)));
            clients.spawn(consume_until_gone(program.caller(), Arc::clone(&known)));
        }
        // The moment is the point here: there is no effect to wait for.
        tokio::time::sleep(Duration::from_millis(40 + 37 * round)).await;
        program.kill();
        clients.join_all().await;
        let mut known = known.lock().unwrap();
        known.gone = known.acked.clone();
    }

    let program = Program::start(folder.path());
    let caller = program.caller();
    let unanswered = std::mem::take(&mut known.lock().unwrap().unanswered);
    for batch in unanswered {
        assert!(publish_one(&caller, &known, batch).await);
    }
    let drained = async {
        while counts(&caller).await["oldest_age"] != Value::Null {
            consume_once(&caller, &known).await.unwrap();
        }
    };
    timeout(LONG, drained).await.expect("all is received and acked in time");
    let counts = counts(&caller).await;
    let known = known.lock().unwrap();
    assert!(known.published > 50 && known.gone.len() > 20, "too little happened to be worth a kill");
    assert_eq!(known.seen, (0..known.published).collect(), "what was published comes");
    assert_eq!(counts["published"], known.published, "each is stored once, however often it was published");
    assert_eq!(counts["acked"], known.published, "each is acked once");
    assert_eq!(counts["dead"], 0);
}

#[tokio::test]
async fn a_stop_in_good_order_leaves_one_file_and_all_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let caller = program.caller();
    caller.call(Method::PUT, QUEUE, settings()).await.unwrap();
    caller.publish("/queues/q/messages", json!([event(&1), event(&2)])).await.unwrap();
    assert!(program.terminate().success());
    let log = folder.path().join("broker.sqlite-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |file| file.len()), 0);

    let program = Program::start(folder.path());
    assert_eq!(counts(&program.caller()).await["ready"], 2);
}

#[test]
fn a_second_start_on_the_same_folder_ends_with_1_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = Program::start(folder.path());
    let (ended, said) = Program::refused(folder.path());
    assert_eq!(ended.code(), Some(1));
    let name = folder.path().display().to_string();
    assert!(said.contains(&name) && said.contains("in use"), "it said {said:?}");
    first.kill();
    Program::start(folder.path()).kill();
}
