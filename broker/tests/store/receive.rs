//! Receives that wait, are given up, or whose answer nobody takes.

use std::{sync::Arc, time::Duration};

use broker::BrokerError;
use broker_core::{
    command::{Command, Receive},
    reply::Refusal,
};
use futures_util::FutureExt as _;
use tokio::{task::yield_now, time::timeout};

use crate::running::{LONG, Running, message, name, numbers, publish, receive};

/// A receive that waits, standing in line.
async fn waiting(
    running: &Running,
    ask: Receive,
) -> tokio::task::JoinHandle<Result<broker::Handout, BrokerError>> {
    let (broker, before) = (running.broker.clone(), parked(running).await);
    let waiting = tokio::spawn(async move { broker.receive(ask, LONG).await });
    while parked(running).await == before {
        yield_now().await;
    }
    waiting
}

async fn parked(running: &Running) -> u64 {
    let metrics = running.broker.metrics().await.unwrap();
    let line = metrics.lines().find(|line| line.starts_with("broker_waiting_receives ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_receive_that_waits_gets_the_message_that_comes() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let waiting = waiting(&running, receive("q", 10)).await;
    running.publish("q", 1).await.unwrap();
    let handout = timeout(LONG, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(numbers(&handout), [1]);
    running.stop().await;
}

#[tokio::test]
async fn who_waits_longest_is_served_first() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let first = waiting(&running, receive("q", 1)).await;
    let second = waiting(&running, receive("q", 1)).await;
    for number in 1..=2 {
        running.publish("q", number).await.unwrap();
    }
    assert_eq!(numbers(&first.await.unwrap().unwrap()), [1]);
    assert_eq!(numbers(&second.await.unwrap().unwrap()), [2]);
    running.stop().await;
}

#[tokio::test]
async fn a_receive_whose_time_is_over_answers_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let handout = timeout(LONG, running.broker.receive(receive("q", 1), Duration::from_millis(30))).await;
    assert!(handout.unwrap().unwrap().deliveries.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_is_due_wakes_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let mut delayed = message(1);
    delayed.available = Some(broker_core::command::When::After(Duration::from_millis(50)));
    publish(running.broker.clone(), "q", vec![delayed]).await.unwrap();
    assert_eq!(running.receive_one("q").await.0, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_lease_that_runs_out_wakes_who_waits_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    let short = Receive { lease: Some(Duration::from_millis(100)), ..receive("q", 1) };
    let mut lost = running.broker.receive(short, Duration::ZERO).await.unwrap();
    lost.guard.keep();
    let handout = timeout(LONG, running.broker.receive(receive("q", 1), LONG)).await.unwrap().unwrap();
    assert_eq!(handout.deliveries[0].delivered.delivery_count, 2);
    assert_eq!(handout.deliveries[0].last_reason.as_deref(), Some("lease expired"));
    running.stop().await;
}

#[tokio::test]
async fn a_handout_that_nobody_keeps_goes_back_uncounted() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    let dropped = running.broker.receive(receive("q", 1), Duration::ZERO).await.unwrap();
    assert_eq!(dropped.deliveries[0].delivered.delivery_count, 1);
    drop(dropped);
    let handout = running.receive("q", 1).await;
    assert_eq!(handout.deliveries[0].delivered.delivery_count, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_receive_that_was_given_up_takes_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let given_up = waiting(&running, receive("q", 1)).await;
    let patient = waiting(&running, receive("q", 1)).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    running.publish("q", 1).await.unwrap();
    let handout = timeout(LONG, patient).await.unwrap().unwrap().unwrap();
    assert_eq!((numbers(&handout), handout.deliveries[0].delivered.delivery_count), (vec![1], 1));
    running.stop().await;
}

#[tokio::test]
async fn what_is_received_by_a_name_or_acked_at_once_does_not_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    running.publish("q", 2).await.unwrap();
    let named = Receive { receive_id: Some(Arc::from("r")), ..receive("q", 1) };
    drop(running.broker.receive(named, Duration::ZERO).await.unwrap());
    let at_once = Receive { auto_ack: true, ..receive("q", 1) };
    let handout = running.broker.receive(at_once, Duration::ZERO).await.unwrap();
    assert_eq!(numbers(&handout), [2]);
    drop(handout);
    let seen =
        running.look("q", |queue| (queue.gauges.ready, queue.gauges.leased, queue.counters.acked)).await;
    assert_eq!(seen, (0, 1, 1));
    running.stop().await;
}

#[tokio::test]
async fn who_waits_on_a_queue_that_is_removed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let waiting = waiting(&running, receive("q", 1)).await;
    running.broker.send(Command::DeleteQueue { name: name("q"), force: false }).await.unwrap();
    let refused = timeout(LONG, waiting).await.unwrap().unwrap();
    assert_eq!(refused.err(), Some(BrokerError::Refused(Refusal::QueueNotFound(name("q")))));
    running.stop().await;
}

#[tokio::test]
async fn a_stop_answers_who_waits_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let mut waiting = waiting(&running, receive("q", 1)).await;
    assert!((&mut waiting).now_or_never().is_none());
    running.stop().await;
    assert!(waiting.await.unwrap().unwrap().deliveries.is_empty());
}
