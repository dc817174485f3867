//! A full disk: publishes are refused, nothing that was acknowledged is lost, the rest goes on.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use broker::{
    BrokerError, Handout,
    api::{self, Limits},
    auth::tokens::Tokens,
    engine::{EngineSettings, note::Note},
    store::{Store, folder::DataFolder, sqlite::SqliteStore},
};
use broker_core::{
    command::NewMessage,
    reply::{Published, SettleStatus},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    faults::{Fault, Faults, Faulty},
    running::{LONG, Running, message, numbers, publish, receipts},
};

async fn start_faulty(folder: &std::path::Path) -> (Running, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let shared = Arc::clone(&faults);
    let wrap = move |store| Box::new(Faulty { store, faults: shared }) as Box<dyn Store>;
    (Running::start_with(folder, EngineSettings::default(), wrap).await, faults)
}

#[tokio::test]
async fn a_group_that_does_not_fit_is_undone_and_its_publishes_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    faults.push(Fault::Full);
    assert_eq!(running.publish("q", 2).await, Err(BrokerError::StorageFull));
    assert_eq!(running.look("q", |queue| (queue.gauges.ready, queue.counters.published)).await, (1, 1));
    // It was not stored, so it is no duplicate.
    assert!(!when_there_is_room(&running, message(2)).await.duplicate);
    assert_eq!(numbers(&running.receive("q", 10).await), [1, 2]);
    running.stop().await;
}

#[tokio::test]
async fn acks_and_receives_go_on_where_publishes_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    running.queue("q").await;
    for number in 1..=3 {
        running.publish("q", number).await.unwrap();
    }
    let (_, receipt) = running.receive_one("q").await;
    faults.push(Fault::Full);
    assert_eq!(running.ack("q", receipt).await, SettleStatus::Done);
    faults.push(Fault::Full);
    assert_eq!(running.receive_one("q").await.0, 2);
    assert_eq!(running.look("q", |queue| (queue.gauges.ready, queue.counters.acked)).await, (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn below_the_floor_of_free_space_publishes_are_refused_before_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    running.queue("q").await;
    faults.set_free_space(1 << 20);
    let (free, floor) = (1 << 20, EngineSettings::default().free_space_floor);
    assert_eq!(running.publish("q", 1).await, Err(BrokerError::BelowFloor { free, floor }));
    assert_eq!(running.look("q", |queue| queue.counters.published).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_database_that_may_not_grow_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let running = start_small(folder.path()).await;
    let stored = fill(&running, 0).await;
    assert!(!stored.is_empty());
    let handout = running.receive("q", 1000).await;
    assert_eq!(numbers(&handout), stored);
    running.stop().await;
    let running = Running::start(folder.path()).await;
    assert_eq!(running.look("q", |queue| queue.gauges.leased).await, stored.len() as u64);
    running.stop().await;
}

#[tokio::test]
async fn where_acks_made_room_publishes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let running = start_small(folder.path()).await;
    let mut first = 0;
    for _ in 0..3 {
        let stored = fill(&running, first).await;
        assert!(stored.len() >= 10, "only {} found room", stored.len());
        first = stored[stored.len() - 1] + 1;
        let handout = running.receive("q", 1000).await;
        assert_eq!(numbers(&handout), stored);
        ack_all(&running, &handout).await;
        goes_through(&running, first).await;
        first += 1;
    }
    running.stop().await;
}

#[tokio::test]
async fn publishes_that_a_full_disk_refused_are_not_tried_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    running.queue("q").await;
    (0..100).for_each(|_| faults.push(Fault::Full));
    let began = Instant::now();
    for number in 1..=20 {
        assert_eq!(running.publish("q", number).await, Err(BrokerError::StorageFull));
    }
    let tried = 100 - faults.left();
    assert!(tried as u64 <= 1 + began.elapsed().as_secs(), "{tried} were tried");
    faults.forget();
    when_there_is_room(&running, message(1)).await;
    running.stop().await;
}

#[tokio::test]
async fn what_was_done_beside_the_engine_is_told_where_there_is_room_and_refused_where_not() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    let tell = |action| running.broker.tell(Note::always("somebody", action));
    faults.push(Fault::Full);
    assert_eq!(tell("first").await, Ok(()), "it is tried again without publishes");
    faults.push(Fault::Full);
    faults.push(Fault::Full);
    assert_eq!(tell("second").await, Err(BrokerError::StorageFull));
    assert_eq!(tell("third").await, Ok(()));
    let told = running.broker.audit(None, 10).await.unwrap();
    assert_eq!(told.iter().map(|item| &*item.action).collect::<Vec<_>>(), ["third", "first"]);
    running.stop().await;
}

#[tokio::test]
async fn a_token_is_made_although_there_is_no_room_to_tell_of_it() {
    let (folder, folder_of_tokens) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (running, faults) = start_faulty(folder.path()).await;
    let data = DataFolder::open(folder_of_tokens.path()).unwrap();
    let (broker, tokens) = (running.broker.clone(), Arc::new(Tokens::open(&data).unwrap()));
    let router = api::router(broker.clone(), Arc::clone(&tokens), broker.health(), Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tokens", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, router).into_future());
    faults.push(Fault::Full);
    faults.push(Fault::Full);
    let body = json!({"name": "ada", "allow": ["admin:*"]});
    let made = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert_eq!((made.status().as_u16(), faults.left()), (201, 0));
    let made: Value = made.json().await.unwrap();
    assert!(tokens.find(made["token"].as_str().unwrap()).is_some());
    assert_eq!(broker.audit(None, 10).await, Ok(Vec::new()));
    serving.abort();
    running.stop().await;
}

#[tokio::test]
async fn a_broker_that_was_emptied_on_a_small_disk_takes_publishes_again() {
    fill_and_empty(60 << 20, 20 << 20, 3).await;
}

#[tokio::test]
async fn a_broker_that_was_emptied_with_little_above_the_floor_takes_publishes_again() {
    fill_and_empty(40 << 20, 30 << 20, 8).await;
}

/// Fills a disk of so many bytes up to the floor and acks all of it, so many times.
async fn fill_and_empty(disk: u64, floor: u64, times: usize) {
    let folder = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    faults.set_quota(folder.path(), disk);
    let shared = Arc::clone(&faults);
    let wrap = move |store| Box::new(Faulty { store, faults: shared }) as Box<dyn Store>;
    let settings = EngineSettings { free_space_floor: floor, ..EngineSettings::default() };
    let running = Running::start_with(folder.path(), settings, wrap).await;
    running.queue("q").await;
    let mut first = 0;
    for _ in 0..times {
        let stored = fill_with(&running, first, |number| filled(number, 200_000)).await;
        first += stored.len() as u64;
        let mut drained = 0;
        while drained < stored.len() {
            let handout = running.receive("q", 10).await;
            ack_all(&running, &handout).await;
            drained += handout.deliveries.len();
        }
        goes_through(&running, first).await;
        first += 1;
    }
    running.stop().await;
}

#[tokio::test]
async fn what_finds_no_room_has_the_log_moved_however_short_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let running = start_small(folder.path()).await;
    let length = || std::fs::metadata(folder.path().join("broker.sqlite")).unwrap().len();
    let empty = length();
    fill(&running, 0).await;
    let give_up = Instant::now() + LONG;
    while length() == empty {
        assert!(Instant::now() < give_up, "the log is not moved");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn the_metrics_show_the_free_space_and_the_floor_although_nobody_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path()).await;
    let shown = async |figure| {
        let metrics = running.broker.metrics().await.unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(figure).map(|of| of.trim().to_owned()))
    };
    assert!(shown("broker_free_space_bytes ").await.is_some());
    faults.set_free_space(12345);
    let give_up = Instant::now() + LONG;
    while shown("broker_free_space_bytes ").await.as_deref() != Some("12345") {
        assert!(Instant::now() < give_up, "it shows something else");
    }
    assert_eq!(shown("broker_free_space_floor_bytes ").await.as_deref(), Some("67108864"));
    running.stop().await;
}

/// A broker whose database may grow by 60 pages.
async fn start_small(folder: &Path) -> Running {
    let limited = |store: SqliteStore| {
        store.limit_pages(store.pages().unwrap() + 60).unwrap();
        Box::new(store) as Box<dyn Store>
    };
    let running = Running::start_with(folder, EngineSettings::default(), limited).await;
    running.queue("q").await;
    running
}

/// A message that takes some pages.
fn large(number: u64) -> NewMessage {
    filled(number, 8 << 10)
}

/// A message with so many bytes of data.
fn filled(number: u64, bytes: usize) -> NewMessage {
    let filler = "x".repeat(bytes);
    let record =
        format!(r#"{{"specversion":"1.0","id":"{number}","source":"/tests","type":"t","data":"{filler}"}}"#);
    NewMessage { record: record.into(), ..message(number) }
}

/// Publishes large messages from that number on until one is refused; those that were stored.
async fn fill(running: &Running, first: u64) -> Vec<u64> {
    fill_with(running, first, large).await
}

/// The same with such messages.
async fn fill_with(running: &Running, first: u64, message: impl Fn(u64) -> NewMessage) -> Vec<u64> {
    let mut stored = Vec::new();
    for number in first..first + 1000 {
        match publish(running.broker.clone(), "q", vec![message(number)]).await {
            Ok(_) => stored.push(number),
            Err(BrokerError::StorageFull | BrokerError::BelowFloor { .. }) => return stored,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the database grew without end");
}

async fn ack_all(running: &Running, handout: &Handout) {
    for receipt in receipts(handout) {
        assert_eq!(running.ack("q", receipt).await, SettleStatus::Done);
    }
}

/// Publishes one more, as soon as there is room, and acks it.
async fn goes_through(running: &Running, number: u64) {
    when_there_is_room(running, large(number)).await;
    let (_, receipt) = running.receive_one("q").await;
    running.ack("q", receipt).await;
}

/// Publishes as a client does that is told to try again later.
async fn when_there_is_room(running: &Running, message: NewMessage) -> Published {
    let give_up = Instant::now() + LONG;
    loop {
        match publish(running.broker.clone(), "q", vec![message.clone()]).await {
            Ok(published) => return published[0],
            Err(BrokerError::StorageFull | BrokerError::BelowFloor { .. }) if Instant::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}
