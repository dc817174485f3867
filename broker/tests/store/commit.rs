//! Answers come after the commit, and only then.

use std::sync::{Arc, mpsc::TryRecvError};

use broker::{
    BrokerError,
    engine::{self, EngineSettings, fatal::Fatal, line::LineLimits},
    store::{StoreError, folder::DataFolder, sqlite::SqliteStore},
};
use futures_util::{FutureExt as _, future::join_all};
use tokio::{task::yield_now, time::timeout};

use crate::{
    faults::{Fault, Faults, Faulty, start_faulty},
    running::{LONG, Running, message, publish},
};

#[tokio::test]
async fn a_publish_is_answered_after_its_commit_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path(), EngineSettings::default()).await;
    running.queue("q").await;
    let hold = faults.hold();
    let mut answer = tokio::spawn(publish(running.broker.clone(), "q", vec![message(1)]));
    let go_on = hold.begun().await;
    for _ in 0..100 {
        yield_now().await;
        assert!((&mut answer).now_or_never().is_none(), "it was answered before the commit");
    }
    go_on.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap()[0].queues, 1);
    running.stop().await;
}

#[tokio::test]
async fn what_arrives_during_a_commit_is_committed_together() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = start_faulty(folder.path(), EngineSettings::default()).await;
    running.queue("q").await;
    let (first, second) = (faults.hold(), faults.hold());
    let one = tokio::spawn(publish(running.broker.clone(), "q", vec![message(0)]));
    let go_on = first.begun().await;
    let mut others: Vec<_> = (1..=50)
        .map(|number| Box::pin(publish(running.broker.clone(), "q", vec![message(number)])))
        .collect();
    // Polled once, each stands in line.
    others.iter_mut().for_each(|other| assert!(other.now_or_never().is_none()));
    go_on.send(()).unwrap();
    one.await.unwrap().unwrap();
    // All that waited is in the second commit: letting that one go on answers them all.
    let go_on = second.begun().await;
    go_on.send(()).unwrap();
    assert!(join_all(others).await.into_iter().all(|answer| answer.is_ok()));
    running.stop().await;
}

#[tokio::test]
async fn a_line_that_is_full_says_so_and_leaves_room_for_acks() {
    let folder = tempfile::tempdir().unwrap();
    let line = LineLimits { calls: 16, bytes: 1 << 20 };
    let (running, faults) =
        start_faulty(folder.path(), EngineSettings { line, ..EngineSettings::default() }).await;
    running.queue("q").await;
    running.publish("q", 0).await.unwrap();
    let (_, receipt) = running.receive_one("q").await;
    let hold = faults.hold();
    let held = tokio::spawn(publish(running.broker.clone(), "q", vec![message(1)]));
    let go_on = hold.begun().await;
    let mut waiting: Vec<_> = (2..=15)
        .map(|number| Box::pin(publish(running.broker.clone(), "q", vec![message(number)])))
        .collect();
    waiting.iter_mut().for_each(|publish| assert!(publish.now_or_never().is_none()));
    assert_eq!(running.publish("q", 16).await, Err(BrokerError::Busy));
    let mut ack = Box::pin(running.ack("q", receipt));
    assert!((&mut ack).now_or_never().is_none(), "an ack was refused");
    go_on.send(()).unwrap();
    held.await.unwrap().unwrap();
    ack.await;
    assert!(join_all(waiting).await.into_iter().all(|answer| answer.is_ok()));
    running.stop().await;
}

/// Tells the test instead of ending its process.
struct Told(std::sync::mpsc::Sender<String>);

impl Fatal for Told {
    fn fatal(&self, error: &StoreError) {
        self.0.send(error.to_string()).unwrap();
    }
}

#[tokio::test]
async fn a_store_that_fails_for_good_ends_the_broker_and_answers_nothing_as_done() {
    let folder = tempfile::tempdir().unwrap();
    let (told, ended) = std::sync::mpsc::channel();
    let faults = Arc::new(Faults::default());
    let shared = Arc::clone(&faults);
    let locked = DataFolder::open(folder.path()).unwrap();
    let open = move || Ok(Box::new(Faulty { store: SqliteStore::open(locked)?, faults: shared }) as _);
    let (broker, thread) = engine::start(EngineSettings::default(), open, Told(told)).unwrap();
    broker.ready().await.unwrap();
    let running = Running { broker, thread };
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    assert_eq!(ended.try_recv(), Err(TryRecvError::Empty));

    faults.push(Fault::Broken);
    assert_eq!(running.publish("q", 2).await, Err(BrokerError::Stopped));
    assert_eq!(running.publish("q", 3).await, Err(BrokerError::Stopped));
    assert!(running.thread.stopped().await.is_err());
    assert!(ended.recv().unwrap().contains("the sync failed"));

    let running = Running::start(folder.path()).await;
    assert_eq!(running.look("q", |queue| queue.gauges.ready).await, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_panic_while_the_store_is_opened_ends_the_broker_as_a_store_that_fails() {
    let (told, ended) = std::sync::mpsc::channel();
    let open = || panic!("the store can't be opened");
    let (broker, thread) = engine::start(EngineSettings::default(), open, Told(told)).unwrap();
    assert_eq!(timeout(LONG, broker.ready()).await, Ok(Err(BrokerError::Stopped)));
    assert_eq!(timeout(LONG, broker.look(|_, _| ())).await, Ok(Err(BrokerError::Stopped)));
    assert!(thread.stopped().await.is_err());
    assert!(ended.try_recv().unwrap().contains("panicked"));
}
