//! Replays and subscriptions that begin with what is retained, by a filter: what is retained is read beside the
//! engine's thread, and what happens meanwhile is not missed.

use std::{sync::Arc, time::Duration};

use broker::{
    Broker, BrokerError,
    engine::{EngineSettings, line::LineLimits},
};
use broker_core::{
    choice::Chosen,
    command::{Command, Destination, NewMessage, Publish, Span, SubscriptionPatch},
    filter::{Attributes, Filter},
    identity::Receipt,
    reply::Reply,
    settings::{Start, TopicSettingsPatch},
};
use futures_util::FutureExt as _;
use tokio::{task::JoinHandle, time::timeout};
use units::Size;

use crate::{
    faults::{Faults, start_faulty},
    running::{LONG, Running, message, name, numbers, receipts, record_of},
};

/// More than the engine looks at by itself.
const MANY: u64 = 3000;

/// A message of a type that says whether its number is even.
fn typed(number: u64) -> NewMessage {
    let kind = if number.is_multiple_of(2) { "even" } else { "odd" };
    let attributes = Attributes::from_iter([("type", kind)]);
    let record = record_of(number, kind);
    NewMessage { attributes, size: u32::try_from(record.len()).unwrap(), record, ..message(number) }
}

async fn publish(broker: &Broker, numbers: impl Iterator<Item = u64>) {
    let messages = numbers.map(typed).collect();
    let destination = Destination::Topic(name("orders"));
    let publish = Command::Publish(Publish { destination, messages, require_route: false });
    broker.send(publish).await.unwrap();
}

fn keeps(bytes: u64) -> Command {
    let settings = TopicSettingsPatch {
        retention: Some(Duration::from_secs(3600)),
        retention_bytes: Some(Size::bytes(bytes)),
        ..Default::default()
    };
    Command::PutTopic { name: name("orders"), settings, only_create: false }
}

fn subscribe(kind: &str, start: Option<Start>) -> Command {
    let filter = Filter::Exact([(Arc::from("type"), Arc::from(kind))].into());
    let settings = SubscriptionPatch { filter: Some(Some(filter)), start, ..Default::default() };
    let (topic, queue) = (name("orders"), name("jobs"));
    Command::PutSubscription { topic, queue, settings, only_create: false, chosen: Chosen::All }
}

fn replay() -> Command {
    let (topic, queue) = (name("orders"), name("jobs"));
    Command::Replay { topic, queue, span: Span::default(), chosen: Chosen::All }
}

/// Sends it and goes on.
fn begin(running: &Running, command: Command) -> JoinHandle<Result<Reply, BrokerError>> {
    let broker = running.broker.clone();
    tokio::spawn(async move { broker.send(command).await })
}

async fn replayed(replay: JoinHandle<Result<Reply, BrokerError>>) -> u64 {
    match timeout(LONG, replay).await.unwrap().unwrap().unwrap() {
        Reply::Replayed { count } => count,
        other => panic!("{other:?}"),
    }
}

/// Receives and acks all that is in `jobs`; the numbers in their order.
async fn consume(running: &Running) -> Vec<u64> {
    let mut consumed = Vec::new();
    loop {
        let handout = running.receive("jobs", 1000).await;
        if handout.deliveries.is_empty() {
            return consumed;
        }
        consumed.extend(numbers(&handout));
        let ack = Command::Ack { queue: name("jobs"), receipts: receipts(&handout) };
        running.broker.send(ack).await.unwrap();
    }
}

/// A topic `orders` that retains the numbers to [`MANY`], and an empty queue `jobs`, not subscribed. What was
/// published is not in the engine's memory.
async fn retaining(folder: &std::path::Path) -> (Running, Arc<Faults>) {
    retaining_with(folder, EngineSettings::default()).await
}

/// The same with other settings.
async fn retaining_with(folder: &std::path::Path, settings: EngineSettings) -> (Running, Arc<Faults>) {
    let settings = EngineSettings { cached_bytes: 0, ..settings };
    let (running, faults) = start_faulty(folder, settings).await;
    running.queue("jobs").await;
    running.broker.send(keeps(1 << 30)).await.unwrap();
    publish(&running.broker, 1..=MANY).await;
    (running, faults)
}

#[tokio::test]
async fn while_a_replay_looks_through_what_is_retained_everybody_else_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    running.queue("other").await;
    running.publish("other", MANY + 1).await.unwrap();
    let (_, receipt) = running.receive_one("other").await;

    let hold = faults.hold_read();
    let replay = begin(&running, replay());
    let go_on = hold.begun().await;
    running.publish("other", MANY + 2).await.unwrap();
    extend(&running, receipt).await;
    go_on.send(()).unwrap();
    assert_eq!(replayed(replay).await, MANY / 2);
    assert!(faults.own_reads() <= 50, "the engine's thread read {} records", faults.own_reads());
    assert_eq!(consume(&running).await, (1..=MANY).filter(|it| it % 2 == 0).collect::<Vec<_>>());
    running.stop().await;
}

async fn extend(running: &Running, receipt: Receipt) {
    let (queue, receipts) = (name("other"), vec![receipt]);
    let extend = Command::Extend { queue, receipts, lease: Duration::from_secs(60) };
    running.broker.send(extend).await.unwrap();
}

#[tokio::test]
async fn a_subscription_from_the_earliest_misses_nothing_that_is_published_meanwhile_and_nothing_comes_twice()
{
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = retaining(folder.path()).await;
    let broker = running.broker.clone();
    let publishing = tokio::spawn(async move {
        for first in (MANY + 1..=4 * MANY).step_by(30) {
            publish(&broker, first..first + 30).await;
        }
    });
    running.broker.send(subscribe("odd", Some(Start::Earliest))).await.unwrap();
    publishing.await.unwrap();
    assert_eq!(consume(&running).await, (1..=4 * MANY).filter(|it| it % 2 == 1).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn a_filter_that_changes_while_a_replay_looks_is_the_one_that_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    let hold = faults.hold_read();
    let replay = begin(&running, replay());
    let go_on = hold.begun().await;
    running.broker.send(subscribe("odd", None)).await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(replayed(replay).await, MANY / 2);
    assert_eq!(consume(&running).await, (1..=MANY).filter(|it| it % 2 == 1).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn what_a_topic_lets_go_while_a_replay_looks_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    let (first, second) = (faults.hold_read(), faults.hold_read());
    let replay = begin(&running, replay());
    first.begun().await.send(()).unwrap();
    let go_on = second.begun().await;
    let size = typed(MANY).record.len() as u64;
    running.broker.send(keeps(100 * size)).await.unwrap();
    until_retained(&running, 100).await;
    go_on.send(()).unwrap();
    assert_eq!(replayed(replay).await, 50);
    assert_eq!(consume(&running).await, (MANY - 99..=MANY).filter(|it| it % 2 == 0).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn a_replay_that_nobody_waits_for_any_more_is_carried_out_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    let hold = faults.hold_read();
    let replay = begin(&running, replay());
    let go_on = hold.begun().await;
    replay.abort();
    assert!(replay.await.unwrap_err().is_cancelled());
    go_on.send(()).unwrap();
    until_ready(&running, MANY / 2).await;
    running.stop().await;
}

/// Waits until so many are ready in `jobs`.
async fn until_ready(running: &Running, count: u64) {
    let all_ready = async {
        while running.look("jobs", |queue| queue.gauges.ready).await < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, all_ready).await.unwrap();
}

#[tokio::test]
async fn a_line_that_is_full_for_a_while_does_not_end_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let line = LineLimits { calls: 8, ..Default::default() };
    let settings = EngineSettings { line, ..Default::default() };
    let (running, faults) = retaining_with(folder.path(), settings).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    running.queue("other").await;
    let (read, commit) = (faults.hold_read(), faults.hold());
    let replay = begin(&running, replay());
    let read_on = read.begun().await;
    let held = begin(&running, keeps(2 << 30));
    let commit_on = commit.begun().await;
    fill_line(&running);
    read_on.send(()).unwrap();
    until_read_beside(&faults, 1000).await;
    assert!(!replay.is_finished());
    commit_on.send(()).unwrap();
    assert_eq!(replayed(replay).await, MANY / 2);
    held.await.unwrap().unwrap();
    running.stop().await;
}

/// Asks until the line takes no more, while the engine is held.
fn fill_line(running: &Running) {
    while running.broker.look(|_, _| ()).now_or_never() != Some(Err(BrokerError::Busy)) {}
}

/// Waits until so many records were read beside the engine.
async fn until_read_beside(faults: &Faults, count: usize) {
    let read = async {
        while faults.reads_beside() < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, read).await.unwrap();
}

#[tokio::test]
async fn a_replay_takes_nothing_that_is_published_after_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    let hold = faults.hold_read();
    let replay = begin(&running, replay());
    let go_on = hold.begun().await;
    until_later(&running).await;
    publish(&running.broker, MANY + 1..=MANY + 10).await;
    assert_eq!(consume(&running).await.len(), 5);
    go_on.send(()).unwrap();
    assert_eq!(replayed(replay).await, MANY / 2);
    running.stop().await;
}

/// Waits until the broker's clock has gone on.
async fn until_later(running: &Running) {
    let now = || running.broker.look(|_, now| now);
    let before = now().await.unwrap();
    let later = async {
        while now().await.unwrap() == before {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, later).await.unwrap();
}

#[tokio::test]
async fn more_replays_than_are_looked_through_at_a_time_are_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = retaining(folder.path()).await;
    running.broker.send(subscribe("even", None)).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..4 {
        let hold = faults.hold_read();
        held.push((begin(&running, replay()), hold.begun().await));
    }
    let one_more = timeout(LONG, running.broker.send(replay())).await.unwrap();
    assert_eq!(one_more.err(), Some(BrokerError::Busy));
    let mut count = 0;
    for (replay, go_on) in held {
        go_on.send(()).unwrap();
        count += replayed(replay).await;
    }
    assert_eq!(count, MANY / 2, "what is in the queue already is passed over");
    running.stop().await;
}

/// Waits until the topic has let go all but so many.
async fn until_retained(running: &Running, count: u64) {
    let retained = || running.broker.look(|core, _| core.topic(&name("orders")).unwrap().retained);
    let let_go = async {
        while retained().await.unwrap() > count {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, let_go).await.unwrap();
}
